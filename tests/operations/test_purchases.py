"""Buying credits once. Mirrors src/talktime/operations/purchases.py."""

import pytest

from talktime.core.documents import Seller
from talktime.core.payments import UP_TO
from talktime.core.recharging import NotWanted
from talktime.core.refusal import Refusal
from talktime.jobs.payments import collect_payments
from talktime.operations.eligibility import why_not_buy
from talktime.operations.payment_methods import add_invoice
from talktime.operations.purchases import (
    Purchase,
    Terms,
    cancel_payment,
    confirm_receipt,
    find_payment,
    start_purchase,
    terms_of,
)
from talktime.operations.recharge_settings import RechargePlan, set_recharge
from talktime.operations.till import NoWallet
from talktime.store.organisations import insert_wallet
from tests.contents import cell_contents
from tests.shop import NOW_MS, UNIT, Shop

pytestmark = pytest.mark.layouts("sqlite", "postgres")
PAYMENTS = "SELECT kind, state, amount_micros, po_number, actor FROM payment ORDER BY id"


@pytest.fixture
def shop(store):
    return Shop(store)


@pytest.fixture
def invoice(shop):
    return add_invoice(
        shop.cell,
        shop.organisation,
        agreement="EA-1",
        po_number="PO 1",
        actor="admin",
        now_ms=shop.now_ms,
        next_id=shop.ids.next,
    )


def start(shop, counter=None, **said):
    """Start to buy 50 by card, but for what is said."""
    asked = {
        "amount_micros": 50 * UNIT,
        "method_id": shop.method_id,
        "idempotency_key": "key 1",
        "actor": "admin",
        "why_not": None,
    }
    return start_purchase(counter or shop.counter, **(asked | said))


def payments(shop):
    """The payments as they stand."""
    with shop.cell.reading():
        return shop.cell.rows(PAYMENTS)


def contents(shop):
    """All that a refusal may not change."""
    return cell_contents(shop.cell), payments(shop), shop.told("")


def test_the_expiry_and_the_terms_are_known_before_anything_is_bought(shop):
    """R2, R12, D5: twelve months later at the same local time."""
    terms = terms_of(shop.counter, 50 * UNIT, None)
    assert isinstance(terms, Terms)
    assert (terms.amount_micros, terms.expires_ms) == (50 * UNIT, NOW_MS + 365 * 86_400_000)
    assert terms.terms
    assert payments(shop) == []


def test_a_purchase_by_card_is_charged_by_the_job_and_credited_with_an_invoice_and_a_notice(shop):
    """R2, R9, R18: one of each."""
    started = start(shop)
    assert isinstance(started, Purchase)
    assert (started.replayed, started.payment.state) == (False, "charging")
    assert shop.money() == (0, 0, 0)
    assert shop.run(collect_payments) == 1
    assert payments(shop) == [("purchase", "succeeded", 50 * UNIT, "", "admin")]
    assert shop.lots() == [("purchase", 50 * UNIT, 50 * UNIT)]
    assert shop.documents() == [("invoice", 50 * UNIT)]
    assert shop.told("purchase.") == ["purchase.succeeded"]
    assert shop.run(collect_payments) == 0
    shop.proven()


def test_the_same_key_and_request_is_the_same_purchase_before_and_after_it_was_paid(shop):
    """R16, R69."""
    first = start(shop)
    again = start(shop)
    assert (again.payment.id, again.replayed) == (first.payment.id, True)
    shop.run(collect_payments)
    paid = start(shop)
    assert (paid.payment.id, paid.payment.state, paid.replayed) == (
        *(first.payment.id, "succeeded", True),
    )
    assert shop.run(collect_payments) == 0
    assert shop.money() == (50 * UNIT, 0, 0)


@pytest.mark.parametrize(
    "said", [{"amount_micros": 51 * UNIT}, {"method_id": 5}, {"po_number": "PO 2"}]
)
def test_the_same_key_with_another_request_is_refused_and_nothing_changes(shop, said):
    """R69."""
    start(shop)
    before = contents(shop)
    assert start(shop, **said).code == "idempotency_key_reused"
    assert contents(shop) == before


