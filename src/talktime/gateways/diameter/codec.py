"""Diameter messages as bytes (RFC 6733, 3 and 4): read where they lie, written in one piece.

An AVP that was read is where it is: key, flags, and the range of its data. Nothing is decoded
before it is asked for, and a group that nobody asks for is not looked into.
"""

from contextlib import suppress
from functools import lru_cache
from struct import Struct

import msgspec

from talktime.core.limits import AVP_DEPTH_MAX, AVPS_MAX, DIAMETER_TEXTS_CACHED_MAX
from talktime.gateways.diameter.avps import (
    FAILED_AVP,
    MANDATORY,
    PROXIABLE,
    PROXY_INFO,
    SESSION_ID,
    TGPP,
    VENDOR,
    VENDOR_SHIFT,
)
from talktime.gateways.diameter.results import (
    AVP_OCCURS_TOO_MANY_TIMES,
    AVP_UNSUPPORTED,
    INVALID_AVP_LENGTH,
    INVALID_AVP_VALUE,
)

HEADER_BYTES = 20
VERSION = 1
NTP_TO_EPOCH_S = 2_208_988_800
"""From 1900, where the Time of Diameter (and of NTP) begins, to 1970."""
NTP_ERA_S = 1 << 32

Avp = tuple[int, int, int, int]
"""Key, flags, and from where to where its data lies."""

_header = Struct(">IIIII")
_head = Struct(">II").unpack_from
_one = Struct(">I").unpack_from
_long = Struct(">Q").unpack_from
_plain = Struct(">III").pack
_plain_head = Struct(">II").pack
_vendor_head = Struct(">III").pack
_LENGTH, _REST = 0xFFFFFF, 0xFFFFFFFF
_HAS_VENDOR = VENDOR << 24
"""Where the highest flag is set, the second word of an AVP is at least this."""
_PADDING = (b"", b"\0\0\0", b"\0\0", b"\0")


class BadAvp(Exception):
    """An AVP that cannot be taken: the Result-Code that says so, and the AVP for Failed-AVP."""

    def __init__(self, result: int, avp: bytes, why: str) -> None:
        super().__init__(why)
        self.result, self.avp, self.why = result, avp, why


class Header(msgspec.Struct, frozen=True, gc=False):
    """The head of a message; `hop` and `end` are its two identifiers."""

    flags: int
    command: int
    application: int
    hop: int
    end: int


def read_header(data: bytes | memoryview) -> Header:
    """The head of a message that is whole."""
    _, word, application, hop, end = _header.unpack_from(data)
    return Header(word >> 24, word & _LENGTH, application, hop, end)


def read_avps(
    data: bytes, start: int, stop: int, depth: int = 1, found: list[Avp] | None = None
) -> list[Avp]:
    """The AVPs that lie between two places; raises BadAvp where they do not fit there, with those
    before that in `found`.

    `depth` is how deep within groups they are. The padding of the last one may be missing.
    """
    found = [] if found is None else found
    if depth > AVP_DEPTH_MAX:
        raise BadAvp(INVALID_AVP_VALUE, b"", f"groups are more than {AVP_DEPTH_MAX} deep")
    at, last = start, stop - 8
    while at <= last:
        key, word = _head(data, at)
        length = word & _LENGTH
        end = at + length
        if word < _HAS_VENDOR:
            if length < 8 or end > stop:
                raise _cut_off(key, word)
            found.append((key, word >> 24, at + 8, end))
        else:
            if stop - at < 12:
                raise BadAvp(INVALID_AVP_LENGTH, b"", "the rest is too short for a vendor")
            key += _one(data, at + 8)[0] << VENDOR_SHIFT
            if length < 12 or end > stop:
                raise _cut_off(key, word)
            found.append((key, word >> 24, at + 12, end))
        at = end + 3 & ~3
    if at < stop:
        raise BadAvp(INVALID_AVP_LENGTH, b"", "the rest is too short for an AVP")
    if len(found) > AVPS_MAX:
        raise BadAvp(AVP_OCCURS_TOO_MANY_TIMES, b"", f"more than {AVPS_MAX} AVPs")
    return found


def _cut_off(key: int, word: int) -> BadAvp:
    failed = write(key, b"", word >> 24)
    return BadAvp(INVALID_AVP_LENGTH, failed, f"AVP {key & _REST} is cut off")


def session_of(data: bytes) -> bytes:
    """What an answer gives back of any message, as far as that can be read: whose session, through
    which relays."""
    avps: list[Avp] = []
    with suppress(BadAvp):
        read_avps(data, HEADER_BYTES, len(data), found=avps)
    said = [avp for avp in avps[:AVPS_MAX] if avp[0] in (SESSION_ID, PROXY_INFO)]
    return b"".join([write(avp[0], data[avp[2] : avp[3]]) for avp in said])


def group(data: bytes, avp: Avp, depth: int) -> list[Avp]:
    """The AVPs within one, which lie so deep."""
    return read_avps(data, avp[2], avp[3], depth)


def is_strange(avp: Avp, known: frozenset[int]) -> bool:
    """Whether an AVP must be understood where these are known, and is not."""
    key, flags, _, _ = avp
    return key not in known and bool(flags & MANDATORY) and key >> VENDOR_SHIFT != TGPP


