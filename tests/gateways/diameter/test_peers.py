"""Connections of peers: capabilities, watchdog, goodbye, two of one peer (RFC 6733, 5)."""

from collections.abc import Iterator

import pytest
from diameter.message import Message
from diameter.message.commands import CreditControlRequest
from structlog.testing import capture_logs

from talktime.core.limits import (
    DIAMETER_CONNECTIONS_OF_ADDRESS_MAX,
    DIAMETER_CONNECTIONS_UNMET_MAX,
)
from talktime.gateways.diameter import results as r
from talktime.gateways.diameter.node import Timings
from tests.gateways.diameter import asked
from tests.gateways.diameter.serving import PATIENT, Charging, add_peer, charging, populate
from tests.loopback import SIX, SIXES, WAYS
from tests.served import PATIENCE_S
from tests.stores import Store

HASTY = Timings(capabilities_s=0.2, watchdog_s=0.2, goodbye_s=0.5, contest_s=0.3)
pytestmark = pytest.mark.layouts("sqlite")


@pytest.fixture
def served(store: Store) -> Iterator[Charging]:
    """A service with one peer."""
    with charging(store) as running:
        yield running


def test_capabilities_are_exchanged_with_a_peer_that_is_known(served: Charging) -> None:
    answer = served.connect().hello()
    assert (answer.result_code, answer.origin_host) == (r.SUCCESS, asked.OUR_HOST.encode())
    assert answer.origin_realm == asked.OUR_REALM.encode()
    assert answer.supported_vendor_id == [10415, 13019]
    assert answer.auth_application_id == [4]
    by_vendor = answer.vendor_specific_application_id[0]
    assert (by_vendor.vendor_id, by_vendor.auth_application_id) == (10415, 4)


@pytest.mark.parametrize(
    ("said", "result"),
    [
        ({"host": "stranger.example"}, r.UNKNOWN_PEER),
        ({"realm": "elsewhere.example"}, r.UNKNOWN_PEER),
        ({"application": 3}, r.NO_COMMON_APPLICATION),
    ],
)
def test_a_peer_that_may_not_talk_here_is_told_why_and_left(
    served: Charging, said: dict[str, object], result: int
) -> None:
    client = served.connect()
    assert client.hello(**said).result_code == result
    assert client.is_closed()


def test_the_log_says_who_a_refused_peer_is_by_name_realm_and_address(served: Charging) -> None:
    with capture_logs() as logged:
        served.connect().hello(realm="elsewhere.example")
    refused = {"peer": asked.HOST, "realm": "elsewhere.example", "address": "127.0.0.1"}
    why = {"why": "DIAMETER_UNKNOWN_PEER", "result": r.UNKNOWN_PEER}
    line = {"event": "diameter peer refused", "log_level": "warning", **refused, **why}
    assert line in logged


def test_a_relay_is_a_peer_too(served: Charging) -> None:
    assert served.connect().hello(application=0xFFFFFFFF).result_code == r.SUCCESS


def test_a_peer_comes_from_its_addresses_alone(store: Store) -> None:
    switch = populate(store, 10)
    add_peer(store, switch, addresses=("192.0.2.0/24",))
    add_peer(store, switch, "near.contoso.example", addresses=("127.0.0.0/8",))
    with charging(store, switch=switch) as served:
        assert served.connect().hello().result_code == r.UNKNOWN_PEER
        assert served.connect().hello("near.contoso.example").result_code == r.SUCCESS


@pytest.mark.parametrize(("listen", "here"), WAYS)
def test_a_peer_is_known_by_its_address_and_told_ours_of_either_version(
    store: Store, listen: str, here: str
) -> None:
    switch = populate(store, 10)
    add_peer(store, switch, addresses=(here,))
    add_peer(store, switch, "far.contoso.example", addresses=("192.0.2.0/24", "2001:db8::/64"))
    with capture_logs() as logged, charging(store, switch=switch, listen=listen) as served:
        client = served.connect(to=here, source=here)
        answer = client.hello(address=here)
        assert answer.result_code == r.SUCCESS
        family = 2 if here == SIX else 1
        assert answer.host_ip_address == [(family, here)]
        far = served.connect(to=here, source=here)
        assert far.hello("far.contoso.example", address=here).result_code == r.UNKNOWN_PEER
        client.close()
        far.close()
    addresses = {each["address"] for each in logged if each["event"].startswith("diameter peer")}
    assert addresses == {here}


