"""The console as an ASGI application, for the process that serves it."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from typing import Any

import django
from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.http.response import HttpResponseBase, StreamingHttpResponse

from talktime.console.databases import SETTINGS_MODULE
from talktime.console.kept_threads import kept_threads
from talktime.core.limits import CONSOLE_BODY_BYTES_MAX
from talktime.core.refusal import Refusal
from talktime.operations.render import problem

Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[dict[str, Any], Receive, Send], Awaitable[None]]


class BodyBounded:
    """Hands on no body that is larger than any request needs: Django keeps all that comes."""

    def __init__(self, application: Application, bytes_max: int) -> None:
        self._application = application
        self._bytes_max = bytes_max

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Serve one request; 413 as soon as its body has become too large."""
        received = 0

        async def bounded() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received <= self._bytes_max:
                return message
            await self._refuse(send)
            return {"type": "http.disconnect"}

        await self._application(scope, bounded, send)

    async def _refuse(self, send: Send) -> None:
        detail = f"the body is larger than {self._bytes_max:,} bytes"
        status, body = problem(Refusal("body_too_large", detail))
        headers = [(b"content-type", b"application/problem+json"), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body.encode()})


class Handler(ASGIHandler):
    """Serves on threads that are kept, and sends long answers while they are made: Django would
    first make the whole of one that is made by a plain iterator."""

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Serve one request, its synchronous part on a thread that is kept for the next."""
        async with kept_threads.lent():
            await self.handle(scope, receive, send)

    async def send_response(self, response: HttpResponseBase, send: Send) -> None:
        """Send an answer; one that is streamed piece by piece, each made on a thread."""
        if isinstance(response, StreamingHttpResponse) and not response.is_async:
            pieces = iter(response)
            response.streaming_content = _by_threads(pieces)
        await super().send_response(response, send)


async def _by_threads(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    def take() -> bytes | None:
        return next(pieces, None)

    while (piece := await sync_to_async(take, thread_sensitive=False)()) is not None:
        yield piece


os.environ.setdefault("DJANGO_SETTINGS_MODULE", SETTINGS_MODULE)
django.setup(set_prefix=False)
application = BodyBounded(Handler(), CONSOLE_BODY_BYTES_MAX)
