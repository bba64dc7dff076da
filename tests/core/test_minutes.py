"""Included minutes, post-usage and spend limits on a call's way. Mirrors paying.py, charging.py,
settling.py and correcting.py of src/talktime/core."""

import pytest

from talktime.core.books import Terms
from talktime.core.ledger import POST_USAGE, REVENUE
from talktime.core.meters import minutes_key, post_usage_key, spending_key
from talktime.core.outcomes import Paid
from talktime.core.payers import FREE_CALL, Payers
from tests.commands import (
    GERMANY,
    GERMANY_WITH_FEE,
    ORGANISATION,
    UNIT,
    USER,
    Desk,
    authorize,
    call_of,
    expire_hold,
    extend,
    fund,
    funded,
    money,
    settle,
)

POOL = minutes_key("2026-01", "P", "US", "domestic")
GUARD = minutes_key("2026-01", "P", "US", "international")
SPENDING = spending_key("2026-01", USER)
AFTER_USE = post_usage_key("2026-01")
BY_POOL = Payers(pool=POOL, spending=SPENDING, free_capability="P")
NO_MONEY = BY_POOL._replace(money_code="no_user_credit_capability", money_detail="no licence")


def by_pool(call="C1", sequence=0, *, total_s=600, payers=BY_POOL, **more):
    """Authorize a call that minutes may pay."""
    return authorize(call, sequence, payers=payers, pool_total_s=total_s, **more)


def meter(desk, key):
    """Used and held of a meter."""
    found = desk.books.meter(ORGANISATION, key)
    return found.used, found.held


def record_of(desk):
    """What the last usage record says of payers: billed, by minutes, charged, after use, code."""
    last = desk.books.usage[-1]
    return last.billed_s, last.pool_s, last.charge_micros, last.post_micros, last.capability


def test_minutes_pay_before_credits_and_the_money_stays():
    desk = funded(100_000)
    granted = desk.do(by_pool())
    assert (granted.granted_s, granted.final) == (300, False)
    assert granted.paid_by == (Paid("pool", 300, 0, POOL),)
    assert (meter(desk, POOL), money(desk)) == ((0, 300), (100_000, 0, 0))
    settled = desk.do(settle(used_s=61))
    assert settled.paid_by == (Paid("pool", 120, 0, POOL),)
    assert (settled.billed_s, settled.charge_micros) == (120, 0)
    assert (meter(desk, POOL), money(desk)) == ((120, 0), (100_000, 0, 0))
    assert record_of(desk) == (120, 120, 0, 0, "P")
    assert call_of(desk).state == "settled"


def test_a_call_splits_where_its_minutes_end_and_the_fee_comes_with_the_first_paid_second():
    """R65, D11: 120 s of minutes, then money with the fee once."""
    desk = funded(100_000)
    granted = desk.do(by_pool(total_s=120, rate=GERMANY_WITH_FEE))
    assert granted.paid_by == (Paid("pool", 120, 0, POOL), Paid("credits", 180, 65_000))
    assert money(desk) == (100_000, 65_000, 0)
    settled = desk.do(settle(used_s=125))
    assert settled.paid_by == (Paid("pool", 120, 0, POOL), Paid("credits", 60, 35_000))
    assert record_of(desk) == (180, 120, 35_000, 0, "MCOPSTNPP")
    assert desk.books.usage[-1].fee_micros == 20_000
    assert meter(desk, SPENDING) == (35_000, 0)


def test_a_remainder_of_less_than_an_increment_is_left():
    desk = funded(100_000)
    granted = desk.do(by_pool(total_s=90))
    assert granted.paid_by == (Paid("pool", 60, 0, POOL), Paid("credits", 240, 60_000))


def test_running_calls_hold_minutes_that_others_cannot_have():
    desk = funded(15_000)
    desk.do(by_pool("C1", total_s=360))
    second = desk.do(by_pool("C2", total_s=360))
    assert second.paid_by == (Paid("pool", 60, 0, POOL), Paid("credits", 60, 15_000))
    assert second.final
    assert meter(desk, POOL) == (0, 360)
    desk.do(settle("C1", used_s=0))
    assert meter(desk, POOL) == (0, 60)


