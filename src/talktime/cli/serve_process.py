"""The serving process: what runs in it, in which order it starts and stops."""

import asyncio
import os
import resource
import secrets
import socket
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any, cast

import structlog
import uvicorn
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from talktime.cli.installation import new_ids
from talktime.cli.serve_dispatch import (
    Application,
    Dispatcher,
    Health,
    by_https,
    not_here,
    with_plain_clients,
)
from talktime.cli.serve_doors import Doors
from talktime.cli.serve_tuning import keep_what_is_loaded, switch_threads_soon
from talktime.clock import FILE as TEST_CLOCK_FILE
from talktime.clock import ahead_in_words, ahead_ms, now_ms
from talktime.config import Settings
from talktime.console.databases import let_go, set_up
from talktime.console.migrations_expected import expected_migrations
from talktime.core.ids import NODES
from talktime.engine.engine import Engine, Sources
from talktime.engine.writer_process import WriterProcess
from talktime.jobs.runner import Runner
from talktime.stops import on_stop
from talktime.store.version import Migrations

PROXIES_HERE = ("127.0.0.1", "::1")
BACKLOG = 2_048
DESCRIPTORS_WANTED = 65_536
KEEP_ALIVE_S = 75
ANSWER_S_MAX = 20

log = structlog.get_logger(__name__)


class Process:
    """The roles of one process, started and stopped together."""

    def __init__(self, settings: Settings, roles: frozenset[str], doors: Doors) -> None:
        self._settings = settings
        self._engine = new_engine(settings) if "engine" in roles else None
        self._gateways = doors.gateways(self._engine) if self._engine is not None else []
        self._jobs = new_jobs(settings) if "jobs" in roles else None
        self._with_console = "console" in roles
        self.protocol: Any

    def application(self) -> Dispatcher:
        """The one ASGI application for the port; from then on `protocol` is what reads HTTP."""
        return Dispatcher(self._api(), self._console(), self.start, self.stop)

    async def start(self) -> None:
        """Ready to answer when this returns."""
        if self._engine is not None:
            await self._engine.start()
        for gateway in self._gateways:
            await gateway.start()
        if self._jobs is not None:
            self._jobs.start()
        switch_threads_soon()
        keep_what_is_loaded()
        use_all_descriptors()
        tell_started(self._settings)

    def leave(self) -> None:
        """About to stop: nobody need wait for what may come."""
        if self._engine is not None:
            self._engine.endings.stop()

    async def stop(self) -> None:
        """Finish what was taken, then let go of the databases."""
        if self._jobs is not None:
            await asyncio.to_thread(self._jobs.stop)
        for gateway in self._gateways:
            await gateway.stop()
        if self._engine is not None:
            await self._engine.stop()
        if self._with_console:
            let_go()
        log.info("stopped")

    def _api(self) -> Application:
        from talktime.gateways.http.connections import Connections
        from talktime.gateways.http.protocol import protocol_of

        connections = Connections.within(descriptors_wanted())
        if self._engine is not None:
            from talktime.gateways.http.app import create_app

            measures = self._jobs.measures if self._jobs else tuple
            api = create_app(self._engine, measures, connections)
            self.protocol = protocol_of(connections, api.verbs)
            return api
        from talktime.console.start.views import databases_away

        self.protocol = protocol_of(connections)
        return Health(databases_away)

    def _console(self) -> Application:
        if not self._with_console:
            return not_here
        set_up(self._settings)
        from talktime.console.asgi import application
        from talktime.console.loading import load_all

        load_all()
        # A proxy of the operator's may say from where people came, and whether by https.
        behind_proxy: Any = ProxyHeadersMiddleware(
            cast(Any, application), trusted_hosts=[*PROXIES_HERE, *self._settings.proxies]
        )
        served = with_plain_clients(cast(Application, behind_proxy))
        return by_https(served, self._settings.public_url) if self._settings.https else served


def descriptors_wanted() -> int:
    """How many open descriptors the process may have, as far as it can use them."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return DESCRIPTORS_WANTED if hard == resource.RLIM_INFINITY else min(hard, DESCRIPTORS_WANTED)


def use_all_descriptors() -> None:
    """Let the process have as many open descriptors as it may: each connection is one, and a system
    gives a thousand unasked."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = descriptors_wanted()
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def tell_started(settings: Settings) -> None:
    """The first line of every process's log."""
    log.info("started", cells=list(settings.cells))
    if settings.test_clock:
        log.warning("test clock", ahead=ahead_in_words(ahead_ms()))
    elif (settings.data / TEST_CLOCK_FILE).exists():
        log.warning("test clock ignored", file=str(settings.data / TEST_CLOCK_FILE))


class Server(uvicorn.Server):
    """uvicorn, which says when it listens, and when it is about to stop."""

    def __init__(
        self, config: uvicorn.Config, say_ready: Callable[[], None], leaving: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._say_ready = say_ready
        self._leaving = leaving

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to listen, then tell."""
        await super().startup(sockets)
        if self.started:
            self._say_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take nothing more; who only waits is answered now."""
        self._leaving()
        await super().shutdown(sockets)


def serve(
    settings: Settings,
    roles: frozenset[str],
    listener: socket.socket,
    doors: Doors,
    say_ready: Callable[[], None],
) -> None:
    """Serve until it is to end; returns when all that was taken has been answered."""
    process = Process(settings, roles, doors)
    application = process.application()
    config = uvicorn.Config(
        application,
        http=process.protocol,
        loop="uvloop",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=ANSWER_S_MAX,
    )
    server = Server(config, say_ready, process.leave)

    # uvicorn takes the signals while it runs and raises them again at its end: that is no failure.
    def leave(_signal: int, _frame: FrameType | None) -> None:
        server.should_exit = True

    on_stop(leave)
    server.run([listener])
    if server.force_exit:
        os._exit(1)


def run_jobs_alone(settings: Settings) -> None:
    """Run the jobs, without a port, until they are to end."""
    stopped = threading.Event()
    on_stop(lambda *_: stopped.set())
    jobs = new_jobs(settings)
    jobs.start()
    tell_started(settings)
    print("Talktime is ready: the jobs run", flush=True)
    stopped.wait()
    jobs.stop()
    log.info("stopped")


def new_engine(settings: Settings) -> Engine:
    """The engine of this installation, not yet started."""
    sources = Sources(now_ms, lambda: secrets.randbelow(NODES))
    return Engine(settings, sources, expected_versions(), writer_of=WriterProcess)


def new_jobs(settings: Settings) -> Runner:
    """The jobs of this installation, not yet started."""
    moved = ahead_ms if settings.test_clock else None
    return Runner(settings, now_ms, new_ids, expected_versions(), ahead_ms=moved)


def expected_versions() -> dict[str, Migrations]:
    """The migrations that the control plane and the cells must have."""
    return {app: expected_migrations(app) for app in ("control_plane", "cell")}
