"""Credit-Control-Answers (RFC 8506, 3.2; TS 32.299, 6.4.3)."""

from functools import lru_cache

from talktime.core.limits import DIAMETER_SERVICE_CACHED_BYTES_MAX, DIAMETER_SERVICES_CACHED_MAX
from talktime.gateways.diameter import avps as a
from talktime.gateways.diameter import results as r
from talktime.gateways.diameter.codec import (
    Header,
    answer,
    failed_avp,
    write,
    write_group,
    write_unsigned,
)
from talktime.gateways.diameter.node import Node
from talktime.gateways.diameter.requests import CreditRequest
from talktime.gateways.diameter.services import Service

TERMINATE = 0
APPLICATION = write_unsigned(a.AUTH_APPLICATION_ID, a.CREDIT_CONTROL_APPLICATION)
FAILOVER_SUPPORTED = write_unsigned(a.CC_SESSION_FAILOVER, 1)
"""Any engine may answer any request of a session: the books keep it, not the connection."""
RETRY_AND_TERMINATE = write_unsigned(a.CREDIT_CONTROL_FAILURE_HANDLING, 2)
"""A request that is not answered is sent again, to another engine where there is one; then the call
ends."""
HANDLING = FAILOVER_SUPPORTED + RETRY_AND_TERMINATE
ENDS = write_group(a.FINAL_UNIT_INDICATION, write_unsigned(a.FINAL_UNIT_ACTION, TERMINATE))
_SERVED, _NOT_RATED = (write_unsigned(a.RESULT_CODE, each) for each in (r.SUCCESS, r.RATING_FAILED))


def head(node: Node, request: CreditRequest, result: int, words: str = "") -> bytes:
    """What every answer to a request begins with."""
    found = request.session + node.result(result, words)
    if r.is_protocol_error(result):
        return found
    return found + APPLICATION + request.kind_and_number


def granted(
    node: Node, header: Header, request: CreditRequest, seconds: int, final: bool, validity_s: int
) -> bytes:
    """Talk so many seconds more, and ask again before they, or `validity_s`, are over; or end,
    where `final`.

    The service that the call is gets the units; another that asks for some is one that nobody can
    rate.
    """
    call = request.asking
    if not request.services:
        services = _granted(call, seconds, final, validity_s)
    elif len(request.services) == 1:
        services = _service(call, seconds, final, validity_s)
    else:
        services = _service(call, seconds, final, validity_s) + b"".join(
            [_beside(each) for each in request.services if each is not call]
        )
    return answer(
        header,
        request.session,
        node.success,
        APPLICATION,
        request.kind_and_number,
        HANDLING,
        services,
        request.proxies,
    )


def closed(node: Node, header: Header, request: CreditRequest, *more: bytes) -> bytes:
    """It is done: nothing is granted."""
    services = b"".join(
        [
            write_group(a.MULTIPLE_SERVICES_CREDIT_CONTROL, each.names, _SERVED)
            for each in request.services
        ]
    )
    return answer(header, head(node, request, r.SUCCESS), *more, services, request.proxies)


def debited(
    node: Node, header: Header, request: CreditRequest, seconds: int, *more: bytes
) -> bytes:
    """So many seconds were charged at once, or given back."""
    units = _units(request.asking, seconds)
    if request.services:
        units = write_group(
            a.MULTIPLE_SERVICES_CREDIT_CONTROL, units, request.asking.names, _SERVED
        )
    return answer(header, head(node, request, r.SUCCESS), *more, units, request.proxies)


def refused(
    node: Node, header: Header, request: CreditRequest, result: int, words: str, failed: bytes = b""
) -> bytes:
    """No. What concerns a service is said of the service, too."""
    flags = a.ERROR if r.is_protocol_error(result) else 0
    services = b""
    if result in r.OF_A_SERVICE:
        code = write_unsigned(a.RESULT_CODE, result)
        services = b"".join(
            [
                write_group(a.MULTIPLE_SERVICES_CREDIT_CONTROL, each.names, code)
                for each in request.services
            ]
        )
    first = head(node, request, result, words)
    return answer(header, first, services, failed_avp(failed), request.proxies, flags=flags)


def _service(service: Service, seconds: int, final: bool, validity_s: int) -> bytes:
    short = len(service.names) <= DIAMETER_SERVICE_CACHED_BYTES_MAX
    written = _remembered if short else _granted_service
    return written(service, seconds, final, validity_s)


def _granted_service(service: Service, seconds: int, final: bool, validity_s: int) -> bytes:
    granted = _granted(service, seconds, final, validity_s)
    return write_group(a.MULTIPLE_SERVICES_CREDIT_CONTROL, granted, service.names, _SERVED)


_remembered = lru_cache(DIAMETER_SERVICES_CACHED_MAX)(_granted_service)


def _granted(service: Service, seconds: int, final: bool, validity_s: int) -> bytes:
    validity = write_unsigned(a.VALIDITY_TIME, validity_s)
    return _units(service, seconds) + validity + (ENDS if final else b"")


def _units(service: Service, seconds: int) -> bytes:
    """Seconds granted, in the unit that was asked for: one unit is one second."""
    asked = service.asked
    if asked is not None and asked.key == a.CC_SERVICE_SPECIFIC_UNITS:
        unit = write(a.CC_SERVICE_SPECIFIC_UNITS, seconds.to_bytes(8, "big"))
    else:
        unit = write_unsigned(a.CC_TIME, seconds)
    return write_group(a.GRANTED_SERVICE_UNIT, unit)


def _beside(service: Service) -> bytes:
    """What another service than the call's is told."""
    code = _SERVED if service.asked is None else _NOT_RATED
    return write_group(a.MULTIPLE_SERVICES_CREDIT_CONTROL, service.names, code)