def test_minutes_that_become_free_do_not_replace_money_that_has_begun_to_pay():
    desk = funded(200_000)
    desk.do(by_pool("C1", total_s=360))
    desk.do(by_pool("C2", total_s=360))
    desk.do(settle("C1", used_s=0))
    more = desk.do(extend("C2", used_s=300))
    assert more.paid_by == (Paid("credits", 300, 75_000),)
    desk.do(settle("C2", sequence=2, used_s=400))
    assert record_of(desk)[:3] == (420, 60, 90_000)


def test_without_money_the_minutes_pay_to_their_end_and_then_the_reason_is_told():
    desk = funded(100_000)
    granted = desk.do(by_pool(total_s=120, payers=NO_MONEY))
    assert (granted.granted_s, granted.final) == (120, True)
    refused = desk.do(extend(used_s=120))
    assert refused.refusal.code == "no_user_credit_capability"
    desk.do(settle(sequence=2, used_s=120))
    assert desk.do(by_pool("C2", total_s=120, payers=NO_MONEY)).refusal.code == (
        "no_user_credit_capability"
    )
    assert (meter(desk, POOL), money(desk)) == ((120, 0), (100_000, 0, 0))


def test_a_guard_that_is_used_up_ends_the_minutes():
    """D12, V10: 600 international seconds used, so a domestic call is paid by credits."""
    desk = funded(100_000)
    both = BY_POOL._replace(guard=GUARD)
    assert desk.do(by_pool("C1", payers=both, guard_total_s=600)).paid_by[0].source == "pool"
    desk.books.meter(ORGANISATION, GUARD).use(600, desk.now_ms)
    assert desk.do(by_pool("C2", payers=both, guard_total_s=600)).paid_by == (
        Paid("credits", 300, 75_000),
    )


def test_a_guard_whose_last_minutes_are_held_ends_nothing_yet():
    """R42: minutes end when a counter has reached its limit; what a call holds it may not use."""
    desk = funded(100_000)
    abroad = by_pool("C1", total_s=300, payers=BY_POOL._replace(pool=GUARD))
    assert desk.do(abroad).granted_s == 300
    domestic = NO_MONEY._replace(guard=GUARD)
    granted = desk.do(by_pool("C2", payers=domestic, guard_total_s=300))
    assert granted.paid_by == (Paid("pool", 300, 0, POOL),)
    desk.do(settle("C1", used_s=300))
    refused = desk.do(by_pool("C3", payers=domestic, guard_total_s=300))
    assert refused.refusal.code == "no_user_credit_capability"
    assert refused.because == (
        f"included minutes: all 300 s of {GUARD} are used, which ends {POOL}",
    )


def test_it_is_said_why_minutes_do_not_pay():
    desk = funded(1_000_000)
    granted = desk.do(by_pool("C1", total_s=90))
    assert granted.because[0] == f"included minutes: 60 s held of {POOL}, 30 s of 90 s left"
    nothing = f"included minutes: 30 s of 90 s left of {POOL}, too little for the next increment"
    paid = desk.do(by_pool("C2", total_s=90))
    assert (paid.paid_by, paid.because[0]) == ((Paid("credits", 300, 75_000),), nothing)
    refused = desk.do(by_pool("C3", total_s=90, payers=NO_MONEY))
    assert refused.because == (nothing,)
    goes_on = desk.do(extend("C2", used_s=300))
    assert goes_on.because[0] == "49 Germany at 0.015/min, 60/60"


def test_a_pool_shrinks_to_what_is_used_and_held_and_grows_at_once():
    """R48."""
    desk = funded(100_000)
    desk.do(by_pool("C1", total_s=600))
    desk.do(by_pool("C2", total_s=60))
    assert desk.books.meter(ORGANISATION, POOL).total == 300
    assert meter(desk, POOL) == (0, 300)
    assert desk.do(by_pool("C3", total_s=900)).paid_by == (Paid("pool", 300, 0, POOL),)


def test_a_pool_that_shrinks_to_what_is_used_is_used_up():
    """R27, R48."""
    desk = funded(100_000)
    desk.do(by_pool("C1"))
    desk.do(settle("C1", used_s=60))
    assert desk.books.meter(ORGANISATION, POOL).full_ms is None
    desk.do(by_pool("C2", total_s=60), at_s=9)
    pool = desk.books.meter(ORGANISATION, POOL)
    assert (pool.total, pool.warned_ms, pool.full_ms) == (60, desk.now_ms, desk.now_ms)


