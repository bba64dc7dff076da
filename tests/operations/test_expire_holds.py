"""Calls whose deadline has passed. Mirrors src/talktime/operations/expire_holds.py."""

import pytest

from talktime.core.limits import EXPIRE_BATCH_MAX
from talktime.operations.check_books import check_books
from talktime.operations.expire_holds import expire_holds
from talktime.operations.sweep import Sweep, Swept
from tests.lively_books import FRANCE, START_MS, Player

pytestmark = pytest.mark.layouts("sqlite", "postgres")

DEADLINE_S = 360
"""A slice of 300 s and 60 s of grace (D8)."""


@pytest.fixture
def player(store):
    player = Player(store.cell())
    player.wallet(1, 1_000_000_000)
    return player


def sweep(player):
    return Sweep(player.connection, player.clock_ms, player.ids.next)


def call(player, call_key):
    (row,) = player.connection.rows(
        "SELECT state, held_micros, charged_micros, reported_s FROM call WHERE call_key = ?",
        [call_key],
    )
    return row


def wallet(player, organisation_id=1):
    (row,) = player.connection.rows(
        "SELECT balance_micros, held_micros FROM wallet WHERE organisation_id = ?",
        [organisation_id],
    )
    return row


def clean(player):
    return check_books(player.connection, player.clock_ms).clean


def test_a_call_without_a_report_is_released_at_its_deadline(player):
    player.authorize(1, "a")
    player.wait(DEADLINE_S)
    player.now_ms -= 1
    assert expire_holds(sweep(player)) == Swept(0)
    assert call(player, "a") == ("open", 75_000, 0, 0)
    player.now_ms += 1
    assert expire_holds(sweep(player)) == Swept(1)
    assert call(player, "a") == ("expired", 0, 0, 0)
    assert wallet(player) == (1_000_000_000, 0)
    assert clean(player)


def test_a_call_is_charged_for_the_last_seconds_reported(player):
    player.authorize(1, "a", FRANCE)
    player.extend("a", 1, 31)
    player.wait(DEADLINE_S + 31)
    assert expire_holds(sweep(player)) == Swept(1)
    assert call(player, "a") == ("expired", 0, 17_600, 31)
    assert wallet(player) == (999_982_400, 0)
    rows = player.connection.rows("SELECT flags, cause, charge_micros FROM usage_record")
    assert rows == [('["expired"]', "deadline_passed", 17_600)]
    assert clean(player)


def test_a_call_that_was_extended_is_looked_at_again_at_its_new_deadline(player):
    player.authorize(1, "a")
    player.wait(250)
    player.extend("a", 1, 250)
    player.wait(DEADLINE_S - 250)
    assert expire_holds(sweep(player)) == Swept(0)
    sweep_ms, deadline_ms = player.connection.rows("SELECT sweep_ms, deadline_ms FROM call")[0]
    assert sweep_ms == deadline_ms == START_MS + 660_000
    player.wait(300)
    assert expire_holds(sweep(player)) == Swept(1)
    assert clean(player)


def test_a_call_is_expired_once(player):
    player.authorize(1, "a")
    player.wait(DEADLINE_S)
    assert [expire_holds(sweep(player)) for _ in range(2)] == [Swept(1), Swept(0)]
    assert player.connection.rows("SELECT COUNT(*) FROM usage_record") == [(1,)]


def test_more_calls_than_fit_a_page_are_all_expired(player):
    calls = 2 * EXPIRE_BATCH_MAX + 3
    player.do(*(player.authorizing(1, f"c{number}") for number in range(calls)))
    player.wait(DEADLINE_S)
    assert expire_holds(sweep(player)) == Swept(calls)
    assert player.connection.rows("SELECT COUNT(*) FROM call WHERE state = 'open'") == [(0,)]
    assert wallet(player) == (1_000_000_000, 0)
    assert clean(player)


def test_a_sweep_that_is_stopped_leaves_the_rest_for_the_next(player):
    player.authorize(1, "a")
    player.wait(DEADLINE_S)
    stopped = sweep(player)._replace(stopping=lambda: True)
    assert expire_holds(stopped) == Swept(0)
    assert expire_holds(sweep(player)) == Swept(1)


def test_a_call_that_cannot_be_read_is_named_and_stops_no_other(player):
    for key in ("a", "broken", "c"):
        player.authorize(1, key)
    player.connection.run("UPDATE call SET rate = 'no rate' WHERE call_key = 'broken'")
    player.wait(DEADLINE_S)
    swept = expire_holds(sweep(player))
    assert swept.rows == 2
    (failure,) = swept.failures
    assert "call_key='broken'" in failure
    assert call(player, "broken")[0] == "open"
    assert call(player, "c")[0] == "expired"


def test_an_id_that_another_process_made_costs_one_more_try(player):
    for key in ("a", "b"):
        player.authorize(1, key)
        player.extend(key, 1, 31)
    player.wait(DEADLINE_S + 31)
    ((taken,),) = player.connection.rows("SELECT id FROM transfer")
    usage_id = player.ids.next()
    first_ids = iter([usage_id, taken])
    colliding = sweep(player)._replace(next_id=lambda: next(first_ids, 0) or player.ids.next())
    assert expire_holds(colliding) == Swept(2)
    assert clean(player)
