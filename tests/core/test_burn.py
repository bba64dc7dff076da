"""How long credits last, and what auto-recharge would have charged. Mirrors
src/talktime/core/burn.py."""

import pytest

from talktime.core.burn import Charge, Pace, pace_of, replay, suggested
from talktime.core.payments import AMOUNT, UP_TO, Recharge
from talktime.core.recharging import Bounds

UNIT = 1_000_000
BOUNDS = Bounds(50 * UNIT, 50_000 * UNIT)


def plan(trigger, amount, method=AMOUNT, month_cap=None):
    cap_micros = None if month_cap is None else month_cap * UNIT
    return Recharge(
        1, True, trigger * UNIT, method, amount * UNIT, cap_micros, 5, "", "", None, 0, ""
    )


def charges(days, recharge, months=None):
    spent = [day * UNIT for day in days]
    found = replay(spent, months or ["2026-11"] * len(days), recharge, BOUNDS, "USD")
    return [(charge.day, charge.amount_micros // UNIT) for charge in found]


def test_the_pace_is_that_of_the_last_seven_days_where_something_was_used_in_them():
    assert pace_of([100] * 21 + [0] * 6 + [14]) == Pace(7, 14)
    assert pace_of([100] * 21 + [14] + [0] * 6).day_micros == 2


def test_what_was_used_before_counts_where_the_last_seven_days_were_quiet():
    assert pace_of([28] + [0] * 27) == Pace(28, 28)


def test_corrections_that_gave_back_more_than_was_used_leave_no_pace():
    assert pace_of([0] * 27 + [-5]) is None


def test_an_organisation_that_began_yesterday_is_not_said_to_use_little():
    assert pace_of([0] * 26 + [10, 10]).days_left(100) == 10


def test_at_exactly_the_trigger_nothing_is_charged():
    assert charges([0, 0, 0], plan(20, 100)) == []
    assert charges([1, 0, 0], plan(20, 100)) == [(0, 100)]


def test_a_day_that_uses_more_than_one_amount_is_charged_once_for_as_many_as_it_takes():
    assert charges([250], plan(20, 100)) == [(0, 300)]


def test_up_to_an_amount_fills_up_to_it():
    assert charges([30, 30, 90], plan(20, 100, UP_TO)) == [(0, 110), (2, 120)]


def test_the_monthly_limit_ends_with_its_month():
    months = ["2026-11", "2026-11", "2026-12"]
    assert charges([100, 100, 100], plan(20, 100, month_cap=150), months) == [(0, 100), (2, 100)]


def test_28_days_are_charged_as_often_as_their_use_asks_for():
    assert replay([10 * UNIT] * 28, ["2026-11"] * 28, plan(20, 100), BOUNDS, "USD") == [
        Charge(0, 100 * UNIT),
        Charge(10, 100 * UNIT),
        Charge(20, 100 * UNIT),
    ]


@pytest.mark.parametrize("day", [1, 9_999, 3 * UNIT, 17 * UNIT, 900 * UNIT, 60_000 * UNIT])
@pytest.mark.parametrize("currency", ["USD", "JPY", "KWD"])
def test_what_is_suggested_can_be_bought_and_is_enough(day, currency):
    found = suggested([day] * 28, BOUNDS, currency)
    assert BOUNDS.minimum_micros <= found.amount_micros <= BOUNDS.maximum_micros
    assert 0 < found.trigger_micros <= BOUNDS.maximum_micros
    assert found.month_cap_micros >= found.amount_micros
    assert all(micros % 10_000 == 0 for micros in found)


def test_where_nothing_was_used_nothing_is_suggested():
    assert suggested([0] * 28, BOUNDS, "USD") is None
