"""One port for two applications: the charging API's own, and Django for everything else."""

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from talktime.core.addresses import plain_text

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

API_PATHS = frozenset(("/v1", "/healthz", "/readyz", "/metrics"))


class Dispatcher:
    """Hands each request to the application its path belongs to; starts and stops what serves them.

    `start` runs before the port takes requests, `stop` after the last of them was answered.
    """

    def __init__(
        self,
        api: Application,
        console: Application,
        start: Callable[[], Awaitable[None]],
        stop: Callable[[], Awaitable[None]],
    ) -> None:
        self._api = api
        self._console = console
        self._start = start
        self._stop = stop

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or the life of the server (ASGI)."""
        if scope["type"] == "http":
            path: str = scope["path"]
            if path[:4] == "/v1/" or path in API_PATHS:
                await self._api(scope, receive, send)
            else:
                await self._console(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._live(receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        await self._start()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self._stop()
        await send({"type": "lifespan.shutdown.complete"})


def with_plain_clients(application: Application) -> Application:
    """The application, told of clients of IPv4 as such where the port is one of IPv6 too."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if client := scope.get("client"):
            scope["client"] = (plain_text(client[0]), client[1])
        await application(scope, receive, send)

    return serve


def by_https(application: Application, url: str) -> Application:
    """The application, told that people came by https where they came to the name in this address
    of the service: what ends their TLS may be on another machine, and need not say so."""
    name = urlsplit(url).netloc.lower().encode()

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if (b"host", name) in scope["headers"]:
            scope["scheme"] = "https"
        await application(scope, receive, send)

    return serve


async def not_here(scope: Scope, receive: Receive, send: Send) -> None:
    """The application of a role that this process does not have."""
    await answer(send, 404, {"status": "not_here", "detail": "another process serves this address"})


class Health:
    """`/healthz` and `/readyz` of a process without the engine."""

    def __init__(self, databases_away: Callable[[], list[str]]) -> None:
        self._databases_away = databases_away

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Healthy as long as it answers; ready when its databases answer too."""
        if scope["path"] == "/healthz":
            await answer(send, 200, {"status": "ok"})
        elif scope["path"] == "/readyz":
            away = await asyncio.to_thread(self._databases_away)
            status = (
                {"status": "unavailable", "databases_away": away} if away else {"status": "ready"}
            )
            await answer(send, 503 if away else 200, status)
        else:
            await not_here(scope, receive, send)


async def answer(send: Send, status: int, body: object) -> None:
    """Answer a request with a small JSON body."""
    content = json.dumps(body).encode()
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(content)).encode()),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})
