"""The console as an ASGI application, for the process that serves it."""

import os
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from django.core.asgi import get_asgi_application

from talktime.console.databases import SETTINGS_MODULE
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


os.environ.setdefault("DJANGO_SETTINGS_MODULE", SETTINGS_MODULE)
application = BodyBounded(get_asgi_application(), CONSOLE_BODY_BYTES_MAX)
