"""The service's clock is set while sessions run."""

from collections.abc import Iterator
from typing import Any

import pytest

from talktime.gateways.diameter import results as r
from talktime.gateways.diameter.node import Timings
from tests.clocks import JUMPS_S, SetClock, books_faults, closed_by_deadline
from tests.gateways.diameter.asked import INITIAL, TERMINATION, UPDATE, credit
from tests.gateways.diameter.serving import CALLEE, CALLER, Charging, charging
from tests.served import rows_of_books
from tests.stores import Store

pytestmark = pytest.mark.layouts("sqlite", "postgres")

PARTIES = {"calling": f"sip:{CALLER}@127.0.0.1", "called": f"sip:{CALLEE}@127.0.0.1"}
TCC_S = 2 * (300 + 120)


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def served(store: Store, clock: SetClock) -> Iterator[Charging]:
    with charging(store, sources=clock.sources) as running:
        yield running


def initial(session: str) -> Any:
    return credit(session, INITIAL, 0, asked=30, **PARTIES)


@pytest.mark.parametrize("by_s", JUMPS_S)
def test_a_session_over_a_jump_is_charged_once_for_what_was_used(
    served: Charging, store: Store, clock: SetClock, by_s: int
) -> None:
    client = served.client()
    asked = [
        initial("s;1"),
        credit("s;1", UPDATE, 1, used=28, asked=30),
        credit("s;1", TERMINATION, 2, used=11),
    ]
    for request in asked:
        assert client.ask(request).result_code == r.SUCCESS
        clock.jump(by_s)
    before = rows_of_books(store)
    again = [client.ask(request).result_code for request in asked]
    assert again == [r.UNKNOWN_SESSION_ID, r.UNKNOWN_SESSION_ID, r.SUCCESS]
    assert rows_of_books(store) == before
    assert served.usage("s;1") == [("call", 39, 39_000)]
    assert served.balance_s() == (3_600 - 39, 0)
    assert books_faults(store, clock) == []


@pytest.mark.parametrize("by_s", JUMPS_S)
def test_the_supervision_of_a_silent_session_is_off_by_no_more_than_the_jump(
    served: Charging, store: Store, clock: SetClock, by_s: int
) -> None:
    client = served.client()
    client.ask(initial("s;1"))
    clock.jump(by_s)
    if by_s < TCC_S:
        assert closed_by_deadline(store, clock) == 0
        clock.jump(TCC_S - by_s - 30)
        assert closed_by_deadline(store, clock) == 0
        clock.jump(31)
    assert closed_by_deadline(store, clock) == 1
    update = client.ask(credit("s;1", UPDATE, 1, used=28, asked=30))
    assert update.result_code == r.UNKNOWN_SESSION_ID
    assert client.ask(credit("s;1", TERMINATION, 2, used=30)).result_code == r.SUCCESS
    assert sum(micros for _, _, micros in served.usage("s;1")) == 30_000
    assert served.balance_s() == (3_600 - 30, 0)
    assert books_faults(store, clock) == []


@pytest.mark.parametrize("by_s", [-3_600, 3_600])
def test_the_watchdog_counts_no_jump(store: Store, clock: SetClock, by_s: int) -> None:
    """The peer is asked when it is silent, and stays as long as it answers."""
    quick = Timings(watchdog_s=0.5)
    with charging(store, sources=clock.sources, timings=quick) as served:
        client = served.client()
        clock.jump(by_s)
        for _ in range(3):
            asked = client.requested()
            assert asked.header.command_code == 280
            client.send(asked.to_answer())
        assert client.ask(initial("s;1")).result_code == r.SUCCESS
