"""Calls that are to end are told to their client, until it has understood or they have ended."""

from dataclasses import replace
from ipaddress import ip_address

import pytest
from pyrad.packet import DisconnectNAK
from structlog.testing import capture_logs

from talktime.core.commands import EndCall
from talktime.gateways.radius.attributes import SESSION_CONTEXT_NOT_FOUND, Attribute, Status
from talktime.gateways.radius.disconnects import PORT
from talktime.operations.execute import execute
from talktime.operations.peers import revoke_peer
from tests.gateways.radius.nas import (
    SILENCE_S,
    Listener,
    Nas,
    add_client,
    calls,
    expire,
    leave,
    radius_service,
    seconds,
    usage,
)
from tests.loopback import LINK_LOCALS, SIX, WAYS
from tests.served import clock_ms, new_id, seeded

pytestmark = pytest.mark.layouts("sqlite", "postgres")

MINUTE_MICROS = 20_000
ALMOST_NOTHING_MICROS = 2
BY_THE_SECOND = "+6561234567"


@pytest.fixture
def listener():
    """Where the client takes requests to end a call."""
    with Listener() as made:
        yield made


@pytest.fixture
def demo(store, listener):
    """The demo, and a client that takes such requests."""
    made = seeded(store)
    add_client(store, "nas-1", "127.0.0.1", disconnect_to=listener.place)
    return made


@pytest.fixture
def nas(store, demo):
    """That client, and the service."""
    with radius_service(store, demo) as service:
        yield Nas(service)


def end(store, call_key):
    """Mark the call as its job does."""
    cell = store.cell()
    [(switch_id, owner)] = cell.rows(
        "SELECT switch_id, organisation_id FROM call WHERE call_key = ?", [call_key]
    )
    with cell.transaction():
        command = EndCall(switch_id, call_key, owner, "organisation_inactive")
        execute(cell, [command], clock_ms(), new_id)


def said(packet):
    """What names the call in a request."""
    return {
        attribute.name: packet[attribute]
        for attribute in Attribute
        if attribute in packet
        and attribute not in (Attribute.MESSAGE_AUTHENTICATOR, Attribute.EVENT_TIMESTAMP)
    }


