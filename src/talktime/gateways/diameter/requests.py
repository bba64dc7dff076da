"""A Credit-Control-Request, read (RFC 8506, 3.1; TS 32.299, 6.4.2).

What an answer gives back unchanged is kept as it came; what is not needed is not decoded.
"""

from dataclasses import dataclass, field
from hashlib import blake2b

from talktime.core.limits import (
    CALL_KEY_TEXT_MAX,
    DIAMETER_IDENTITY_TEXT_MAX,
    DIAMETER_PROXIES_MAX,
    DIAMETER_SERVICES_MAX,
    SERVICE_CONTEXT_TEXT_MAX,
)
from talktime.gateways.diameter import avps as a
from talktime.gateways.diameter.codec import (
    HEADER_BYTES,
    Avp,
    BadAvp,
    group,
    raw,
    read_avps,
    said_often,
    text,
    unsigned,
    unsigned64,
    whole,
    zeros,
)
from talktime.gateways.diameter.parties_said import NOBODY, Parties, read_parties
from talktime.gateways.diameter.results import (
    AVP_OCCURS_TOO_MANY_TIMES,
    AVP_UNSUPPORTED,
    INVALID_AVP_VALUE,
    MISSING_AVP,
    RATING_FAILED,
)

INITIAL, UPDATE, TERMINATION, EVENT = 1, 2, 3, 4
DIRECT_DEBITING, REFUND_ACCOUNT, CHECK_BALANCE, PRICE_ENQUIRY = 0, 1, 2, 3
LOGOUT = 1
NUMBER_MAX = 2**31 - 3
"""The books' numbers have 31 bits; the last two are of what is charged at once, and given back."""

NEEDED = (
    (a.SESSION_ID, 0),
    (a.ORIGIN_HOST, 0),
    (a.ORIGIN_REALM, 0),
    (a.DESTINATION_REALM, 0),
    (a.AUTH_APPLICATION_ID, 4),
    (a.SERVICE_CONTEXT_ID, 0),
    (a.CC_REQUEST_TYPE, 4),
    (a.CC_REQUEST_NUMBER, 4),
)
"""What every request must have, with the least number of bytes of each."""

ONCE = frozenset(key for key, _ in NEEDED) | {a.DESTINATION_HOST, a.REQUESTED_ACTION}


@dataclass(slots=True)
class Units:
    """A service unit: how many seconds, and in which AVP they were counted. `key` is None where
    nothing says so; the answer then counts in CC-Time."""

    seconds: int = 0
    key: int | None = None


@dataclass(slots=True)
class Service:
    """One Multiple-Services-Credit-Control: what it asks and reports, and the AVPs that name it."""

    names: bytes = b""
    asked: Units | None = None
    used_s: int = 0


@dataclass(slots=True)
class CreditRequest:
    """One request. `services` is empty where the units stand in the request itself, then `own` has
    them."""

    session_id: str = ""
    session: bytes = b""
    origin_host: str = ""
    origin_realm: str = ""
    destination_host: str = ""
    destination_realm: str = ""
    kind: int = 0
    number: int = 0
    kind_and_number: bytes = b""
    action: int | None = None
    correlation: str = ""
    cause: str = "normal"
    services: list[Service] = field(default_factory=list)
    own: Service = field(default_factory=Service)
    proxies: bytes = b""
    parties: Parties = NOBODY

    @property
    def used_s(self) -> int:
        """The seconds that it reports."""
        used_s = self.own.used_s
        for each in self.services:
            used_s += each.used_s
        return used_s

    @property
    def asking(self) -> Service:
        """The service that the call is: the first that asks for units, else the first."""
        for each in self.services:
            if each.asked is not None:
                return each
        return self.services[0] if self.services else self.own

    @property
    def asked_s(self) -> int:
        """The seconds that it asks for; 0 where it leaves that to the service."""
        asked = self.asking.asked
        return asked.seconds if asked is not None else 0

    def meaning(self) -> int:
        """What tells it from another request of its session and number: 64 bits, signed. Who routed
        it and when are no part of that."""
        asked = (self.kind, self.action, self.used_s, self.asked_s)
        values = (self.session_id, *asked, self.correlation, self.parties[:4])
        return int.from_bytes(
            blake2b(repr(values).encode(), digest_size=8).digest(), "big", signed=True
        )


def read_credit(data: bytes, found: CreditRequest) -> None:
    """Read a whole message into `found`; raises BadAvp where it cannot be taken, with as much in
    `found` as the answer to that needs."""
    first: dict[int, Avp] = {}
    services, own, subscriptions = [], [], []
    strange: Avp | None = None
    twice: Avp | None = None
    for avp in read_avps(data, HEADER_BYTES, len(data)):
        key = avp[0]
        if key not in a.KNOWN:
            if avp[1] & a.MANDATORY and key >> a.VENDOR_SHIFT != a.TGPP:
                strange = avp
            first[key] = avp
        elif key == a.MULTIPLE_SERVICES_CREDIT_CONTROL:
            services.append(avp)
        elif key == a.SUBSCRIPTION_ID:
            subscriptions.append(avp)
        elif key == a.PROXY_INFO:
            found.proxies += whole(data, avp)
        elif key == a.USED_SERVICE_UNIT or key == a.REQUESTED_SERVICE_UNIT:
            own.append(avp)
        elif key not in first:
            first[key] = avp
        elif key in ONCE:
            twice = avp
    _read_names(data, first, found)
    for key, least in NEEDED:
        if key not in first:
            raise BadAvp(MISSING_AVP, zeros(key, 0, least), f"AVP {key} is missing")
    if strange is not None:
        why = f"AVP {strange[0] & 0xFFFFFFFF} is not supported"
        raise BadAvp(AVP_UNSUPPORTED, raw(data, strange), why)
    if twice is not None:
        why = f"AVP {twice[0]} stands there twice"
        raise BadAvp(AVP_OCCURS_TOO_MANY_TIMES, raw(data, twice), why)
    if len(services) > DIAMETER_SERVICES_MAX or len(found.proxies) > DIAMETER_PROXIES_MAX:
        raise BadAvp(AVP_OCCURS_TOO_MANY_TIMES, b"", "too many services or relays")
    _read_head(data, first, found)
    if own:
        _read_units(data, own, found.own, 2)
    for each in services:
        found.services.append(_service(data, each))
    if found.kind == INITIAL or found.kind == EVENT:
        found.parties = read_parties(data, subscriptions, first)