@pytest.mark.parametrize("here", SIXES)
def test_an_address_of_ipv6_has_so_many_connections(store: Store, here: str) -> None:
    switch = populate(store, 10)
    add_peer(store, switch, addresses=("::/64",))
    with charging(store, switch=switch, listen="::") as served:
        for _ in range(DIAMETER_CONNECTIONS_OF_ADDRESS_MAX):
            served.connect(to=here, source=here)
        assert served.connect(to=here, source=here).is_closed()


def test_a_peer_that_needs_tls_is_not_heard_without_it(store: Store) -> None:
    switch = populate(store, 10)
    add_peer(store, switch, tls=True, addresses=("127.0.0.1",))
    with charging(store, switch=switch) as served:
        assert served.connect().hello().result_code == r.NO_COMMON_SECURITY


def test_an_address_that_is_no_peers_is_not_let_in_and_cannot_fill_the_log(store: Store) -> None:
    switch = populate(store, 10)
    add_peer(store, switch, addresses=("192.0.2.0/24",))
    with capture_logs() as logged, charging(store, switch=switch) as served:
        for _ in range(3):
            assert served.connect().is_closed()
    lines = [each for each in logged if each["event"] == "diameter connection not taken"]
    why = "no peer comes from this address"
    told = {"address": "127.0.0.1", "why": why, "more": 0}
    assert lines == [{"event": "diameter connection not taken", "log_level": "warning", **told}]


def test_an_address_has_so_many_connections(served: Charging) -> None:
    idle = [served.connect() for _ in range(DIAMETER_CONNECTIONS_OF_ADDRESS_MAX)]
    assert served.connect().is_closed()
    idle[0].close()
    assert idle[1].hello().result_code == r.SUCCESS


