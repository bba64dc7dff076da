"""Calls that ended long ago. Mirrors src/talktime/operations/forget_calls.py."""

import pytest

from talktime.core.limits import FORGET_BATCH_MAX
from talktime.operations.check_books import check_books
from talktime.operations.forget_calls import KEPT_MS, KEPT_MS_MIN, forget_calls
from talktime.operations.sweep import Sweep, Swept
from tests.lively_books import DAY_MS, FREE, START_MS, Player, play_everything

pytestmark = pytest.mark.layouts("sqlite", "postgres")


@pytest.fixture
def player(store):
    return Player(store.cell())


def sweep(player):
    return Sweep(player.connection, player.clock_ms, player.ids.next)


def counts(player):
    tables = ("call", "answer", "usage_record", "transfer")
    return [player.connection.rows(f"SELECT COUNT(*) FROM {table}")[0][0] for table in tables]


def test_closed_calls_are_forgotten_and_the_books_stay_proven(player):
    play_everything(player)
    before = counts(player)
    player.now_ms += 30 * DAY_MS
    # All but the five open ones.
    assert forget_calls(sweep(player)) == Swept(before[0] - 5)
    assert counts(player) == [5, 5, *before[2:]]
    checked = check_books(player.connection, player.clock_ms)
    assert checked.findings == ()


def test_a_call_is_kept_until_the_time_is_over(player):
    player.wallet(1, 1_000_000)
    player.call(1, "a", 30)
    closed_ms = player.now_ms
    player.now_ms = closed_ms + KEPT_MS
    assert forget_calls(sweep(player)) == Swept(0)
    assert player.settle("a", 2, 30).replayed
    player.now_ms += 1
    assert forget_calls(sweep(player)) == Swept(1)
    assert counts(player)[:2] == [0, 0]


def test_a_call_of_which_something_was_asked_since_is_kept(player):
    player.wallet(1, 1_000_000)
    player.authorize(1, "a")
    player.wait(360)
    player.expire("a")
    player.now_ms += KEPT_MS
    player.settle("a", 1, 30)
    player.now_ms += 1
    assert forget_calls(sweep(player)) == Swept(0)
    player.now_ms += KEPT_MS
    assert forget_calls(sweep(player)) == Swept(1)


def test_a_refused_call_is_forgotten_after_the_last_question(player):
    player.wallet(1)
    assert player.authorize(1, "a").status == 402
    player.now_ms += KEPT_MS
    assert forget_calls(sweep(player)) == Swept(0)
    player.now_ms += 1
    assert forget_calls(sweep(player)) == Swept(1)
    assert counts(player)[:2] == [0, 0]


def test_more_calls_than_fit_a_page_are_all_forgotten(player):
    player.wallet(1)
    calls = FORGET_BATCH_MAX + 2
    player.do(*(player.authorizing(1, f"c{number}", FREE) for number in range(calls)))
    player.do(*(player.settling(f"c{number}", 1, 0) for number in range(calls)))
    player.now_ms += 2 * KEPT_MS
    assert forget_calls(sweep(player)) == Swept(calls)
    assert counts(player)[:3] == [0, 0, calls]
    assert check_books(player.connection, player.clock_ms).clean


def test_a_call_is_kept_for_a_day_at_least(player):
    with pytest.raises(ValueError, match="86400000"):
        forget_calls(sweep(player), KEPT_MS_MIN - 1)
    assert START_MS % DAY_MS == 0
