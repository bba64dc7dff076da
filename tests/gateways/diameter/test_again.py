"""Requests that come again: after a lost answer, by another way, after a restart, after the end."""

from collections.abc import Iterator

import pytest

from talktime.gateways.diameter import results as r
from tests.gateways.diameter.asked import TERMINATION, UPDATE, credit
from tests.gateways.diameter.calls import granted, initial
from tests.gateways.diameter.serving import Charging, charging
from tests.stores import Store

pytestmark = pytest.mark.layouts("sqlite", "postgres")


@pytest.fixture
def served(store: Store) -> Iterator[Charging]:
    """A service with an hour of credits."""
    with charging(store) as running:
        yield running


def test_a_request_again_gets_the_same_answer_and_is_booked_once(served: Charging) -> None:
    client = served.client()
    asked = [
        initial("s;1"),
        credit("s;1", UPDATE, 1, used=20, asked=30),
        credit("s;1", TERMINATION, 2, used=5),
    ]
    for message in asked:
        first = client.ask(message).as_bytes()
        message.header.is_retransmit = True
        again = client.ask(message).as_bytes()
        assert again[20:] == first[20:]
    assert served.usage("s;1") == [("call", 25, 25_000)]
    assert served.faults() == []


def test_a_request_again_after_a_restart_gets_the_same_answer(store: Store) -> None:
    with charging(store) as served:
        first = served.client().ask(initial("s;1")).as_bytes()
        switch = served.switch
    with charging(store, switch=switch) as again:
        client = again.client()
        assert client.ask(initial("s;1")).as_bytes()[20:] == first[20:]
        assert granted(client.ask(credit("s;1", UPDATE, 1, used=20, asked=30))) == (2001, 30, False)


def test_another_request_of_the_same_number_is_refused(served: Charging) -> None:
    client = served.client()
    client.ask(initial("s;1"))
    client.ask(credit("s;1", UPDATE, 1, used=20, asked=30))
    other = client.ask(credit("s;1", UPDATE, 1, used=21, asked=30))
    assert other.result_code == r.UNABLE_TO_COMPLY
    assert served.call("s;1").reported_s == 20


def test_a_session_is_begun_once(served: Charging) -> None:
    client = served.client()
    first = initial("s;1", cc_request_number=3)
    assert granted(client.ask(first)) == (r.SUCCESS, 30, False)
    assert granted(client.ask(first)) == (r.SUCCESS, 30, False)
    assert client.ask(initial("s;1", cc_request_number=4)).result_code == r.UNABLE_TO_COMPLY
    assert served.balance_s() == (3_600, 30)


def test_what_another_sub_session_asks_is_no_repetition_and_is_refused(served: Charging) -> None:
    """A call has no sub-sessions; taken for repetitions, what they report would be lost."""
    client = served.client()
    assert granted(client.ask(initial("s;1", cc_sub_session_id=1))) == (r.SUCCESS, 30, False)
    other = client.ask(initial("s;1", cc_sub_session_id=2))
    assert other.result_code == r.UNABLE_TO_COMPLY
    report = {"used": 20, "asked": 30}
    ours = credit("s;1", UPDATE, 1, cc_sub_session_id=1, **report)
    assert [granted(client.ask(ours)) for _ in range(2)] == [(r.SUCCESS, 30, False)] * 2
    theirs = client.ask(credit("s;1", UPDATE, 1, cc_sub_session_id=2, **report))
    assert theirs.result_code == r.UNABLE_TO_COMPLY
    assert served.call("s;1").reported_s == 20


def test_a_request_again_after_the_end_of_its_session_is_granted_nothing(store: Store) -> None:
    """A client that begins a new call under an old Session-Id must not talk for nothing."""
    asked = [initial("s;1"), credit("s;1", UPDATE, 1, used=20, asked=30)]
    ended = credit("s;1", TERMINATION, 2, used=5)
    with charging(store) as served:
        client = served.client()
        for message in (*asked, ended):
            assert client.ask(message).result_code == r.SUCCESS
        switch = served.switch
    with charging(store, switch=switch) as served:
        client = served.client()
        for message in asked:
            message.header.is_retransmit = True
            again = client.ask(message)
            assert (again.result_code, again.granted_service_unit) == (r.UNKNOWN_SESSION_ID, None)
            assert again.multiple_services_credit_control == []
        assert client.ask(ended).result_code == r.SUCCESS
        assert served.usage("s;1") == [("call", 25, 25_000)]
        assert served.balance_s() == (3_600 - 25, 0)
        assert served.faults() == []