def test_connections_that_say_nothing_leave_places_for_peers(store: Store) -> None:
    with charging(store, timings=PATIENT._replace(capabilities_s=PATIENCE_S)) as served:
        for host in range(DIAMETER_CONNECTIONS_UNMET_MAX // DIAMETER_CONNECTIONS_OF_ADDRESS_MAX):
            for _ in range(DIAMETER_CONNECTIONS_OF_ADDRESS_MAX):
                served.connect(source=f"127.0.1.{host}")
        late = served.connect(source="127.0.2.1")
        assert late.is_closed()
        assert len(served.gateway.peers.all) == DIAMETER_CONNECTIONS_UNMET_MAX


def test_the_connection_of_a_revoked_peer_is_not_that_of_a_new_one_of_its_name(
    store: Store,
) -> None:
    with charging(store) as served:
        client = served.client()
        served.revoke(asked.HOST)
        add_peer(store, served.switch)
        assert served.until(lambda: served.engine.peers.diameter(asked.HOST))
        assert client.ask(asked.credit("s", 1, 0)).result_code == r.AUTHORIZATION_REJECTED
        goodbye = client.requested()
        assert (goodbye.header.command_code, goodbye.disconnect_cause) == (282, 2)
        assert served.client().ask(asked.watchdog()).result_code == r.SUCCESS


def test_a_peer_that_was_revoked_is_left_at_its_next_watchdog(store: Store) -> None:
    with charging(store, timings=HASTY) as served:
        client = served.client()
        served.revoke(asked.HOST)
        while (found := client.requested()).header.command_code == 280:
            client.send(found.to_answer())
        assert (found.header.command_code, found.disconnect_cause) == (282, 2)


def test_capabilities_without_a_name_are_missing_something(served: Charging) -> None:
    client = served.connect()
    said = asked.capabilities()
    said.origin_host = None
    answer = client.ask(said)
    assert answer.result_code == r.MISSING_AVP
    assert client.is_closed()


def test_a_request_before_the_capabilities_ends_the_connection(served: Charging) -> None:
    for message in (asked.credit("s", 1, 0), asked.watchdog()):
        client = served.connect()
        client.send(message)
        assert client.is_closed()


def test_a_watchdog_is_answered(served: Charging) -> None:
    answer = served.client().ask(asked.watchdog())
    assert (answer.header.command_code, answer.result_code) == (280, r.SUCCESS)
    assert answer.origin_state_id > 0


def test_a_goodbye_is_answered_and_the_connection_closed(store: Store) -> None:
    with charging(store, timings=HASTY._replace(watchdog_s=9)) as served:
        client = served.client()
        assert client.ask(asked.goodbye()).result_code == r.SUCCESS
        answer = client.ask(asked.credit("s", 1, 0))
        assert answer.result_code == r.UNABLE_TO_DELIVER
        assert answer.header.is_error
        assert client.is_closed()


def test_silence_is_asked_about_and_then_ends_the_connection(store: Store) -> None:
    with charging(store, timings=HASTY) as served:
        client = served.client()
        assert client.requested().header.command_code == 280
        assert client.is_closed()


def test_a_peer_that_answers_the_watchdog_stays(store: Store) -> None:
    with charging(store, timings=HASTY) as served:
        client = served.client()
        for _ in range(3):
            client.send(client.requested().to_answer())
        assert client.ask(asked.watchdog()).result_code == r.SUCCESS


def test_a_connection_without_capabilities_is_closed(store: Store) -> None:
    with charging(store, timings=HASTY) as served:
        assert served.connect().is_closed()


def test_of_two_living_connections_of_a_peer_the_new_one_loses(served: Charging) -> None:
    old, new = served.client(), served.connect()
    new.send(asked.capabilities())
    asking = old.requested()
    assert asking.header.command_code == 280
    old.send(asking.to_answer())
    assert new.receive().result_code == r.ELECTION_LOST
    assert new.is_closed()
    assert old.ask(asked.watchdog()).result_code == r.SUCCESS


def test_a_connection_that_nobody_answers_on_gives_way_to_a_new_one(store: Store) -> None:
    with charging(store, timings=HASTY._replace(watchdog_s=9)) as served:
        old = served.client()
        new = served.client()
        assert old.is_closed()
        assert new.ask(asked.watchdog()).result_code == r.SUCCESS


def test_of_two_new_connections_beside_a_dead_one_the_first_wins(store: Store) -> None:
    with charging(store, timings=PATIENT._replace(contest_s=1)) as served:
        old, first, second = served.client(), served.connect(), served.connect()
        first.send(asked.capabilities())
        assert old.requested().header.command_code == 280
        second.send(asked.capabilities())
        assert first.receive().result_code == r.SUCCESS
        assert old.is_closed()
        asking = first.requested()
        assert asking.header.command_code == 280
        first.send(asking.to_answer())
        assert second.receive().result_code == r.ELECTION_LOST
        assert second.is_closed()
        assert first.ask(asked.watchdog()).result_code == r.SUCCESS


def test_several_peers_talk_at_once(store: Store) -> None:
    switch = populate(store, 10)
    hosts = [f"sip{number}.contoso.example" for number in range(3)]
    for host in hosts:
        add_peer(store, switch, host)
    with charging(store, switch=switch) as served:
        clients = [served.client(host) for host in hosts]
        assert [each.ask(asked.watchdog()).result_code for each in clients] == [r.SUCCESS] * 3


def test_a_service_that_stops_says_goodbye(served: Charging) -> None:
    client = served.client()
    served.begin_to_stop()
    asking = client.requested()
    assert (asking.header.command_code, asking.disconnect_cause) == (282, 0)
    client.send(asking.to_answer())
    assert client.is_closed()


@pytest.mark.parametrize(
    ("command", "application", "result"),
    [
        (265, 4, r.COMMAND_UNSUPPORTED),
        (257 + 20, 0, r.COMMAND_UNSUPPORTED),
        (272, 5, r.APPLICATION_UNSUPPORTED),
    ],
)
def test_what_this_node_cannot_do_is_a_protocol_error(
    served: Charging, command: int, application: int, result: int
) -> None:
    client = served.client()
    message = asked.credit("s;1", 1, 0)
    message.header.command_code, message.header.application_id = command, application
    answer: Message = client.ask(message)
    assert answer.header.is_error
    assert not answer.header.is_request
    codes = {avp.code: avp.value for avp in answer.avps}
    assert (codes[268], codes[263]) == (result, "s;1")


def test_a_request_with_the_error_flag_has_invalid_bits(served: Charging) -> None:
    message: CreditControlRequest = asked.credit("s", 1, 0)
    message.header.is_error = True
    assert served.client().ask(message).result_code == r.INVALID_HDR_BITS
