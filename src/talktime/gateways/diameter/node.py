"""This node as its peers meet it: who it is, what it can do, how long it waits. RFC 6733, 5.3 to
5.5."""

from asyncio import BaseTransport
from collections.abc import Mapping
from typing import Any, NamedTuple

from talktime.core.addresses import plain_address, plain_text
from talktime.core.limits import DIAMETER_IDENTITY_TEXT_MAX
from talktime.gateways.diameter import avps as a
from talktime.gateways.diameter.codec import (
    Avp,
    BadAvp,
    group,
    read_avps,
    text,
    unsigned,
    write,
    write_group,
    write_unsigned,
    zeros,
)
from talktime.gateways.diameter.results import MISSING_AVP, SUCCESS

PRODUCT = "Talktime"
REBOOTING, DO_NOT_WANT_TO_TALK_TO_YOU = 0, 2
AUTHORIZE_ONLY = 0


class Timings(NamedTuple):
    """How long is waited, in seconds: for a new connection's capabilities; in silence, before the
    peer is asked whether it is there, and as long again for its answer (RFC 3539, Tw); for a
    goodbye; for the older of two connections of one peer; before a call's end is told again."""

    capabilities_s: float = 10
    watchdog_s: float = 30
    goodbye_s: float = 3
    contest_s: float = 3
    retell_s: float = 30


class Node:
    """Identity, realms, and the messages between peers. `state` (Origin-State-Id) grows with each
    start."""

    def __init__(
        self, identity: str, realms: tuple[str, ...], state: int, timings: Timings
    ) -> None:
        self.identity = identity.lower()
        self.realms = frozenset(realm.lower() for realm in realms)
        self.timings = timings
        origin = write(a.ORIGIN_HOST, identity.encode())
        self.origin = origin + write(a.ORIGIN_REALM, realms[0].encode())
        self.success = write_unsigned(a.RESULT_CODE, SUCCESS) + self.origin
        self.state = write_unsigned(a.ORIGIN_STATE_ID, state & 0xFFFFFFFF)

    def result(self, result: int, message: str = "") -> bytes:
        """Result-Code and who says it, with words where there are any."""
        if result == SUCCESS:
            return self.success
        code = write_unsigned(a.RESULT_CODE, result)
        words = write(a.ERROR_MESSAGE, message.encode(), 0) if message else b""
        return code + self.origin + words

    def capabilities(self, address: str) -> bytes:
        """What this node is and can do, at this address of its.

        3GPP stands first of two vendors, and once more as the vendor of the application: clients
        differ in where they look for Ro, and one of them forgets the last vendor.
        """
        return b"".join(
            (
                write(a.HOST_IP_ADDRESS, _address(address)),
                write_unsigned(a.VENDOR_ID, 0),
                write(a.PRODUCT_NAME, PRODUCT.encode(), 0),
                self.state,
                write_unsigned(a.SUPPORTED_VENDOR_ID, a.TGPP),
                write_unsigned(a.SUPPORTED_VENDOR_ID, a.ETSI),
                write_unsigned(a.AUTH_APPLICATION_ID, a.CREDIT_CONTROL_APPLICATION),
                write_group(
                    a.VENDOR_SPECIFIC_APPLICATION_ID,
                    write_unsigned(a.VENDOR_ID, a.TGPP),
                    write_unsigned(a.AUTH_APPLICATION_ID, a.CREDIT_CONTROL_APPLICATION),
                ),
            )
        )


class Capabilities(NamedTuple):
    """What a Capabilities-Exchange-Request says: who asks, and the applications it can do."""

    host: str
    realm: str
    applications: frozenset[int]

    @property
    def common(self) -> bool:
        """Whether it can do what this node can; a relay does everything."""
        return bool(self.applications & {a.CREDIT_CONTROL_APPLICATION, a.RELAY_APPLICATION})


def read_capabilities(data: bytes) -> Capabilities:
    """Read a Capabilities-Exchange-Request; raises BadAvp."""
    applications: set[int] = set()
    host = realm = ""
    for avp in read_avps(data, 20, len(data)):
        if avp[0] == a.ORIGIN_HOST:
            host = text(data, avp, DIAMETER_IDENTITY_TEXT_MAX)
        elif avp[0] == a.ORIGIN_REALM:
            realm = text(data, avp, DIAMETER_IDENTITY_TEXT_MAX)
        elif avp[0] == a.AUTH_APPLICATION_ID:
            applications.add(unsigned(data, avp))
        elif avp[0] == a.VENDOR_SPECIFIC_APPLICATION_ID:
            applications |= _applications(data, avp)
    for key, found in ((a.ORIGIN_HOST, host), (a.ORIGIN_REALM, realm)):
        if not found:
            raise BadAvp(MISSING_AVP, zeros(key, 0, 0), f"AVP {key} is missing")
    return Capabilities(host.lower(), realm.lower(), frozenset(applications))


def peer_address(transport: BaseTransport) -> str:
    """Where the other side of a connection is; empty where it is gone already."""
    return plain_text(str((transport.get_extra_info("peername") or ("",))[0]))


def certified_names(certificate: Mapping[str, Any] | None) -> frozenset[str]:
    """The names that a client's certificate vouches for: its DNS names, else its common name.

    >>> sorted(certified_names({"subject": ((("commonName", "A.example"),),)}))
    ['a.example']
    """
    said = certificate or {}
    names = [value for kind, value in said.get("subjectAltName", ()) if kind == "DNS"]
    if not names:
        pairs = [pair for part in said.get("subject", ()) for pair in part]
        names = [value for kind, value in pairs if kind == "commonName"]
    return frozenset(name.lower() for name in names)


def _applications(data: bytes, avp: Avp) -> set[int]:
    inner = group(data, avp, 2)
    return {unsigned(data, each) for each in inner if each[0] == a.AUTH_APPLICATION_ID}


def _address(text: str) -> bytes:
    """An Address (RFC 6733, 4.3.1): its family, then its bytes.

    >>> _address("127.0.0.1").hex(), _address("::ffff:127.0.0.1").hex()
    ('00017f000001', '00017f000001')
    >>> _address("fe80::1%eth0").hex()
    '0002fe800000000000000000000000000001'
    """
    address = plain_address(text)
    return bytes((0, 1 if address.version == 4 else 2)) + address.packed
