"""Service units and the services that they are of, as a Credit-Control-Request has them.

Most requests of most calls ask and report alike, so that what was read is remembered by its bytes.
"""

from functools import lru_cache
from typing import NamedTuple

from talktime.core.limits import DIAMETER_SERVICE_CACHED_BYTES_MAX, DIAMETER_SERVICES_CACHED_MAX
from talktime.gateways.diameter import avps as a
from talktime.gateways.diameter.codec import (
    Avp,
    BadAvp,
    group,
    raw,
    read_avps,
    understood,
    unsigned,
    unsigned64,
    whole,
)
from talktime.gateways.diameter.results import RATING_FAILED


class Units(NamedTuple):
    """A service unit: how many seconds, and in which AVP they were counted. `key` is None where
    nothing says so; the answer then counts in CC-Time."""

    seconds: int = 0
    key: int | None = None


class Service(NamedTuple):
    """One Multiple-Services-Credit-Control: the AVPs that name it, what it asks, what it reports
    (seconds)."""

    names: bytes = b""
    asked: Units | None = None
    used_s: int = 0


NO_SERVICE = Service()


def read_service(data: bytes) -> Service:
    """The service whose group has these AVPs; raises BadAvp. A long one is not remembered."""
    return _remembered(data) if len(data) <= DIAMETER_SERVICE_CACHED_BYTES_MAX else _read(data)


def _read(data: bytes) -> Service:
    inner = understood(data, read_avps(data, 0, len(data), 2), a.OF_A_SERVICE)
    names = b""
    for each in inner:
        if each[0] == a.SERVICE_IDENTIFIER or each[0] == a.RATING_GROUP:
            unsigned(data, each)
            names += whole(data, each)
    return read_units(data, inner, 3)._replace(names=names)


_remembered = lru_cache(DIAMETER_SERVICES_CACHED_MAX)(_read)


def read_units(data: bytes, found: list[Avp], depth: int) -> Service:
    """What these AVPs, which lie so deep, ask and report."""
    asked, used_s = None, 0
    for avp in found:
        if avp[0] == a.REQUESTED_SERVICE_UNIT:
            asked = _units(data, avp, depth)
        elif avp[0] == a.USED_SERVICE_UNIT:
            used_s += _units(data, avp, depth).seconds
    return Service(b"", asked, used_s)


def _units(data: bytes, avp: Avp, depth: int) -> Units:
    """The seconds of a service unit: of CC-Time, else of CC-Service-Specific-Units."""
    found, other = Units(), False
    for each in understood(data, group(data, avp, depth), a.OF_A_UNIT):
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
