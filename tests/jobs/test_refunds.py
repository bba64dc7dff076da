"""Refunds at the bank: once each, whatever the way there does."""

import pytest

from talktime.jobs.provider_events import reconcile_payments
from talktime.jobs.refunds import refund_payments
from talktime.operations.refunds import find_refund
from tests.shop import UNIT, Shop

pytestmark = pytest.mark.layouts("sqlite", "postgres")


@pytest.fixture
def shop(store):
    """An organisation with a card."""
    return Shop(store)


def gone_back(shop):
    """What the bank really gave back."""
    return [m.amount_micros for m in shop.bank.movements if m.kind == "refund"]


def test_a_refund_is_done_by_the_provider(shop):
    payment = shop.buy(100 * UNIT)
    refund = shop.refund(payment, 40 * UNIT).refund
    assert shop.run(refund_payments) == 1
    found = find_refund(shop.counter, refund.id)
    assert (found.state, found.due_ms) == ("done", None)
    assert found.provider_ref.startswith("refund_")
    assert gone_back(shop) == [-40 * UNIT]
    assert shop.run(refund_payments) == 0
    assert shop.told("refund") == ["refund.done"]
    assert shop.bank.kept_micros(shop.organisation.id) == 60 * UNIT
    shop.proven()


def test_a_refund_whose_answer_was_lost_is_asked_about_not_sent_again(shop):
    """Source: D3."""
    payment = shop.buy(100 * UNIT)
    refund = shop.refund(payment, 40 * UNIT).refund
    shop.bank.time_out_after = 1.0
    shop.run(refund_payments)
    assert find_refund(shop.counter, refund.id).state == "unknown"
    assert gone_back(shop) == [-40 * UNIT]
    assert shop.run(refund_payments) == 0
    shop.bank.time_out_after = 0.0
    shop.wait(minutes=5)
    shop.run(refund_payments)
    assert find_refund(shop.counter, refund.id).state == "done"
    assert shop.bank.asked[-2:] == ["refund", "find_refund"]
    assert gone_back(shop) == [-40 * UNIT]
    shop.proven()


def test_a_refund_that_never_arrived_is_sent_again_with_its_id(shop):
    payment = shop.buy(100 * UNIT)
    refund = shop.refund(payment, 40 * UNIT).refund
    shop.bank.down = True
    shop.run(refund_payments)
    shop.bank.down = False
    shop.wait(minutes=5)
    shop.run(refund_payments)
    assert find_refund(shop.counter, refund.id).state == "asked"
    assert gone_back(shop) == []
    shop.run(refund_payments)
    assert find_refund(shop.counter, refund.id).state == "done"
    assert gone_back(shop) == [-40 * UNIT]
    shop.proven()


def test_a_refund_that_arrives_late_is_done_once(shop):
    payment = shop.buy(100 * UNIT)
    refund = shop.refund(payment, 40 * UNIT).refund
    shop.bank.arrive_late, shop.bank.late_ms = 1.0, 360_000
    shop.run(refund_payments)
    shop.bank.arrive_late = 0.0
    shop.wait(minutes=5)
    shop.run(refund_payments)  # absent, so it is to be sent again
    shop.wait(minutes=2)
    shop.run(refund_payments)
    assert find_refund(shop.counter, refund.id).state == "done"
    assert gone_back(shop) == [-40 * UNIT]
    shop.proven()


def test_a_refund_that_the_provider_refuses_is_taken_back(shop):
    payment = shop.buy(100 * UNIT)
    refund = shop.refund(payment, 40 * UNIT).refund
    shop.bank.refunds_fail = True
    shop.run(refund_payments)
    found = find_refund(shop.counter, refund.id)
    assert found.state == "failed"
    assert found.detail == "The provider could not refund it: the bank cannot refund this"
    assert shop.money() == (100 * UNIT, 0, 0)
    assert gone_back(shop) == []
    shop.proven()


def test_a_dispute_that_had_no_room_is_booked_whole_when_the_refund_has_failed(shop):
    """Source: D15."""
    payment = shop.buy(100 * UNIT)
    shop.refund(payment, 40 * UNIT)
    shop.bank.dispute(shop.charge_of(payment))
    shop.run(reconcile_payments)
    assert shop.went_back() == [
        ("refund", "asked", 40 * UNIT, 0),
        ("chargeback", "open", 60 * UNIT, 0),
    ]
    shop.bank.refunds_fail = True
    shop.run(refund_payments)
    assert shop.went_back() == [
        ("refund", "failed", 40 * UNIT, 0),
        ("chargeback", "open", 60 * UNIT, 0),
        ("chargeback", "open", 40 * UNIT, 0),
    ]
    assert shop.money() == (0, 0, 0)
    shop.proven()


def test_keys_that_are_refused_leave_a_refund_open(shop):
    payment = shop.buy(100 * UNIT)
    refund = shop.refund(payment, 40 * UNIT).refund
    shop.bank.misconfigured = True
    shop.run(refund_payments)
    found = find_refund(shop.counter, refund.id)
    assert (found.state, found.detail) == ("unknown", "the bank does not take the key")
    assert shop.money() == (60 * UNIT, 0, 0)
