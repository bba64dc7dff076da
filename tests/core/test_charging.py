"""How long a call may talk, what it holds and costs. Mirrors src/talktime/core/charging.py."""

import pytest

from talktime.core.calls import Call
from talktime.core.ledger import DEBT, REVENUE
from talktime.core.limits import CALL_SECONDS_MAX
from talktime.core.outcomes import Granted, HoldExpired, Noted, Paid, Refused, Settled
from talktime.core.rating import Rate
from talktime.core.refusal import Refusal
from tests.commands import (
    FREE,
    GERMANY,
    GERMANY_WITH_FEE,
    NOW_MS,
    SIXTY_SIX,
    SWITCH,
    UNIT,
    Desk,
    answer,
    authorize,
    expire_hold,
    extend,
    fund,
    settle,
)


def funded(micros: int) -> Desk:
    """A wallet with one purchase in it."""
    return Desk(fund(micros))


def call_of(desk: Desk, call: str = "C1") -> Call:
    """The call as the books have it."""
    return desk.books.calls[SWITCH, call]


def money(desk: Desk) -> tuple[int, int, int]:
    """Balance, held, debt."""
    return desk.wallet.balance_micros, desk.wallet.held_micros, desk.wallet.debt_micros


# Granting


def test_a_new_call_gets_a_slice_and_its_price_is_held():
    """D8: 300 s; 5 minutes at 0.015; the deadline is the slice and 60 s of grace away."""
    desk = funded(10 * UNIT)
    assert desk.do(authorize()) == Granted(
        call_key="C1",
        sequence=0,
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
    assert desk.do(authorize("C2", organisation_id=2)).refusal.code == "insufficient_credit"
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
    granted = desk.do(extend(used_s=CALL_SECONDS_MAX - 60))
    assert (granted.granted_s, granted.final) == (60, True)
    refused = desk.do(extend(sequence=2, used_s=CALL_SECONDS_MAX))
    assert refused.refusal.code == "call_too_long"


def test_the_last_whole_increment_below_the_longest_length_is_the_last():
    """The first minute and then sevens: 86,400 is none of them. Money is not what is missing."""
    desk = funded(1000 * UNIT)
    desk.do(authorize(rate=Rate("49", "Germany", 15_000, 0, 60, 7)))
    granted = desk.do(extend(used_s=86_300))
    assert (granted.granted_s, granted.final) == (98, True)
    assert desk.do(extend(sequence=2, used_s=86_398)).refusal.code == "call_too_long"


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
    desk.do(answer(answered_ms=NOW_MS + 3_600_000), at_s=5)
    assert call_of(desk).answered_ms == NOW_MS + 5_000


# Settling


def test_a_settled_call_is_charged_by_started_minutes_and_the_rest_is_freed():
    """V2: balance 10, 0.013 a minute, no fee, 61 s: 0.026; 9.974 is left."""
    desk = funded(10 * UNIT)
    us = Rate("1", "United States", 13_000, 0, 60, 60)
    desk.do(authorize(rate=us))
    settled = desk.do(settle(used_s=61), at_s=61)
    assert settled == Settled(
        call_key="C1",
        sequence=1,
        billed_s=120,
        charge_micros=26_000,
        paid_by=(Paid("credits", 120, 26_000),),
        currency="USD",
        available_micros=9_974_000,
        usage_id=call_of(desk).usage_id,
        because=("1 United States at 0.013/min, 60/60, 61 s billed as 120 s: 0.026 USD",),
    )
    assert money(desk) == (9_974_000, 0, 0)
    assert (call_of(desk).state, call_of(desk).charged_micros) == ("settled", 26_000)


@pytest.mark.parametrize(("used_s", "minutes"), [(1, 1), (60, 1), (61, 2), (219, 4)])
def test_each_started_minute_is_charged_and_the_fee_once(used_s, minutes):
    """R61, with its figures."""
    desk = funded(10 * UNIT)
    desk.do(authorize(rate=GERMANY_WITH_FEE))
    assert desk.do(settle(used_s=used_s)).charge_micros == 20_000 + minutes * 15_000


def test_an_unanswered_call_costs_nothing_not_even_the_fee():
    """R60; the record is there, of nothing."""
    desk = funded(10 * UNIT)
    desk.do(authorize(rate=GERMANY_WITH_FEE))
    settled = desk.do(settle(used_s=0, cause="no_answer"))
    assert (settled.billed_s, settled.charge_micros, settled.paid_by) == (0, 0, ())
    assert money(desk) == (10 * UNIT, 0, 0)
    assert call_of(desk).state == "released"
    (record,) = desk.books.usage
    assert (record.used_s, record.charge_micros, record.fee_micros, record.cause) == (
        *(0, 0, 0),
        "no_answer",
    )


def test_a_price_keeps_every_micro():
    """R66: 7 s at 0.010001 a minute, 1/1, is 1,167 micros: rounded up, once."""
    desk = funded(10 * UNIT)
    desk.do(authorize(rate=Rate("49", "Germany", 10_001, 0, 1, 1)))
    assert desk.do(settle(used_s=7)).charge_micros == 1_167
    assert desk.wallet.balance_micros == 9_998_833


def test_a_late_switch_pays_the_excess_from_what_is_free():
    """D7: 302 s of 300 granted are six minutes."""
    desk = funded(10 * UNIT)
    desk.do(authorize())
    assert desk.do(settle(used_s=302)).charge_micros == 90_000
    assert money(desk) == (9_910_000, 0, 0)
    assert desk.books.usage[0].flags == ()


def test_a_late_switch_at_the_end_of_the_money_makes_debt_and_the_record_says_so():
    """D7, R23: the balance goes below zero by what was not held."""
    desk = funded(75_000)
    desk.do(authorize())
    settled = desk.do(settle(used_s=302))
    assert (settled.charge_micros, settled.available_micros) == (90_000, -15_000)
    assert money(desk) == (-15_000, 0, 15_000)
    (record,) = desk.books.usage
    assert record.flags == ("overdraft",)
    lot_id = desk.wallet.lots[0].id
    movements = [
        (t.debit_account, t.credit_account, t.amount_micros, t.kind) for t in desk.books.transfers
    ]
    assert movements[1:] == [
        (lot_id, REVENUE, 75_000, "usage"),
        (DEBT, REVENUE, 15_000, "overdraft"),
    ]


def test_in_debt_no_call_that_costs_is_granted():
    """R22."""
    desk = funded(75_000)
    desk.do(authorize())
    desk.do(settle(used_s=302))
    assert desk.do(authorize("C2")).refusal == Refusal(
        "insufficient_credit", "60 s to Germany cost 0.015 USD; -0.015 USD is available"
    )
    assert desk.do(authorize("C3", rate=FREE)).granted_s == 300


def test_money_freed_by_one_call_pays_the_debt_of_another():
    desk = funded(90_000)
    desk.do(authorize("C1"))
    desk.do(authorize("C2", requested_s=60))
    assert desk.do(settle("C1", used_s=301)).available_micros == -15_000
    assert desk.do(settle("C2", used_s=0)).available_micros == 0
    assert money(desk) == (0, 0, 0)
    assert [t.kind for t in desk.books.transfers] == [
        *("purchase", "usage", "overdraft"),
        "debt_payment",
    ]


def test_a_refused_call_that_is_settled_owes_nothing():
    desk = Desk()
    desk.do(authorize())
    settled = desk.do(settle(used_s=61))
    assert (settled.charge_micros, settled.billed_s, settled.usage_id) == (0, 0, None)
    assert settled.because == ("the call was refused: nothing is owed",)
    assert desk.books.usage == []
    assert call_of(desk).state == "released"


def test_the_record_says_who_where_how_long_and_why():
    desk = funded(10 * UNIT)
    desk.do(authorize(rate=GERMANY_WITH_FEE))
    desk.do(answer(), at_s=8)
    desk.do(settle(sequence=2, used_s=61, cause="normal"), at_s=69)
    (record,) = desk.books.usage
    assert record._asdict() == {
        "id": call_of(desk).usage_id,
        "organisation_id": 1,
        "call_id": call_of(desk).id,
        "switch_id": SWITCH,
        "call_key": "C1",
        "kind": "call",
        "type": "user_out",
        "user_id": 7,
        "from_digits": "14255550100",
        "to_digits": "4930123456",
        "destination": "Germany",
        "prefix": "49",
        "rate": '["49","Germany",15000,20000,60,60]',
        "currency": "USD",
        "started_ms": NOW_MS + 8_000,
        "ended_ms": NOW_MS + 69_000,
        "used_s": 61,
        "billed_s": 120,
        "fee_micros": 20_000,
        "charge_micros": 50_000,
        "cause": "normal",
        "capability": "MCOPSTNPP",
        "flags": (),
        "because": (
            "49 Germany at 0.015/min and 0.02 at answer, 60/60, 61 s billed as 120 s: 0.05 USD",
        ),
    }


# Deadlines and late reports


def test_a_call_is_closed_at_its_deadline_and_not_a_moment_before():
    desk = funded(10 * UNIT)
    desk.do(authorize())
    assert desk.do(expire_hold(), at_s=359) == HoldExpired("C1", False)
    assert desk.do(expire_hold(), at_s=360) == HoldExpired("C1", True)
    assert desk.do(expire_hold(), at_s=361) == HoldExpired("C1", False)
    assert desk.do(expire_hold("C9"), at_s=361) == HoldExpired("C9", False)
    assert call_of(desk).state == "expired"


def test_a_lost_call_is_charged_at_the_last_seconds_reported_and_flagged():
    """D8."""
    desk = funded(10 * UNIT)
    desk.do(authorize())
    desk.do(extend(used_s=290), at_s=290)
    desk.do(expire_hold(), at_s=10_000)
    assert money(desk) == (10 * UNIT - 75_000, 0, 0)
    (record,) = desk.books.usage
    assert (record.used_s, record.charge_micros) == (290, 75_000)
    assert (record.cause, record.flags) == ("deadline_passed", ("expired",))


def test_a_late_report_of_more_is_charged_the_difference_once():
    desk = funded(10 * UNIT)
    desk.do(authorize())
    desk.do(extend(used_s=290), at_s=290)
    desk.do(expire_hold(), at_s=10_000)
    settled = desk.do(settle(sequence=2, used_s=400), at_s=10_001)
    assert (settled.billed_s, settled.charge_micros) == (420, 105_000)
    assert settled.because == (
        "49 Germany at 0.015/min, 60/60, 400 s billed as 420 s: 0.105 USD",
        "the deadline had charged 300 s: the difference is booked",
    )
    desk.do(settle(sequence=2, used_s=400), at_s=10_002)
    desk.do(settle(sequence=3, used_s=500), at_s=10_003)
    assert money(desk) == (10 * UNIT - 105_000, 0, 0)
    first, correction = desk.books.usage
    assert (first.charge_micros, correction.charge_micros) == (75_000, 30_000)
    assert (correction.kind, correction.used_s, correction.billed_s) == ("correction", 110, 120)
    assert correction.flags == ("late_report",)
    assert (call_of(desk).state, call_of(desk).charged_micros) == ("settled", 105_000)
    assert sum(micros for _, micros in call_of(desk).parts) == 105_000


def test_a_late_report_of_less_gives_the_difference_back_to_the_lots_it_came_from():
    desk = Desk(fund(60_000, "F1"), fund(60_000, "F2"))
    first, second = (lot.id for lot in desk.wallet.lots)
    desk.do(authorize())
    desk.do(extend(used_s=299), at_s=299)
    desk.do(expire_hold(), at_s=10_000)
    assert [lot.remaining_micros for lot in desk.wallet.lots] == [0, 45_000]
    settled = desk.do(settle(sequence=2, used_s=121), at_s=10_001)
    assert settled.charge_micros == 45_000
    assert [(lot.id, lot.remaining_micros) for lot in desk.wallet.lots] == [
        (first, 15_000),
        (second, 60_000),
    ]
    assert call_of(desk).parts == [(first, 45_000)]
    correction = desk.books.usage[1]
    assert (correction.used_s, correction.billed_s, correction.charge_micros) == (
        *(-178, -120),
        -30_000,
    )


def test_a_late_report_of_nothing_gives_all_back_the_fee_too():
    desk = funded(10 * UNIT)
    desk.do(authorize(rate=GERMANY_WITH_FEE))
    desk.do(extend(used_s=290), at_s=290)
    desk.do(expire_hold(), at_s=10_000)
    assert desk.wallet.balance_micros == 10 * UNIT - 95_000
    assert desk.do(settle(sequence=2, used_s=0), at_s=10_001).charge_micros == 0
    assert money(desk) == (10 * UNIT, 0, 0)
    assert desk.books.usage[1].fee_micros == -20_000
    assert (call_of(desk).state, call_of(desk).parts) == ("released", [])


def test_a_late_report_of_the_same_time_books_nothing_more():
    desk = funded(10 * UNIT)
    desk.do(authorize())
    desk.do(extend(used_s=290), at_s=290)
    desk.do(expire_hold(), at_s=10_000)
    settled = desk.do(settle(sequence=2, used_s=290), at_s=10_001)
    assert settled.charge_micros == 75_000
    assert len(desk.books.usage) == 1
    assert call_of(desk).state == "settled"


def test_a_late_report_of_more_than_the_money_makes_debt():
    desk = funded(75_000)
    desk.do(authorize())
    desk.do(extend(used_s=290), at_s=290)
    desk.do(expire_hold(), at_s=10_000)
    desk.do(settle(sequence=2, used_s=301), at_s=10_001)
    assert money(desk) == (-15_000, 0, 15_000)


def test_money_given_back_lessens_the_debt_first():
    """An expired lot would swallow it while the debt stays."""
    desk = Desk(fund(75_000, "F1", expires_ms=NOW_MS + 5_000_000))
    desk.do(authorize("C1"))
    desk.do(extend("C1", used_s=299), at_s=299)
    desk.do(expire_hold("C1"), at_s=1_000)
    desk.do(authorize("C2", rate=FREE), at_s=1_000)
    # C1 is charged whole; C3 has run over its grant elsewhere and left a debt.
    desk.do(fund(15_000, "F2"), at_s=1_000)
    desk.do(authorize("C3"), at_s=1_000)
    desk.do(settle("C3", used_s=119), at_s=1_119)
    assert money(desk) == (-15_000, 0, 15_000)
    desk.do(settle("C1", sequence=2, used_s=60), at_s=9_000)
    assert money(desk) == (45_000, 0, 0)
    assert desk.wallet.available_micros(desk.now_ms) == 0  # the rest went to the expired lot


def test_money_given_back_that_no_lot_can_take_is_a_lot_of_its_own():
    """The debt that the call made was paid since by funds: they get it back."""
    desk = funded(75_000)
    desk.do(authorize("C1"))
    desk.do(extend("C1", used_s=301, requested_s=1), at_s=299)
    assert desk.books.calls[SWITCH, "C1"].reported_s == 301
    desk.do(expire_hold("C1"), at_s=10_000)
    assert money(desk) == (-15_000, 0, 15_000)
    desk.do(fund(15_000, "F2"))
    assert money(desk) == (0, 0, 0)
    desk.do(settle("C1", sequence=2, used_s=0), at_s=10_001)
    assert money(desk) == (90_000, 0, 0)
    lot = desk.wallet.lots[-1]
    assert (lot.source, lot.amount_micros, lot.remaining_micros) == ("adjustment", 15_000, 15_000)


def test_a_running_call_keeps_what_it_holds_of_a_lot_that_expires():
    desk = Desk(fund(UNIT, expires_ms=NOW_MS + 200_000))
    desk.do(authorize())
    refused = desk.do(extend(used_s=300), at_s=300)
    assert refused.refusal.detail == "60 s to Germany cost 0.015 USD; 0 USD is available"
    assert desk.do(settle(sequence=2, used_s=300), at_s=301).charge_micros == 75_000
    assert money(desk) == (UNIT - 75_000, 0, 0)
    assert desk.wallet.available_micros(desk.now_ms) == 0
