"""Access-Request: for how long a call may talk, or why it may not."""

import pytest
from pyrad.packet import Packet

from talktime.core.directory import BRIDGE
from talktime.gateways.radius.attributes import Attribute, Status
from talktime.operations.assign_numbers import attach_number
from talktime.operations.organisations import find_organisation
from talktime.operations.seed_demo import ORGANISATION
from tests.gateways.radius.nas import Nas, add_client, calls, message, seconds, usage
from tests.served import rows_of_books

pytestmark = pytest.mark.layouts("sqlite", "postgres")


def test_a_call_is_granted_for_so_long_and_told_to_ask_again(nas, store):
    answer = nas.ask(ACCT_SESSION_ID="c1", USER_NAME="alice")
    assert seconds(answer) == 300
    assert nas.class_ == b"talktime:nas-1/c1"
    assert answer[Attribute.TERMINATION_ACTION] == [b"\0\0\0\1"]
    assert answer[Attribute.STATE] == [b"talktime:300:nas-1/c1"]
    assert answer[Attribute.ACCT_INTERIM_INTERVAL] == [b"\0\0\0\x96"]
    assert next(iter(answer)) == Attribute.MESSAGE_AUTHENTICATOR
    assert calls(store) == [("nas-1/c1", "open", 0, 300)]


def test_at_the_end_of_its_time_a_call_asks_for_more_by_state(nas, store):
    first = nas.ask(ACCT_SESSION_ID="c1")
    more = nas.ask(ACCT_SESSION_ID="c1", STATE=first[Attribute.STATE][0])
    assert seconds(more) == 300
    assert more[Attribute.STATE] == [b"talktime:600:nas-1/c1"]
    again = nas.ask(ACCT_SESSION_ID="c1", STATE=first[Attribute.STATE][0])
    assert seconds(again) == 300
    assert calls(store) == [("nas-1/c1", "open", 300, 600)]


def test_a_refusal_is_a_reject_with_its_sentence_and_nothing_is_held(nas, store):
    before = rows_of_books(store)
    assert message(nas.ask(ACCT_SESSION_ID="c1", CALLING_STATION_ID="+15005550006")) == (
        "The caller is not known: +15005550006 is the number of no organisation"
    )
    assert message(nas.ask(ACCT_SESSION_ID="c2", CALLED_STATION_ID="")).startswith(
        "The request is malformed: "
    )
    assert rows_of_books(store) == before


def test_a_call_to_a_bridge_is_kept_with_the_id_of_its_conference(nas, store):
    control, number = store.control(), nas.service.demo.toll_free
    with control.transaction():
        organisation = find_organisation(control, ORGANISATION)
        attach_number(control, organisation, number, attached=BRIDGE)
    directory = nas.service.engine.directory.directory
    nas.service.until(lambda: directory.number(number[1:]).attached == BRIDGE)
    to_bridge = {"CALLING_STATION_ID": "+4930123456", "CALLED_STATION_ID": number}
    for session, said in (("c1", "room-7\0"), ("c2", b"\xff")):
        said = {"ACCT_SESSION_ID": session, "ACCT_MULTI_SESSION_ID": said}
        assert seconds(nas.ask(**to_bridge, **said)) == 300
    cell = store.cell()
    with cell.reading():
        found = cell.rows("SELECT type, conference_id FROM call ORDER BY id")
    assert found == [("conf_in", "room-7"), ("conf_in", "")]


def test_a_refused_call_can_be_asked_for_again(nas, store):
    refused = nas.ask(ACCT_SESSION_ID="c1", CALLED_STATION_ID="+999")
    assert refused.code == 3
    assert message(nas.ask(ACCT_SESSION_ID="c1", CALLED_STATION_ID="+999")) == message(refused)
    assert seconds(nas.ask(ACCT_SESSION_ID="c1")) == 300


def test_the_same_request_in_another_packet_is_the_same_call(nas, store):
    assert seconds(nas.ask(ACCT_SESSION_ID="c1")) == 300
    assert seconds(nas.ask(ACCT_SESSION_ID="c1")) == 300
    assert calls(store) == [("nas-1/c1", "open", 0, 300)]


def test_a_session_id_that_runs_already_is_no_other_call(nas, store):
    assert seconds(nas.ask(ACCT_SESSION_ID="c1")) == 300
    other = nas.ask(ACCT_SESSION_ID="c1", CALLED_STATION_ID="+14255550100")
    assert message(other) == (
        "The call is already authorized: its Acct-Session-Id is that of a running call with other "
        "numbers"
    )
    assert calls(store) == [("nas-1/c1", "open", 0, 300)]


@pytest.mark.parametrize(
    "form",
    [
        '"Front, <desk>" <sip:{}@10.0.0.1:5060;user=phone>;tag=1c5',
        "Empfang Z\xfcrich <sip:{};cpc=ordinary@10.0.0.1>",
        "<tel:{}>",
        "sip:%2B{}@gw",
    ],
)
def test_a_party_is_read_as_a_border_controller_copies_it_from_a_header(nas, radius, store, form):
    asked = {
        name: form.format(number.removeprefix("+") if "%2B" in form else number)
        for name, number in (
            ("CALLING_STATION_ID", radius.demo.caller),
            ("CALLED_STATION_ID", radius.demo.callee),
        )
    }
    said = {name: text.encode("latin-1") for name, text in asked.items()}
    assert seconds(nas.ask(ACCT_SESSION_ID="c1", **said)) == 300
    nas.account(Status.STOP, ACCT_SESSION_TIME=30, **said)
    assert [each[0] for each in usage(store)] == [30]


