"""Answers that are sent piece by piece, under ASGI and under WSGI."""

from collections.abc import AsyncIterator, Generator
from typing import cast

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse

Pieces = Generator[bytes, None, None]


def attachment(request: HttpRequest, pieces: Pieces, name: str, content_type: str) -> HttpResponse:
    """A file to be saved, made while it is sent; `pieces` is closed at the end, or when the reader
    goes away."""
    content = _from_threads(pieces) if isinstance(request, ASGIRequest) else pieces
    response = StreamingHttpResponse(content, content_type=content_type)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return cast(HttpResponse, response)  # for all that a page's door does, it is one


async def _from_threads(pieces: Pieces) -> AsyncIterator[bytes]:
    """Each piece made on a thread, so that others are served meanwhile."""
    make = sync_to_async(lambda: next(pieces, None), thread_sensitive=False)
    try:
        while (piece := await make()) is not None:
            if piece:
                yield piece
    finally:
        await sync_to_async(pieces.close, thread_sensitive=False)()
