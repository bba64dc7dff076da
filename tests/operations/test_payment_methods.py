"""What an organisation pays with. Mirrors src/talktime/operations/payment_methods.py."""

import pytest

from talktime.core.refusal import Refusal
from talktime.operations.payment_methods import (
    add_invoice,
    find_method,
    list_methods,
    make_first,
    remove_method,
)
from tests.shop import Shop

pytestmark = pytest.mark.layouts("sqlite", "postgres")


@pytest.fixture
def shop(store):
    return Shop(store)


def add(shop, **said):
    """An agreement to pay by invoice."""
    asked = {"agreement": "EA-1", "po_number": "", "actor": "admin"} | said
    times = {"now_ms": shop.now_ms, "next_id": shop.ids.next}
    return add_invoice(shop.cell, shop.organisation, **asked, **times)


def listed(shop):
    """The ids of the methods in their order."""
    return [method.id for method in list_methods(shop.cell, shop.organisation)]


def test_an_invoice_needs_its_agreement_and_may_have_a_po_number(shop):
    """R10."""
    method = add(shop, po_number="PO 7")
    assert (method.kind, method.agreement, method.po_number) == ("invoice", "EA-1", "PO 7")
    assert find_method(shop.counter, method.id) == method
    for wrong in ({"agreement": ""}, {"agreement": "x" * 65}, {"po_number": " "}, {"actor": ""}):
        assert add(shop, **wrong).code == "invalid_value"
    assert listed(shop) == [shop.method_id, method.id]


def test_a_method_comes_last_and_can_be_made_the_first(shop):
    """R10, D3: the others keep their order."""
    second, third = add(shop).id, add(shop).id
    assert listed(shop) == [shop.method_id, second, third]
    make_first(shop.counter, third)
    assert listed(shop) == [third, shop.method_id, second]
    make_first(shop.counter, third)
    assert listed(shop) == [third, shop.method_id, second]
    fourth = add(shop).id
    assert listed(shop) == [third, shop.method_id, second, fourth]


def test_a_removed_method_is_kept_and_used_no_more(shop):
    """D3."""
    second = add(shop).id
    assert remove_method(shop.counter, shop.method_id).state == "removed"
    assert listed(shop) == [second]
    assert find_method(shop.counter, shop.method_id).state == "removed"
    for refused in (
        remove_method(shop.counter, shop.method_id),
        make_first(shop.counter, shop.method_id),
        find_method(shop.counter, 4711),
    ):
        assert refused.code == "unknown_payment_method"


def test_there_are_ten_methods_at_most(shop):
    """core/limits.py."""
    assert not any(isinstance(add(shop), Refusal) for _ in range(9))
    assert add(shop).code == "invalid_value"
    assert len(listed(shop)) == 10
    remove_method(shop.counter, shop.method_id)
    assert not isinstance(add(shop), Refusal)
