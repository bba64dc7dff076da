"""Adding funds in the console. Mirrors src/talktime/console/billing."""

import re

import pytest

from talktime.core.charges import Declined, NeedsCardholder, Succeeded, Unknown
from talktime.operations.purchases import list_payments
from tests.console.money import CARD
from tests.console.test_billing_credits import admin, at, form_of, money
from tests.console.test_pages import words_of

__all__ = ["admin", "money"]


def confirm(admin, money, amount="100", method=CARD, po_number=""):
    """Go to the page that asks to confirm."""
    asked = at(money, f"add/?amount={amount}&method={method}&po_number={po_number}")
    return admin.get(asked, follow=True)


def pay(admin, money, **choice):
    """Confirm a purchase; the page of its payment."""
    form = form_of(confirm(admin, money, **choice))
    done = admin.post(at(money, "add/pay/"), form)
    assert done.status_code == 302
    return done.headers["Location"]


def refreshes(response):
    return re.findall(r'http-equiv="refresh" content="(\d+)"', response.content.decode())


def test_the_expiry_and_the_terms_stand_before_the_button_that_pays(admin, money):
    money.add_card()
    response = confirm(admin, money)
    words = words_of(response)
    assert "Amount US$100.00 Paid with Visa ending 4242 Expires" in words
    before, _, after = response.content.decode().partition("Pay US$100.00")
    assert "The credits are not refundable." in before
    assert "Europe/Oslo" in before
    assert after
    assert money.counted(list_payments) == []


def test_a_confirmed_purchase_is_charged_and_its_page_says_so(admin, money):
    money.add_card()
    page = pay(admin, money)
    response = admin.get(page)
    assert "On its way. The card is being charged." in words_of(response)
    assert refreshes(response) == ["2"]
    assert refreshes(admin.get(at(money))) == ["5"]
    money.run_jobs()
    response = admin.get(page)
    assert "Paid. The credits are in the balance." in words_of(response)
    assert refreshes(response) == []
    assert "Balance US$100.00" in words_of(admin.get(at(money)))


def test_a_form_sent_twice_buys_once(admin, money):
    money.add_card()
    form = form_of(confirm(admin, money))
    first = admin.post(at(money, "add/pay/"), form)
    money.run_jobs()
    second = admin.post(at(money, "add/pay/"), form)
    assert first.headers["Location"] == second.headers["Location"]
    money.run_jobs()
    assert money.bank.charged_micros == [100_000_000]
    other = admin.post(at(money, "add/pay/"), {**form, "amount": "200"})
    assert other.status_code == 409
    assert "Nothing was bought" in words_of(other)


def test_whoever_goes_back_after_paying_finds_the_purchase_and_buys_no_second_one(admin, money):
    money.add_card()
    confirmed = confirm(admin, money)
    here = confirmed.request["PATH_INFO"] + "?" + confirmed.request["QUERY_STRING"]
    again = admin.get(here)
    assert form_of(again)["key"] == form_of(confirmed)["key"]
    bought = admin.post(at(money, "add/pay/"), form_of(again)).headers["Location"]
    money.run_jobs()
    assert admin.get(here).headers["Location"] == bought
    assert form_of(confirm(admin, money))["key"] != form_of(confirmed)["key"]
    assert money.bank.charged_micros == [100_000_000]


def test_what_was_typed_is_there_again_after_a_refusal(admin, money):
    method = money.add_invoice()
    form = form_of(confirm(admin, money, method=method.id, po_number="PO-7"))
    admin.post(at(money, "add/pay/"), form)
    refused = admin.post(at(money, "add/pay/"), {**form, "amount": "200"})
    again = f"{at(money, 'add/')}?amount=200&amp;method={method.id}&amp;po_number=PO-7"
    assert f'href="{again}"' in refused.content.decode()


def test_a_decline_is_shown_with_its_reason(admin, money):
    money.add_card()
    money.bank.answers = [Declined("ch", "insufficient_funds", "Not enough on it.", False)]
    page = pay(admin, money)
    money.run_jobs()
    words = words_of(admin.get(page))
    assert "Failed. Nothing was charged. Not enough on it." in words
    assert "Add funds again" in words
    assert "Failed Not enough on it." in words_of(admin.get(at(money, "payments/")))


def test_a_bank_that_wants_the_cardholder_gets_a_link_to_its_page(admin, money):
    money.add_card()
    money.bank.answers = [NeedsCardholder("ch", "https://bank.example/confirm/1")]
    page = pay(admin, money)
    money.run_jobs()
    response = admin.get(page)
    assert 'href="https://bank.example/confirm/1"' in response.content.decode()
    assert refreshes(response) == ["5"]


def test_an_address_that_is_none_is_no_link(admin, money):
    money.add_card()
    money.bank.answers = [NeedsCardholder("ch", "javascript:alert(1)")]
    page = pay(admin, money)
    money.run_jobs()
    assert "javascript:" not in admin.get(page).content.decode()


def test_an_outcome_that_is_not_known_says_that_nothing_is_to_be_done(admin, money):
    money.add_card()
    money.bank.answers = [Unknown("the bank did not answer")]
    page = pay(admin, money)
    money.run_jobs()
    words = words_of(admin.get(page))
    assert "Outcome not known yet." in words
    assert "the card is not charged a second time: there is nothing to do" in words


