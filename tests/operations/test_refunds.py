"""What the operator gives back: voided where it is free, owed where it was spent (D15)."""

import pytest

from talktime.core.charges import Absent, Refunded, RefundFailed, Unknown
from talktime.core.refusal import Refusal
from talktime.operations.recharge_settings import resume
from talktime.operations.refunds import SEND, find_refund, next_refund_step, note_refund
from tests.shop import UNIT, Shop

pytestmark = pytest.mark.layouts("sqlite", "postgres")


@pytest.fixture
def shop(store):
    """An organisation with a card."""
    return Shop(store)


def test_a_refund_of_an_untouched_lot_takes_it_back(shop):
    """Source: D15."""
    payment = shop.buy(100 * UNIT)
    started = shop.refund(payment, 100 * UNIT)
    assert (started.replayed, started.refund.state) == (False, "asked")
    assert shop.went_back() == [("refund", "asked", 100 * UNIT, 0)]
    assert shop.money() == (0, 0, 0)
    assert shop.lots() == [("purchase", 0, 100 * UNIT)]
    assert shop.moved("refund") == [("refund", "lot", "funding", 100 * UNIT)]
    assert shop.payment(payment).refunded_micros == 100 * UNIT
    assert shop.documents() == [("invoice", 100 * UNIT), ("credit_note", -100 * UNIT)]
    assert shop.told("refund") == []
    shop.proven()


def test_what_is_spent_of_a_lot_becomes_a_debt(shop):
    payment = shop.buy(100 * UNIT)
    shop.spend(45 * UNIT)
    shop.refund(payment, 100 * UNIT)
    assert shop.went_back() == [("refund", "asked", 55 * UNIT, 45 * UNIT)]
    assert shop.money() == (-45 * UNIT, 0, 45 * UNIT)
    assert shop.moved("refund") == [
        ("refund", "lot", "funding", 55 * UNIT),
        ("refund", "debt", "funding", 45 * UNIT),
    ]
    shop.proven()


def test_a_part_that_is_free_leaves_no_debt(shop):
    payment = shop.buy(100 * UNIT)
    shop.spend(45 * UNIT)
    shop.refund(payment, 55 * UNIT)
    assert shop.went_back() == [("refund", "asked", 55 * UNIT, 0)]
    assert shop.money() == (0, 0, 0)
    shop.proven()


def test_the_next_funding_pays_the_debt_of_a_spent_lot_first(shop):
    payment = shop.buy(60 * UNIT)
    shop.spend(60 * UNIT)
    shop.refund(payment, 60 * UNIT)
    assert shop.went_back() == [("refund", "asked", 0, 60 * UNIT)]
    assert shop.money() == (-60 * UNIT, 0, 60 * UNIT)
    shop.buy(80 * UNIT)
    assert shop.money() == (20 * UNIT, 0, 0)
    assert shop.moved("debt_payment") == [("debt_payment", "lot", "debt", 60 * UNIT)]
    shop.proven()


def test_other_free_money_pays_the_debt_at_once(shop):
    payment = shop.buy(60 * UNIT)
    shop.spend(60 * UNIT)
    shop.give(80 * UNIT)
    shop.refund(payment, 60 * UNIT)
    assert shop.went_back() == [("refund", "asked", 0, 60 * UNIT)]
    assert shop.money() == (20 * UNIT, 0, 0)
    shop.proven()


def test_a_running_call_goes_on_within_what_it_was_granted(shop):
    payment = shop.buy(60 * UNIT)
    granted = shop.begin_call("running")
    assert granted.granted_s == 300
    assert shop.money() == (60 * UNIT, 75_000, 0)
    shop.refund(payment, 60 * UNIT)
    assert shop.went_back() == [("refund", "asked", 60 * UNIT - 75_000, 75_000)]
    assert shop.money() == (0, 75_000, 75_000)
    shop.proven()
    settled = shop.end_call("running", 60)
    assert settled.charge_micros == 15_000
    # What the call frees of its hold pays the debt: what it used is still owed.
    assert shop.money() == (-15_000, 0, 15_000)
    shop.proven()


def test_the_same_key_refunds_once(shop):
    payment = shop.buy(100 * UNIT)
    first = shop.refund(payment, 40 * UNIT)
    again = shop.refund(payment, 40 * UNIT)
    assert (again.replayed, again.refund) == (True, first.refund)
    assert shop.money() == (60 * UNIT, 0, 0)
    other = shop.refund(payment, 41 * UNIT)
    assert isinstance(other, Refusal)
    assert other.code == "idempotency_key_reused"
    assert shop.money() == (60 * UNIT, 0, 0)
    assert len(shop.went_back()) == 1


@pytest.mark.parametrize(
    ("micros", "code"),
    [
        (61 * UNIT, "amount_out_of_bounds"),
        (0, "amount_out_of_bounds"),
        (-1, "amount_out_of_bounds"),
        (5_000, "invalid_value"),
    ],
)
def test_no_more_is_refunded_than_was_paid(shop, micros, code):
    payment = shop.buy(100 * UNIT)
    shop.refund(payment, 40 * UNIT)
    refused = shop.refund(payment, micros, key="R2")
    assert isinstance(refused, Refusal)
    assert refused.code == code
    assert shop.money() == (60 * UNIT, 0, 0)
    assert shop.payment(payment).refunded_micros == 40 * UNIT
    assert len(shop.went_back()) == 1


