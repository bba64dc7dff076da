"""Cards that were removed are detached at their providers. Mirrors src/talktime/jobs/cards.py."""

import pytest

from talktime.core.payments import PaymentMethod
from talktime.jobs.cards import forget_cards
from talktime.jobs.payments import collect_payments
from talktime.operations.payment_methods import add_method, remove_method
from talktime.operations.purchases import find_payment
from tests.providers.conftest import a_charge, new_provider, provider, stripe_
from tests.providers.test_payment_sandbox import Box
from tests.shop import UNIT, Shop

__all__ = ["new_provider", "provider", "stripe_"]
pytestmark = pytest.mark.layouts("sqlite", "postgres")
FORGET, SINCE = "forget_card", "SELECT forget_ms FROM payment_method WHERE id = ?"


@pytest.fixture
def shop(store):
    """An organisation with a card."""
    return Shop(store)


def forget_ms(shop, method_id):
    with shop.cell.reading():
        return shop.cell.rows(SINCE, [method_id])[0][0]


def remove(shop, method_id):
    return remove_method(shop.counter, method_id)


def card_at(shop, name, method_ref, customer_ref="cus_1"):
    """A card at a provider as a method of the organisation's; its id."""
    method = PaymentMethod(
        *(shop.ids.next(), shop.organisation.id, "card", "active", 0, name, customer_ref),
        *(method_ref, "Visa", "4242", 2031, 4, "", "", shop.now_ms, "admin"),
    )
    with shop.cell.transaction():
        add_method(shop.cell, method)
    return method.id


def test_a_card_that_was_removed_is_forgotten_once_and_one_in_use_never(shop):
    shop.add_card(shop.bank.issue())
    assert shop.run(forget_cards) == 0
    remove(shop, shop.method_id)
    assert forget_ms(shop, shop.method_id) == shop.now_ms
    assert [shop.run(forget_cards) for _ in range(3)] == [1, 0, 0]
    assert (shop.bank.asked.count(FORGET), shop.card.forgotten) == (1, True)
    assert forget_ms(shop, shop.method_id) is None


def test_a_card_is_not_forgotten_while_a_charge_of_it_may_be_on_its_way(shop):
    """D3: what was asked of it is asked about first."""
    shop.bank.time_out_after = 1.0
    payment_id = shop.buy(50 * UNIT)
    assert find_payment(shop.counter, payment_id).state == "unknown"
    remove(shop, shop.method_id)
    assert shop.run(forget_cards) == 0
    shop.bank.time_out_after = 0.0
    shop.wait(minutes=6)
    shop.run(collect_payments)
    assert shop.money() == (50 * UNIT, 0, 0)
    assert shop.run(forget_cards) == 1
    assert shop.card.forgotten


def test_a_provider_that_is_away_is_asked_again_after_an_hour(shop):
    remove(shop, shop.method_id)
    shop.bank.down = True
    assert [shop.run(forget_cards) for _ in range(2)] == [1, 0]
    shop.bank.down = False
    shop.wait(minutes=59)
    assert shop.run(forget_cards) == 0
    shop.wait(minutes=1)
    assert [shop.run(forget_cards) for _ in range(2)] == [1, 0]
    assert shop.card.forgotten


def test_a_provider_that_is_gone_is_named_and_stops_no_other(shop):
    gone = card_at(shop, "gone", "pm_1")
    remove(shop, gone)
    remove(shop, shop.method_id)
    swept = forget_cards(shop.sweep, shop.providers)
    assert (swept.rows, len(swept.failures)) == (1, 1)
    assert "there is no payment provider 'gone'" in swept.failures[0]
    assert shop.card.forgotten


def test_the_sandbox_declines_a_card_that_was_removed(shop, store):
    box = Box(store)
    shop.providers["sandbox"] = box.provider
    method_ref = box.card("approve")
    remove(shop, card_at(shop, "sandbox", method_ref))
    assert [shop.run(forget_cards) for _ in range(2)] == [1, 0]
    assert box.provider.charge(a_charge(method_ref)).code == "unknown_card"


@pytest.mark.layouts("sqlite")
def test_a_card_that_was_removed_is_detached_at_stripe(shop, stripe_, provider):
    shop.providers["stripe"] = provider
    page = provider.begin_card(51, shop.organisation.id, "", "Contoso", "https://t.example/back")
    method_ref = stripe_.account.complete(page.setup_ref, brand="visa", last4="4242")
    remove(shop, card_at(shop, "stripe", method_ref, page.customer_ref))
    assert stripe_.account.cards[method_ref]["customer"] == page.customer_ref
    assert [shop.run(forget_cards) for _ in range(2)] == [1, 0]
    assert stripe_.account.cards[method_ref]["customer"] is None
