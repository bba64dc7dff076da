"""The peers of switches: who may speak Diameter or RADIUS with the service, from where, as what."""

from typing import NamedTuple

from talktime.core.addresses import Network, plain_address

DIAMETER, RADIUS = PROTOCOLS = ("diameter", "radius")


class Peer(NamedTuple):
    """A peer of a switch. `name` is its Origin-Host in lower case (Diameter), or any (RADIUS);
    `realm` its Origin-Realm, `networks` where it may come from. Without any, a Diameter peer comes
    from anywhere, by TLS and with a certificate of its name; a RADIUS client from nowhere.

    `secret` is shared with a RADIUS client; empty where it was not opened. With `tls`, nothing is
    taken from a Diameter peer without it. `plus`: numbers without "+" are international.
    `disconnect_to` is where Disconnect-Requests go (`host:port`; empty: back where it came from,
    port 3799). Times in ms since the epoch.
    """

    id: int
    switch_id: int
    protocol: str
    name: str
    realm: str
    networks: tuple[Network, ...]
    tls: bool
    plus: bool
    disconnect_to: str
    created_ms: int
    revoked_ms: int | None
    made_by: str | None = None
    secret: str = ""

    def __repr__(self) -> str:
        return f"Peer(id={self.id}, {self.protocol} {self.name!r})"

    def may_come_from(self, address: str) -> bool:
        """Whether the peer may come from this IP address."""
        return not self.networks or prefix_length(self, address) >= 0


def prefix_length(peer: Peer, address: str) -> int:
    """How long the prefix is of the smallest network of the peer's that has this IP address; -1
    where none has."""
    found = plain_address(address)
    return max([net.prefixlen for net in peer.networks if found in net], default=-1)
