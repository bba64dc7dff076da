"""RADIUS packets: read strictly and verified, or not at all; and the answers to them.

pyrad computes and compares the authenticators. Lengths are checked here first, for it cuts an
attribute off where its packet ends. A packet is bad for one of a few reasons, which are counted.
"""

import struct
from ipaddress import ip_address

from pyrad.packet import (
    AccessAccept,
    AccessReject,
    AccessRequest,
    AccountingRequest,
    AcctPacket,
    AuthPacket,
    CoAPacket,
    DisconnectRequest,
    Packet,
    StatusServer,
)

from talktime.core.limits import RADIUS_PACKET_BYTES_MAX
from talktime.gateways.radius.attributes import Attribute

HEAD_BYTES = 20
AUTHENTICATOR_BYTES = 16
VALUE_BYTES_MAX = 253
REPLY_MESSAGE_BYTES_MAX = VALUE_BYTES_MAX


class BadPacket(Exception):
    """A packet that is dropped without an answer; `reason` is one of a few words."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def whole(data: bytes) -> bytes:
    """The packet in a datagram, without what follows it; its lengths add up.

    Raises BadPacket: too_long, truncated, wrong_lengths.
    """
    if len(data) > RADIUS_PACKET_BYTES_MAX:
        raise BadPacket("too_long")
    if len(data) < HEAD_BYTES:
        raise BadPacket("truncated")
    length = int.from_bytes(data[2:4], "big")
    if not HEAD_BYTES <= length <= len(data):
        raise BadPacket("truncated" if length > len(data) else "wrong_lengths")
    at = HEAD_BYTES
    while at < length:
        size = data[at + 1] if at + 1 < length else 0
        if size < 2 or at + size > length:
            raise BadPacket("wrong_lengths")
        at += size
    return data[:length]


def read_access(data: bytes, secret: bytes) -> AuthPacket:
    """An Access-Request (or Status-Server) that someone who knows the secret has sent.

    The Message-Authenticator is required: nothing else of such a packet tells who made it (RFC
    5080 2.2.3; CVE-2024-3596). Raises BadPacket: other_code, no_message_authenticator,
    wrong_secret.
    """
    if data[0] not in (AccessRequest, StatusServer):
        raise BadPacket("other_code")
    packet = AuthPacket(code=data[0], secret=secret, packet=data)
    _require_message_authenticator(packet)
    return packet


def read_accounting(data: bytes, secret: bytes) -> AcctPacket:
    """An Accounting-Request (or Status-Server) that someone who knows the secret has sent.

    Raises BadPacket: other_code, wrong_secret, no_message_authenticator (of Status-Server).
    """
    if data[0] not in (AccountingRequest, StatusServer):
        raise BadPacket("other_code")
    packet = AcctPacket(code=data[0], secret=secret, packet=data)
    if data[0] == StatusServer or Attribute.MESSAGE_AUTHENTICATOR in packet:
        _require_message_authenticator(packet)
    if not packet.VerifyAcctRequest():
        raise BadPacket("wrong_secret")
    return packet


def _require_message_authenticator(packet: Packet) -> None:
    values = packet.get(Attribute.MESSAGE_AUTHENTICATOR, [])
    if len(values) != 1:
        raise BadPacket("no_message_authenticator")
    if len(values[0]) != AUTHENTICATOR_BYTES:
        raise BadPacket("wrong_lengths")
    if not packet.verify_message_authenticator():
        raise BadPacket("wrong_secret")


STATIONS = (Attribute.CALLED_STATION_ID, Attribute.CALLING_STATION_ID)
"""Here a client may copy what a telephone sent, with a display name in whatever encoding."""


def text(packet: Packet, attribute: Attribute) -> str:
    """The first value of a text attribute, without the NUL that some clients end it with; empty
    where there is none. Raises BadPacket: bad_value."""
    values = packet.get(attribute)
    if not values:
        return ""
    try:
        errors = "replace" if attribute in STATIONS else "strict"
        found: str = values[0].decode(errors=errors).rstrip("\0")
    except UnicodeDecodeError:
        raise BadPacket("bad_value") from None
    if "\0" in found:
        raise BadPacket("bad_value")
    return found


def first_shown(packet: Packet, attribute: Attribute) -> str:
    """As `text`, of an attribute that is for people: what is no text in it is replaced."""
    values: list[bytes] = packet.get(attribute) or [b""]
    return values[0].decode(errors="replace").rstrip("\0")


def number(packet: Packet, attribute: Attribute) -> int | None:
    """The first value of a number or time attribute; None where there is none. Raises BadPacket:
    bad_value."""
    values = packet.get(attribute)
    if not values:
        return None
    if len(values[0]) != 4:
        raise BadPacket("bad_value")
    return int.from_bytes(values[0], "big")


def address(packet: Packet, attribute: Attribute) -> str:
    """The first value of an address attribute; empty where there is none. Raises BadPacket:
    bad_value."""
    values = packet.get(attribute)
    if not values:
        return ""
    if len(values[0]) != (4 if attribute == Attribute.NAS_IP_ADDRESS else 16):
        raise BadPacket("bad_value")
    return str(ip_address(values[0]))


def octets(packet: Packet, attribute: Attribute) -> list[bytes]:
    """All values of an attribute as they came."""
    return list(packet.get(attribute, []))


Values = dict[Attribute, bytes | str | int]
"""What a packet is to say: octets, text and numbers by attribute."""


def accept(request: AuthPacket, values: Values) -> bytes:
    """The Access-Accept to a request; its Message-Authenticator stands first."""
    return _access_answer(request, AccessAccept, values)


def reject(request: AuthPacket, message: str) -> bytes:
    """The Access-Reject to a request, with a sentence for people."""
    return _access_answer(request, AccessReject, {Attribute.REPLY_MESSAGE: shortened(message)})


def _access_answer(request: AuthPacket, code: int, values: Values) -> bytes:
    reply = request.CreateReply()
    reply.code = code
    return _signed(reply, values)


def accounted(request: AcctPacket) -> bytes:
    """The Accounting-Response to a request: it was taken down."""
    encoded: bytes = request.CreateReply().ReplyPacket()
    return encoded


def disconnect(identifier: int, secret: bytes, values: Values) -> CoAPacket:
    """A Disconnect-Request (RFC 5176), not yet encoded."""
    packet = CoAPacket(code=DisconnectRequest, id=identifier, secret=secret)
    packet.add_message_authenticator()
    _put(packet, values)
    return packet


def _signed(reply: Packet, values: Values) -> bytes:
    reply.add_message_authenticator()
    _put(reply, values)
    encoded: bytes = reply.ReplyPacket()
    return encoded


def _put(packet: Packet, values: Values) -> None:
    for attribute, value in values.items():
        if isinstance(value, int):
            value = struct.pack("!I", value)
        packet[int(attribute)] = [value.encode() if isinstance(value, str) else value]


def shortened(message: str) -> str:
    """As much of a sentence as fits into one attribute, cut between characters.

    >>> len(shortened("ä" * 200).encode())
    252
    """
    return message.encode()[:REPLY_MESSAGE_BYTES_MAX].decode(errors="ignore")