def test_the_key_of_a_recharge_buys_nothing(shop):
    """R69: keys are those of all payments."""
    shop.recharge_on(100 * UNIT, 200 * UNIT)
    attempt = shop.recharge().attempt
    refused = start(shop, idempotency_key=attempt.idempotency_key)
    assert refused.code == "idempotency_key_reused"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"amount_micros": 50 * UNIT - 1}, "amount_out_of_bounds"),
        ({"amount_micros": 0}, "amount_out_of_bounds"),
        ({"amount_micros": -50 * UNIT}, "amount_out_of_bounds"),
        ({"amount_micros": 10**15}, "amount_out_of_bounds"),
        ({"amount_micros": 50 * UNIT + 9_999}, "invalid_value"),
        ({"method_id": 4711}, "unknown_payment_method"),
        ({"po_number": "PO 7"}, "invalid_value"),
        ({"po_number": "PO\n7"}, "invalid_value"),
        ({"idempotency_key": ""}, "invalid_value"),
        ({"idempotency_key": " x"}, "invalid_value"),
        ({"actor": ""}, "invalid_value"),
        ({"why_not": Refusal("credits_not_offered", "a reason")}, "credits_not_offered"),
    ],
)
def test_what_is_not_in_order_is_refused_and_nothing_changes(shop, said, code):
    """R6, R7, R10."""
    before = contents(shop)
    assert start(shop, **said).code == code
    assert contents(shop) == before
    assert shop.run(collect_payments) == 0


def test_a_po_number_goes_with_an_invoice_its_own_or_that_of_the_agreement(shop, invoice):
    """R10."""
    start(shop, method_id=invoice.id, po_number="PO 2", idempotency_key="a")
    start(shop, method_id=invoice.id, idempotency_key="b")
    assert [row[1:4] for row in payments(shop)] == [
        ("invoiced", 50 * UNIT, "PO 2"),
        ("invoiced", 50 * UNIT, "PO 1"),
    ]
    assert shop.told("purchase.") == ["purchase.invoiced"] * 2
    assert shop.run(collect_payments) == 0
    assert shop.money() == (0, 0, 0)


def test_an_order_says_what_to_name_and_where_the_money_goes(shop, invoice):
    """R10: there is no invoice before the money is there."""
    counter = shop.counter._replace(seller=Seller("Fabrikam", bank="IBAN NO00"))
    at = {"now_ms": shop.now_ms, "next_id": shop.ids.next, "actor": "admin"}
    plain = add_invoice(shop.cell, shop.organisation, agreement="EA-2", **at)
    payment_ids = [
        start(
            shop, who, method_id=method_id, po_number=po, idempotency_key=f"key {method_id}"
        ).payment.id
        for who, method_id, po in ((counter, invoice.id, "PO 2"), (shop.counter, plain.id, ""))
    ]
    told = [(facts["reference"], facts["bank"]) for facts in shop.facts("purchase.invoiced")]
    assert told == [("PO 2", "IBAN NO00"), (str(payment_ids[1]), None)]


def test_an_order_that_is_not_paid_is_called_to_mind_once_then_given_up(shop, invoice):
    payment_id = start(shop, method_id=invoice.id).payment.id
    for days, told in ((13, 0), (1, 1), (45, 1)):
        shop.wait(days=days)
        assert shop.run(collect_payments) == 0
        assert shop.told("purchase.") == ["purchase.invoiced"] + ["purchase.reminded"] * told
    assert find_payment(shop.counter, payment_id).state == "invoiced"
    shop.wait(days=1)
    for _ in range(2):
        shop.run(collect_payments)
        given_up = find_payment(shop.counter, payment_id)
        assert (given_up.state, given_up.code) == ("cancelled", "not_paid")
        assert shop.told("purchase.")[2:] == ["purchase.failed"]
    refused = confirm_receipt(shop.counter, payment_id, reference="slip", actor="operator")
    assert refused.code == "payment_not_possible"
    assert shop.money() == (0, 0, 0)


def test_an_order_that_was_paid_after_its_reminder_is_not_given_up(shop, invoice):
    payment_id = start(shop, method_id=invoice.id).payment.id
    shop.wait(days=20)
    shop.run(collect_payments)
    confirm_receipt(shop.counter, payment_id, reference="slip", actor="operator")
    shop.wait(days=90)
    assert shop.run(collect_payments) == 0
    assert find_payment(shop.counter, payment_id).state == "succeeded"
    assert shop.money() == (50 * UNIT, 0, 0)


def test_an_invoice_is_credited_once_when_the_operator_has_the_money(shop, invoice):
    """R10, R12, R18."""
    payment_id = start(shop, method_id=invoice.id).payment.id
    shop.wait(days=20)
    for _ in range(2):
        paid = confirm_receipt(shop.counter, payment_id, reference="slip 7", actor="operator")
        assert (paid.state, paid.actor) == ("succeeded", "admin")  # who bought, not who confirmed
    assert shop.money() == (50 * UNIT, 0, 0)
    with shop.cell.reading():
        [(actor, bought_ms)] = shop.cell.rows("SELECT actor, purchased_ms FROM lot")
    assert (actor, bought_ms) == ("operator", NOW_MS + 20 * 86_400_000)
    assert shop.documents() == [("invoice", 50 * UNIT)]
    assert shop.told("purchase.") == ["purchase.invoiced", "purchase.succeeded"]
    shop.proven()


