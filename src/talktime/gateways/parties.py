"""Who calls whom, in what signalling says of it: SIP and tel URIs, digits, names.

Dialects that have no type of call (3GPP TS 32.260, RFC 2865) leave it to the numbers: a call of one
of our users goes out; else a call to one of our numbers comes in.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote

from talktime.core.calls import CONFERENCE_TYPES
from talktime.core.directory import USER_NUMBER, Directory, NumberEntry
from talktime.core.limits import (
    CONFERENCE_TEXT_MAX,
    HELP_NUMBER_DIGITS_MAX,
    NUMBER_TEXT_MAX,
    PARTIES_CACHED_MAX,
    SHORT_NUMBER_DIGITS_MAX,
    USER_NAME_TEXT_MAX,
)
from talktime.core.peers import Peer
from talktime.core.refusal import Refusal
from talktime.operations.numbers import parse_number, region_of
from talktime.operations.resolve import CallRequest

_SCHEMES = ("sip", "sips", "tel", "im", "pres")
_SEPARATORS = str.maketrans("", "", "-.()/ \u00a0")
_PREFIX_ABROAD = "00"
# A display name may hold anything in its quotes, also what looks like another address.
_NAME_ADDR = re.compile(r'(?:\s*"(?:[^"\\]|\\.)*"\s*|[^"<]*)<([^>]*)>')
_HELP = re.compile(r"urn:service:sos([.;]|$)", re.IGNORECASE)
_LOCAL = re.compile(r";\s*phone-context\s*=\s*([^;]*)", re.IGNORECASE)


class Party(NamedTuple):
    """One side of a call: a number as the resolver takes it, and a user's name; either may be
    empty."""

    number: str = ""
    name: str = ""


@lru_cache(PARTIES_CACHED_MAX)
def party(text: str, plus: bool = True, dialled: bool = False) -> Party:
    """Read one side of a call: a number or name, a SIP or tel URI, or what stands in From. With
    `plus`, digits without "+" are an international number, unless they say where they are dialled
    (phone-context, RFC 3966 5.1.5): in the country of a context of digits, which makes them a
    number of that country or none; in the caller's own where the context is a domain. "00" is a
    plus, but in what is `dialled` in a country: there 001 may lead abroad as well.

    >>> party("sip:+4930123456;npdi@gw.example.net:5060;user=phone").number
    '+4930123456'
    >>> party("sip:front.desk@contoso.example")
    Party(number='', name='front.desk@contoso.example')
    >>> party('"Front desk" <sip:%2B1-425-555-0100@gw>;tag=5f').number, party("004930123456").number
    ('+14255550100', '+4930123456')
    >>> party("112").number, party("030123456", plus=False).number
    ('112', '030123456')
    >>> party("tel:030123456;phone-context=+49").number, party("tel:7042;phone-context=+1914555")
    ('+4930123456', Party(number='', name='7042;phone-context=+1914555'))
    >>> party("0016563234567", plus=False, dialled=True).number
    '0016563234567'
    """
    address = _NAME_ADDR.match(text)
    text = (address[1] if address else text).strip().strip("<>")
    scheme, colon, rest = text.partition(":")
    if colon and scheme.lower() in _SCHEMES:
        text = rest
    if _HELP.match(text):  # RFC 5031
        return Party(number="112")
    user, at, host = text.partition("@")
    if not at:
        user = user.partition("?")[0]
    plain = unquote(user.partition(";")[0].partition(":")[0])
    digits = plain.translate(_SEPARATORS)
    if digits.removeprefix("+").isdecimal() and digits.isascii() and len(digits) <= NUMBER_TEXT_MAX:
        local = _LOCAL.search(user)
        number = _international(digits, plus and not local, dialled)
        context = unquote(local[1]) if local else ""
        if number[0] == "+" or context[:1] != "+" or len(digits) <= HELP_NUMBER_DIGITS_MAX:
            return Party(number=number)
        found = parse_number(digits, region_of(context))
        if not isinstance(found, Refusal):
            return Party(number=digits if found.emergency else f"+{found.digits}")
        plain = user
    user = plain if at or colon else user
    host = host.partition("?")[0].partition(";")[0].partition(":")[0]
    return Party(name=(f"{user}@{host}" if host else user)[:USER_NAME_TEXT_MAX].lower())


def _international(digits: str, plus: bool, dialled: bool) -> str:
    """Short numbers (emergency, service codes) are never international."""
    if digits[0] == "+":
        return digits
    if digits.startswith(_PREFIX_ABROAD) and (plus or not dialled):
        return "+" + digits[len(_PREFIX_ABROAD) :]
    return "+" + digits if plus and len(digits) > SHORT_NUMBER_DIGITS_MAX else digits


ANSWERED_BY_A_BOT = ("attendant", "queue")


def call_request(
    directory: Directory,
    peer: Peer,
    call_key: str,
    *,
    calling: str,
    called: str,
    names: Iterable[str] = (),
    subscribers: Iterable[str] = (),
    incoming: bool | None = None,
    at_ms: int | None = None,
    requested_s: int = 0,
    conference: str = "",
) -> CallRequest:
    """What is asked of a call between two parties; `names` are more that the caller may be known
    by. `subscribers` are who is charged, as the network has found out: they go before what the
    caller says of itself, unless it is the called side that is charged. Where signalling says it,
    `incoming` tells the direction; `conference` is kept of calls to a bridge. Numbers and names
    that nobody has are handed on, for the resolver to refuse in words.
    """
    to = party(called, peer.plus)
    charged = [party(text, peer.plus) for text in subscribers if text]
    if not charged or incoming or to in charged:
        said = [party(text, peer.plus) for text in (calling, *names) if text]
        charged = said or charged
    from_number = user = ""
    for number, name in charged:
        from_number = from_number or number
        user = user or known(directory, name)
    entry = _entry(directory, from_number)
    ours = bool(user) or (entry is not None and entry.user_id is not None)
    called_entry = _entry(directory, to.number)
    if incoming is None:
        incoming = not ours and (called_entry is not None or bool(known(directory, to.name)))
    if not incoming:
        user = user or next((each.name for each in charged if each.name and not from_number), "")
        to = party(called, peer.plus, dialled=True)
        return CallRequest(
            call_key, 0, "user_out", from_number or None, to.number or to.name or None,
            user or None, None, None, at_ms, requested_s,
        )  # fmt: skip
    type_ = _incoming_type(called_entry)
    return CallRequest(
        *(call_key, 0, type_, from_number or None, to.number or None),
        user=(known(directory, to.name) or to.name or None) if type_ == "user_in" else None,
        service_number=to.number if type_ != "user_in" else None,
        at_ms=at_ms,
        requested_s=requested_s,
        conference_id=_conference_id(conference) if type_ in CONFERENCE_TYPES else "",
    )


def known(directory: Directory, name: str) -> str:
    """The name that a user of ours has of this one: all of it, or what is before the host. Empty
    where no single user has it."""
    if not name:
        return ""
    for candidate in (name, name.partition("@")[0]):
        if candidate and directory.user_named(candidate) is not None:
            return candidate
    return ""


def _conference_id(text: str) -> str:
    """An id that can be kept; '' for another, which is no reason to refuse a call."""
    kept = len(text) <= CONFERENCE_TEXT_MAX and text.isascii() and text.isprintable()
    return text if kept else ""


def _entry(directory: Directory, number: str) -> NumberEntry | None:
    return directory.number(number[1:]) if number[:1] == "+" else None


def _incoming_type(entry: NumberEntry | None) -> str:
    if entry is None or entry.kind == USER_NUMBER:
        return "user_in"
    return "ucap_in" if entry.attached in ANSWERED_BY_A_BOT else "conf_in"
