"""Which call a packet is about: what names it for the client, and for the books.

A call's key is the client's name and its session id, `nas-1/0000A7F3`. It goes to the client in
Class with the Access-Accept, and comes back with each accounting request (RFC 2865 5.25): so a
call is found that had no session id when it was asked for.
"""

import re
from hashlib import blake2b
from typing import NamedTuple
from urllib.parse import quote, unquote

from pyrad.packet import Packet

from talktime.core.limits import CALL_SECONDS_MAX, RADIUS_SESSION_TEXT_MAX
from talktime.gateways.radius.attributes import Attribute
from talktime.gateways.radius.packets import address, octets, text

PLAIN = "!$&'()*+,;=:@ "
OURS = b"talktime:"
MARK = "~"
FURTHER = re.compile(f"(.*){MARK}{MARK}[0-9a-f]{{16}}")


class Client(NamedTuple):
    """What a client calls itself; all but `host`, where its packets come from, may be empty."""

    host: str
    identifier: str
    ip: str
    ipv6: str

    @property
    def name(self) -> str:
        """Its name in the key of a call."""
        return self.identifier or self.ip or self.ipv6 or self.host


class Named(NamedTuple):
    """What names one call: the key in the books, and the client's own words for it."""

    call_key: str
    client: Client
    session_id: str
    user_name: str
    calling: str


class Again(NamedTuple):
    """A call that asks for more at the end of its Session-Timeout, and until which second it has
    talked by then. It travels in State, and comes back with the Access-Request."""

    call_key: str
    until_s: int


def named(packet: Packet, host: str, *, by_class: bool = True) -> Named:
    """Which call a packet is about; by its session id alone where it asks for a new one. Raises
    BadPacket where a value cannot be read."""
    client = Client(
        host,
        text(packet, Attribute.NAS_IDENTIFIER),
        address(packet, Attribute.NAS_IP_ADDRESS),
        address(packet, Attribute.NAS_IPV6_ADDRESS),
    )
    session_id = text(packet, Attribute.ACCT_SESSION_ID)
    return Named(
        (by_class and key_in_class(packet))
        or key_of(client.name, session_id, mark="" if session_id else _without_session(packet)),
        client,
        session_id,
        text(packet, Attribute.USER_NAME),
        text(packet, Attribute.CALLING_STATION_ID),
    )


def key_of(client: str, session_id: str, mark: str = "") -> str:
    """The key of a client's session: printable ASCII, of bounded length. A mark tells calls apart
    that the session id does not.

    >>> key_of("nas 1", "a/b~")
    'nas 1/a%2Fb%7E'
    """
    key = f"{quote(client, safe=PLAIN)}/{_quoted(session_id)}{mark}"
    return _bounded(key, RADIUS_SESSION_TEXT_MAX)


def _bounded(key: str, most: int) -> str:
    if len(key) <= most:
        return key
    return f"{MARK}{blake2b(key.encode(), digest_size=16).hexdigest()}"


def _quoted(session_id: str) -> str:
    return quote(session_id, safe=PLAIN).replace(MARK, "%7E")


def again_of(session_key: str) -> str:
    """How the keys begin of a session's calls but the first: a client may count from 1 again."""
    return f"{session_key}{MARK}{MARK}"


def used_again(session_key: str, number: int) -> str:
    """The key of a session's call with this number (under 2**64), each higher than those before.

    >>> used_again("nas 1/5", 254)
    'nas 1/5~~00000000000000fe'
    >>> number_of("nas 1/5~~00000000000000fe", "nas 1/5"), number_of("nas 1/5", "nas 1/5")
    (254, 0)
    """
    return f"{again_of(session_key)}{number:016x}"


def number_of(call_key: str, session_key: str) -> int:
    """A call's number in its session; 0 of the first."""
    return int(call_key[len(again_of(session_key)) :] or "0", 16)


def session_of(call_key: str) -> str:
    """The key of the first call of a call's session id.

    >>> session_of("nas 1/5~~00000000000000fe"), session_of("nas 1/5")
    ('nas 1/5', 'nas 1/5')
    """
    further = FURTHER.fullmatch(call_key)
    return further[1] if further else call_key


def parts_of(call_key: str) -> tuple[str, str] | None:
    """The client's name and session id in a key; None where it does not hold them.

    >>> parts_of("nas 1/a%2Fb"), parts_of("nas 1/~5f"), parts_of("x")
    (('nas 1', 'a/b'), None, None)
    """
    client, slash, session_id = call_key.partition("/")
    session_id = session_id.partition(MARK)[0]
    return (unquote(client), unquote(session_id)) if slash and session_id else None


def class_of(call_key: str) -> bytes:
    """A call's key as it travels in Class."""
    return OURS + call_key.encode()


def state_of(again: Again) -> bytes:
    """What a client gives back when it asks for more."""
    return OURS + f"{again.until_s}:{again.call_key}".encode()


def asks_again(packet: Packet) -> Again | None:
    """The call that an Access-Request asks more for; None where it asks for a new one."""
    for value in octets(packet, Attribute.STATE):
        until, colon, call_key = _ours(value).partition(":")
        if colon and call_key and until.isdecimal() and int(until[:9]) <= CALL_SECONDS_MAX:
            return Again(call_key, int(until[:9]))
    return None


def key_in_class(packet: Packet) -> str:
    """The key that a client gives back of its own call; empty where there is none."""
    found = (_ours(value) for value in octets(packet, Attribute.CLASS))
    return next((key for key in found if key), "")


def _ours(value: bytes) -> str:
    """What of ours a client gives back; empty where the value is another server's."""
    plain = value.removeprefix(OURS) if value.startswith(OURS) else b""
    printable = plain.isascii() and plain.decode("ascii").isprintable()
    return plain.decode("ascii") if printable else ""


def _without_session(packet: Packet) -> str:
    """What stands for the session id that a request lacks: nobody else draws its authenticator."""
    return f"{MARK}{packet.authenticator.hex()}"
