"""When auto-recharge buys, how much, and why not. Mirrors src/talktime/core/recharging.py."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talktime.core.figures import DEFAULT_FIGURES
from talktime.core.payments import CHARGING, RECHARGE, Payment, Till
from talktime.core.recharging import (
    NO_BUYING,
    WHY_NOT,
    Bounds,
    NotWanted,
    Wanted,
    amount_to_buy,
    month_left_micros,
    next_month_ms,
    recharge_due,
)
from tests.commands import NOW_MS, ORGANISATION, UNIT, authorize, fund, funded
from tests.tills import BOUNDS, DAY_MS, HOUR_MS, MINUTE_MS, card, plan, wallet_of

INTERVAL_MS = DEFAULT_FIGURES.interval_ms


def standing(available_micros, recharge=None, *, started=(), now_ms=NOW_MS, bounds=BOUNDS):
    """What auto-recharge would do."""
    till = Till(ORGANISATION, recharge or plan(), [], [card(1)], started=list(started))
    return recharge_due(wallet_of(available_micros), till, bounds, now_ms)


def moment_ms(text):
    """A moment in UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000


def attempt(state=CHARGING, created_ms=NOW_MS):
    """A recharge attempt."""
    return Payment(
        *(5, ORGANISATION, RECHARGE, state, 1, 200 * UNIT, "USD", "recharge 5", 0, "", "service"),
        *(0, "", "", ""),
        due_ms=None,
        created_ms=created_ms,
        closed_ms=None if state == CHARGING else created_ms,
    )


def test_exactly_at_the_trigger_nothing_is_bought_and_one_micro_below_it_is():
    """R13, R14, R19, D1."""
    assert standing(100 * UNIT) == NotWanted("above_trigger")
    assert standing(100 * UNIT - 1) == Wanted(200 * UNIT)


def test_a_trigger_of_zero_buys_only_in_debt():
    """R13, R19."""
    assert standing(0, plan(trigger=0)) == NotWanted("above_trigger")
    assert standing(-1, plan(trigger=0)) == Wanted(200 * UNIT)


def test_what_running_calls_hold_is_not_available():
    """D1: available money is compared, not the balance."""
    desk = funded(100 * UNIT)
    till = Till(ORGANISATION, plan(), [], [card(1)])
    assert recharge_due(desk.wallet, till, BOUNDS, NOW_MS) == NotWanted("above_trigger")
    desk.do(authorize())
    assert desk.wallet.balance_micros == 100 * UNIT
    assert recharge_due(desk.wallet, till, BOUNDS, NOW_MS) == Wanted(200 * UNIT)


def test_money_that_has_expired_is_not_available_whether_or_not_it_was_booked():
    """R14, D5."""
    desk = funded(60 * UNIT)
    desk.do(fund(50 * UNIT, "F2", expires_ms=NOW_MS + DAY_MS))
    till = Till(ORGANISATION, plan(), [], [card(1)])
    before, at = NOW_MS + DAY_MS - 1, NOW_MS + DAY_MS
    assert recharge_due(desk.wallet, till, BOUNDS, before) == NotWanted("above_trigger")
    assert recharge_due(desk.wallet, till, BOUNDS, at) == Wanted(200 * UNIT)


@pytest.mark.parametrize(
    ("available", "bought"),
    [
        (99, 200),  # one amount, not up to the trigger
        (0, 200),
        (-99, 200),
        (-100, 200),  # exactly up to the trigger is enough
        (-101, 400),
        (-300, 400),
        (-301, 600),
    ],
)
def test_the_amount_is_bought_as_often_as_it_takes_to_reach_the_trigger_in_one_charge(
    available, bought
):
    """R15, R17, D1."""
    assert standing(available * UNIT) == Wanted(bought * UNIT)


def test_one_charge_is_no_more_than_can_be_bought_at_once():
    """R17, D1: of whole amounts, as many as the maximum allows."""
    assert standing(-500 * UNIT, bounds=Bounds(50 * UNIT, 600 * UNIT)) == Wanted(600 * UNIT)
    assert standing(-500 * UNIT, bounds=Bounds(50 * UNIT, 600 * UNIT - 1)) == Wanted(400 * UNIT)


