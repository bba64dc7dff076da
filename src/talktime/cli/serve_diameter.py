"""Where the serving process speaks Diameter, and the gateway behind."""

import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from talktime.cli.failures import Failure
from talktime.cli.serve_sockets import bound_socket
from talktime.config import Settings
from talktime.config_gateways import DiameterSettings, Listen

if TYPE_CHECKING:
    from talktime.engine.engine import Engine
    from talktime.gateways.diameter.gateway import DiameterGateway


class DiameterDoor:
    """The sockets that peers connect to, bound before anything starts."""

    def __init__(
        self,
        settings: DiameterSettings,
        slice_s: int,
        plain: Sequence[socket.socket],
        secure: Sequence[socket.socket],
    ) -> None:
        self._settings, self._slice_s = settings, slice_s
        self._plain, self._secure = plain, secure
        self._tls = tls_of(settings) if secure else None

    def gateway(self, engine: "Engine") -> "DiameterGateway":
        """The gateway on an engine, not yet started."""
        from talktime.gateways.diameter.gateway import DiameterGateway

        return DiameterGateway(
            engine,
            self._settings.identity,
            self._settings.realms,
            plain=self._plain,
            secure=self._secure,
            tls=self._tls,
            slice_s=self._slice_s,
        )

    def facts(self) -> dict[str, object]:
        """Where it listens, for people."""
        doors = {"Diameter": self._plain, "Diameter with TLS": self._secure}
        return {
            name: ", ".join(str(Listen(*each.getsockname()[:2])) for each in bound)
            for name, bound in doors.items()
            if bound
        }


@contextmanager
def diameter_door(settings: Settings, roles: frozenset[str]) -> Iterator[DiameterDoor | None]:
    """The door of a process with these roles, if there is one; Failure where it cannot be
    opened."""
    asked = settings.diameter
    if asked is None or "engine" not in roles:
        yield None
        return
    with ExitStack() as opened:

        def bound(places: Sequence[Listen], variable: str) -> list[socket.socket]:
            four = {at.port for at in places if ":" not in at.host}  # have sockets of their own
            return [
                opened.enter_context(
                    bound_socket(at, variable, socket.SOCK_STREAM, at.port not in four)
                )
                for at in places
            ]

        plain = bound(asked.plain, "TALKTIME_DIAMETER_LISTEN")
        secure = bound(asked.secure, "TALKTIME_DIAMETER_TLS_LISTEN")
        yield DiameterDoor(asked, settings.slice_s, plain, secure)


def tls_of(settings: DiameterSettings) -> ssl.SSLContext:
    """What connections with TLS are made of; Failure where a file cannot be used."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    # Python 3.13 and newer refuse what the small authorities of peers often leave out, such as the
    # authority's key identifier: who may connect is not to change with the Python.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    files: list[Path | None] = [settings.certificate, settings.key, settings.ca]
    try:
        if settings.certificate is not None:
            context.load_cert_chain(settings.certificate, settings.key)
        if settings.ca is not None:
            context.load_verify_locations(settings.ca)
            context.verify_mode = ssl.CERT_REQUIRED
    except OSError as error:
        named = ", ".join(str(each) for each in files if each is not None)
        raise Failure(
            f"TALKTIME_DIAMETER_CERT, _KEY, _CA: {named} cannot be used: {error.strerror or error}"
        ) from error
    return context
