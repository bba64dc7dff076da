"""Why the network failed, in words: what the system says has numbers that help nobody."""

import socket
import ssl

_NO_SUCH_NAME = {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}


def network_words(error: BaseException) -> str:
    """An error of a name or a connection in one line; of what wraps another, what that says.

    >>> network_words(socket.gaierror(socket.EAI_NONAME, "Name or service not known"))
    'there is no such name'
    >>> network_words(OSError(113, "No route to host")), network_words(TimeoutError())
    ('No route to host', 'TimeoutError')
    """
    within = error
    while not isinstance(within, OSError) and (cause := within.__cause__ or within.__context__):
        within = cause
    if isinstance(within, socket.gaierror) and within.errno in _NO_SUCH_NAME:
        return "there is no such name"
    if isinstance(within, socket.gaierror) and within.errno == socket.EAI_AGAIN:
        return "the name servers do not answer"
    if isinstance(within, ConnectionRefusedError):
        return "nothing takes connections there"
    if isinstance(within, ssl.SSLCertVerificationError):
        return within.verify_message
    said = within.strerror if isinstance(within, OSError) else None
    return said or str(error) or type(error).__name__