def test_an_amount_below_a_minimum_that_was_raised_is_bought_as_often_as_it_takes():
    """R6, D1: in whole amounts, within both bounds."""
    assert standing(99 * UNIT, bounds=Bounds(200 * UNIT, 600 * UNIT)) == Wanted(200 * UNIT)
    assert standing(99 * UNIT, bounds=Bounds(200 * UNIT + 1, 600 * UNIT)) == Wanted(400 * UNIT)
    no_multiple = Bounds(200 * UNIT + 1, 400 * UNIT - 1)
    assert standing(99 * UNIT, bounds=no_multiple) == NotWanted("out_of_bounds")


def test_what_the_monthly_limit_leaves_below_the_minimum_is_not_bought():
    """R6, D2."""
    capped = plan(month_cap=300)
    raised = Bounds(200 * UNIT + 1, 600 * UNIT)
    assert standing(99 * UNIT, capped, bounds=raised).code == "month_cap"


def test_an_amount_above_a_maximum_that_was_lowered_says_so():
    """R6: the month has nothing to do with it."""
    lowered = Bounds(50 * UNIT, 200 * UNIT - 1)
    assert standing(0, bounds=lowered) == NotWanted("out_of_bounds")
    assert standing(0, bounds=Bounds(50 * UNIT, 200 * UNIT)) == Wanted(200 * UNIT)


@pytest.mark.parametrize(
    ("available_micros", "bought_micros"),
    [
        (99_999_999, 200_010_000),  # whole cents, rounded up
        (99_990_000, 200_010_000),
        (-50_000_000, 350_000_000),
    ],
)
def test_recharge_up_to_tops_up_to_its_amount(available_micros, bought_micros):
    """D1, the second method."""
    up_to = plan(amount=300, method="up_to")
    assert standing(available_micros, up_to) == Wanted(bought_micros)


def test_recharge_up_to_buys_no_less_than_the_minimum_and_no_more_than_the_maximum():
    """R6, D1."""
    up_to = plan(amount=110, method="up_to")
    assert standing(99 * UNIT, up_to) == Wanted(50 * UNIT)
    assert standing(60 * UNIT, up_to) == Wanted(50 * UNIT)
    assert standing(60 * UNIT - 1, up_to) == Wanted(50_010_000)
    small = Bounds(50 * UNIT, 55_555_555)
    assert standing(0, up_to, bounds=small) == Wanted(55_550_000)


@pytest.mark.parametrize(
    ("currency", "missing_micros", "bought_micros"),
    [
        ("USD", 1, 10_000),
        ("JPY", 1, 1_000_000),
        ("JPY", 1_000_001, 2_000_000),
        ("KWD", 1_234_001, 1_240_000),  # cards take whole hundredths of a dinar
        ("ISK", 1, 1_000_000),
    ],
)
def test_what_is_topped_up_is_a_whole_number_of_what_can_be_charged(
    currency, missing_micros, bought_micros
):
    """D1, D19."""
    up_to = plan(trigger=0, amount=100, method="up_to")
    available_micros = 100 * UNIT - missing_micros
    assert amount_to_buy(up_to, available_micros, 0, 10**15, currency) == bought_micros


def test_the_next_attempt_begins_a_minute_after_the_last_at_the_earliest():
    """D2: from beginning to beginning, whatever became of the last."""
    begun_ms = NOW_MS - INTERVAL_MS
    for counts in (True, False):
        assert standing(0, started=[(begun_ms + 1, 200 * UNIT, counts)]) == NotWanted(
            "interval", until_ms=NOW_MS + 1
        )
        assert standing(0, started=[(begun_ms, 200 * UNIT, counts)]) == Wanted(200 * UNIT)


def test_the_sixth_attempt_waits_until_the_first_is_a_day_old():
    """R17, D2: five in 24 hours, and not in a calendar day."""
    started = [(NOW_MS + hour * HOUR_MS, 200 * UNIT, True) for hour in (0, 1, 2, 3, 4)]
    later_ms = NOW_MS + 5 * HOUR_MS
    assert standing(0, started=started[:4], now_ms=later_ms) == Wanted(200 * UNIT)
    until_ms = NOW_MS + DAY_MS
    reached = NotWanted("day_cap", until_ms=until_ms)
    assert standing(0, started=started, now_ms=later_ms) == reached
    assert standing(0, started=started, now_ms=until_ms - 1) == reached
    assert standing(0, started=started, now_ms=until_ms) == Wanted(200 * UNIT)


