"""Accounting: whatever comes twice, late or in another order, a call is charged once, and right."""

import time

import pytest
from structlog.testing import capture_logs

from talktime.gateways.radius.attributes import Status
from tests.clocks import SetClock
from tests.gateways.radius.nas import (
    SILENCE_S,
    Nas,
    add_client,
    calls,
    expire,
    radius_service,
    seconds,
    usage,
)
from tests.served import rows_of_books, seeded

pytestmark = pytest.mark.layouts("sqlite", "postgres")


def test_a_whole_call_is_charged_for_what_was_talked_with_its_cause(nas, store):
    assert seconds(nas.ask(ACCT_SESSION_ID="c1")) == 300
    for status, more in (
        (Status.START, {}),
        (Status.INTERIM_UPDATE, {"ACCT_SESSION_TIME": 150}),
        (Status.INTERIM_UPDATE, {"ACCT_SESSION_TIME": 300}),
        (Status.STOP, {"ACCT_SESSION_TIME": 421, "ACCT_TERMINATE_CAUSE": 1}),
    ):
        assert nas.account(status, **more).code == 5
    [(used_s, charge_micros, cause)] = usage(store)
    assert (used_s, cause) == (421, "user_request")
    assert charge_micros > 0
    assert calls(store) == [("nas-1/c1", "settled", 421, 600)]


def test_a_stop_that_comes_twice_charges_once(radius, nas, store):
    nas.ask(ACCT_SESSION_ID="c1")
    nas.account(Status.START)
    first = nas.accounting(Status.STOP, ACCT_SESSION_TIME=61)
    assert nas.exchange(first).code == 5
    before = rows_of_books(store)
    assert nas.exchange(first).code == 5  # the same bytes
    assert radius.counted("accounting", "sent_again") == 1
    late = {"ACCT_SESSION_TIME": 61, "ACCT_DELAY_TIME": 9}
    assert nas.account(Status.STOP, **late).code == 5  # the same event in another packet
    assert nas.account(Status.STOP, ACCT_SESSION_TIME=99).code == 5
    assert rows_of_books(store) == before
    assert [each[0] for each in usage(store)] == [61]


def test_interims_out_of_order_and_after_the_stop_change_nothing(nas, store):
    nas.ask(ACCT_SESSION_ID="c1")
    nas.account(Status.INTERIM_UPDATE, ACCT_SESSION_TIME=200)
    nas.account(Status.INTERIM_UPDATE, ACCT_SESSION_TIME=100)
    assert calls(store) == [("nas-1/c1", "open", 200, 540)]
    nas.account(Status.START)
    nas.account(Status.STOP, ACCT_SESSION_TIME=210)
    [record] = usage(store)
    before = rows_of_books(store)
    assert nas.account(Status.INTERIM_UPDATE, ACCT_SESSION_TIME=205).code == 5
    assert nas.account(Status.START).code == 5
    assert rows_of_books(store) == before
    assert usage(store) == [record]


def test_a_call_goes_on_over_a_restart_of_the_service(store):
    demo = seeded(store)
    add_client(store, "nas-1", "127.0.0.1")
    with radius_service(store, demo) as service:
        nas = Nas(service)
        nas.ask(ACCT_SESSION_ID="c1")
        nas.account(Status.START)
    with radius_service(store, demo) as service:
        after = Nas(service)
        stop = after.accounting(Status.STOP, ACCT_SESSION_TIME=61)
        assert after.exchange(stop).code == 5
    before = rows_of_books(store)
    with radius_service(store, demo) as service:
        assert Nas(service).exchange(stop).code == 5
    assert rows_of_books(store) == before
    assert [each[0] for each in usage(store)] == [61]


def test_a_call_that_was_not_answered_costs_nothing(nas, store):
    nas.ask(ACCT_SESSION_ID="c1")
    assert nas.account(Status.STOP, ACCT_SESSION_TIME=0, ACCT_TERMINATE_CAUSE=2).code == 5
    assert [(each[0], each[1], each[2]) for each in usage(store)] == [(0, 0, "lost_carrier")]
    assert [each[1] for each in calls(store)] == ["released"]


def test_a_stop_that_says_not_how_long_ends_a_call_that_was_answered(store):
    """A proxy that counts no seconds, such as Kamailio with acc_radius."""
    clock, demo = SetClock(), seeded(store)
    add_client(store, "nas-1", "127.0.0.1")
    with radius_service(store, demo, sources=clock.sources) as service:
        nas = Nas(service)
        nas.ask(ACCT_SESSION_ID="c1")
        nas.send(nas.accounting(Status.STOP))  # overtakes the Start
        assert nas.receive(SILENCE_S) is None
        assert service.counted("accounting", "no_session_time") == 1
        nas.account(Status.START)
        clock.jump(121)
        for _ in range(2):
            assert nas.account(Status.STOP, ACCT_TERMINATE_CAUSE=1).code == 5
        clock.jump(50)
        assert nas.account(Status.STOP, ACCT_DELAY_TIME=50).code == 5
    [(used_s, _, cause)] = usage(store)
    assert used_s in (121, 122)
    assert cause == "user_request"