def test_help_may_be_called_by_its_service_urn(nas, store):
    assert seconds(nas.ask(ACCT_SESSION_ID="c1", CALLED_STATION_ID="urn:service:sos")) == 300
    assert nas.account(Status.STOP, ACCT_SESSION_TIME=30).code == 5
    assert [each[:2] for each in usage(store)] == [(30, 0)]


def test_a_client_that_counts_from_one_again_gets_another_call_for_an_old_session_id(nas, store):
    for used_s in (30, 2):
        assert seconds(nas.ask(ACCT_SESSION_ID="00000001")) == 300
        nas.class_ = None  # also where the client does not give Class back
        assert nas.account(Status.STOP, "00000001", ACCT_SESSION_TIME=used_s).code == 5
    assert [each[0] for each in usage(store)] == [30, 2]
    [first, second] = calls(store)
    assert first[:2] == ("nas-1/00000001", "settled")
    assert second[0].startswith("nas-1/00000001~")


@pytest.mark.parametrize("status", [Status.STOP, Status.ACCOUNTING_ON])
def test_the_same_request_in_another_packet_is_the_same_call_of_an_old_session_id(
    nas, store, status
):
    nas.ask(ACCT_SESSION_ID="c1")
    nas.account(status, "c1" if status is Status.STOP else None, ACCT_SESSION_TIME=0)
    for _ in range(2):
        assert seconds(nas.ask(ACCT_SESSION_ID="c1")) == 300
    assert nas.ask(ACCT_SESSION_ID="c1", CALLED_STATION_ID="+14255550100").code == 3
    assert len(calls(store)) == 2
    nas.account(Status.STOP, ACCT_SESSION_TIME=2)
    assert usage(store)[-1][0] == 2


def test_two_requests_at_once_for_an_old_session_id_are_one_call(radius, nas, store):
    """A client, or two paths from it, that sends again before the first answer is out."""
    asked = {"CALLING_STATION_ID": radius.demo.caller, "CALLED_STATION_ID": radius.demo.callee}
    nas.ask(ACCT_SESSION_ID="c1")
    nas.account(Status.STOP, ACCT_SESSION_TIME=2)
    for _ in range(8):
        nas.send(nas.access(ACCT_SESSION_ID="c1", **asked))
    classes = {Packet(packet=nas.receive())[Attribute.CLASS][0] for _ in range(8)}
    assert len(classes) == 1
    assert len(calls(store)) == 2


def test_without_a_session_id_accounting_finds_its_call_by_class(nas, store):
    assert seconds(nas.ask()) == 300
    assert nas.account(Status.START, "s9").code == 5
    assert nas.account(Status.STOP, "s9", ACCT_SESSION_TIME=42).code == 5
    assert [each[0] for each in usage(store)] == [42]


def test_two_clients_with_the_same_session_id_have_two_calls(radius, nas, store):
    add_client(store, "nas-2", "127.0.0.2", secret="another-shared-secret")
    radius.until(lambda: radius.engine.peers.radius("127.0.0.2"))
    other = Nas(radius, "nas-2", "127.0.0.2", "another-shared-secret")
    for each, used_s in ((nas, 30), (other, 61)):
        assert seconds(each.ask(ACCT_SESSION_ID="c1")) == 300
        assert each.account(Status.STOP, ACCT_SESSION_TIME=used_s).code == 5
    assert sorted(each[0] for each in calls(store)) == ["nas-1/c1", "nas-2/c1"]
    assert [each[0] for each in usage(store)] == [30, 61]


def test_numbers_of_a_client_with_national_numbers_need_their_plus(radius, store):
    add_client(store, "local", "127.0.0.3", plus=False)
    radius.until(lambda: radius.engine.peers.radius("127.0.0.3"))
    other = Nas(radius, "local", "127.0.0.3")
    digits = radius.demo.caller.removeprefix("+")
    assert other.ask(ACCT_SESSION_ID="c1", CALLING_STATION_ID=digits).code == 3
    assert Nas(radius).ask(ACCT_SESSION_ID="c1", CALLING_STATION_ID=digits).code == 2


def test_a_request_of_a_call_that_is_over_is_not_granted_again(radius, nas, store):
    """Somebody who has heard the client's packets sends one, long after."""
    later = Nas(radius)
    for number in (1, 2):
        asked = nas.access(
            ACCT_SESSION_ID="c1",
            CALLING_STATION_ID=radius.demo.caller,
            CALLED_STATION_ID=radius.demo.callee,
        )
        granted = nas.exchange(asked)
        assert granted.code == 2
        nas.class_ = granted[Attribute.CLASS][0]
        nas.account(Status.STOP, ACCT_SESSION_TIME=12)
        before = rows_of_books(store)
        assert message(later.exchange(asked)).startswith("The call has been settled")
        assert rows_of_books(store) == before
        assert len(calls(store)) == number