def test_an_invoice_takes_a_purchase_order_and_waits_for_its_money(admin, money):
    method = money.add_invoice()
    response = confirm(admin, money, method=method.id, po_number="PO-7")
    assert "Purchase order PO-7" in words_of(response)
    assert "Order by invoice" in words_of(response)
    page = pay(admin, money, method=method.id, po_number="PO-7")
    response = admin.get(page)
    assert (
        "Waits for its money. The credits are added when the money has been received."
        in words_of(response)
    )
    assert refreshes(response) == []


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("amount=1&method=5001", "The amount must be from 50 to 50000 USD, not 1."),
        ("amount=&method=5001", "This field is required."),
        ("amount=x&method=5001", "'x' is not a decimal number"),
        ("amount=99.999&method=5001", "The amount must be a multiple of 0.01 USD."),
        ("amount=100&method=7", "Select a valid choice."),
        ("amount=100", "This field is required."),
        ("amount=100&method=5001&po_number=7", "goes with an invoice alone."),
    ],
)
def test_a_choice_that_cannot_be_is_said_on_the_form(admin, money, query, says):
    money.add_card()
    money.add_invoice()
    response = admin.get(at(money, f"add/?{query}"))
    assert response.status_code == 422
    assert says in words_of(response)
    assert money.counted(list_payments) == []


def test_what_was_not_confirmed_is_not_bought(admin, money):
    money.add_card()
    form = form_of(confirm(admin, money))
    admin.changes_nothing = True
    for field in ("amount", "method", "key"):
        done = admin.post(at(money, "add/pay/"), {**form, field: ""})
        assert done.headers["Location"] == at(money, "add/")
    assert money.counted(list_payments) == []


def test_without_a_payment_method_the_page_leads_to_where_one_is_added(admin, money):
    response = admin.get(at(money, "add/"))
    assert "There is nothing to pay with yet" in words_of(response)
    assert f'href="{at(money, "methods/")}"' in response.content.decode()


def test_payments_are_paged_the_newest_first(admin, money):
    method = money.add_invoice()
    for _ in range(51):
        pay(admin, money, method=method.id)
    response = admin.get(at(money, "payments/"))
    page = response.content.decode()
    assert page.count('data-label="Begun"') == 50
    older = re.findall(r'href="\?before=(\d+)"', page)
    response = admin.get(at(money, f"payments/?before={older[0]}"))
    assert response.content.decode().count('data-label="Begun"') == 1
    response = admin.get(at(money, f"payments/?before={10**18}"))  # an id of the year 2033
    assert response.content.decode().count('data-label="Begun"') == 50
    for query in ("before=x", "before=-1", f"before={'9' * 19}"):
        assert admin.get(at(money, f"payments/?{query}")).status_code == 404


def test_a_method_that_no_id_can_be_pays_nothing(admin, money):
    money.add_card()
    admin.changes_nothing = True
    form = {**form_of(confirm(admin, money)), "method": "9" * 19}
    done = admin.post(at(money, "add/pay/"), form)
    assert (done.status_code, done.headers["Location"]) == (302, at(money, "add/"))
    assert money.counted(list_payments) == []


def test_the_payment_of_another_organisation_is_not_found(admin, money):
    for payment in ("1", "9" * 30):
        assert admin.get(at(money, f"payments/{payment}/")).status_code == 404


def test_a_card_that_was_declined_for_good_is_marked_until_it_is_charged(admin, money):
    money.add_card()
    money.add_card(5_003, last4="0341")
    for answer, marked in (
        (Declined("ch", "insufficient_funds", "Not enough on it.", False), False),
        (Declined("ch", "lost_card", "The card was lost.", True), True),
        (Succeeded("ch"), False),
    ):
        money.bank.answers = [answer]
        pay(admin, money)
        money.run_jobs()
        words = words_of(admin.get(at(money, "methods/")))
        assert ("Declined" in words, "The card was lost." in words) == (marked, marked), answer


def test_a_method_is_made_first_and_removed_after_asking(admin, money):
    money.add_card()
    money.add_card(5_003, last4="0341")
    page = admin.get(at(money, "methods/"))
    assert "Visa ending 4242 First" in words_of(page)
    token = form_of(page)
    assert admin.post(at(money, "methods/5003/first/"), token).status_code == 302
    assert "Visa ending 0341 First" in words_of(admin.get(at(money, "methods/")))
    asked = admin.get(at(money, "methods/5003/remove/"))
    assert "Remove Visa ending 0341?" in words_of(asked)
    for _ in range(2):
        assert admin.post(at(money, "methods/5003/remove/"), form_of(asked)).status_code == 302
    assert "Visa ending 0341 is removed." in words_of(admin.get(at(money, "methods/")))
    assert "0341" not in words_of(admin.get(at(money, "methods/")))
    for path in ("methods/7/remove/", f"methods/{'9' * 30}/remove/"):
        assert admin.get(at(money, path)).status_code == 404
    assert admin.post(at(money, "methods/7/first/"), token).status_code == 404
