"""Who calls whom, as a Credit-Control-Request says it: Subscription-Id, and IMS-Information of TS
32.299."""

from functools import lru_cache

import msgspec

from talktime.core.limits import (
    DIAMETER_PARTY_TEXT_MAX,
    DIAMETER_SUBSCRIPTIONS_MAX,
    PARTIES_CACHED_MAX,
)
from talktime.gateways.diameter import avps as a
from talktime.gateways.diameter.codec import (
    CHARACTER_BYTES_MAX,
    Avp,
    BadAvp,
    group,
    raw,
    read_avps,
    text,
    time_ms,
    understood,
    unsigned,
    write,
)
from talktime.gateways.diameter.results import AVP_OCCURS_TOO_MANY_TIMES, MISSING_AVP

E164, IMSI, SIP_URI, NAI, PRIVATE = 0, 1, 2, 3, 4
KINDS = {
    a.SUBSCRIPTION_ID_E164: E164,
    a.SUBSCRIPTION_ID_IMSI: IMSI,
    a.SUBSCRIPTION_ID_SIP_URI: SIP_URI,
    a.SUBSCRIPTION_ID_NAI: NAI,
    a.SUBSCRIPTION_ID_PRIVATE: PRIVATE,
}
TERMINATING_ROLE = 1


class Parties(msgspec.Struct, frozen=True, gc=False):
    """`names` are the subscribers': who is charged, as far as the request says it. `terminating` is
    None where the role of the node is not said. `conference` is the Service-Id: of conferences, the
    conference's id (TS 32.299, 7.2)."""

    calling: str = ""
    called: str = ""
    names: tuple[str, ...] = ()
    terminating: bool | None = None
    at_ms: int | None = None
    conference: str = ""


NOBODY = Parties()


def read_parties(data: bytes, subscriptions: list[Avp], first: dict[int, Avp]) -> Parties:
    """The parties of a request; raises BadAvp.

    A subscriber's E.164 number comes with a plus, which Subscription-Id-Data has not. An IMSI names
    no number and no user of ours, and is left out.
    """
    if len(subscriptions) > DIAMETER_SUBSCRIPTIONS_MAX:
        failed = raw(data, subscriptions[-1])
        raise BadAvp(AVP_OCCURS_TOO_MANY_TIMES, failed, "too many Subscription-Id")
    said = [_subscriber(data, avp) for avp in subscriptions]
    names = tuple([name for name in said if name])
    calling = called = conference = ""
    terminating: bool | None = None
    at_ms = None
    service = first.get(a.SERVICE_INFORMATION)
    for outer in group(data, service, 2) if service is not None else ():
        if outer[0] != a.IMS_INFORMATION:
            continue
        for avp in group(data, outer, 3):
            key = avp[0]
            if key == a.CALLING_PARTY_ADDRESS:
                calling = calling or text(data, avp, DIAMETER_PARTY_TEXT_MAX)
            elif key == a.CALLED_PARTY_ADDRESS:
                called = text(data, avp, DIAMETER_PARTY_TEXT_MAX)
            elif key == a.ROLE_OF_NODE:
                terminating = unsigned(data, avp) == TERMINATING_ROLE
            elif key == a.TIME_STAMPS:
                at_ms = _asked_ms(data, avp)
            elif key == a.SERVICE_ID:
                conference = data[avp[2] : avp[3]].decode(errors="replace")
    return Parties(calling, called, names, terminating, at_ms, conference)


def _subscriber(data: bytes, avp: Avp) -> str:
    key, body = avp[0], data[avp[2] : avp[3]]
    short = len(body) <= CHARACTER_BYTES_MAX * DIAMETER_PARTY_TEXT_MAX
    return _remembered(key, body) if short else _read_subscriber(key, body)


def _read_subscriber(key: int, data: bytes) -> str:
    inner = read_avps(data, 0, len(data), 2)
    kind, value = _said(data, inner) if key == a.SUBSCRIPTION_ID else _extended(data, inner)
    if kind is None or not value:
        why = "a subscription lacks its type or its data"
        raise BadAvp(MISSING_AVP, write(key, data), why)
    if kind == IMSI:
        return ""
    if kind == E164 and value.isdigit():
        return "+" + value
    return value


_remembered = lru_cache(PARTIES_CACHED_MAX)(_read_subscriber)


def _said(data: bytes, inner: list[Avp]) -> tuple[int | None, str]:
    """Type and data of a Subscription-Id."""
    kind, value = None, ""
    for each in understood(data, inner, a.OF_A_SUBSCRIPTION):
        if each[0] == a.SUBSCRIPTION_ID_TYPE:
            kind = unsigned(data, each)
        elif each[0] == a.SUBSCRIPTION_ID_DATA:
            value = text(data, each, DIAMETER_PARTY_TEXT_MAX)
    return kind, value


def _extended(data: bytes, inner: list[Avp]) -> tuple[int | None, str]:
    """The same of a Subscription-Id-Extension, in which the AVP of the data is the type (RFC 8506,
    8.58)."""
    for each in understood(data, inner, a.OF_AN_EXTENSION):
        if each[0] in a.OF_AN_EXTENSION:
            return KINDS[each[0]], text(data, each, DIAMETER_PARTY_TEXT_MAX)
    return None, ""


def _asked_ms(data: bytes, avp: Avp) -> int | None:
    """When the SIP request was made."""
    for each in group(data, avp, 4):
        if each[0] == a.SIP_REQUEST_TIMESTAMP:
            return time_ms(data, each)
    return None