def _read_names(data: bytes, first: dict[int, Avp], found: CreditRequest) -> None:
    """What any answer repeats, of whatever else is wrong."""
    avp = first.get(a.SESSION_ID)
    if avp is not None:
        found.session = whole(data, avp)
        found.session_id = text(data, avp, CALL_KEY_TEXT_MAX)
    for key in (a.CC_REQUEST_TYPE, a.CC_REQUEST_NUMBER):
        avp = first.get(key)
        if avp is not None and avp[3] - avp[2] == 4:
            found.kind_and_number += whole(data, avp)


def _read_head(data: bytes, first: dict[int, Avp], found: CreditRequest) -> None:
    most = DIAMETER_IDENTITY_TEXT_MAX
    found.origin_host = said_often(data, first[a.ORIGIN_HOST], most)
    found.origin_realm = said_often(data, first[a.ORIGIN_REALM], most)
    found.destination_realm = said_often(data, first[a.DESTINATION_REALM], most)
    said_often(data, first[a.SERVICE_CONTEXT_ID], SERVICE_CONTEXT_TEXT_MAX)
    if a.DESTINATION_HOST in first:
        found.destination_host = said_often(data, first[a.DESTINATION_HOST], most)
    if unsigned(data, first[a.AUTH_APPLICATION_ID]) != a.CREDIT_CONTROL_APPLICATION:
        _invalid(data, first[a.AUTH_APPLICATION_ID], "Auth-Application-Id is not 4")
    found.kind = kind = unsigned(data, first[a.CC_REQUEST_TYPE])
    if not INITIAL <= kind <= EVENT:
        _invalid(data, first[a.CC_REQUEST_TYPE], "CC-Request-Type is none of 1 to 4")
    found.number = unsigned(data, first[a.CC_REQUEST_NUMBER])
    if found.number > NUMBER_MAX:
        _invalid(data, first[a.CC_REQUEST_NUMBER], f"CC-Request-Number is above {NUMBER_MAX}")
    if kind == TERMINATION:
        if a.TERMINATION_CAUSE in first:
            cause = unsigned(data, first[a.TERMINATION_CAUSE])
            if cause != LOGOUT:
                found.cause = f"termination_cause_{cause}"
    elif kind == EVENT:
        _read_event(data, first, found)


def _read_event(data: bytes, first: dict[int, Avp], found: CreditRequest) -> None:
    if a.CC_CORRELATION_ID in first:
        avp = first[a.CC_CORRELATION_ID]
        found.correlation = data[avp[2] : avp[3]].decode(errors="replace")[:CALL_KEY_TEXT_MAX]
    if a.REQUESTED_ACTION not in first:
        failed = zeros(a.REQUESTED_ACTION, 0, 4)
        raise BadAvp(MISSING_AVP, failed, "an EVENT_REQUEST needs Requested-Action")
    found.action = unsigned(data, first[a.REQUESTED_ACTION])
    if found.action > PRICE_ENQUIRY:
        _invalid(data, first[a.REQUESTED_ACTION], "Requested-Action is none of 0 to 3")


def _service(data: bytes, avp: Avp) -> Service:
    service = Service()
    inner = group(data, avp, 2)
    _read_units(data, inner, service, 3)
    for each in inner:
        if each[0] == a.SERVICE_IDENTIFIER or each[0] == a.RATING_GROUP:
            unsigned(data, each)
            service.names += whole(data, each)
    return service


def _read_units(data: bytes, found: list[Avp], service: Service, depth: int) -> None:
    for avp in found:
        if avp[0] == a.REQUESTED_SERVICE_UNIT:
            service.asked = _units(data, avp, depth)
        elif avp[0] == a.USED_SERVICE_UNIT:
            service.used_s += _units(data, avp, depth).seconds


def _units(data: bytes, avp: Avp, depth: int) -> Units:
    """The seconds of a service unit: of CC-Time, else of CC-Service-Specific-Units."""
    found, other = Units(), False
    for each in group(data, avp, depth):
        key = each[0]
        if key == a.CC_TIME:
            return Units(unsigned(data, each), key)
        if key == a.CC_SERVICE_SPECIFIC_UNITS:
            found = Units(unsigned64(data, each), key)
        elif key in a.UNITS_NOT_COUNTED:
            other = True
    if found.key is None and other:
        why = "calls are counted in CC-Time or CC-Service-Specific-Units"
        raise BadAvp(RATING_FAILED, raw(data, avp), why)
    return found


def _invalid(data: bytes, avp: Avp, why: str) -> None:
    raise BadAvp(INVALID_AVP_VALUE, raw(data, avp), why)
