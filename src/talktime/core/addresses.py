"""IP addresses: which of the several ways to write one are the same, and whom one stands for."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Network = IPv4Network | IPv6Network

MAPPED_BITS = 96  # of ::ffff:0:0/96, in which a socket for both versions shows IPv4 addresses
HOST_BITS_OF_SIX = 64


def plain_address(text: str) -> IPv4Address | IPv6Address:
    """An IP address without its zone; an IPv4 one as such, where it came in as an IPv6 one. Raises
    ValueError for what is none.

    >>> plain_address("::ffff:192.0.2.7"), plain_address("fe80::1%eth0")
    (IPv4Address('192.0.2.7'), IPv6Address('fe80::1'))
    """
    at = ip_address(text.partition("%")[0])
    mapped = at.ipv4_mapped if at.version == 6 else None
    return mapped or at


def plain_text(text: str) -> str:
    """The same as text; what is no IP address as it is.

    >>> plain_text("::ffff:192.0.2.7"), plain_text("2001:DB8:0::1"), plain_text("")
    ('192.0.2.7', '2001:db8::1', '')
    """
    try:
        return str(plain_address(text))
    except ValueError:
        return text


def plain_network(text: str) -> Network:
    """An IP address or a network in CIDR; one of IPv4 as such, where it is written as one of IPv6.
    Raises ValueError for what is none, or has a zone: no packet says which it came from.

    >>> plain_network("::ffff:192.0.2.0/120"), plain_network("2001:db8::7")
    (IPv4Network('192.0.2.0/24'), IPv6Network('2001:db8::7/128'))
    """
    if "%" in text:
        raise ValueError(f"{text!r} has a zone")
    network = ip_network(text)
    mapped = network.network_address.ipv4_mapped if isinstance(network, IPv6Network) else None
    if mapped is None or network.prefixlen < MAPPED_BITS:
        return network
    return IPv4Network((mapped, network.prefixlen - MAPPED_BITS))


def place_of(address: str) -> str:
    """Whom an address stands for: with IPv6, everybody has 2**64 of them.

    >>> place_of("192.0.2.7"), place_of("2001:db8:1:2:3:4:5:6"), place_of("")
    ('192.0.2.7', '2001:db8:1:2::', '?')
    """
    try:
        found = plain_address(address)
    except ValueError:
        return "?"
    if found.version == 4:
        return str(found)
    return str(ip_network((found, HOST_BITS_OF_SIX), strict=False).network_address)
