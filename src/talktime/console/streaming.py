"""Answers that are sent piece by piece, under ASGI and under WSGI."""

from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import closing
from typing import cast

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse

from talktime.console.databases import current
from talktime.core.directory import Organisation
from talktime.store.database import Connection, connect

Pieces = Generator[bytes, None, None]


def attachment(request: HttpRequest, pieces: Pieces, name: str, content_type: str) -> HttpResponse:
    """A file to be saved, made while it is sent; `pieces` is closed at the end, or when the reader
    goes away."""
    response = streamed(request, pieces, content_type)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def streamed(request: HttpRequest, pieces: Pieces, content_type: str) -> HttpResponse:
    """What is made while it is sent; `pieces` is closed as those of an attachment."""
    content = _from_threads(pieces) if isinstance(request, ASGIRequest) else pieces
    response = StreamingHttpResponse(content, content_type=content_type)
    return cast(HttpResponse, response)  # for all that a page's door does, it is one


def read_apart(owner: Organisation, pieces_of: Callable[[Connection], Iterator[bytes]]) -> Pieces:
    """Pieces read from the owner's cell with a connection of their own, opened for the first and
    closed after the last: what a page has open is closed long before."""
    with closing(connect(current().cells[owner.cell])) as cell:
        yield from pieces_of(cell)


async def _from_threads(pieces: Pieces) -> AsyncIterator[bytes]:
    """Each piece made on a thread, so that others are served meanwhile."""
    make = sync_to_async(lambda: next(pieces, None), thread_sensitive=False)
    try:
        while (piece := await make()) is not None:
            if piece:
                yield piece
    finally:
        await sync_to_async(pieces.close, thread_sensitive=False)()
