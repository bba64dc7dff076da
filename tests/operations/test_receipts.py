"""Who says that an invoice's money is there. Mirrors src/talktime/operations/receipts.py."""

import pytest

from talktime.operations.payment_methods import add_invoice
from talktime.operations.purchases import start_purchase
from talktime.operations.receipts import receive
from tests.operations.test_four_eyes import SECOND
from tests.operations.test_grants import FIRST, giver_of, operator
from tests.shop import UNIT, Shop

pytestmark = pytest.mark.layouts("sqlite", "postgres")

BY_KEY = f"key portal (7), made by {FIRST}"
OTHER_KEY = f"key other (8), made by {FIRST}"


@pytest.fixture
def shop(store):
    shop = Shop(store)
    for name in (FIRST, SECOND):
        operator(shop, name)
    return shop


@pytest.fixture
def order(shop):
    """Somebody orders credits by invoice; the payment's id."""
    method = add_invoice(
        *(shop.cell, shop.organisation), agreement="A-1", actor="admin", now_ms=shop.now_ms,
        next_id=shop.ids.next,
    )  # fmt: skip

    def order(actor, units=600, key="o"):
        begun = start_purchase(
            *(shop.counter,), amount_micros=units * UNIT, method_id=method.id,
            idempotency_key=key, actor=actor, why_not=None,
        )  # fmt: skip
        return begun.payment.id

    return order


def say(shop, payment_id, actor, **more):
    giver = giver_of(shop)._replace(**more)
    return receive(giver, shop.counter, payment_id, reference="bank 7", actor=actor)


@pytest.mark.parametrize("ordered_by", [FIRST, BY_KEY])
@pytest.mark.parametrize("actor", [FIRST, BY_KEY, OTHER_KEY])
def test_who_ordered_much_does_not_say_that_it_is_paid(shop, order, ordered_by, actor):
    payment_id = order(ordered_by)
    refused = say(shop, payment_id, actor)
    assert (refused.code, shop.money()) == ("approval_needed", (0, 0, 0))
    assert say(shop, payment_id, SECOND).state == "succeeded"
    assert shop.money()[0] == 600 * UNIT
    shop.proven()


def test_what_a_customer_ordered_is_confirmed_by_one_operator(shop, order):
    payment_id = order("admin@contoso.example")
    assert say(shop, payment_id, FIRST).state == "succeeded"
    assert shop.money()[0] == 600 * UNIT


def test_small_orders_of_ones_own_count_with_what_one_gives(shop, order):
    first, second = order(FIRST, 300, "a"), order(FIRST, 300, "b")
    assert say(shop, first, FIRST).state == "succeeded"
    assert say(shop, first, FIRST).state == "succeeded"
    assert say(shop, second, FIRST).code == "approval_needed"
    assert shop.money()[0] == 300 * UNIT


def test_an_operator_whom_nobody_confirmed_says_nothing(shop, order):
    """One that somebody made for themselves is no second pair of eyes."""
    payment_id = order(FIRST)
    with shop.control.transaction():
        shop.control.run("UPDATE account SET confirmed_by = '' WHERE email = ?", [SECOND])
    assert say(shop, payment_id, SECOND).code == "approval_needed"
    assert say(shop, payment_id, "nobody@contoso.example").code == "approval_needed"
    assert shop.money() == (0, 0, 0)


def test_in_the_shell_another_name_confirms(shop, order):
    payment_id = order("root")
    assert say(shop, payment_id, "root", by_shell=True).code == "approval_needed"
    assert say(shop, payment_id, "second", by_shell=True).state == "succeeded"
    assert say(shop, payment_id, "root", by_shell=True).state == "succeeded"


def test_a_payment_that_is_not_there_is_said_so(shop):
    assert say(shop, 7, FIRST).code == "unknown_payment"
