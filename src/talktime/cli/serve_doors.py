"""Where the serving process speaks other dialects than HTTP, and the gateways behind."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Protocol

from talktime.cli.serve_diameter import DiameterDoor, diameter_door
from talktime.cli.serve_sockets import bound_socket
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
                    each = opened.enter_context(bound_socket(listen, variable, socket.SOCK_DGRAM))
                    each.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RADIUS_BUFFER_BYTES)
                    each.setblocking(False)
                    radius[use] = each
        yield Doors(diameter, radius)
