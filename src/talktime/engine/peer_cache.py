"""The peers that may speak Diameter or RADIUS, kept as the control plane has them."""

from collections.abc import Iterable

import structlog

from talktime.core.addresses import plain_address
from talktime.core.limits import PEER_ADDRESSES_CACHED_MAX, PEERS_MAX
from talktime.core.peers import DIAMETER, Peer
from talktime.operations.sealing import NotSealedHere, Seal
from talktime.store.database import Connection
from talktime.store.peers import peers_in_use
from talktime.store.revisions import KEYS, revisions

log = structlog.get_logger(__name__)


class Networks:
    """Whose network an IP address is in: a table for each version and length of a prefix, the
    longest first."""

    def __init__(self, peers: Iterable[Peer]) -> None:
        tables: dict[tuple[int, int], dict[int, Peer]] = {}
        for peer in peers:
            for net in peer.networks:
                shift = net.max_prefixlen - net.prefixlen
                table = tables.setdefault((net.version, shift), {})
                table.setdefault(int(net.network_address) >> shift, peer)
        self._tables = sorted(tables.items())

    def smallest(self, address: str) -> Peer | None:
        """The peer of the smallest network that has the address."""
        at = plain_address(address)
        bits = int(at)
        for (version, shift), table in self._tables:
            if version == at.version and (found := table.get(bits >> shift)) is not None:
                return found
        return None


class PeerCache:
    """All peers that are not revoked. One thread refreshes it while others look up."""

    def __init__(self, seal: Seal) -> None:
        self._seal = seal
        self._diameter: dict[str, Peer] = {}
        self._radius: list[Peer] = []
        self._networks = Networks(())
        self._diameter_networks = Networks(())
        self._by_address: dict[str, Peer | None] = {}
        self._counter_seen = -1

    def diameter(self, origin_host: str) -> Peer | None:
        """The Diameter peer of this Origin-Host."""
        return self._diameter.get(origin_host.lower())

    def radius(self, address: str) -> Peer | None:
        """The RADIUS client of the smallest network that has this IP address."""
        known = self._by_address
        if address not in known:
            if len(known) >= PEER_ADDRESSES_CACHED_MAX:
                known.clear()
            known[address] = self._networks.smallest(address)
        return known[address]

    def diameter_from(self, address: str) -> bool:
        """Whether any Diameter peer comes from this IP address."""
        return self._diameter_networks.smallest(address) is not None

    def radius_clients(self) -> list[Peer]:
        """All RADIUS clients."""
        return self._radius

    def refresh(self, control: Connection) -> bool:
        """Read the peers when any key or peer changed; whether any had."""
        counter = revisions(control)[KEYS]
        if counter == self._counter_seen:
            return False
        peers = [self._opened(*each) for each in peers_in_use(control, PEERS_MAX)]
        self._diameter = {p.name: p for p in peers if p is not None and p.protocol == DIAMETER}
        self._radius = [p for p in peers if p is not None and p.protocol != DIAMETER]
        self._networks = Networks(self._radius)
        self._diameter_networks = Networks(self._diameter.values())
        self._by_address = {}
        self._counter_seen = counter
        return True

    def _opened(self, peer: Peer, sealed_secret: str) -> Peer | None:
        if not sealed_secret:
            return peer
        try:
            return peer._replace(secret=self._seal.opened(sealed_secret))
        except NotSealedHere as error:
            log.error("peer left out", peer=peer.name, reason=str(error))
            return None