def test_seconds_that_a_price_of_zero_gave_are_not_counted_as_minutes_later():
    desk = funded(100_000)
    free = GERMANY._replace(per_minute_micros=0)
    desk.do(by_pool("C1", total_s=300, rate=free))
    desk.do(by_pool("C2", total_s=300, rate=free))
    desk.do(settle("C1", used_s=0))
    desk.do(extend("C2", used_s=300))
    desk.do(settle("C2", sequence=2, used_s=400))
    assert (record_of(desk)[:3], meter(desk, POOL)) == ((420, 0, 0), (0, 0))


def test_80_and_100_percent_are_noted_once_a_month():
    """R27."""
    desk = funded(100_000)
    for call, used_s, at_s in (("C1", 420, 0), ("C2", 60, 10), ("C3", 60, 20), ("C4", 60, 30)):
        desk.do(by_pool(call), at_s=at_s)
        desk.do(extend(call, used_s=used_s))
        desk.do(settle(call, sequence=2, used_s=used_s))
    pool = desk.books.meter(ORGANISATION, POOL)
    assert (pool.used, pool.warned_ms - pool.full_ms) == (600, -20_000)


def test_a_pool_is_warned_of_at_the_per_cent_that_is_set():
    """D4: by what is used, and by a total that falls."""
    desk = funded(100_000)
    desk.books.terms = Terms(pool_warning_percent=30)
    desk.do(by_pool())
    desk.do(settle(used_s=120))
    pool = desk.books.meter(ORGANISATION, POOL)
    assert (pool.used, pool.warned_ms) == (120, None)
    desk.do(by_pool("C2", total_s=400))
    assert pool.warned_ms == desk.now_ms
    (notice,) = [each for each in desk.books.notices if each.kind == "pool.warning"]
    assert notice.facts["percent"] == 30


def test_what_is_paid_after_use_follows_the_credits():
    """V11: residual 5; a call of 0.50, then one of 6.00: 4.50 from credits and 1.50 after use."""
    desk = funded(5_000_000)
    after = Payers(spending=SPENDING, post_usage=AFTER_USE)
    rate = GERMANY._replace(per_minute_micros=500_000)
    desk.do(authorize("C1", payers=after, rate=rate))
    desk.do(settle("C1", used_s=60))
    for sequence, used_s in enumerate((0, 300, 600)):
        ask = authorize("C2", payers=after, rate=rate) if not used_s else None
        granted = desk.do(ask or extend("C2", sequence, used_s=used_s))
    assert granted.paid_by == (Paid("post_usage", 300, 2_500_000),)
    settled = desk.do(settle("C2", sequence=3, used_s=720))
    assert settled.paid_by == (Paid("credits", 540, 4_500_000), Paid("post_usage", 180, 1_500_000))
    assert (meter(desk, AFTER_USE), money(desk)) == ((1_500_000, 0), (0, 0, 0))
    assert record_of(desk) == (720, 0, 6_000_000, 1_500_000, "MCOPSTNPP")
    billed = [t for t in desk.books.transfers if t.debit_account == POST_USAGE]
    assert [(t.credit_account, t.amount_micros) for t in billed] == [(REVENUE, 1_500_000)]


def test_a_cap_ends_calls_paid_after_use():
    desk = Desk()
    capped = Payers(post_usage=AFTER_USE, post_usage_cap_micros=30_000, credits=False)
    granted = desk.do(authorize("C1", payers=capped))
    assert (granted.granted_s, granted.final) == (120, True)
    refused = desk.do(authorize("C2", payers=capped)).refusal
    assert (refused.code, refused.detail) == (
        "post_usage_cap_reached",
        "the limit is 0.03 USD a month, and 0.015 USD more would pass it",
    )


def test_a_spend_limit_bounds_what_a_user_holds_and_spends():
    """R50."""
    desk = funded(1_000_000)
    limited = Payers(spending=SPENDING, spend_limit_micros=40_000)
    granted = desk.do(authorize("C1", payers=limited))
    assert (granted.granted_s, granted.final) == (120, True)
    assert desk.do(authorize("C2", payers=limited)).refusal.code == "spend_limit_reached"
    desk.do(settle("C1", used_s=60))
    assert desk.do(authorize("C3", payers=limited)).granted_s == 60


def test_post_usage_that_is_off_is_the_reason_when_credits_end():
    desk = funded(14_000)
    off = Payers(spending=SPENDING, shortage="post_usage_off")
    assert desk.do(authorize(payers=off)).refusal.code == "post_usage_off"