def test_attempts_begun_by_a_clock_that_was_ahead_hold_nothing_up_until_it_comes_there():
    """D2: a clock that was set back by less still counts them, for twice the time at most."""
    for ahead_ms in (INTERVAL_MS, 3 * DAY_MS, 365 * DAY_MS):
        assert standing(0, started=[(NOW_MS + ahead_ms, 200 * UNIT, True)]) == Wanted(200 * UNIT)
    ahead_ms = NOW_MS + INTERVAL_MS - 1
    within = NotWanted("interval", until_ms=ahead_ms + INTERVAL_MS)
    assert standing(0, started=[(ahead_ms, 200 * UNIT, True)]) == within
    started = [(NOW_MS + DAY_MS - minutes * MINUTE_MS, UNIT, True) for minutes in (5, 4, 3, 2, 1)]
    reached = NotWanted("day_cap", until_ms=started[0][0] + DAY_MS)
    assert standing(0, started=started) == reached
    farther = [(NOW_MS + DAY_MS, UNIT, True), *started[1:]]
    assert standing(0, started=farther) == Wanted(200 * UNIT)


def test_attempts_that_cost_nothing_do_not_count_against_the_caps():
    """D2."""
    started = [(NOW_MS - hour * HOUR_MS, 200 * UNIT, False) for hour in (1, 2, 3, 4, 5, 6)]
    assert standing(0, plan(month_cap=200), started=started) == Wanted(200 * UNIT)


def test_the_monthly_cap_allows_as_many_whole_amounts_as_are_left():
    """D2."""
    started = [(NOW_MS - HOUR_MS, 200 * UNIT, True)]
    assert standing(-101 * UNIT, plan(month_cap=600), started=started) == Wanted(400 * UNIT)
    assert standing(-101 * UNIT, plan(month_cap=599), started=started) == Wanted(200 * UNIT)
    assert standing(-101 * UNIT, plan(month_cap=400), started=started) == Wanted(200 * UNIT)
    until_ms = moment_ms("2026-02-01")
    assert standing(-101 * UNIT, plan(month_cap=399), started=started) == NotWanted(
        "month_cap", until_ms=until_ms
    )


def test_the_monthly_cap_begins_anew_with_the_month_in_utc():
    """D2, D13."""
    last_ms = moment_ms("2026-01-31 23:59:59")
    started = [(moment_ms("2026-01-31 12:00"), 200 * UNIT, True)]
    capped = plan(month_cap=200)
    turn_ms = moment_ms("2026-02-01")
    assert standing(0, capped, started=started, now_ms=last_ms) == NotWanted(
        "month_cap", until_ms=turn_ms
    )
    assert standing(0, capped, started=started, now_ms=turn_ms - 1) == NotWanted(
        "month_cap", until_ms=turn_ms
    )
    assert standing(0, capped, started=started, now_ms=turn_ms) == Wanted(200 * UNIT)
    till = Till(ORGANISATION, capped, started=started)
    assert month_left_micros(till, capped, turn_ms - 1) == 0
    assert month_left_micros(till, capped, turn_ms) == 200 * UNIT
    assert month_left_micros(till, plan(), turn_ms) is None


def test_a_cap_that_was_lowered_below_what_was_bought_leaves_nothing():
    """D2."""
    capped = plan(month_cap=100)
    till = Till(ORGANISATION, capped, started=[(NOW_MS, 200 * UNIT, True)])
    assert month_left_micros(till, capped, NOW_MS) == 0


@pytest.mark.parametrize(
    ("now", "then"),
    [
        ("2026-01-01 00:00", "2026-02-01"),
        ("2026-12-31 23:59:59", "2027-01-01"),
        ("2028-02-29 12:00", "2028-03-01"),
        ("2027-02-28 12:00", "2027-03-01"),
    ],
)
def test_the_next_month_begins_with_its_first_day_in_utc(now, then):
    """D13."""
    assert next_month_ms(moment_ms(now)) == moment_ms(then)


