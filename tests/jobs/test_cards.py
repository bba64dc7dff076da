"""Cards, from the wish to add one to the method that can be charged."""

import pytest

from talktime.core.refusal import Refusal
from talktime.jobs.cards import add_cards
from talktime.operations.card_setups import begin_card, find_card_setup
from talktime.operations.payment_methods import list_methods
from tests.shop import NOW_MS, UNIT, Shop

pytestmark = pytest.mark.layouts("sqlite", "postgres")


@pytest.fixture
def shop(store):
    """An organisation with a card."""
    return Shop(store)


@pytest.fixture
def begun(shop):
    """A second card is being added."""
    return begin_card(
        shop.counter, provider="bank", return_url="https://us.example/credits", actor="admin"
    )


def test_a_card_that_was_entered_becomes_the_last_method(shop, begun):
    assert (begun.state, begun.url, begun.due_ms) == ("started", "", NOW_MS)
    assert shop.run(add_cards) == 1
    waiting = find_card_setup(shop.counter, begun.id)
    assert (waiting.state, waiting.url) == ("waiting", f"https://bank.example/{waiting.setup_ref}")
    assert waiting.customer_ref == shop.card.customer_ref
    shop.bank.enter_card(begun.id)
    shop.wait(s=5)
    shop.run(add_cards)
    done = find_card_setup(shop.counter, begun.id)
    assert (done.state, done.due_ms) == ("done", None)
    methods = list_methods(shop.cell, shop.organisation)
    assert [method.id for method in methods] == [shop.method_id, done.method_id]
    assert methods[1].name == "Visa ending 4242"
    shop.buy(50 * UNIT, done.method_id)
    assert shop.money() == (50 * UNIT, 0, 0)
    shop.wait(s=5)
    assert shop.run(add_cards) == 0
    assert len(list_methods(shop.cell, shop.organisation)) == 2


def test_a_card_is_asked_for_often_then_seldom_then_given_up(shop, begun):
    shop.run(add_cards)
    asked_after_s = []
    while (found := find_card_setup(shop.counter, begun.id)).state == "waiting":
        shop.now_ms = found.due_ms
        shop.run(add_cards)
        asked_after_s.append((shop.now_ms - NOW_MS) // 1_000)
    assert asked_after_s[:3] == [5, 10, 15]
    assert asked_after_s[118:] == [595, 600, *range(4_200, 87_001, 3_600)]
    assert (found.state, found.detail) == ("failed", "No card was entered within a day")
    assert len(list_methods(shop.cell, shop.organisation)) == 1


def test_a_closed_page_says_why(shop, begun):
    shop.run(add_cards)
    shop.bank.close_page(begun.id)
    shop.wait(s=5)
    shop.run(add_cards)
    found = find_card_setup(shop.counter, begun.id)
    assert (found.state, found.detail) == ("failed", "the page was not used in time")


def test_a_page_whose_answer_was_lost_is_the_same_page(shop, begun):
    shop.bank.time_out_after = 1.0
    shop.run(add_cards)
    assert find_card_setup(shop.counter, begun.id).state == "started"
    shop.bank.time_out_after = 0.0
    shop.wait(s=5)
    shop.run(add_cards)
    assert find_card_setup(shop.counter, begun.id).state == "waiting"
    assert len(shop.bank.pages) == 1


def test_only_so_many_cards_are_added_at_once(shop):
    asked = {"provider": "bank", "return_url": "https://us.example/", "actor": "admin"}
    begun = [begin_card(shop.counter, **asked) for _ in range(21)]
    assert [isinstance(each, Refusal) for each in begun] == [False] * 20 + [True]
    assert begun[-1].code == "invalid_value"


def test_a_card_whose_provider_is_gone_is_given_up_after_a_day(shop):
    begun = begin_card(
        shop.counter, provider="gone", return_url="https://us.example/credits", actor="admin"
    )
    counted = 0
    while (found := find_card_setup(shop.counter, begun.id)).due_ms is not None:
        shop.now_ms = found.due_ms
        add_cards(shop.sweep, shop.providers)
        counted += 1
    assert found.state == "failed"
    assert counted < 150
