"""The charging API as a switch meets it: an engine behind uvicorn on a free port, demo inside.

with serving(store) as service:
    service.post("/v1/calls/c1/authorize", {...}).json()
"""

import asyncio
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import httpx
import uvicorn

from talktime.console.migrations_expected import expected_migrations
from talktime.core.ids import NODES, Ids
from talktime.engine.engine import Engine, Sources
from talktime.gateways.http.app import create_app
from talktime.gateways.http.connections import Connections
from talktime.gateways.http.protocol import protocol_of
from talktime.operations.seed_demo import Demo, seed_demo
from tests.loopback import family_of
from tests.plain_http import plain_client
from tests.stores import Store

PATIENCE_S = 30
EXPECTED = {
    "control_plane": expected_migrations("control_plane"),
    "cell": expected_migrations("cell"),
}
_names = count(1)


def clock_ms() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


SOURCES = Sources(clock_ms, lambda: secrets.randbelow(NODES))
new_id = Ids(secrets.randbelow(NODES), clock_ms).next


def seeded(store: Store) -> Demo:
    """Put the demo organisation into a store's first cell."""
    cells = {name: store.cell(name) for name in store.cells}
    return seed_demo(
        store.control(), cells, now_ms=clock_ms(), next_id=new_id, entropy=secrets.token_bytes
    )


def engine_of(store: Store, sources: Sources = SOURCES, **options: Any) -> Engine:
    """An engine on a store, not started."""
    return Engine(store.settings, sources, EXPECTED, **options)


class Service:
    """A running service, and a client with a key to it."""

    def __init__(
        self,
        engine: Engine,
        demo: Demo,
        connections: Connections | None = None,
        listen: str = "127.0.0.1",
    ) -> None:
        self.engine = engine
        self.demo = demo
        family, both = family_of(listen), listen == "::"
        self._listener = socket.create_server(
            (listen, 0), family=family, backlog=2048, dualstack_ipv6=both
        )
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        app = create_app(engine, connections=connections)
        self.connections = app.connections
        http: Any = protocol_of(app.connections, app.verbs)
        config = uvicorn.Config(
            app, lifespan="off", access_log=False, log_config=None, http=http, loop="uvloop"
        )
        self._server = uvicorn.Server(config)
        self._started = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="service")
        self.http = self.client(demo.switch_key)

    def client(self, key: str | None) -> httpx.Client:
        """A client with another key, or none."""
        headers = {"authorization": f"Bearer {key}"} if key is not None else {}
        return plain_client(self.url, headers, PATIENCE_S)

    async def _serve(self) -> None:
        await self.engine.start()
        serving = asyncio.create_task(self._server.serve(sockets=[self._listener]))
        while not self._server.started and not serving.done():
            await asyncio.wait([serving], timeout=0.01)
        self._started.set()
        await serving
        await self.engine.stop()

    def start(self) -> None:
        """Serve; returns when the port answers."""
        self._thread.start()
        assert self._started.wait(PATIENCE_S)

    def tell_to_stop(self) -> None:
        """As a signal does: take no more connections, answer what was taken, end."""
        self._server.should_exit = True

    def stop(self) -> None:
        """Stop in order, and wait for the end."""
        self.http.close()
        self.tell_to_stop()
        self._thread.join(PATIENCE_S)
        self._listener.close()
        assert not self._thread.is_alive()

    def post(self, path: str, body: object) -> httpx.Response:
        """Send a body as JSON."""
        return self.http.post(path, json=body)

    def get(self, path: str) -> httpx.Response:
        """Ask for a path."""
        return self.http.get(path)

    def call(self) -> "SwitchCall":
        """A new call of the demo's caller to its callee."""
        return SwitchCall(self, f"call-{next(_names)}@switch.example")

    def until(self, condition: Callable[[], bool]) -> bool:
        """Wait until the engine's caches, or what it knows of its databases, make this true."""
        with self.engine.refreshed:
            return self.engine.refreshed.wait_for(condition, PATIENCE_S)


class SwitchCall:
    """One call as a switch conducts it, counting its sequence."""

    def __init__(self, service: Service, call_id: str) -> None:
        self.call_id = call_id
        self.path = f"/v1/calls/{call_id.replace('%', '%25').replace('/', '%2F')}"
        self.sequence = 0
        self._service = service

    def send(self, verb: str, body: dict[str, Any]) -> httpx.Response:
        """Send one request on this call, as it is."""
        return self._service.post(f"{self.path}/{verb}", body)

    def next(self, verb: str, **body: Any) -> httpx.Response:
        """Send the next request on this call."""
        answer = self.send(verb, {"sequence": self.sequence, **body})
        if answer.status_code < 300:
            self.sequence += 1
        return answer

    def authorize(self, **changed: Any) -> httpx.Response:
        """May this call be set up?"""
        demo = self._service.demo
        body = {"type": "user_out", "from": demo.caller, "to": demo.callee, **changed}
        return self.next("authorize", **body)

    def show(self) -> dict[str, Any]:
        """The call as it stands."""
        shown: dict[str, Any] = self._service.get(self.path).json()
        return shown


CELL_TABLES = ("wallet", "lot", "call", "answer", "transfer", "usage_record")


def rows_of_books(store: Store) -> dict[tuple[str, str], list[Any]]:
    """Every row of every cell, to see that nothing has changed."""
    found = {}
    for cell in store.cells:
        connection = store.cell(cell)
        for table in CELL_TABLES:
            with connection.reading():
                found[cell, table] = sorted(connection.rows(f'SELECT * FROM "{table}"'), key=repr)
        connection.close()
    return found


@contextmanager
def serving(
    store: Store,
    demo: Demo | None = None,
    connections: Connections | None = None,
    listen: str = "127.0.0.1",
    **options: Any,
) -> Iterator[Service]:
    """A service on a store, with the demo seeded unless it was before."""
    engine = engine_of(store, **options)
    service = Service(engine, demo or seeded(store), connections, listen)
    service.start()
    try:
        yield service
    finally:
        service.stop()
