"""A Credit-Control-Request, read (RFC 8506, 3.1; TS 32.299, 6.4.2).

What an answer gives back unchanged is kept as it came; what is not needed is not decoded.
"""

from contextlib import suppress
from hashlib import blake2b

import msgspec

from talktime.core.limits import (
    AVPS_MAX,
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
    is_strange,
    raw,
    read_avps,
    said_often,
    text,
    unsigned,
    unsupported,
    whole,
    zeros,
)
from talktime.gateways.diameter.parties_said import NOBODY, Parties, read_parties
from talktime.gateways.diameter.results import (
    AVP_OCCURS_TOO_MANY_TIMES,
    INVALID_AVP_VALUE,
    MISSING_AVP,
)
from talktime.gateways.diameter.services import NO_SERVICE, Service, read_service, read_units

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
    (a.SERVICE_CONTEXT_ID, 0),
    (a.CC_REQUEST_TYPE, 4),
    (a.CC_REQUEST_NUMBER, 4),
)
"""What every request must have, with the least number of bytes of each. Auth-Application-Id is not
among them: Kamailio leaves it out, and the header names the application."""

ONCE = frozenset(key for key, _ in NEEDED) | {
    a.AUTH_APPLICATION_ID,
    a.DESTINATION_HOST,
    a.REQUESTED_ACTION,
}


class CreditRequest(msgspec.Struct):
    """One request. `services` is empty where the units stand in the request itself."""

    session_id: str = ""
    session: bytes = b""
    origin_host: str = ""
    origin_realm: str = ""
    destination_host: str = ""
    destination_realm: str = ""
    kind: int = 0
    number: int = 0
    kind_and_number: bytes = b""
    sub_session: bytes = b""
    action: int | None = None
    correlation: str = ""
    cause: str = "normal"
    services: list[Service] = []
    asking: Service = NO_SERVICE
    """The service that the call is: the first that asks for units, else the first."""
    used_s: int = 0
    """The seconds that all of them report."""
    proxies: bytes = b""
    parties: Parties = NOBODY

    @property
    def asked_s(self) -> int:
        """The seconds that it asks for; 0 where it leaves that to the service."""
        asked = self.asking.asked
        return asked.seconds if asked is not None else 0

    @property
    def only_reports(self) -> bool:
        """Whether it is to get no units: a service that wants more asks for them (RFC 8506, 8.16).
        Outside of services units are left out by who leaves their number to the server (5.3)."""
        return self.kind == UPDATE and bool(self.services) and self.asking.asked is None

    def meaning(self) -> int:
        """What tells it from another request of its session and number: 64 bits, signed. Who routed
        it and when are no part of that."""
        said = f"{self.kind} {self.action} {self.used_s} {self.asked_s} {self.session_id}"
        if self.kind in (INITIAL, EVENT) and self.number:
            # A session has one of these: another number is another request.
            said += f" {self.number}"
        if self.sub_session:
            # A call has none: the requests of a second one are no repetitions of the first one's.
            said += f" sub {self.sub_session.hex()}"
        if self.only_reports:
            said += " report"
        if self.parties is not NOBODY:
            who = self.parties
            said += repr((self.correlation, who.calling, who.called, who.names, who.terminating))
        return int.from_bytes(blake2b(said.encode(), digest_size=8).digest(), "big", signed=True)


def read_credit(data: bytes, found: CreditRequest) -> None:
    """Read a whole message into `found`; raises BadAvp where it cannot be taken, with as much in
    `found` as the answer to that needs."""
    first: dict[int, Avp] = {}
    services, own, subscriptions = [], [], []
    strange: Avp | None = None
    twice: Avp | None = None
    known, one_of_each = a.KNOWN, a.ONE_OF_EACH
    for avp in _read_all(data, found):
        key = avp[0]
        if key in one_of_each and key not in first:
            first[key] = avp
        elif key not in known:
            if is_strange(avp, known):
                strange = avp
            first[key] = avp
        elif key == a.MULTIPLE_SERVICES_CREDIT_CONTROL:
            services.append(avp)
        elif key == a.SUBSCRIPTION_ID or key == a.SUBSCRIPTION_ID_EXTENSION:
            subscriptions.append(avp)
        elif key == a.PROXY_INFO:
            found.proxies += whole(data, avp)
        elif key == a.USED_SERVICE_UNIT or key == a.REQUESTED_SERVICE_UNIT:
            own.append(avp)
        elif key in ONCE and raw(data, avp) != raw(data, first[key]):
            twice = avp  # with the same in it, it does no harm: Kamailio says its realm twice
    _read_names(data, first, found)
    for key, least in NEEDED:
        if key not in first:
            raise BadAvp(MISSING_AVP, zeros(key, 0, least), f"AVP {key} is missing")
    if strange is not None:
        raise unsupported(data, strange)
    if twice is not None:
        why = f"AVP {twice[0]} stands there twice"
        raise BadAvp(AVP_OCCURS_TOO_MANY_TIMES, raw(data, twice), why)
    if len(services) > DIAMETER_SERVICES_MAX:
        failed = raw(data, services[DIAMETER_SERVICES_MAX])
        raise BadAvp(AVP_OCCURS_TOO_MANY_TIMES, failed, "too many services")
    if len(found.proxies) > DIAMETER_PROXIES_MAX:
        raise BadAvp(AVP_OCCURS_TOO_MANY_TIMES, b"", "too many relays")
    _read_head(data, first, found)
    _read_services(data, own, services, found)
    if found.kind == INITIAL or found.kind == EVENT:
        found.parties = read_parties(data, subscriptions, first)


def _read_all(data: bytes, found: CreditRequest) -> list[Avp]:
    """All AVPs; where one does not fit, `found` gets what the answer repeats of those before it."""
    avps: list[Avp] = []
    try:
        return read_avps(data, HEADER_BYTES, len(data), found=avps)
    except BadAvp:
        readable = avps[:AVPS_MAX]
        relays = [whole(data, avp) for avp in readable if avp[0] == a.PROXY_INFO]
        found.proxies = b"".join(relays)
        with suppress(BadAvp):
            _read_names(data, {avp[0]: avp for avp in reversed(readable)}, found)
        raise


def _read_services(data: bytes, own: list[Avp], groups: list[Avp], found: CreditRequest) -> None:
    if own:
        found.asking = read_units(data, own, 2)
        found.used_s = found.asking.used_s
    for avp in groups:
        service = read_service(data[avp[2] : avp[3]])
        found.used_s += service.used_s
        if not found.services or (found.asking.asked is None and service.asked is not None):
            found.asking = service
        found.services.append(service)


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
    application = first.get(a.AUTH_APPLICATION_ID)
    if application and unsigned(data, application) != a.CREDIT_CONTROL_APPLICATION:
        _invalid(data, application, "Auth-Application-Id is not 4")
    found.kind = kind = unsigned(data, first[a.CC_REQUEST_TYPE])
    if not INITIAL <= kind <= EVENT:
        _invalid(data, first[a.CC_REQUEST_TYPE], "CC-Request-Type is none of 1 to 4")
    found.number = unsigned(data, first[a.CC_REQUEST_NUMBER])
    if found.number > NUMBER_MAX:
        _invalid(data, first[a.CC_REQUEST_NUMBER], f"CC-Request-Number is above {NUMBER_MAX}")
    if a.CC_SUB_SESSION_ID in first:
        found.sub_session = raw(data, first[a.CC_SUB_SESSION_ID])
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


def _invalid(data: bytes, avp: Avp, why: str) -> None:
    raise BadAvp(INVALID_AVP_VALUE, raw(data, avp), why)