def test_what_can_never_be_taken_down_is_answered_and_told_to_the_log(nas, store):
    with capture_logs() as lines:
        assert nas.account(Status.START, "never asked").code == 5
        assert nas.account(Status.STOP, "never asked", ACCT_SESSION_TIME=5).code == 5
    [line] = [each for each in lines if each["event"] == "radius accounting not taken"]
    assert (line["status"], line["code"]) == ("start", "unknown_call")
    assert usage(store) == []


@pytest.mark.parametrize(
    ("status", "more", "why"),
    [
        (None, {}, "no_status"),
        (Status.STOP, {}, "no_session_time"),
        (Status.INTERIM_UPDATE, {}, "no_session_time"),
        (Status.START, {"ACCT_SESSION_ID": None}, "no_session"),
        (Status.START, {"ACCT_SESSION_ID": b"\xff"}, "bad_value"),
    ],
)
def test_what_cannot_be_understood_is_not_answered(radius, nas, status, more, why):
    nas.send(nas.accounting(status, **more))
    assert nas.receive(SILENCE_S) is None
    assert radius.counted("accounting", why) == 1


def test_a_client_that_restarts_is_answered_and_its_calls_are_left_alone(nas, store):
    nas.ask(ACCT_SESSION_ID="c1")
    before = rows_of_books(store)
    for status in (Status.ACCOUNTING_OFF, Status.ACCOUNTING_ON):
        assert nas.account(status).code == 5
    assert rows_of_books(store) == before


@pytest.mark.parametrize("status", [9, 15])
def test_what_is_of_no_call_or_of_nobody_knows_what_is_answered_and_told(
    radius, nas, store, status
):
    nas.ask(ACCT_SESSION_ID="c1")
    before = rows_of_books(store)
    with capture_logs() as logs:
        assert nas.account(status, ACCT_SESSION_TIME=0).code == 5
    [line] = [each for each in logs if each["event"] == "radius accounting passed over"]
    assert line["status"] == status
    assert radius.counted("accounting", "passed_over") == 1
    assert rows_of_books(store) == before
    nas.account(Status.STOP, ACCT_SESSION_TIME=61)
    assert [each[0] for each in usage(store)] == [61]


@pytest.mark.parametrize("status", [Status.ACCOUNTING_ON, Status.ACCOUNTING_OFF])
def test_a_client_that_restarts_counts_from_one_again_while_its_calls_run_in_the_books(
    nas, store, status
):
    nas.ask(ACCT_SESSION_ID="c1")
    nas.account(Status.INTERIM_UPDATE, ACCT_SESSION_TIME=150)
    nas.account(status, None)
    assert seconds(nas.ask(ACCT_SESSION_ID="c1")) == 300
    nas.account(Status.STOP, ACCT_SESSION_TIME=20)
    expire(store, "nas-1/c1")
    assert [(each[1], each[2]) for each in calls(store)] == [("expired", 150), ("settled", 20)]
    assert [each[0] for each in usage(store)] == [20, 150]


def test_a_restart_that_is_told_late_or_by_another_client_is_none_of_a_running_call(
    radius, nas, store
):
    nas.ask(ACCT_SESSION_ID="c1")
    Nas(radius, "nas-2").account(Status.ACCOUNTING_ON, None)
    nas.account(Status.ACCOUNTING_ON, None, ACCT_DELAY_TIME=60)
    assert seconds(nas.ask(ACCT_SESSION_ID="c1")) == 300  # the same request in another packet
    assert [each[0] for each in calls(store)] == ["nas-1/c1"]


@pytest.mark.parametrize(
    ("name", "ago_s", "noted_s"),
    [
        *(("ACCT_DELAY_TIME", 20, 20), ("EVENT_TIMESTAMP", 20, 20)),
        *(("EVENT_TIMESTAMP", 10**9, 0), ("ACCT_DELAY_TIME", 86_400, 0)),
    ],
)
def test_the_answer_is_noted_by_the_clients_clock_as_far_as_that_can_be(
    nas, store, name, ago_s, noted_s
):
    nas.ask(ACCT_SESSION_ID="c1")
    when = {name: ago_s if name == "ACCT_DELAY_TIME" else int(time.time()) - ago_s}
    assert nas.account(Status.START, **when).code == 5
    cell = store.cell(store.cells[0])
    with cell.reading():
        [(started_ms, answered_ms)] = cell.rows("SELECT started_ms, answered_ms FROM call")
    assert abs((started_ms - answered_ms) / 1000 - noted_s) < 5


def test_a_client_that_let_a_call_go_on_too_long_pays_for_the_most_that_is_accepted(nas, store):
    nas.ask(ACCT_SESSION_ID="c1")
    assert nas.account(Status.STOP, ACCT_SESSION_TIME=4_000).code == 5
    assert [each[0] for each in usage(store)] == [660]


