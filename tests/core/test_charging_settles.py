"""What a call costs in the end, and who pays. Mirrors src/talktime/core/charging.py: settle."""

import pytest

from talktime.core.ledger import DEBT, REVENUE
from talktime.core.outcomes import Paid, Settled
from talktime.core.rating import Rate
from talktime.core.refusal import Refusal
from tests.commands import (
    FREE,
    GERMANY_WITH_FEE,
    NOW_MS,
    SWITCH,
    UNIT,
    Desk,
    answer,
    authorize,
    call_of,
    expire_hold,
    funded,
    money,
    settle,
)


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
    assert settled.paid_by == (Paid("credits", 300, 75_000), Paid("debt", 60, 15_000))
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


def test_what_became_debt_is_a_part_of_its_own_and_the_parts_are_the_whole():
    """The whole increments that credits cover are theirs; 0.005 of the next minute is debt's."""
    desk = funded(85_000)
    desk.do(authorize("C1"))
    settled = desk.do(settle("C1", used_s=302))
    assert settled.paid_by == (Paid("credits", 300, 85_000), Paid("debt", 60, 5_000))
    assert sum(part.seconds for part in settled.paid_by) == settled.billed_s
    assert sum(part.amount_micros for part in settled.paid_by) == settled.charge_micros


def test_a_call_whose_money_is_gone_is_all_debt():
    """C1 runs over what is free; the late report of C2, which held nothing any more, is debt."""
    desk = funded(90_000)
    desk.do(authorize("C2", requested_s=60))
    desk.do(expire_hold("C2"), at_s=1_000)
    desk.do(authorize("C1"), at_s=1_000)
    desk.do(settle("C1", used_s=360), at_s=1_360)
    settled = desk.do(settle("C2", used_s=61), at_s=1_361)
    assert settled.paid_by == (Paid("debt", 120, 30_000),)
    assert money(desk) == (-30_000, 0, 30_000)


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
        "month": "2026-01",
        "pool": "",
        "pool_s": 0,
        "post_micros": 0,
        "conference_id": "",
        "flags": (),
        "because": (
            "49 Germany at 0.015/min and 0.02 at answer, 60/60, 61 s billed as 120 s: 0.05 USD",
        ),
    }
