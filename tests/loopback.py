"""The loopback addresses of this machine: tests over each of them are parametrized with these.

Where the kernel has no IPv6, a test over it alone is skipped for want of parameters, and the
summary says why.
"""

import socket
from contextlib import suppress
from ipaddress import IPv6Address
from pathlib import Path
from typing import Any

FOUR, SIX = "127.0.0.1", "::1"


def _has_six() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind((SIX, 0))
    except OSError:
        return False
    return True


SIXES = (SIX,) if _has_six() else ()
LOOPBACKS = (FOUR, *SIXES)
# Where a service listens, and where a client of it is: on [::] also one of IPv4.
WAYS = ((FOUR, FOUR), *((SIX, SIX), ("::", SIX), ("::", FOUR))[: 3 * len(SIXES)])


def _link_locals() -> tuple[str, ...]:
    """Addresses of this machine that are reached in a zone alone, with it."""
    try:
        lines = [line.split() for line in Path("/proc/net/if_inet6").read_text().splitlines()]
    except OSError:
        return ()
    found = [(IPv6Address(int(line[0], 16)), line[-1]) for line in lines]
    return tuple([f"{address}%{zone}" for address, zone in found if address.is_link_local][:1])


LINK_LOCALS = _link_locals()


def _name_of_six() -> tuple[str, ...]:
    for name in ("ip6-localhost", "localhost"):
        with suppress(OSError):
            if any(found[4][0] == SIX for found in socket.getaddrinfo(name, 0)):
                return (name,)
    return ()


NAMES_OF_SIX = _name_of_six() if SIXES else ()


def left_out() -> str:
    """Which tests over IPv6 cannot run here, and why; empty where all do."""
    if not SIXES:
        return "tests over IPv6 are left out: this machine's kernel has no ::1"
    if not NAMES_OF_SIX:
        return "Kamailio's Diameter over IPv6 is left out: no name has ::1 in /etc/hosts"
    return ""


def place_at(host: str, port: int) -> tuple[Any, ...]:
    """An address as a socket takes it, with its zone."""
    return socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0][4]


def family_of(host: str) -> socket.AddressFamily:
    """Of a socket for this address."""
    return socket.AF_INET6 if ":" in host else socket.AF_INET
