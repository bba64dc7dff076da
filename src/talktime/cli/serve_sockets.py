"""The sockets of dialects other than HTTP, bound before anything starts."""

import os
import socket

from talktime.cli.failures import Failure
from talktime.config_gateways import Listen


def bound_socket(listen: Listen, variable: str, kind: socket.SocketKind) -> socket.socket:
    """A socket of this kind (TCP, UDP) bound to the address; Failure where that is taken or not
    this machine's. `variable` is what the address was set by."""
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
        bound.bind(place)
    except OSError as error:
        bound.close()
        reason = os.strerror(error.errno or 0)
        raise Failure(
            f"{variable}: {listen} cannot be used ({reason}). Stop what listens there, or choose "
            "another port."
        ) from error
    return bound
