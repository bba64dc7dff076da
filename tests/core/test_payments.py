"""Payments, their tries, and the till. Mirrors src/talktime/core/payments.py."""

import pytest

from talktime.core.payments import (
    CONFIRMING,
    OPEN_STATES,
    OVER_STATES,
    PaymentMethod,
    PaymentTry,
    Till,
)
from tests.commands import NOW_MS, ORGANISATION, UNIT
from tests.tills import Office, card, plan


def try_():
    """A try that is to be sent."""
    return PaymentTry(
        *(1, ORGANISATION, 2, 1, 3, "bank", "sending", UNIT, "", "", ""), asked=0, created_ms=NOW_MS
    )


@pytest.mark.parametrize("state", OPEN_STATES)
def test_an_open_payment_has_its_next_step_and_the_page_only_while_it_is_confirmed(state):
    """D3."""
    payment = Office(99).attempt
    payment.action_url = "https://bank.example/1"
    payment.move(state, NOW_MS + 5, due_ms=NOW_MS + 10)
    assert payment.open
    assert (payment.due_ms, payment.closed_ms) == (NOW_MS + 10, None)
    assert payment.action_url == ("https://bank.example/1" if state == CONFIRMING else "")


@pytest.mark.parametrize("state", OVER_STATES)
def test_a_payment_that_is_over_is_not_looked_at_again_and_keeps_when_it_was_first_over(state):
    """R18, D3."""
    payment = Office(99).attempt
    payment.move(state, NOW_MS + 5, due_ms=NOW_MS + 10)
    payment.move("succeeded", NOW_MS + 7)
    assert not payment.open
    assert (payment.due_ms, payment.closed_ms, payment.state) == (None, NOW_MS + 5, "succeeded")


def test_a_try_is_open_until_it_is_known_what_became_of_it():
    """D3."""
    for state in ("sending", "unknown", "confirming"):
        each = try_()
        each.move(state, NOW_MS)
        assert each.closed_ms is None
    for state in ("succeeded", "declined", "refused", "cancelled"):
        each = try_()
        each.move(state, NOW_MS + 1, "code", "detail")
        assert (each.closed_ms, each.code, each.detail) == (NOW_MS + 1, "code", "detail")


def test_the_cards_are_tried_in_the_order_of_the_methods_and_invoices_are_none_of_them():
    """R10, D3."""
    invoice = PaymentMethod(
        *(9, ORGANISATION, "invoice", "active", 0, "", "", "", "", "", None, None, "EA-1", "PO 7"),
        *(NOW_MS, "admin"),
    )
    till = Till(ORGANISATION, plan(), [], [invoice, card(2), card(1)])
    assert [method.id for method in till.cards()] == [2, 1]
    assert till.method(9) == invoice
    assert till.method(8) is None
    assert (invoice.name, card(1).name) == ("Invoice, agreement EA-1", "Visa ending 0001")


def test_there_is_one_open_recharge_and_purchases_are_none():
    """R9, R16."""
    office = Office(99)
    office.buy(50)
    with office.at_the_till() as collector:
        assert collector.till.open_recharge() is office.attempt
    office.attempt.move("failed", NOW_MS)
    office.recharge.pause("x", "y", NOW_MS)
    with office.at_the_till() as collector:
        assert collector.till.open_recharge() is None


def test_a_recharge_paid_after_it_was_given_up_counts_against_the_caps():
    """D2."""
    payment = Office(99).attempt
    begun = (payment.created_ms, payment.amount_micros)
    till = Till(ORGANISATION, plan(), started=[(*begun, False), (NOW_MS - 1, UNIT, True)])
    till.note_paid(payment)
    till.note_paid(payment)
    assert sorted(till.started) == [(NOW_MS - 1, UNIT, True), (*begun, True)]