def test_a_late_switch_takes_free_minutes_before_money():
    """D7: 360 s reported of 300 granted; the pool has them."""
    desk = funded(100_000)
    desk.do(by_pool())
    desk.do(settle(used_s=360))
    assert record_of(desk)[:3] == (360, 360, 0)
    assert meter(desk, POOL) == (360, 0)


def test_seconds_that_minutes_do_not_cover_and_no_rate_prices_are_free():
    """D10."""
    desk = funded(100_000)
    unpriced = BY_POOL._replace(money_code="no_rate", money_detail="x", paid_capability=FREE_CALL)
    free = GERMANY._replace(per_minute_micros=0)
    assert desk.do(by_pool(total_s=60, payers=unpriced, rate=free)).final
    desk.do(settle(used_s=90))
    assert record_of(desk) == (120, 60, 0, 0, FREE_CALL)
    assert desk.books.usage[-1].flags == ("freecall",)
    assert money(desk) == (100_000, 0, 0)


@pytest.mark.parametrize(
    ("used_s", "billed_s", "pool_s", "charge"),
    [(60, 60, 60, 0), (170, 180, 120, 15_000), (300, 300, 120, 45_000), (0, 0, 0, 0)],
)
def test_a_late_report_corrects_minutes_and_money(used_s, billed_s, pool_s, charge):
    """D8: closed by its deadline at 180 s, 120 of them by minutes; then the switch reports."""
    desk = funded(100_000)
    desk.do(by_pool(total_s=120))
    desk.do(extend(used_s=180))
    desk.do(expire_hold(), at_s=1000)
    assert record_of(desk)[:3] == (180, 120, 15_000)
    settled = desk.do(settle(sequence=2, used_s=used_s))
    assert (settled.billed_s, settled.charge_micros) == (billed_s, charge)
    assert (meter(desk, POOL), meter(desk, SPENDING)) == ((pool_s, 0), (charge, 0))
    assert money(desk) == (100_000 - charge, 0, 0)
    if used_s != 180:
        assert desk.books.usage[-1].pool_s == pool_s - 120


def test_a_late_report_of_less_takes_back_what_is_paid_after_use_first():
    desk = funded(30_000)
    after = Payers(spending=SPENDING, post_usage=AFTER_USE)
    desk.do(authorize(payers=after))
    desk.do(extend(used_s=240))
    desk.do(expire_hold(), at_s=1000)
    assert (meter(desk, AFTER_USE), money(desk)) == ((30_000, 0), (0, 0, 0))
    desk.do(settle(sequence=2, used_s=60))
    assert (meter(desk, AFTER_USE), money(desk)) == ((0, 0), (15_000, 0, 0))
    assert desk.books.usage[-1].post_micros == -30_000


def test_credits_that_may_not_be_used_stay_when_calls_are_paid_after_use():
    desk = funded(100_000)
    desk.do(authorize(payers=Payers(post_usage=AFTER_USE, credits=False)))
    desk.do(settle(used_s=60))
    assert (money(desk), meter(desk, AFTER_USE)) == ((100_000, 0, 0), (15_000, 0))


def test_the_totals_of_a_restarted_call_are_those_of_its_last_authorize():
    desk = Desk()
    assert desk.do(by_pool(total_s=0)).refusal.code == "no_tenant_credit_capability"
    desk.do(fund(15_000))
    granted = desk.do(by_pool(sequence=1, total_s=120))
    assert [part.source for part in granted.paid_by] == ["pool", "credits"]


def test_a_call_of_a_month_that_is_over_leaves_its_total_as_it_was():
    """R48: licences of today make today's total; a meter that nobody had looked at has none yet."""
    desk = Desk(fund(10 * UNIT))
    desk.do(by_pool(total_s=600))
    desk.do(settle(used_s=60), at_s=60)
    after = 32 * 86_400
    desk.do(by_pool("late", total_s=60), at_s=after)
    assert desk.books.meter(ORGANISATION, POOL).total == 600
    desk.do(by_pool("later", total_s=6_000), at_s=after)
    assert desk.books.meter(ORGANISATION, POOL).total == 600
    other = BY_POOL._replace(pool=minutes_key("2026-01", "P", "CA", "domestic"))
    desk.do(by_pool("first", total_s=120, payers=other), at_s=after)
    assert desk.books.meter(ORGANISATION, other.pool).total == 120