def test_more_seconds_than_any_call_can_have_are_not_charged(nas, store):
    nas.ask(ACCT_SESSION_ID="c1")
    with capture_logs() as lines:
        assert nas.account(Status.STOP, ACCT_SESSION_TIME=2**32 - 1).code == 5
    assert "used_seconds_out_of_range" in [each.get("code") for each in lines]
    assert usage(store) == []
    assert nas.account(Status.STOP, ACCT_SESSION_TIME=60).code == 5
    assert [each[0] for each in usage(store)] == [60]


def test_class_is_given_back_without_the_session_id(nas, store):
    nas.ask(ACCT_SESSION_ID="c1")
    nas.account(Status.STOP, None, ACCT_SESSION_TIME=12)
    assert [each[0] for each in usage(store)] == [12]


def test_an_interim_with_too_much_is_charged_as_the_most_that_is_accepted(nas, store):
    nas.ask(ACCT_SESSION_ID="c1")
    assert nas.account(Status.INTERIM_UPDATE, ACCT_SESSION_TIME=4_000).code == 5
    assert calls(store) == [("nas-1/c1", "open", 660, 300)]
    assert nas.account(Status.STOP, ACCT_SESSION_TIME=4_005).code == 5
    assert [each[0] for each in usage(store)] == [660]


def test_what_comes_late_of_an_earlier_call_is_its_own_where_class_says_so(nas, store):
    nas.ask(ACCT_SESSION_ID="00000001")
    nas.account(Status.STOP, "00000001", ACCT_SESSION_TIME=30)
    first = nas.class_
    nas.ask(ACCT_SESSION_ID="00000001")
    assert nas.class_ != first
    late = {"ACCT_SESSION_TIME": 30, "CLASS": first, "ACCT_DELAY_TIME": 9}
    assert nas.account(Status.STOP, "00000001", **late).code == 5
    assert [each[1] for each in calls(store)] == ["settled", "open"]


@pytest.fixture
def again(nas, store):
    """A client that does not give Class back: its second call has the session id of the first,
    which has talked for 30 seconds."""

    def ask():
        assert seconds(nas.ask(ACCT_SESSION_ID="c1")) == 300
        nas.class_ = None

    ask()
    first = nas.accounting(Status.STOP, ACCT_SESSION_TIME=30, EVENT_TIMESTAMP=1_000_000)
    assert nas.exchange(first).code == 5
    ask()
    assert [each[1] for each in calls(store)] == ["settled", "open"]
    return first


LATE = {
    "it was to be sent before the running call was asked for": {
        "ACCT_SESSION_TIME": 0,
        "ACCT_DELAY_TIME": 40,
    },
    "it talked for longer than the running call": {"ACCT_SESSION_TIME": 31},
    "it happened when the first call ended": {
        "ACCT_SESSION_TIME": 0,
        "EVENT_TIMESTAMP": 1_000_000,
    },
    "it happened before the running call by the client's clock": {
        "ACCT_SESSION_TIME": 0,
        "EVENT_TIMESTAMP": 999_900,
    },
}


@pytest.mark.parametrize(
    ("why", "status"),
    [
        *((why, Status.STOP) for why in LATE),
        *((why, Status.INTERIM_UPDATE) for why in LATE if "first call ended" not in why),
    ],
)
def test_what_comes_late_of_an_earlier_call_leaves_the_running_one_alone(
    again, nas, store, status, why
):
    before = rows_of_books(store)
    with capture_logs() as lines:
        assert nas.account(status, **LATE[why]).code == 5
    assert rows_of_books(store) == before
    assert "radius accounting of an earlier call" in [each["event"] for each in lines]
    assert nas.account(Status.STOP, ACCT_SESSION_TIME=2, EVENT_TIMESTAMP=1_000_001).code == 5
    assert [each[0] for each in usage(store)] == [30, 2]


def test_a_stop_that_the_network_repeats_does_not_end_the_running_call(again, radius, store):
    """The same packet, from where nobody has sent it yet: what is answered from memory is not."""
    before = rows_of_books(store)
    assert Nas(radius).exchange(again).code == 5
    assert rows_of_books(store) == before


def test_a_start_of_an_earlier_call_does_not_answer_the_running_one(again, nas, store):
    before = rows_of_books(store)
    assert nas.account(Status.START, ACCT_DELAY_TIME=35).code == 5
    assert rows_of_books(store) == before


def test_the_first_stop_of_a_call_that_its_deadline_closed_is_charged_to_it(nas, store):
    nas.ask(ACCT_SESSION_ID="c1")
    expire(store, "nas-1/c1")
    nas.ask(ACCT_SESSION_ID="c1")
    nas.class_ = None
    assert nas.account(Status.STOP, ACCT_SESSION_TIME=30, ACCT_DELAY_TIME=400).code == 5
    assert [(each[1], each[2]) for each in calls(store)] == [("settled", 30), ("open", 0)]


def test_a_client_that_lost_its_clock_ends_its_call(again, nas, store):
    """It counts from 1 again, sessions and time."""
    assert nas.account(Status.START, EVENT_TIMESTAMP=7).code == 5
    assert nas.account(Status.STOP, ACCT_SESSION_TIME=3, EVENT_TIMESTAMP=10).code == 5
    assert [each[0] for each in usage(store)] == [30, 3]
