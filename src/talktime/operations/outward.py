"""Where webhooks may go: public addresses over https, and nowhere inside the operator's network.

An address that an organisation names is called from within: it must not reach what the firewall
keeps from the world. The name in it is looked at here; what the name stands for is looked at when
it is called (providers/webhook.py), once, and that address is connected to.
"""

import re
from collections.abc import Collection
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import NamedTuple

from talktime.core.limits import WEBHOOK_URL_TEXT_MAX
from talktime.core.refusal import Refusal

# Strict, so that all who read the text read the same: no user, no spaces, no backslash.
URL = re.compile(
    r"(?P<scheme>https?)://"
    r"(?:(?P<name>[A-Za-z0-9_](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?\.?)|\[(?P<six>[0-9A-Fa-f:.]+)\])"
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<path>(?:/[!$-\[\]-~]*)?(?:\?[!$-\[\]-~]*)?)"
)
DEFAULT_PORTS = {"http": 80, "https": 443}

_NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+")

# Of IPv6 only what is given out for the internet, less what of it is for other purposes.
_GLOBAL_SIX = ip_network("2000::/3")
_REFUSED = tuple(
    ip_network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
        *("172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16"),
        *("198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        # A cloud's own services, at a public address.
        "168.63.129.16/32",
        # Teredo and 6to4 hold other addresses; examples; benchmarks and alike.
        *("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"),
    )
)
# Services that an HTTP request might set off, or harm.
REFUSED_PORTS = frozenset(
    (
        *(20, 21, 22, 23, 25, 53, 69, 110, 111, 119, 123, 135, 137, 138, 139, 143, 161, 179, 389),
        *(445, 465, 512, 513, 514, 515, 548, 554, 587, 631, 636, 873, 993, 995, 1433, 1521, 2049),
        *(2181, 2375, 2376, 2379, 2380, 3306, 3389, 4369, 5060, 5061, 5432, 5672, 5900, 5984),
        *(6000, 6379, 6443, 6667, 8500, 9042, 9092, 9200, 9300, 10250, 11211, 15672, 25565, 27017),
    )
)


class Target(NamedTuple):
    """An endpoint's address in parts. `allowed`: the operator has named its host."""

    scheme: str
    host: str
    port: int
    allowed: bool


def target_of(url: str, allowed_hosts: Collection[str] = ()) -> Target | Refusal:
    """The parts of a webhook's address, where it may be one. Refuses: invalid_value.

    `allowed_hosts` are hosts, or hosts with ports, that the operator lets be called without https
    and at private addresses.

    >>> target_of("https://hooks.contoso.example/talktime")
    Target(scheme='https', host='hooks.contoso.example', port=443, allowed=False)
    >>> target_of("http://hooks.contoso.example/").detail
    'the address must begin with https://'
    """
    found = URL.fullmatch(url)
    if found is None or len(url) > WEBHOOK_URL_TEXT_MAX:
        return _no(
            "the address must be one such as https://hooks.contoso.example/talktime, in ASCII, "
            f"without user, password, fragment and spaces, of at most {WEBHOOK_URL_TEXT_MAX} "
            "characters"
        )
    scheme, host = found["scheme"], (found["name"] or found["six"]).lower()
    port = int(found["port"] or DEFAULT_PORTS[scheme])
    named = f"[{host}]" if found["six"] else host
    allowed = named in allowed_hosts or f"{named}:{port}" in allowed_hosts
    if not 0 < port < 65_536:
        return _no(f"there is no port {port}")
    if not allowed:
        if scheme != "https":
            return _no("the address must begin with https://")
        if port in REFUSED_PORTS:
            return _no(f"port {port} belongs to another service")
        if not _may_be_public(host):
            return _no(f"{host} is not an address on the internet")
    return Target(scheme, host, port, allowed)


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether this is an address of the internet, for any purpose.

    IPv4 addresses that are written as, or wrapped in, IPv6 ones are none.

    >>> is_public(ip_address("198.41.0.4")), is_public(ip_address("::ffff:198.41.0.4"))
    (True, False)
    """
    if isinstance(address, IPv6Address) and address not in _GLOBAL_SIX:
        return False
    return not any(
        address.version == network.version and address in network for network in _REFUSED
    )


def _may_be_public(host: str) -> bool:
    """A name may be. What ends in a number is an address, however oddly it is written."""
    try:
        return is_public(ip_address(host))
    except ValueError:
        return _NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]) is None


def _no(detail: str) -> Refusal:
    return Refusal("invalid_value", detail)
