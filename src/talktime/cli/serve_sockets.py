"""The sockets of dialects other than HTTP, bound before anything starts."""

import os
import socket

from talktime.cli.failures import Failure
from talktime.config_gateways import Listen


def take_both_versions(unbound: socket.socket, both: bool = True) -> None:
    """Let a socket on [::] take IPv4 too, or not, whatever the machine's own default."""
    if unbound.family == socket.AF_INET6:
        unbound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, not both)


def bound_socket(
    listen: Listen, variable: str, kind: socket.SocketKind, both: bool = True
) -> socket.socket:
    """A socket of this kind (TCP, UDP) bound to the address; Failure where that is taken or not
    this machine's. `variable` is what the address was set by; on [::] it takes IPv4 too where
    `both` says so."""
    try:
        family, _, _, _, place = socket.getaddrinfo(
            listen.host, listen.port, type=kind, flags=socket.AI_PASSIVE
        )[0]
        bound = socket.socket(family, kind)
    except OSError as error:
        raise Failure(f"{variable}: {listen.host!r} is no address to listen on") from error
    try:
        if kind is socket.SOCK_STREAM:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        take_both_versions(bound, both)
        bound.bind(place)
    except OSError as error:
        bound.close()
        reason = os.strerror(error.errno or 0)
        raise Failure(
            f"{variable}: {listen} cannot be used ({reason}). Stop what listens there, or choose "
            "another port."
        ) from error
    return bound
