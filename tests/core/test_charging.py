"""How long a call may talk, and what it holds. Mirrors src/talktime/core/charging.py, with
test_charging_settles.py and test_charging_late.py."""

import pytest

from talktime.core.limits import CALL_SECONDS_MAX
from talktime.core.outcomes import Granted, Noted, Paid, Refused
from talktime.core.payers import CREDITS_ALONE, Payers
from talktime.core.rating import Rate
from talktime.core.refusal import Refusal
from tests.commands import (
    FREE,
    GERMANY,
    GERMANY_WITH_FEE,
    NOW_MS,
    SIXTY_SIX,
    UNIT,
    Desk,
    answer,
    authorize,
    call_of,
    extend,
    fund,
    funded,
    money,
    settle,
)


def talk_until(desk: Desk, until_s: int) -> int:
    """Ask for more as a switch does, each time a grant is used up; returns the next number."""
    number, used_s = 1, 0
    while call_of(desk).granted_s < until_s:
        used_s = min(call_of(desk).granted_s, until_s)
        desk.do(extend(sequence=number, used_s=used_s))
        number += 1
    return number


def test_a_new_call_gets_a_slice_and_its_price_is_held():
    """D8: 300 s; 5 minutes at 0.015; the deadline is the slice and 60 s of grace away."""
    desk = funded(10 * UNIT)
    assert desk.do(authorize()) == Granted(
        call_key="C1",
        sequence=0,
        to_digits="4930123456",
        granted_s=300,
        final=False,
        valid_until_ms=NOW_MS + 360_000,
        rate=GERMANY,
        currency="USD",
        paid_by=(Paid("credits", 300, 75_000),),
        available_micros=9_925_000,
        because=(
            "49 Germany at 0.015/min, 60/60",
            "credits: 0.075 USD held for 300 s of 10 USD available",
        ),
    )
    assert money(desk) == (10 * UNIT, 75_000, 0)


def test_a_switch_may_ask_for_less_than_a_slice_but_not_for_more():
    desk = funded(10 * UNIT)
    assert desk.do(authorize("C1", requested_s=61)).granted_s == 120
    assert desk.do(authorize("C2", requested_s=3600)).granted_s == 300
    assert desk.do(authorize("C3", requested_s=1)).granted_s == 60
    assert desk.wallet.held_micros == 15_000 * (2 + 5 + 1)


def test_the_grant_is_whole_increments_that_the_money_can_pay_and_says_when_it_is_final():
    """0.40 pays 36 s after the first minute of 0.60, at 60/6."""
    desk = funded(UNIT)
    granted = desk.do(authorize(rate=SIXTY_SIX))
    assert (granted.granted_s, granted.final) == (96, True)
    assert money(desk) == (UNIT, 960_000, 0)


def test_a_grant_that_just_reaches_the_money_is_final_and_one_increment_less_is_not():
    desk = funded(5 * 15_000)
    assert desk.do(authorize("C1")).final is True
    desk = funded(6 * 15_000)
    assert desk.do(authorize("C1")).final is False


def test_a_new_call_without_money_for_its_first_increment_is_refused_and_holds_nothing():
    """D7, R22."""
    desk = funded(14_999)
    assert desk.do(authorize()) == Refused(
        Refusal("insufficient_credit", "60 s to Germany cost 0.015 USD; 0.014999 USD is available"),
        "C1",
        0,
    )
    assert money(desk) == (14_999, 0, 0)
    assert call_of(desk).state == "refused"


def test_what_other_calls_hold_cannot_be_granted_again():
    desk = funded(100_000)
    desk.do(authorize("C1"))
    assert desk.do(authorize("C2")).granted_s == 60
    assert desk.do(authorize("C3")).refusal.code == "insufficient_credit"
    assert money(desk) == (100_000, 90_000, 0)


def test_two_organisations_never_share_money():
    desk = funded(100_000)
    desk.open(2)
    assert desk.do(authorize("C2", organisation_id=2)).refusal.code == (
        "no_tenant_credit_capability"
    )
    assert desk.do(fund(50_000, "F2", organisation_id=2)).available_micros == 50_000
    assert desk.do(authorize("C3", organisation_id=2)).granted_s == 180
    assert money(desk) == (100_000, 0, 0)


def test_a_free_call_needs_no_money():
    """A23: a call that costs nothing is allowed at a balance of nothing, or below."""
    desk = Desk()
    granted = desk.do(authorize(rate=FREE))
    assert (granted.granted_s, granted.final) == (300, False)
    assert granted.paid_by == (Paid("free", 300, 0),)
    assert desk.do(settle(used_s=61)).charge_micros == 0
    assert call_of(desk).state == "released"
    assert money(desk) == (0, 0, 0)


@pytest.mark.parametrize("source", ["credits", "post_usage"])
def test_what_is_left_of_a_paid_increment_is_not_called_free(source):
    after_use = {"post_usage": "2026-11/post_usage", "post_usage_cap_micros": 15_000}
    payers = Payers(**after_use) if source == "post_usage" else CREDITS_ALONE
    desk = Desk() if source == "post_usage" else funded(15_000)
    assert desk.do(authorize(payers=payers)).paid_by == (Paid(source, 60, 15_000),)
    granted = desk.do(extend(sequence=1, used_s=55), at_s=55)
    assert (granted.granted_s, granted.final) == (5, True)
    assert granted.paid_by == (Paid(source, 5, 0),)