def test_at_the_end_of_a_last_grant_the_client_is_asked_to_end_the_call(nas, store, listener):
    leave(store, MINUTE_MICROS)
    answer = nas.ask(ACCT_SESSION_ID="c1", USER_NAME="alice", NAS_IP_ADDRESS=b"\xc0\0\2\7")
    granted_s = seconds(answer)
    assert granted_s == 60
    assert answer[Attribute.TERMINATION_ACTION] == [b"\0\0\0\0"]
    assert Attribute.STATE not in answer
    nas.account(Status.START, ACCT_DELAY_TIME=granted_s)
    request = listener.receive()
    assert said(request) == {"NAS_IDENTIFIER": [b"nas-1"], "ACCT_SESSION_ID": [b"c1"]}
    assert abs(int.from_bytes(request[55][0], "big") - clock_ms() // 1000) < 20
    listener.answer(request)
    nas.account(Status.STOP, ACCT_SESSION_TIME=60, ACCT_TERMINATE_CAUSE=6)
    assert [(each[0], each[2]) for each in usage(store)] == [(60, "admin_reset")]


def test_a_call_that_may_not_go_on_is_ended_though_its_interim_is_answered(nas, store, listener):
    leave(store, MINUTE_MICROS)
    nas.ask(ACCT_SESSION_ID="c1")
    assert nas.account(Status.INTERIM_UPDATE, ACCT_SESSION_TIME=60).code == 5
    assert said(listener.receive())["ACCT_SESSION_ID"] == [b"c1"]
    assert calls(store) == [("nas-1/c1", "open", 60, 60)]


def test_money_that_comes_in_time_lets_a_call_go_on(nas, store, listener):
    leave(store, MINUTE_MICROS)
    nas.ask(ACCT_SESSION_ID="c1")
    nas.account(Status.START, ACCT_DELAY_TIME=59)
    leave(store, 100 * MINUTE_MICROS)
    nas.account(Status.INTERIM_UPDATE, ACCT_SESSION_TIME=59)
    assert listener.receive(2) is None


def test_a_call_that_asks_again_after_a_last_grant_is_let_run(nas, store, listener):
    first = nas.ask(ACCT_SESSION_ID="c1")
    leave(store, ALMOST_NOTHING_MICROS)
    nas.account(Status.INTERIM_UPDATE, ACCT_SESSION_TIME=250, ACCT_DELAY_TIME=48)
    leave(store, 100 * MINUTE_MICROS)
    more = nas.ask(ACCT_SESSION_ID="c1", STATE=first[Attribute.STATE][0])
    assert seconds(more) == 300
    assert listener.receive(3) is None


def test_a_start_that_comes_late_does_not_cut_what_was_granted_since(nas, store, listener):
    nas.ask(ACCT_SESSION_ID="c1")
    leave(store, 5 * MINUTE_MICROS)
    nas.account(Status.INTERIM_UPDATE, ACCT_SESSION_TIME=299)
    [(_, _, _, granted_s)] = calls(store)
    assert granted_s > 300
    nas.account(Status.START, ACCT_DELAY_TIME=300)
    assert listener.receive(SILENCE_S) is None


def test_a_client_with_a_new_secret_is_asked_with_that(nas, store, listener):
    nas.ask(ACCT_SESSION_ID="c1")
    radius = nas.service
    [old] = radius.engine.peers.radius_clients()
    control = store.control()
    with control.transaction():
        revoke_peer(control, old.id, now_ms=clock_ms())
    listener.secret = b"another-horse-and-battery"
    more = {"secret": listener.secret.decode(), "disconnect_to": listener.place}
    new = add_client(store, "nas-1", "127.0.0.1", **more)
    radius.until(lambda: [each.id for each in radius.engine.peers.radius_clients()] == [new.id])
    end(store, "nas-1/c1")
    assert said(listener.receive())["ACCT_SESSION_ID"] == [b"c1"]
    Nas(radius, secret=listener.secret.decode()).account(Status.STOP, ACCT_SESSION_TIME=5)
    while listener.receive(0.01) is not None:
        pass
    assert listener.receive(2 * SILENCE_S) is None


def test_a_call_that_nobody_reports_is_ended_at_its_deadline(store, demo, listener):
    store.settings = replace(store.settings, slice_s=1, grace_s=1)
    with radius_service(store, demo) as service:
        nas = Nas(service)
        assert seconds(nas.ask(ACCT_SESSION_ID="c1", CALLED_STATION_ID=BY_THE_SECOND)) == 1
        nas.account(Status.START)
        assert said(listener.receive())["ACCT_SESSION_ID"] == [b"c1"]


def test_the_deadline_of_an_earlier_call_of_the_same_session_id_ends_no_other(
    store, demo, listener
):
    store.settings = replace(store.settings, slice_s=1, grace_s=1)
    with radius_service(store, demo) as service:
        nas = Nas(service)
        nas.ask(ACCT_SESSION_ID="c1", CALLED_STATION_ID=BY_THE_SECOND)
        nas.account(Status.START)
        expire(store, "nas-1/c1")
        nas.ask(ACCT_SESSION_ID="c1", CALLED_STATION_ID=BY_THE_SECOND)
        nas.class_ = None
        nas.account(Status.START, ACCT_DELAY_TIME=60)  # the first call's, late
        assert listener.receive(3) is None
    assert [each[1] for each in calls(store)] == ["expired", "open"]


def test_the_same_request_is_sent_until_it_is_answered_and_anew_while_the_call_runs(
    nas, store, listener
):
    nas.ask(ACCT_SESSION_ID="c1")
    end(store, "nas-1/c1")
    first, second, third = (listener.receive() for _ in range(3))
    assert first.raw_packet == second.raw_packet == third.raw_packet
    anew = listener.receive()
    assert anew.id != first.id
    listener.answer(anew)
    another = listener.receive()  # it was acknowledged, but the call runs on in the books
    assert said(another) == said(first)
    nas.account(Status.STOP, ACCT_SESSION_TIME=5)
    while listener.receive(SILENCE_S) is not None:
        pass
    assert len(nas.service.gateway.disconnects) == 0


def test_a_client_that_has_no_such_call_is_left_alone(nas, store, listener):
    nas.ask(ACCT_SESSION_ID="c1")
    with capture_logs() as lines:
        end(store, "nas-1/c1")
        listener.answer(listener.receive(), DisconnectNAK, SESSION_CONTEXT_NOT_FOUND)
        assert listener.receive(2) is None
    [line] = [each for each in lines if each["event"] == "disconnect refused"]
    assert (line["error_cause"], line["why"]) == (503, "organisation_inactive")
    nas.ask(ACCT_SESSION_ID="c2")
    end(store, "nas-1/c2")
    asked = listener.receive()
    assert said(asked)["ACCT_SESSION_ID"] == [b"c2"]
    listener.answer(asked)
    nas.account(Status.INTERIM_UPDATE, ACCT_SESSION_TIME=5)  # it has it after all
    assert said(listener.receive())["ACCT_SESSION_ID"] == [b"c1"]


def test_a_client_that_had_no_such_call_yet_is_asked_when_it_is_answered(nas, store, listener):
    nas.ask(ACCT_SESSION_ID="c1")
    end(store, "nas-1/c1")
    listener.answer(listener.receive(), DisconnectNAK, SESSION_CONTEXT_NOT_FOUND)
    assert listener.receive(SILENCE_S) is None
    nas.account(Status.START)
    asked = listener.receive(2)
    assert asked is not None
    assert said(asked)["ACCT_SESSION_ID"] == [b"c1"]


def test_an_answer_that_the_client_did_not_sign_is_none(nas, store, listener):
    nas.ask(ACCT_SESSION_ID="c1")
    end(store, "nas-1/c1")
    first = listener.receive()
    first.secret = b"another secret"
    listener.answer(first, DisconnectNAK, SESSION_CONTEXT_NOT_FOUND)
    listener.socket.sendto(b"\x29" + bytes([first.id]) + b"\0\x14", listener.sender)
    assert listener.receive().raw_packet == first.raw_packet


@pytest.mark.parametrize(("listen", "here"), WAYS)
def test_a_client_is_named_and_asked_over_either_version(store, listen, here):
    demo = seeded(store)
    attribute = Attribute.NAS_IPV6_ADDRESS if here == SIX else Attribute.NAS_IP_ADDRESS
    packed = ip_address(here).packed
    named = {attribute.name: [packed], "ACCT_SESSION_ID": [b"c1"]}
    with Listener(host=here) as listener:
        add_client(store, "nas-1", here, disconnect_to=listener.place)
        with radius_service(store, demo, listen=listen) as service:
            nas = Nas(service, "", here)
            assert seconds(nas.ask(ACCT_SESSION_ID="c1", **{attribute.name: packed})) == 300
            end(store, f"{here}/c1")
            request = listener.receive()
            assert said(request) == named
            listener.answer(request)
        with radius_service(store, demo, listen=listen):
            request = listener.receive()
            assert said(request) == named
            listener.answer(request, DisconnectNAK, SESSION_CONTEXT_NOT_FOUND)
            assert listener.receive(1) is None


@pytest.mark.parametrize("here", LINK_LOCALS)
def test_a_client_of_the_same_link_is_asked_where_it_came_from(store, here):
    demo = seeded(store)
    add_client(store, "nas-1", here.partition("%")[0])
    with (
        radius_service(store, demo, listen="::") as service,
        Listener(host=here, port=PORT) as listener,
    ):
        assert seconds(Nas(service, host=here).ask(ACCT_SESSION_ID="c1")) == 300
        end(store, "nas-1/c1")
        assert said(listener.receive())["ACCT_SESSION_ID"] == [b"c1"]


def test_calls_of_before_a_restart_are_ended_by_what_their_keys_say(store, demo, listener):
    with radius_service(store, demo) as service:
        Nas(service).ask(ACCT_SESSION_ID="a/b 1", USER_NAME="alice")
    end(store, "nas-1/a%2Fb 1")
    with radius_service(store, demo):
        request = listener.receive()
    assert said(request) == {"NAS_IDENTIFIER": [b"nas-1"], "ACCT_SESSION_ID": [b"a/b 1"]}


def test_a_call_that_no_client_can_be_asked_for_is_told_to_the_log(store):
    demo = seeded(store)
    add_client(store, "nas-1", "127.0.0.0/8")
    with radius_service(store, demo) as service:
        Nas(service).ask(ACCT_SESSION_ID="c1")
    end(store, "nas-1/c1")
    with capture_logs() as lines, radius_service(store, demo) as service:
        service.until(lambda: any(each["event"] == "disconnect not sent" for each in lines))
    [line] = [each for each in lines if each["event"] == "disconnect not sent"]
    assert line["error"].startswith("the client's address is not known")


def test_without_a_session_id_the_user_and_the_number_name_the_call(nas, store, listener):
    nas.ask(USER_NAME="alice")
    [(call_key, *_)] = calls(store)
    end(store, call_key)
    caller = nas.service.demo.caller.encode()
    assert said(listener.receive()) == {
        "NAS_IDENTIFIER": [b"nas-1"],
        "USER_NAME": [b"alice"],
        "CALLING_STATION_ID": [caller],
    }


def test_more_calls_than_can_be_told_at_once_are_told_one_after_the_other(store, demo, listener):
    with radius_service(store, demo, tellings_max=1) as service:
        nas = Nas(service)
        for session in ("c1", "c2"):
            nas.ask(ACCT_SESSION_ID=session)
            end(store, f"nas-1/{session}")
        found = set()
        while len(found) < 2:
            asked = listener.receive()
            assert asked is not None
            assert len(service.gateway.disconnects) <= 1
            found.add(asked[Attribute.ACCT_SESSION_ID][0])
            listener.answer(asked, DisconnectNAK, SESSION_CONTEXT_NOT_FOUND)
        assert found == {b"c1", b"c2"}
