"""The service's clock is set while calls run."""

import pytest

from talktime.gateways.radius.attributes import Attribute, Status
from tests.clocks import JUMPS_S, SetClock, books_faults, closed_by_deadline
from tests.gateways.radius.nas import (
    Listener,
    Nas,
    add_client,
    calls,
    leave,
    radius_service,
    seconds,
    usage,
)
from tests.served import clock_ms, rows_of_books, seeded

pytestmark = pytest.mark.layouts("sqlite", "postgres")


@pytest.fixture
def clock():
    return SetClock()


@pytest.fixture
def listener():
    with Listener() as made:
        yield made


@pytest.fixture
def nas(store, clock, listener):
    demo = seeded(store)
    add_client(store, "nas-1", "127.0.0.1", disconnect_to=listener.place)
    with radius_service(store, demo, sources=clock.sources) as service:
        yield Nas(service)


@pytest.mark.parametrize("by_s", JUMPS_S)
def test_a_call_over_a_jump_is_charged_once_for_what_was_talked(nas, store, clock, by_s):
    first = nas.ask(ACCT_SESSION_ID="c1")
    nas.account(Status.START, EVENT_TIMESTAMP=clock_ms() // 1000)
    clock.jump(by_s)
    nas.account(Status.INTERIM_UPDATE, ACCT_SESSION_TIME=150)
    clock.jump(by_s)
    assert seconds(nas.ask(ACCT_SESSION_ID="c1", STATE=first[Attribute.STATE][0])) == 300
    stop = nas.accounting(Status.STOP, ACCT_SESSION_TIME=421)
    assert nas.exchange(stop).code == 5
    before = rows_of_books(store)
    clock.jump(by_s)
    assert nas.exchange(stop).code == 5  # from memory: it counts half a minute, and no jump
    assert nas.service.counted("accounting", "sent_again") == 1
    assert Nas(nas.service).exchange(stop).code == 5
    assert rows_of_books(store) == before
    assert [each[0] for each in usage(store)] == [421]
    assert books_faults(store, clock) == []


@pytest.mark.parametrize("by_s", JUMPS_S)
def test_a_session_id_that_is_used_again_is_told_apart_over_a_jump(nas, store, clock, by_s):
    nas.ask(ACCT_SESSION_ID="c1")
    nas.class_ = None
    late = {"ACCT_SESSION_TIME": 30, "EVENT_TIMESTAMP": clock_ms() // 1000}
    nas.account(Status.STOP, **late)
    clock.jump(by_s)
    nas.ask(ACCT_SESSION_ID="c1")
    nas.class_ = None
    clock.jump(-by_s)
    before = rows_of_books(store)
    assert nas.account(Status.STOP, ACCT_DELAY_TIME=8, **late).code == 5
    assert rows_of_books(store) == before
    own = {"ACCT_SESSION_TIME": 2, "EVENT_TIMESTAMP": clock_ms() // 1000 + 2}
    assert nas.account(Status.STOP, **own).code == 5
    assert [each[0] for each in sorted(usage(store))] == [2, 30]


def test_a_call_that_a_jump_closed_is_ended_at_its_client_and_charged_once(
    nas, store, clock, listener
):
    nas.ask(ACCT_SESSION_ID="c1")
    nas.account(Status.INTERIM_UPDATE, ACCT_SESSION_TIME=200)
    clock.jump(3_600)
    assert closed_by_deadline(store, clock) == 1
    assert nas.account(Status.INTERIM_UPDATE, ACCT_SESSION_TIME=300).code == 5
    request = listener.receive()
    assert request[Attribute.ACCT_SESSION_ID] == [b"c1"]
    listener.answer(request)
    assert nas.account(Status.STOP, ACCT_SESSION_TIME=301, ACCT_TERMINATE_CAUSE=6).code == 5
    assert [(each[1], each[2]) for each in calls(store)] == [("settled", 301)]
    assert [each[1] for each in sorted(usage(store))] == [22_000, 44_000]
    assert books_faults(store, clock) == []


@pytest.mark.parametrize("by_s", [-200, 200])
def test_no_call_is_cut_or_left_because_the_clock_was_set(nas, store, clock, listener, by_s):
    """A last grant of a minute ends a minute after its answer, by no clock that can be set."""
    leave(store, 20_000)
    clock.jump(by_s)
    assert seconds(nas.ask(ACCT_SESSION_ID="c1")) == 60
    nas.account(Status.START, EVENT_TIMESTAMP=clock_ms() // 1000)
    assert listener.receive(1) is None
    nas.account(Status.START, EVENT_TIMESTAMP=clock_ms() // 1000, ACCT_DELAY_TIME=60)
    assert listener.receive()[Attribute.ACCT_SESSION_ID] == [b"c1"]
