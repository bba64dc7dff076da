"""Deadlines and late reports. Mirrors src/talktime/core/charging.py: expire, and settle
afterwards."""

from talktime.core.outcomes import HoldExpired, Paid
from tests.commands import (
    FREE,
    GERMANY_WITH_FEE,
    NOW_MS,
    SWITCH,
    UNIT,
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
    settled = desk.do(settle(sequence=2, used_s=301), at_s=10_001)
    assert settled.paid_by == (Paid("credits", 300, 75_000), Paid("debt", 60, 15_000))
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
