"""The peers of switches: where Diameter and RADIUS are spoken from, and with which secret.

A RADIUS secret is sealed when it is set, and never shown again. The caller opens and commits the
control plane's transaction.
"""

import base64
import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from talktime.core.addresses import Network, plain_network
from talktime.core.audit import Facts
from talktime.core.limits import (
    HOST_TEXT_MAX,
    PAGE_ROWS_MAX,
    PEER_NETWORKS_MAX,
    PEER_SECRET_TEXT_MAX,
    PEER_SECRET_TEXT_MIN,
    PEERS_MAX,
)
from talktime.core.peers import DIAMETER, PROTOCOLS, RADIUS, Peer
from talktime.core.refusal import Refusal
from talktime.operations.audit import acting_person, note
from talktime.operations.input_checks import check_one_of, check_text, check_word, first
from talktime.operations.sealing import Seal
from talktime.store import peers as store
from talktime.store.database import Connection
from talktime.store.keys import Switch
from talktime.store.revisions import KEYS, lock

HOST = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*", re.A)
PLACE = re.compile(r"([^\s:\[\]]+|\[[0-9a-fA-F:.]+(%[\w.-]+)?\]):(?P<port>\d{1,5})", re.A)
PORT_MAX = 65_535
SECRET_BYTES = 24


class NewPeer(NamedTuple):
    """What is said of a peer to be made (core/peers.py); `addresses` are IP addresses or networks
    in CIDR."""

    protocol: str
    name: str
    realm: str = ""
    addresses: Sequence[str] = ()
    secret: str = ""
    tls: bool = False
    plus: bool = True
    disconnect_to: str = ""

    def __repr__(self) -> str:
        return f"NewPeer({self.protocol} {self.name!r})"


def new_secret(entropy: bytes) -> str:
    """A shared secret of SECRET_BYTES bytes of chance: letters and digits alone, for clients take
    a secret that begins with "-" for an option.

    >>> new_secret(bytes(SECRET_BYTES)), new_secret(b"\\xff\\xef" * (SECRET_BYTES // 2))
    ('AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA', 'zyzz7zzvzyzz7zzvzyzz7zzvzyzz7zzv')
    """
    return base64.b64encode(entropy, altchars=b"yz").decode()


def create_peer(
    control: Connection,
    seal: Seal,
    switch: Switch,
    asked: NewPeer,
    *,
    now_ms: int,
    next_id: Callable[[], int],
) -> Peer | Refusal:
    """Make a peer of a switch known; engines know it within a second.

    Refuses: invalid_value (never repeating the secret), already_exists for a name that another
    peer of the protocol has, or a network that another RADIUS client has.
    """
    networks = _networks(asked.addresses)
    if isinstance(networks, Refusal):
        return networks
    asked = asked._replace(name=asked.name.lower(), realm=asked.realm.lower())
    refusal = check_one_of("the protocol", asked.protocol, PROTOCOLS) or (
        _check_diameter(asked, networks)
        if asked.protocol == DIAMETER
        else _check_radius(asked, networks)
    )
    if refusal is not None:
        return refusal
    lock(control, KEYS)
    others = store.peers_in_use(control, PEERS_MAX)
    refusal = _taken(
        [peer for peer, _ in others if peer.protocol == asked.protocol], asked, networks
    )
    if refusal is not None:
        return refusal
    if len(others) >= PEERS_MAX:
        return Refusal("invalid_value", f"there are {PEERS_MAX} peers; revoke one first")
    peer = Peer(
        *(next_id(), switch.id, asked.protocol, asked.name, asked.realm, networks),
        *(asked.tls, asked.plus, asked.disconnect_to, now_ms, None, acting_person()),
    )
    store.insert_peer(control, peer, seal.seal(asked.secret) if asked.secret else "")
    after: Facts = {
        "switch": switch.name,
        "realm": peer.realm,
        "addresses": [str(each) for each in networks],
        "tls": peer.tls,
    }
    note(control, None, "peer.created", f"{peer.protocol} {peer.name}", after=after)
    return peer


