"""`talktime serve`: the charging API, the console and the jobs in one process, on one port."""

import os
import socket
import sys
from dataclasses import replace
from functools import partial
from types import FrameType
from typing import Annotated

import typer

from talktime.cli.failures import Failure
from talktime.cli.installation import installation
from talktime.cli.output import console, panel
from talktime.cli.serve_doors import Doors, doors_of
from talktime.cli.serve_sockets import take_both_versions
from talktime.cli.serve_tuning import collect_seldom
from talktime.clock import ahead_in_words, ahead_ms, follow, is_movable
from talktime.config import Settings, host_from, port_from
from talktime.operations.seed_demo import OPERATOR_EMAIL
from talktime.operations.seed_demo_money import ADMIN_EMAIL
from talktime.stops import on_stop

ROLES = ("engine", "console", "jobs")


def serve_command(
    only: Annotated[
        str,
        typer.Option(help="Serve this alone: engine, console or jobs.", show_default=False),
    ] = "",
    demo: Annotated[
        bool,
        typer.Option("--demo", help="Seed a demo organisation first, and write data/demo.json."),
    ] = False,
    host: Annotated[
        str,
        typer.Option(help="Address to listen on. Default: HOST, else 127.0.0.1.", metavar="HOST"),
    ] = "",
    port: Annotated[
        str,
        typer.Option(help="Port. Default: PORT, else 8000; 0 for any free one.", metavar="PORT"),
    ] = "",
) -> None:
    """Serve the charging API and the console on one port, and run the jobs.

    SQLite databases are migrated at the start; for PostgreSQL run `talktime migrate` first. Ctrl-C
    stops it in order: what was taken is answered.
    """
    if only and only not in ROLES:
        raise typer.BadParameter(f"{only!r} is none of {', '.join(ROLES)}", param_hint="--only")
    if demo and only:
        raise typer.BadParameter("the demo needs all roles: leave out --only", param_hint="--demo")
    settings = chosen(host, port, demo)
    begin()
    # Half a second that the other commands need not wait.
    from talktime.cli.serve_log import set_up_log
    from talktime.cli.serve_process import run_jobs_alone, serve
    from talktime.cli.serve_start import make_ready, only_demo

    set_up_log()
    if only == "jobs":
        make_ready(settings, None)
        run_jobs_alone(settings)
        return
    roles = frozenset((only,) if only else ROLES)
    with (
        only_demo(settings, demo),
        listening_socket(settings.host, settings.port) as listener,
        doors_of(settings, roles) as doors,
    ):
        url = address_of(settings, listener)
        make_ready(settings, url if demo else None)
        ready = partial(say_ready, settings, url, roles, demo, doors)
        serve(settings, roles, listener, doors, ready)


def chosen(host: str, port: str, demo: bool) -> Settings:
    """The installation as this command is to serve it, with its time: the demo's can be moved."""
    settings = installation()
    settings = replace(
        settings,
        host=host_from(host) or settings.host,
        port=port_from(port) if port else settings.port,
        test_clock=settings.test_clock or demo,
    )
    follow(settings)
    return settings


def begin() -> None:
    """From here on a signal ends it, and garbage is looked for seldom: what is loaded stays."""
    on_stop(leave)
    collect_seldom()


def leave(_signal: int, _frame: FrameType | None) -> None:
    """Stopped before it was ready: nothing to answer, nothing to finish."""
    sys.exit(0)


def listening_socket(host: str, port: int) -> socket.socket:
    """A socket bound to the address; Failure where that is taken or not this machine's."""
    try:
        family, _, _, _, place = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        raise Failure(
            f"{host!r} is no address to listen on ({error.strerror}). Set HOST."
        ) from error
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        take_both_versions(listener)
        listener.bind(place)
        listener.set_inheritable(True)
    except OSError as error:
        listener.close()
        if isinstance(error, PermissionError):
            raise Failure(f"port {port} needs root. Choose one above 1023 with PORT=.") from error
        raise Failure(
            f"port {port} of {host} cannot be used ({os.strerror(error.errno or 0)}). "
            "Stop what listens there, or choose another port with PORT=."
        ) from error
    return listener


def address_of(settings: Settings, listener: socket.socket) -> str:
    """The address that people and switches use."""
    return replace(settings, port=listener.getsockname()[1]).address


def say_ready(
    settings: Settings, url: str, roles: frozenset[str], demo: bool, doors: Doors
) -> None:
    """Tell where it listens, on stdout; the last words before the first request."""
    facts: dict[str, object] = {}
    if "console" in roles:
        facts["Console"] = f"{url}/"
    if "engine" in roles:
        facts["Charging API"] = f"{url}/v1/"
    facts |= doors.facts()
    if demo:
        facts["Demo"] = f"{settings.data / 'demo.json'} (key, numbers to call, passwords)"
        facts["Sign in as"] = f"{ADMIN_EMAIL} or {OPERATOR_EMAIL}"
    if is_movable():
        facts["Test clock"] = f"{ahead_in_words(ahead_ms())} (never in production)"
    facts["Data"] = settings.control_plane.shown
    facts["Stop"] = "Ctrl-C"
    out = console()
    if out.is_terminal:
        out.print(panel("Talktime is ready", facts))
        return
    for name, fact in facts.items():
        print(f"{name}: {fact}")
    print(f"Talktime is ready: {url}/", flush=True)
