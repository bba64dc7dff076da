"""What the environment says about the dialects that are spoken beside HTTP: where they listen."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

from talktime.config_services import PORT_MAX, ConfigError

HOST_NAME = re.compile(
    r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*", re.A
)
HOST_NAME_TEXT_MAX = 255


class Listen(NamedTuple):
    """Where one of them listens; port 0 is any free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{bracketed(self.host)}:{self.port}"


@dataclass(frozen=True, slots=True)
class DiameterSettings:
    """Where Diameter peers connect, without TLS and with it, and as whom they meet this node.

    `realms` are those it answers for, its own first. With `ca`, clients with TLS need a certificate
    of that authority.
    """

    plain: tuple[Listen, ...]
    secure: tuple[Listen, ...]
    identity: str
    realms: tuple[str, ...]
    certificate: Path | None = None
    key: Path | None = None
    ca: Path | None = None


@dataclass(frozen=True, slots=True)
class RadiusSettings:
    """Where RADIUS clients ask, and where they account; None for nowhere."""

    auth: Listen | None
    acct: Listen | None


def bracketed(host: str) -> str:
    """A host as it stands before a port, or in an address of the web.

    >>> bracketed("::1"), bracketed("127.0.0.1")
    ('[::1]', '127.0.0.1')
    """
    return f"[{host}]" if ":" in host else host


def name_in_browsers(host: str) -> str:
    """A host as a browser asks for it, whatever way its address is written.

    >>> name_in_browsers("2001:DB8:0::5"), name_in_browsers("fe80::1%eth0")
    ('[2001:db8::5]', '[fe80::1]')
    """
    try:
        return bracketed(str(ip_address(host.partition("%")[0])))
    except ValueError:
        return host


def diameter_from(environ: Mapping[str, str]) -> DiameterSettings | None:
    """The node of TALKTIME_DIAMETER_*; None where it listens nowhere."""
    plain = _several(environ.get("TALKTIME_DIAMETER_LISTEN", ""), "TALKTIME_DIAMETER_LISTEN", 3868)
    tls = environ.get("TALKTIME_DIAMETER_TLS_LISTEN", "")
    secure = _several(tls, "TALKTIME_DIAMETER_TLS_LISTEN", 5658)
    if not plain and not secure:
        return None
    identity = environ.get("TALKTIME_DIAMETER_IDENTITY", "").strip().lower()
    realms = tuple(environ.get("TALKTIME_DIAMETER_REALM", "").lower().split())
    for name in (identity, *(realms or ("",))):
        if len(name) > HOST_NAME_TEXT_MAX or not HOST_NAME.fullmatch(name):
            raise ConfigError(
                "Diameter needs TALKTIME_DIAMETER_IDENTITY, the host name by which clients know "
                "this node, and TALKTIME_DIAMETER_REALM, its realm (further ones after spaces): "
                "charging.contoso.example and contoso.example"
            )
    certificate = _file(environ.get("TALKTIME_DIAMETER_CERT", ""))
    key = _file(environ.get("TALKTIME_DIAMETER_KEY", ""))
    ca = _file(environ.get("TALKTIME_DIAMETER_CA", ""))
    if secure and certificate is None:
        raise ConfigError(
            "TALKTIME_DIAMETER_TLS_LISTEN needs TALKTIME_DIAMETER_CERT, a certificate's file "
            "(PEM), and TALKTIME_DIAMETER_KEY where its key is in another."
        )
    return DiameterSettings(plain, secure, identity, realms, certificate, key, ca)


def radius_from(environ: Mapping[str, str]) -> RadiusSettings | None:
    """The ports of TALKTIME_RADIUS_*; None where neither is set."""
    auth = _one(environ.get("TALKTIME_RADIUS_AUTH", ""), "TALKTIME_RADIUS_AUTH", 1812)
    acct = _one(environ.get("TALKTIME_RADIUS_ACCT", ""), "TALKTIME_RADIUS_ACCT", 1813)
    return RadiusSettings(auth, acct) if auth or acct else None


def _one(text: str, variable: str, usual_port: int) -> Listen | None:
    return listen_from(text.strip(), variable, usual_port) if text.strip() else None


def _several(text: str, variable: str, usual_port: int) -> tuple[Listen, ...]:
    words = [word.strip() for word in text.split(",") if word.strip()]
    return tuple([listen_from(word, variable, usual_port) for word in words])


def _file(text: str) -> Path | None:
    return Path(text.strip()) if text.strip() else None


def listen_from(text: str, variable: str, usual_port: int) -> Listen:
    """The host and port that a variable says."""
    host, _, port = text.rpartition(":")
    bare = host.removeprefix("[").removesuffix("]")
    wrapped = host != bare
    number = int(port) if port.isdecimal() and port.isascii() and len(port) <= 5 else -1
    if not bare or (":" in bare) != wrapped or not 0 <= number <= PORT_MAX:
        raise ConfigError(
            f"{variable} is {text[:80]!r}. Write the address and port to listen on: "
            f"0.0.0.0:{usual_port}, 127.0.0.1:{usual_port} or [::]:{usual_port}."
        )
    return Listen(bare, number)
