"""Long answers, sent while they are made: never whole in memory, on a thread of their own."""

from collections.abc import AsyncIterator, Iterator

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, StreamingHttpResponse


def streamed(
    request: HttpRequest, pieces: Iterator[str], content_type: str, filename: str
) -> StreamingHttpResponse:
    """A file to be kept under this name. What `pieces` reads, it opens and closes itself: the
    page's own connections are closed by then."""
    whole = _by_threads(pieces) if isinstance(request, ASGIRequest) else pieces
    response = StreamingHttpResponse(whole, content_type=content_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{filename}"'
    return response


async def _by_threads(pieces: Iterator[str]) -> AsyncIterator[str]:
    def take() -> str | None:
        return next(pieces, None)

    while (piece := await sync_to_async(take, thread_sensitive=False)()) is not None:
        yield piece