def understood(data: bytes, avps: list[Avp], known: frozenset[int]) -> list[Avp]:
    """The AVPs of a group; raises BadAvp where one must be understood, and is not."""
    for avp in avps:
        if is_strange(avp, known):
            raise unsupported(data, avp)
    return avps


def unsupported(data: bytes, avp: Avp) -> BadAvp:
    """What says that an AVP is not understood, and had to be."""
    return BadAvp(AVP_UNSUPPORTED, raw(data, avp), f"AVP {avp[0] & _REST} is not supported")


def raw(data: bytes, avp: Avp) -> bytes:
    """An AVP as it came, without its padding."""
    return data[avp[2] - (12 if avp[1] & VENDOR else 8) : avp[3]]


def whole(data: bytes, avp: Avp) -> bytes:
    """An AVP as it came, with padding: as an answer gives it back."""
    _, flags, body, end = avp
    found = data[body - (12 if flags & VENDOR else 8) : end + 3 & ~3]
    missing = -len(found) & 3
    return found + bytes(missing) if missing else found


def unsigned(data: bytes, avp: Avp) -> int:
    """The value of an Unsigned32, Enumerated or other 32 bits."""
    key, flags, body, end = avp
    if end - body != 4:
        raise BadAvp(INVALID_AVP_LENGTH, zeros(key, flags, 4), "32 bits were expected")
    value: int = _one(data, body)[0]
    return value


def unsigned64(data: bytes, avp: Avp) -> int:
    """The value of an Unsigned64."""
    if avp[3] - avp[2] != 8:
        raise BadAvp(INVALID_AVP_LENGTH, zeros(avp[0], avp[1], 8), "64 bits were expected")
    value: int = _long(data, avp[2])[0]
    return value


CHARACTER_BYTES_MAX = 4
"""Of UTF-8: what is longer than so many for each character is not worth remembering."""


def text(data: bytes, avp: Avp, most: int) -> str:
    """The value of a UTF8String of at most so many characters, none of which is a control
    character."""
    value = _decoded(data[avp[2] : avp[3]])
    if not value or len(value) > most:
        raise BadAvp(INVALID_AVP_VALUE, raw(data, avp), f"no text of 1 to {most} characters")
    return value


def said_often(data: bytes, avp: Avp, most: int) -> str:
    """As `text`, for what most messages say alike: hosts, realms, contexts."""
    _, _, body, end = avp
    long = end - body > CHARACTER_BYTES_MAX * most
    value = "" if long else _remembered(data[body:end])
    if not value or len(value) > most:
        raise BadAvp(INVALID_AVP_VALUE, raw(data, avp), f"no text of 1 to {most} characters")
    return value


def _decoded(data: bytes) -> str:
    """Empty for what is no text."""
    try:
        value = data.decode()
    except UnicodeDecodeError:
        return ""
    return value if value.isprintable() else ""


_remembered = lru_cache(DIAMETER_TEXTS_CACHED_MAX)(_decoded)


def time_ms(data: bytes, avp: Avp) -> int:
    """The value of a Time, in milliseconds since 1970; its 32 bits begin again in 2036."""
    seconds = unsigned(data, avp) - NTP_TO_EPOCH_S
    return (seconds if seconds >= 0 else seconds + NTP_ERA_S) * 1000


def write(key: int, data: bytes, flags: int = MANDATORY) -> bytes:
    """One AVP with its padding.

    >>> write(263, b"a").hex()
    '000001074000000961000000'
    """
    vendor = key >> VENDOR_SHIFT
    if vendor:
        length = len(data) + 12
        head = _vendor_head(key & _REST, (flags | VENDOR) << 24 | length, vendor)
    else:
        length = len(data) + 8
        head = _plain_head(key, (flags & ~VENDOR) << 24 | length)
    return head + data + _PADDING[length & 3]


def write_unsigned(key: int, value: int) -> bytes:
    """One AVP of 32 bits, without a vendor."""
    return _plain(key, MANDATORY << 24 | 12, value)


def write_group(key: int, *parts: bytes) -> bytes:
    """A group of AVPs that are written."""
    return write(key, b"".join(parts))


def zeros(key: int, flags: int, size: int) -> bytes:
    """An AVP of so many zero bytes: what Failed-AVP has in place of one that is missing or of the
    wrong length (RFC 6733, 7.5)."""
    return write(key, bytes(size), flags or MANDATORY)


def failed_avp(avp: bytes) -> bytes:
    """The Failed-AVP around an AVP; nothing where there is none."""
    return write(FAILED_AVP, avp + _PADDING[len(avp) & 3]) if avp else b""


def message(header: Header, *avps: bytes) -> bytes:
    """A whole message."""
    return _message(header, header.flags, avps)


def answer(header: Header, *avps: bytes, flags: int = 0) -> bytes:
    """The answer to a message of this head: the same identifiers, the same P flag."""
    return _message(header, header.flags & PROXIABLE | flags, avps)


def _message(header: Header, flags: int, avps: tuple[bytes, ...]) -> bytes:
    body = b"".join(avps)
    first, second = VERSION << 24 | len(body) + HEADER_BYTES, flags << 24 | header.command
    return _header.pack(first, second, header.application, header.hop, header.end) + body