def test_nothing_is_refunded_of_what_was_not_paid(shop):
    shop.card.behaviour = "short"
    payment = shop.buy(100 * UNIT)
    assert shop.refund(payment, UNIT).code == "payment_not_possible"
    assert shop.refund(5, UNIT).code == "unknown_payment"
    assert shop.went_back() == []


def test_an_invoice_is_given_back_by_hand(shop):
    payment = shop.buy_by_invoice(100 * UNIT)
    assert shop.refund(payment, 40 * UNIT).code == "invalid_value"
    started = shop.refund(payment, 40 * UNIT, reference="transfer 12")
    assert (started.refund.state, started.refund.due_ms) == ("done", None)
    assert started.refund.provider_ref == "transfer 12"
    assert shop.money() == (60 * UNIT, 0, 0)
    assert shop.told("refund") == ["refund.done"]
    card = shop.buy(50 * UNIT)
    assert shop.refund(card, 10 * UNIT, "R2", reference="transfer 13").code == "invalid_value"
    shop.proven()


def test_a_done_refund_is_told_once(shop):
    payment = shop.buy(100 * UNIT)
    refund = shop.refund(payment, 40 * UNIT).refund
    for _ in range(2):
        note_refund(shop.counter, payment, refund.id, Refunded("re_1"))
    found = find_refund(shop.counter, refund.id)
    assert (found.state, found.provider_ref, found.due_ms) == ("done", "re_1", None)
    assert shop.told("refund") == ["refund.done"]


def test_a_failed_refund_puts_all_of_it_back(shop):
    payment = shop.buy(100 * UNIT)
    shop.spend(45 * UNIT)
    refund = shop.refund(payment, 100 * UNIT).refund
    for _ in range(2):
        note_refund(shop.counter, payment, refund.id, RefundFailed("the account is closed"))
    found = find_refund(shop.counter, refund.id)
    assert found.state == "failed"
    assert found.detail == "The provider could not refund it: the account is closed"
    assert shop.money() == (55 * UNIT, 0, 0)
    assert shop.lots() == [("purchase", 55 * UNIT, 100 * UNIT)]
    assert shop.payment(payment).refunded_micros == 0
    assert shop.moved("reinstatement") == [
        ("reinstatement", "funding", "lot", 55 * UNIT),
        ("reinstatement", "funding", "debt", 45 * UNIT),
    ]
    assert [amount for _, amount in shop.documents()] == [100 * UNIT, -100 * UNIT, 100 * UNIT]
    shop.proven()


def test_a_refund_that_failed_and_went_after_all_is_taken_again(shop):
    payment = shop.buy(100 * UNIT)
    refund = shop.refund(payment, 100 * UNIT).refund
    note_refund(shop.counter, payment, refund.id, RefundFailed("closed"))
    assert shop.money() == (100 * UNIT, 0, 0)
    note_refund(shop.counter, payment, refund.id, Refunded("re_1"))
    assert shop.money() == (0, 0, 0)
    assert shop.payment(payment).refunded_micros == 100 * UNIT
    shop.proven()


def test_an_answer_that_did_not_come_is_asked_for_later(shop):
    """Source: D3."""
    payment = shop.buy(100 * UNIT)
    refund = shop.refund(payment, 100 * UNIT).refund
    began_ms = shop.now_ms
    asked_at = []
    for _ in range(4):
        found = note_refund(shop.counter, payment, refund.id, Unknown("no answer"))
        asked_at.append((found.due_ms - began_ms) // 60_000)
        shop.now_ms = found.due_ms
    assert asked_at == [5, 60, 24 * 60, 48 * 60]
    assert shop.money() == (0, 0, 0)


def test_an_absent_refund_is_sent_again_and_given_up_after_twenty_hours(shop):
    payment = shop.buy(100 * UNIT)
    refund = shop.refund(payment, 100 * UNIT).refund
    note_refund(shop.counter, payment, refund.id, Unknown("no answer"))
    shop.wait(minutes=5)
    found = note_refund(shop.counter, payment, refund.id, Absent())
    assert found.state == "asked"
    assert next_refund_step(shop.counter, refund.id).verb == SEND
    shop.wait(hours=20)
    found = note_refund(shop.counter, payment, refund.id, Absent())
    assert (found.state, found.detail) == ("failed", "The provider has no such refund")
    assert shop.money() == (100 * UNIT, 0, 0)
    shop.proven()


def test_a_frozen_recharge_buys_nothing_and_cannot_be_resumed(shop):
    """Source: D15."""
    payment = shop.buy(60 * UNIT)
    shop.recharge_on(10 * UNIT, 50 * UNIT)
    shop.spend(48 * UNIT)
    shop.refund(payment, 60 * UNIT)
    standing = shop.recharge()
    assert standing.standing.words == "What went back has left a debt: 48 USD is owed"
    assert standing.recharge.paused_code == "refunded"
    assert standing.attempt is None
    assert shop.told("recharge") == ["recharge.paused"]
    assert resume(shop.counter, actor="admin").code == "payment_not_possible"
    shop.wait(hours=1)
    shop.recharge_on(20 * UNIT, 60 * UNIT)
    assert shop.recharge().standing.code == "in_debt"
    assert shop.recharge().recharge.paused_ms == shop.now_ms - 3_600_000
    shop.buy(80 * UNIT)
    assert shop.money() == (32 * UNIT, 0, 0)
    assert shop.recharge().standing.code == "paused"
    assert resume(shop.counter, actor="admin").standing.code == "above_trigger"
    shop.proven()