def test_the_fee_is_held_with_the_first_slice_and_never_again():
    """R61: fee once."""
    desk = funded(10 * UNIT)
    desk.do(authorize(rate=GERMANY_WITH_FEE))
    assert desk.wallet.held_micros == 20_000 + 5 * 15_000
    desk.do(extend(used_s=300))
    assert desk.wallet.held_micros == 20_000 + 10 * 15_000


def test_a_rate_of_a_fee_alone_needs_the_fee_and_then_talks_on():
    fee_alone = Rate("1900", "Hotline", 0, 500_000, 60, 60)
    assert funded(499_999).do(authorize(rate=fee_alone)).refusal.code == "insufficient_credit"
    desk = funded(500_000)
    granted = desk.do(authorize(rate=fee_alone))
    assert (granted.granted_s, granted.final) == (300, False)
    assert desk.do(extend(used_s=300)).granted_s == 300
    assert desk.do(settle(sequence=2, used_s=301)).charge_micros == 500_000


def test_extending_holds_the_difference_and_moves_the_deadline():
    """R68: reserve in steps."""
    desk = funded(10 * UNIT)
    desk.do(authorize())
    granted = desk.do(extend(used_s=290), at_s=290)
    # 290 s used and 300 s more asked: billed up to 600 s.
    assert granted.granted_s == 310
    assert granted.valid_until_ms == NOW_MS + (290 + 310 + 60) * 1000
    assert granted.paid_by == (Paid("credits", 310, 75_000),)
    assert money(desk) == (10 * UNIT, 150_000, 0)


def test_extending_at_the_last_money_is_refused_and_the_call_keeps_what_it_holds():
    """R68: at a failed reservation the call is cut; what was granted stays paid for."""
    desk = funded(75_000)
    desk.do(authorize())
    refused = desk.do(extend(used_s=300), at_s=300)
    assert refused.refusal == Refusal(
        "insufficient_credit", "60 s to Germany cost 0.015 USD; 0 USD is available"
    )
    assert money(desk) == (75_000, 75_000, 0)
    assert call_of(desk).state == "open"


def test_extending_early_at_the_last_money_gets_what_is_left_of_the_grant():
    desk = funded(75_000)
    desk.do(authorize())
    granted = desk.do(extend(used_s=100), at_s=100)
    assert (granted.granted_s, granted.final) == (200, True)
    assert money(desk) == (75_000, 75_000, 0)


def test_the_shortage_names_what_the_next_increment_costs_beyond_what_is_held():
    """The switch's timer ran two seconds over: the increment it is in is not paid for yet."""
    desk = funded(75_000)
    desk.do(authorize())
    refused = desk.do(extend(used_s=302), at_s=302)
    assert refused.refusal.detail == "58 s to Germany cost 0.015 USD; 0 USD is available"


def test_a_call_ends_at_the_longest_length():
    desk = funded(1000 * UNIT)
    desk.do(authorize())
    number = talk_until(desk, CALL_SECONDS_MAX - 60)
    granted = desk.do(extend(sequence=number, used_s=CALL_SECONDS_MAX - 60))
    assert (granted.granted_s, granted.final) == (60, True)
    refused = desk.do(extend(sequence=number + 1, used_s=CALL_SECONDS_MAX))
    assert refused.refusal.code == "call_too_long"


def test_the_last_whole_increment_below_the_longest_length_is_the_last():
    """The first minute and then sevens: 86,400 is none of them. Money is not what is missing."""
    desk = funded(1000 * UNIT)
    desk.do(authorize(rate=Rate("49", "Germany", 15_000, 0, 60, 7)))
    number = talk_until(desk, 86_300)
    granted = desk.do(extend(sequence=number, used_s=86_300))
    assert (granted.granted_s, granted.final) == (98, True)
    refused = desk.do(extend(sequence=number + 1, used_s=86_398))
    assert refused.refusal.code == "call_too_long"


def test_an_answer_counts_the_deadline_from_itself_and_never_moves_it_back():
    desk = funded(10 * UNIT)
    desk.do(authorize())
    assert desk.do(answer(), at_s=25) == Noted("C1", 1, NOW_MS + (25 + 300 + 60) * 1000)
    # A second answer, earlier than the first, changes nothing.
    again = desk.do(answer(sequence=2, answered_ms=NOW_MS + 10_000), at_s=30)
    assert again == Noted("C1", 2, NOW_MS + (25 + 300 + 60) * 1000)
    assert call_of(desk).answered_ms == NOW_MS + 25_000


def test_an_answer_in_the_future_counts_from_now():
    desk = funded(10 * UNIT)
    desk.do(authorize())
    desk.do(answer(answered_ms=NOW_MS + 5_000 + 300_000), at_s=5)
    assert call_of(desk).answered_ms == NOW_MS + 5_000


@pytest.mark.parametrize("answered_ms", [NOW_MS + 300_001, NOW_MS - 92 * 86_400_000 - 1])
def test_an_answer_that_no_clock_can_mean_is_refused_and_not_kept(answered_ms):
    desk = funded(10 * UNIT)
    desk.do(authorize())
    refused = desk.do(answer(answered_ms=answered_ms))
    assert refused.refusal == Refusal(
        "time_out_of_range", "'answered_at' is too far from the service's clock"
    )
    assert call_of(desk).answered_ms is None
    assert desk.do(answer(answered_ms=NOW_MS)).valid_until_ms == NOW_MS + 360_000