def test_the_first_reason_that_applies_is_told():
    """R14, D2: all reasons hold; they are taken away one by one, in their order."""
    recharge = replace(
        plan(month_cap=100), enabled=False, paused_code="refunded", paused_detail="r"
    )
    till = Till(ORGANISATION, recharge)
    till.payments[5] = attempt()
    till.started = [(NOW_MS - minute * MINUTE_MS, 50 * UNIT, True) for minute in (0, 2, 4, 6, 8)]
    wallet, found = wallet_of(100 * UNIT), []
    wallet.no_buying, wallet.debt_micros = "draining", UNIT
    ways = {
        "off": lambda: setattr(recharge, "enabled", True),
        "not_offered": lambda: setattr(wallet, "no_buying", None),
        "in_debt": lambda: setattr(wallet, "debt_micros", 0),
        "paused": lambda: setattr(recharge, "paused_code", ""),
        "open_attempt": lambda: till.payments.clear(),
        "above_trigger": lambda: setattr(recharge, "trigger_micros", 101 * UNIT),
        "no_method": lambda: till.methods.append(card(1)),
        "interval": lambda: till.started.pop(0),
        "day_cap": lambda: setattr(recharge, "day_max", 5),
        "out_of_bounds": lambda: setattr(recharge, "amount_micros", 200 * UNIT),
        "month_cap": lambda: setattr(recharge, "month_cap_micros", 400 * UNIT),
    }
    recharge.day_max, recharge.amount_micros = 4, 20_000 * UNIT
    while isinstance(why := recharge_due(wallet, till, BOUNDS, NOW_MS), NotWanted):
        found.append(why.code)
        assert why.words.startswith(WHY_NOT[why.code])
        ways[why.code]()
    assert found == [*WHY_NOT]
    assert why == Wanted(200 * UNIT)


@pytest.mark.parametrize("code", NO_BUYING)
def test_who_may_not_buy_does_not_recharge_and_is_told_why(code):
    """R7, R71, R73, D14."""
    wallet = wallet_of(0)
    wallet.no_buying = code
    why = recharge_due(wallet, Till(ORGANISATION, plan(), [], [card(1)]), BOUNDS, NOW_MS)
    assert why == NotWanted("not_offered", NO_BUYING[code])
    assert why.words == f"No credits can be bought: {NO_BUYING[code]}"


def test_who_never_set_it_does_not_recharge():
    """R13."""
    assert recharge_due(wallet_of(0), Till(ORGANISATION), BOUNDS, NOW_MS) == NotWanted("off")


CURRENCIES = st.sampled_from(["USD", "JPY", "KWD", "ISK", "MGA"])


@given(
    trigger=st.integers(0, 10**6),
    times=st.integers(1, 10**4),
    below=st.integers(1, 10**12),
    most=st.integers(0, 10**13),
)
def test_a_fixed_amount_lifts_to_the_trigger_or_is_capped(trigger, times, below, most):
    """R15, R17, D1: whole amounts, never above the cap, never one more than it takes."""
    recharge = plan(trigger=trigger, amount=times)
    available_micros = trigger * UNIT - below
    bought = amount_to_buy(recharge, available_micros, 0, most, "USD")
    amount = recharge.amount_micros
    assert 0 <= bought <= most
    assert bought % amount == 0
    lifted = available_micros + bought >= recharge.trigger_micros
    assert lifted or bought + amount > most
    if bought:
        assert available_micros + bought - amount < recharge.trigger_micros


@given(
    trigger=st.integers(0, 10**6),
    more=st.integers(1, 10**4),
    below=st.integers(1, 10**12),
    least=st.integers(0, 100),
    most=st.integers(0, 10**13),
    currency=CURRENCIES,
)
def test_a_target_is_reached_or_the_amount_is_capped(trigger, more, below, least, most, currency):
    """D1, D19: whole units that can be charged, from the minimum on, never above the cap."""
    recharge = plan(trigger=trigger, amount=trigger + more, method="up_to")
    available_micros = trigger * UNIT - below
    bought = amount_to_buy(recharge, available_micros, least * UNIT, most, currency)
    unit = {"USD": 10_000, "KWD": 10_000}.get(currency, UNIT)
    assert 0 <= bought <= most
    assert bought % unit == 0
    assert bought == 0 or bought >= least * UNIT
    missing_micros = recharge.amount_micros - available_micros
    if bought >= missing_micros:
        assert bought < max(missing_micros + unit, least * UNIT + unit)
    elif bought:
        assert bought + unit > most
    else:
        assert most < max(least * UNIT, unit)
