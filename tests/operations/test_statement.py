"""An organisation's statement. Mirrors src/talktime/operations/statement.py."""

import pytest

from talktime.core.commands import ExpireLots
from talktime.core.meters import DOMESTIC, minutes_key, month_of, post_usage_key
from talktime.core.refusal import Refusal
from talktime.operations.statement import UsageLine, statement
from tests.lively_books import DAY_MS, FRANCE, FREE, GERMANY, START_MS, Player, play_everything

pytestmark = pytest.mark.layouts("sqlite", "postgres")

EVER = (0, START_MS + 1000 * DAY_MS)
LAST_MS = 253_402_300_799_000  # the last day that there is


@pytest.fixture
def player(store):
    return Player(store.cell())


def test_a_month_shows_what_came_what_went_and_what_is_left(player):
    player.wallet(1, 5_000_000)
    player.wait(60)
    from_ms = player.now_ms
    player.fund(1, 2_000_000)
    player.fund(1, 300_000, source="grant", lasts_ms=DAY_MS // 2)
    player.call(1, "a", 61)
    player.call(1, "b", 10)
    player.call(1, "c", 31, FRANCE)
    player.call(1, "d", 45, FREE)
    player.call(1, "unanswered", 0)
    player.wait(86_400)
    player.do(ExpireLots(1))
    to_ms = player.now_ms + 1
    player.wait(60)
    player.call(1, "next month", 61)

    drawn_up = statement(player.connection, 1, from_ms, to_ms)
    assert drawn_up.unproven == ()
    assert drawn_up.currency == "USD"
    assert drawn_up.opening_micros == 5_000_000
    assert (drawn_up.purchases_micros, drawn_up.grants_micros) == (2_000_000, 300_000)
    assert drawn_up.adjustments_micros == drawn_up.corrections_micros == 0
    # 61 s and 10 s at 0.015/min 60/60; 31 s at 0.021/min 30/6 with a fee of 0.005
    assert drawn_up.usage == (
        UsageLine("France", 1, 31, 36, 5_000, 17_600),
        UsageLine("Free", 1, 45, 60, 0, 0),
        UsageLine("Germany", 3, 71, 180, 0, 45_000),
    )
    assert drawn_up.usage_micros == 62_600
    assert drawn_up.forfeitures_micros == 300_000 - 62_600
    assert drawn_up.closing_micros == 7_000_000
    assert drawn_up.debt_micros == 0
    assert [lot.remaining_micros for lot in drawn_up.lots] == [5_000_000, 2_000_000]
    assert [lot.amount_micros for lot in drawn_up.bought] == [300_000, 2_000_000]


def test_periods_follow_each_other_without_a_gap(player):
    play_everything(player)
    for organisation_id in (1, 2, 3, 4):
        whole = statement(player.connection, organisation_id, *EVER)
        parts = [
            statement(player.connection, organisation_id, from_ms, to_ms)
            for from_ms, to_ms in [
                (0, START_MS + 5_000),
                (START_MS + 5_000, START_MS + 300_000),
                (START_MS + 300_000, START_MS + 900_000),
                (START_MS + 900_000, EVER[1]),
            ]
        ]
        assert whole.unproven == ()
        assert [part.unproven for part in parts] == [()] * 4
        assert [part.opening_micros for part in parts[1:]] == [
            part.closing_micros for part in parts[:-1]
        ]
        assert parts[-1].closing_micros == whole.closing_micros
        assert sum(part.usage_micros for part in parts) == whole.usage_micros
        calls = sum(line.calls for part in parts for line in part.usage)
        assert calls == sum(line.calls for line in whole.usage)


def test_every_call_counts_when_it_was_over_whatever_it_cost(player):
    """Three calls over the end of a month: one that credits pay, one of minutes, a free one."""
    player.wallet(1, 5_000_000)
    pool = minutes_key(month_of(player.now_ms), "P", "US", DOMESTIC)
    for key, rate, payers in (
        ("money", GERMANY, {}),
        ("minutes", FRANCE, {"pool": pool}),
        ("free", FREE, {}),
    ):
        player.authorize(1, key, rate, **payers)
        player.answer(key)
    player.wait(120)
    end_ms = player.now_ms
    player.wait(60)
    late_ms = player.now_ms
    for key in ("money", "minutes", "free"):
        player.settle(key, 2, 180)
    player.wait(60)
    month = statement(player.connection, 1, 0, end_ms)
    assert (month.usage, month.usage_micros) == ((), 0)
    lines = (
        UsageLine("France", 1, 180, 180, 0, 0),
        UsageLine("Free", 1, 180, 180, 0, 0),
        UsageLine("Germany", 1, 180, 180, 0, 45_000),
    )
    next_ = statement(player.connection, 1, end_ms, LAST_MS)
    assert (next_.usage, next_.usage_micros, next_.unproven) == (lines, 45_000, ())
    # A period has its first moment, and not its last.
    assert statement(player.connection, 1, late_ms, late_ms + 1).usage == lines
    assert statement(player.connection, 1, end_ms, late_ms).usage == ()
    assert statement(player.connection, 1, late_ms + 1, LAST_MS).usage == ()


def test_what_is_paid_after_use_is_shown_and_is_not_the_wallets(player):
    player.wallet(1, 30_000)
    after_use = post_usage_key(month_of(player.now_ms))
    player.authorize(1, "both", post_usage=after_use)
    player.settle("both", 1, 300)
    drawn_up = statement(player.connection, 1, *EVER)
    assert drawn_up.unproven == ()
    assert drawn_up.usage == (UsageLine("Germany", 1, 300, 300, 0, 75_000, 45_000),)
    assert (drawn_up.usage_micros, drawn_up.closing_micros) == (30_000, 0)


def test_a_late_report_of_what_is_paid_after_use_is_not_the_wallets(player):
    player.wallet(1)
    after_use = post_usage_key(month_of(player.now_ms))
    player.authorize(1, "late", post_usage=after_use, credits=False)
    player.extend("late", 1, 250)
    player.wait(1000)
    player.expire("late")
    player.settle("late", 2, 100)
    drawn_up = statement(player.connection, 1, *EVER)
    assert drawn_up.unproven == ()
    assert drawn_up.usage == (UsageLine("Germany", 1, 250, 300, 0, 75_000, 75_000),)
    assert drawn_up.corrections == (UsageLine("Germany", 1, -150, -180, 0, -45_000, -45_000),)
    assert drawn_up.usage_micros == drawn_up.corrections_micros == 0


def test_late_reports_are_shown_as_corrections(player):
    play_everything(player)
    drawn_up = statement(player.connection, 1, *EVER)
    (line,) = drawn_up.corrections
    # 130 s instead of none: three minutes more; 100 s instead of 250 s: three minutes less.
    assert (line.calls, line.charge_micros) == (2, 0)
    assert drawn_up.corrections_micros == 0


def test_a_debt_is_shown_and_counts_against_the_balance(player):
    player.wallet(1, 20_000)
    player.authorize(1, "overdrawn")
    player.settle("overdrawn", 1, 420)
    drawn_up = statement(player.connection, 1, *EVER)
    assert drawn_up.unproven == ()
    assert (drawn_up.closing_micros, drawn_up.debt_micros) == (-85_000, 85_000)
    assert drawn_up.lots == ()
    assert drawn_up.usage_micros == 105_000


def test_what_does_not_add_up_is_said(player):
    player.wallet(1, 20_000)
    player.connection.run("UPDATE wallet SET balance_micros = 20001 WHERE organisation_id = 1")
    drawn_up = statement(player.connection, 1, *EVER)
    assert drawn_up.unproven == ("closing balance: 0.02, wallet: 0.020001",)


def test_an_organisation_without_a_wallet_has_no_statement(player):
    assert statement(player.connection, 9, *EVER) == Refusal(
        "unknown_organisation", "organisation 9 has no wallet"
    )


def test_a_period_ends_after_it_begins(player):
    player.wallet(1)
    refusal = statement(player.connection, 1, 5, 5)
    assert isinstance(refusal, Refusal)
    assert refusal.code == "invalid_value"


def test_a_new_wallet_has_an_empty_statement(player):
    player.wallet(1)
    drawn_up = statement(player.connection, 1, *EVER)
    assert drawn_up.unproven == ()
    assert (drawn_up.opening_micros, drawn_up.closing_micros) == (0, 0)
    assert drawn_up.usage == drawn_up.lots == ()
