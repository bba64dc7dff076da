"""Who may speak Diameter and RADIUS. Mirrors src/talktime/operations/peers.py and
engine/peer_cache.py."""

from itertools import count

import pytest

from talktime.core.audit import Actor
from talktime.core.limits import PEER_NETWORKS_MAX
from talktime.core.peers import prefix_length
from talktime.core.refusal import Refusal
from talktime.engine.peer_cache import PeerCache
from talktime.operations.audit import acting
from talktime.operations.keys import create_switch
from talktime.operations.peers import NewPeer, create_peer, find_peer, list_peers, revoke_peer
from talktime.operations.sealing import Seal

pytestmark = pytest.mark.layouts("sqlite", "postgres")

SECRET = "a secret of nobody's"[:20].replace(" ", "-")
SEAL = Seal(["k" * 40])
EDGE = NewPeer("radius", "edge", addresses=("192.0.2.0/24",), secret=SECRET)
PROXY = NewPeer("diameter", "Proxy.Example.net", "example.net", ("203.0.113.0/24",))


class Desk:
    def __init__(self, control):
        self.control, self.ids = control, count(1)
        with control.transaction():
            self.switch = create_switch(
                control, name="Oslo 1", operator="Contoso", now_ms=1, next_id=self.next_id
            )

    def next_id(self):
        return next(self.ids)

    def create(self, asked):
        operator = acting(Actor("shell", "operator"), lambda: 5, self.next_id)
        with operator, self.control.transaction():
            return create_peer(
                self.control, SEAL, self.switch, asked, now_ms=5, next_id=self.next_id
            )

    def cache(self, seal=SEAL):
        cache = PeerCache(seal)
        assert cache.refresh(self.control)
        return cache


@pytest.fixture
def desk(store):
    return Desk(store.control())


def test_a_diameter_peer_is_found_by_its_origin_host_in_any_case(desk):
    made = desk.create(PROXY)
    assert made.name == "proxy.example.net"
    assert desk.cache().diameter("PROXY.example.NET") == made
    assert desk.cache().diameter("example.net") is None
    assert made.may_come_from("203.0.113.1")
    assert desk.cache().diameter_from("::ffff:203.0.113.1")
    assert not desk.cache().diameter_from("192.0.2.7")


def test_a_radius_client_is_found_by_the_smallest_network_and_has_its_secret(desk):
    desk.create(EDGE)
    one = desk.create(EDGE._replace(name="one", addresses=("192.0.2.7",), secret=SECRET + "7"))
    cache = desk.cache()
    found = cache.radius("192.0.2.7")
    assert (found.id, found.secret) == (one.id, SECRET + "7")
    assert cache.radius("::ffff:192.0.2.8").name == "edge"
    assert cache.radius("198.51.100.1") is None


def test_an_address_is_looked_up_as_a_plain_search_finds_it(desk):
    nets = ("10.0.0.0/8", "10.1.0.0/16", "10.1.2.3", "2001:db8::/32", "2001:db8::1", "0.0.0.0/0")
    for number, net in enumerate(nets):
        desk.create(EDGE._replace(name=f"n{number}", addresses=(net,)))
    cache = desk.cache()
    for address in ("10.1.2.3", "10.1.2.4", "10.2.0.1", "2001:db8::1", "2001:db8::2", "9.9.9.9"):
        clients = cache.radius_clients()
        found = max(clients, key=lambda each: prefix_length(each, address))
        assert cache.radius(address) == found
    assert cache.radius("2001:db9::1") is None


def test_a_secret_is_kept_sealed_and_shown_to_nobody(desk):
    made = desk.create(EDGE)
    assert (made.secret, find_peer(desk.control, made.id).secret) == ("", "")
    rows = [str(row) for row in desk.control.rows("SELECT * FROM peer")]
    audit = [str(row) for row in desk.control.rows("SELECT * FROM audit_entry")]
    assert rows
    assert audit
    assert not [text for text in (*rows, *audit, repr(EDGE), repr(made)) if SECRET in text]


def test_a_peer_whose_secret_cannot_be_opened_is_left_out(desk):
    desk.create(EDGE)
    desk.create(PROXY)
    cache = desk.cache(Seal(["x" * 40]))
    assert cache.radius("192.0.2.7") is None
    assert cache.diameter(PROXY.name) is not None


def test_a_revoked_peer_is_nobody_and_leaves_its_name(desk):
    cache = desk.cache()
    made = desk.create(PROXY)
    assert cache.refresh(desk.control)
    with desk.control.transaction():
        revoked = revoke_peer(desk.control, made.id, now_ms=9)
    assert revoked.revoked_ms == 9
    assert cache.refresh(desk.control)
    assert not cache.refresh(desk.control)
    assert cache.diameter(PROXY.name) is None
    again = desk.create(PROXY)
    assert [peer.id for peer in list_peers(desk.control)] == [made.id, again.id]
    with desk.control.transaction():
        assert revoke_peer(desk.control, made.id, now_ms=10).revoked_ms == 9


@pytest.mark.parametrize(
    "asked",
    [
        EDGE._replace(protocol="sip"),
        EDGE._replace(addresses=()),
        EDGE._replace(addresses=("192.0.2.1/24",)),
        EDGE._replace(addresses=[f"192.0.2.{n}" for n in range(PEER_NETWORKS_MAX + 1)]),
        EDGE._replace(secret="short"),
        EDGE._replace(secret="with a space in the middle"),
        EDGE._replace(tls=True),
        EDGE._replace(disconnect_to="192.0.2.1"),
        EDGE._replace(disconnect_to="192.0.2.1:0"),
        PROXY._replace(name="not a host"),
        PROXY._replace(realm=""),
        PROXY._replace(addresses=()),
        PROXY._replace(secret=SECRET),
    ],
)
def test_a_peer_that_cannot_be_is_refused(desk, asked):
    refusal = desk.create(asked)
    assert type(refusal) is Refusal
    assert refusal.code == "invalid_value"
    assert SECRET not in refusal.detail
    assert list_peers(desk.control) == []


@pytest.mark.parametrize(
    "asked",
    [PROXY, EDGE._replace(addresses=("198.51.100.1",)), EDGE._replace(name="other")],
)
def test_a_name_or_an_address_belongs_to_one_peer(desk, asked):
    desk.create(EDGE)
    desk.create(PROXY)
    refusal = desk.create(asked)
    assert type(refusal) is Refusal
    assert refusal.code == "already_exists"


def test_a_peer_that_nobody_made_is_unknown(desk):
    with desk.control.transaction():
        refusal = revoke_peer(desk.control, 99, now_ms=9)
    assert refusal.code == "unknown_peer"


def test_a_network_of_mapped_addresses_is_one_of_ipv4(desk):
    made = desk.create(EDGE._replace(addresses=("::ffff:192.0.2.0/120", "fe80::/10")))
    assert [str(each) for each in made.networks] == ["192.0.2.0/24", "fe80::/10"]
    cache = desk.cache()
    for address in ("192.0.2.1", "::ffff:192.0.2.1", "fe80::1%eth0", "fe80::1%4"):
        assert cache.radius(address).id == made.id
        assert made.may_come_from(address)


@pytest.mark.parametrize("address", ["fe80::1%eth0", "[::1]", "::1/64"])
def test_what_is_no_network_is_refused_with_an_example(desk, address):
    refused = desk.create(EDGE._replace(addresses=(address,)))
    assert refused.code == "invalid_value"
    assert "2001:db8::/64, without a zone" in refused.detail
