"""Where the serving process speaks other dialects than HTTP, and the gateways behind."""

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Protocol

from talktime.cli.failures import Failure
from talktime.cli.serve_diameter import DiameterDoor, diameter_door
from talktime.config import Settings
from talktime.config_gateways import Listen

if TYPE_CHECKING:
    from talktime.engine.engine import Engine

RADIUS_BUFFER_BYTES = 1024 * 1024
"""Packets that wait in the system's memory while the service is busy with others."""


class Gateway(Protocol):
    """One dialect: started when the engine is, stopped before it."""

    async def start(self) -> None:
        """Begin to take requests."""

    async def stop(self) -> None:
        """Take nothing more, answer what was taken."""


class Doors:
    """The sockets of all dialects that are configured, bound before anything starts."""

    def __init__(self, diameter: DiameterDoor | None, radius: dict[str, socket.socket]) -> None:
        self._diameter = diameter
        self._radius = radius

    def gateways(self, engine: "Engine") -> list[Gateway]:
        """The gateways on an engine, not yet started."""
        found: list[Gateway] = []
        if self._diameter is not None:
            found.append(self._diameter.gateway(engine))
        if self._radius:
            from talktime.gateways.radius.gateway import RadiusGateway

            auth, acct = self._radius.get("auth"), self._radius.get("acct")
            found.append(RadiusGateway(engine, auth, acct))
        return found

    def facts(self) -> dict[str, object]:
        """Where it listens, for people."""
        found = self._diameter.facts() if self._diameter is not None else {}
        for use, bound in self._radius.items():
            name = "RADIUS" if use == "auth" else "RADIUS accounting"
            found[name] = str(Listen(*bound.getsockname()[:2]))
        return found


@contextmanager
def doors_of(settings: Settings, roles: frozenset[str]) -> Iterator[Doors]:
    """The doors of a process with these roles; Failure where one cannot be opened."""
    radius: dict[str, socket.socket] = {}
    with ExitStack() as opened:
        diameter = opened.enter_context(diameter_door(settings, roles))
        if settings.radius is not None and "engine" in roles:
            for use in ("auth", "acct"):
                listen: Listen | None = getattr(settings.radius, use)
                if listen is not None:
                    variable = f"TALKTIME_RADIUS_{use.upper()}"
                    radius[use] = opened.enter_context(datagram_socket(listen, variable))
        yield Doors(diameter, radius)


def datagram_socket(listen: Listen, variable: str) -> socket.socket:
    """A UDP socket bound to the address; Failure where that is taken or not this machine's."""
    try:
        family, _, _, _, place = socket.getaddrinfo(
            listen.host, listen.port, type=socket.SOCK_DGRAM, flags=socket.AI_PASSIVE
        )[0]
        bound = socket.socket(family, socket.SOCK_DGRAM)
    except OSError as error:
        raise Failure(f"{variable}: {listen.host!r} is no address to listen on") from error
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RADIUS_BUFFER_BYTES)
        bound.bind(place)
        bound.setblocking(False)
    except OSError as error:
        bound.close()
        reason = os.strerror(error.errno or 0)
        raise Failure(
            f"{variable}: {listen} cannot be used ({reason}). Stop what listens there, or choose "
            "another port."
        ) from error
    return bound