def test_an_invoice_that_was_given_up_is_not_confirmed_nor_one_confirmed_given_up(shop, invoice):
    """R10."""
    first = start(shop, method_id=invoice.id, idempotency_key="a").payment.id
    second = start(shop, method_id=invoice.id, idempotency_key="b").payment.id
    assert cancel_payment(shop.counter, first, reason="never paid").state == "cancelled"
    confirm_receipt(shop.counter, second, reference="slip", actor="operator")
    before = contents(shop)
    refused = confirm_receipt(shop.counter, first, reference="slip", actor="operator")
    assert refused.code == "payment_not_possible"
    refused = cancel_payment(shop.counter, second, reason="too late")
    assert refused.code == "payment_not_possible"
    refused = confirm_receipt(shop.counter, second, reference="", actor="operator")
    assert refused.code == "invalid_value"
    assert contents(shop) == before


def test_a_charge_that_is_on_its_way_is_not_given_up(shop):
    """D3: money is, or may be, on its way."""
    payment_id = start(shop).payment.id
    refused = cancel_payment(shop.counter, payment_id, reason="changed my mind")
    assert refused.code == "payment_not_possible"
    shop.run(collect_payments)
    assert shop.money() == (50 * UNIT, 0, 0)


def test_a_recharge_that_waits_is_given_up_and_none_follows_until_it_is_resumed(shop):
    """R16, R20: another would ask the same card again at once."""
    shop.card.behaviour = "short"
    shop.recharge_on(100 * UNIT, 200 * UNIT)
    shop.run(collect_payments)
    attempt = shop.recharge().attempt
    shop.wait(minutes=10)
    cancel_payment(shop.counter, attempt.id, reason="the card is empty")
    assert shop.recharge().standing == NotWanted("paused", "the card is empty")
    assert [row[:2] for row in payments(shop)] == [("recharge", "cancelled")]


def test_a_payment_that_there_is_not_is_unknown(shop):
    assert find_payment(shop.counter, 5).code == "unknown_payment"
    assert cancel_payment(shop.counter, 5, reason="x").code == "unknown_payment"
    refused = confirm_receipt(shop.counter, 5, reference="x", actor="operator")
    assert refused.code == "unknown_payment"


def test_an_operator_buys_for_an_organisation_of_a_reseller(shop, invoice):
    """R7: which may not buy by itself, nor recharge."""
    rules = shop.organisation.rules._replace(sold_by_reseller=True)
    shop.organisation = shop.organisation._replace(rules=rules)
    catalogue = shop.catalogue()
    mine = why_not_buy(catalogue, shop.organisation)
    assert start(shop, why_not=mine).code == "credits_not_offered"
    by_operator = why_not_buy(catalogue, shop.organisation, by_operator=True)
    assert by_operator is None
    bought = start(shop, why_not=by_operator, method_id=invoice.id)
    assert isinstance(bought, Purchase)
    plan = RechargePlan(True, 100 * UNIT, 200 * UNIT, UP_TO)
    refused = set_recharge(shop.counter, plan, actor="operator", why_not=None)
    assert refused.code == "credits_not_offered"


def test_who_was_moved_to_another_model_meanwhile_cannot_buy(shop):
    """R71, D14: the wallet's mark decides, though nobody knew of it when it was asked."""
    with shop.cell.transaction():
        shop.cell.run(
            "UPDATE wallet SET no_buying = 'moving' WHERE organisation_id = ?",
            [shop.organisation.id],
        )
    assert start(shop).code == "credits_not_offered"
    assert payments(shop) == []


def test_an_organisation_without_a_wallet_is_refused_or_raised(shop):
    """A lost cell: nothing is made up for it."""
    shop.organisation = shop.organisation._replace(id=4711)
    assert start(shop).code == "unknown_organisation"
    for ask in (
        lambda: cancel_payment(shop.counter, 5, reason="x"),
        lambda: confirm_receipt(shop.counter, 5, reference="x", actor="y"),
        shop.recharge,
    ):
        with pytest.raises(NoWallet, match="organisation 4711 has no wallet"):
            ask()


def test_purchases_of_one_organisation_are_not_found_by_another(shop):
    payment_id = start(shop).payment.id
    other = shop.organisation._replace(id=4712)
    with shop.cell.transaction():
        insert_wallet(shop.cell, other.id, "USD")
    shop.organisation = other
    assert find_payment(shop.counter, payment_id).code == "unknown_payment"
    assert start(shop).code == "unknown_payment_method"