def revoke_peer(control: Connection, peer_id: int, *, now_ms: int) -> Peer | Refusal:
    """Nothing is taken from this peer from now on. One revoked before keeps its time.

    Refuses: unknown_peer.
    """
    lock(control, KEYS)
    peer = find_peer(control, peer_id)
    if isinstance(peer, Refusal) or peer.revoked_ms is not None:
        return peer
    store.revoke_peer(control, peer_id, now_ms)
    note(control, None, "peer.revoked", f"{peer.protocol} {peer.name}", always=True)
    return peer._replace(revoked_ms=now_ms)


def find_peer(control: Connection, peer_id: int) -> Peer | Refusal:
    """The peer of this id, without its secret. Refuses: unknown_peer."""
    return store.peer_of_id(control, peer_id) or Refusal(
        "unknown_peer", f"there is no peer {peer_id}"
    )


def list_peers(control: Connection, *, after: int = 0, limit: int = PAGE_ROWS_MAX) -> list[Peer]:
    """Peers, oldest first, revoked ones too, without secrets; `after` is the last id of the page
    before."""
    return store.peers_by_id(control, after, min(limit, PAGE_ROWS_MAX))


def _check_diameter(asked: NewPeer, networks: Sequence[Network]) -> Refusal | None:
    for what, text in (("the Origin-Host", asked.name), ("the Origin-Realm", asked.realm)):
        if len(text) > HOST_TEXT_MAX or HOST.fullmatch(text) is None:
            return Refusal("invalid_value", f"{what} must be a host name, such as sip.example.net")
    if asked.secret or asked.disconnect_to:
        return Refusal("invalid_value", "a Diameter peer has no secret and no disconnect address")
    if not networks and not asked.tls:
        detail = "a Diameter peer needs the address it comes from, or TLS: its name proves nothing"
        return Refusal("invalid_value", detail)
    return None


def _check_radius(asked: NewPeer, networks: Sequence[Network]) -> Refusal | None:
    if not networks:
        detail = "a RADIUS client needs the address it comes from"
        return Refusal("invalid_value", detail)
    if asked.tls or asked.realm:
        return Refusal("invalid_value", "a RADIUS client has neither a realm nor TLS")
    if len(asked.secret) < PEER_SECRET_TEXT_MIN:
        detail = f"the shared secret needs at least {PEER_SECRET_TEXT_MIN} characters"
        return Refusal("invalid_value", detail)
    return first(
        check_text("the client's name", asked.name, HOST_TEXT_MAX),
        check_word("the shared secret", asked.secret, PEER_SECRET_TEXT_MAX),
        _check_place(asked.disconnect_to),
    )


def _check_place(text: str) -> Refusal | None:
    found = PLACE.fullmatch(text)
    if not text or (found and len(text) <= HOST_TEXT_MAX and 0 < int(found["port"]) <= PORT_MAX):
        return None
    return Refusal("invalid_value", "the disconnect address must be host:port")


def _networks(texts: Sequence[str]) -> tuple[Network, ...] | Refusal:
    if len(texts) > PEER_NETWORKS_MAX:
        return Refusal("invalid_value", f"a peer has at most {PEER_NETWORKS_MAX} networks")
    try:
        return tuple(dict.fromkeys([plain_network(text.strip()) for text in texts]))
    except ValueError:
        return Refusal(
            "invalid_value",
            "an address must be an IP address or a network, such as 192.0.2.7, 192.0.2.0/24 or "
            "2001:db8::/64, without a zone",
        )


def _taken(others: Sequence[Peer], asked: NewPeer, networks: Sequence[Network]) -> Refusal | None:
    for other in others:
        if other.name == asked.name:
            detail = f"there is a {asked.protocol} peer named {asked.name!r}; revoke it first"
            return Refusal("already_exists", detail)
        shared = set(networks) & set(other.networks)
        if asked.protocol == RADIUS and shared:
            detail = f"{min(map(str, shared))} is the address of the client {other.name!r}"
            return Refusal("already_exists", detail)
    return None
