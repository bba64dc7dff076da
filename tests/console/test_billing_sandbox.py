"""The sandbox's pages, and adding a card on one. Mirrors src/talktime/console/billing."""

from contextlib import closing

import pytest

from talktime.clock import real_ms
from talktime.console.accounts import create_admin
from talktime.console.control_plane.models import Membership
from talktime.console.databases import set_up
from talktime.jobs.cards import add_cards
from talktime.jobs.installed_providers import with_providers
from talktime.jobs.payments import collect_payments, tend_wallets
from talktime.operations.provider_settings import StripeKeys, set_stripe
from talktime.operations.sandbox import list_sandbox_charges
from talktime.operations.sealing import Seal
from talktime.operations.sweep import Sweep
from tests.console.conftest import settings_in
from tests.console.money import Money
from tests.console.test_billing_credits import at, form_of
from tests.console.test_pages import EMAIL, PASSWORD, browser, sign_in, words_of

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)


@pytest.fixture
def money(installation, tmp_path):
    settings = settings_in(tmp_path, TALKTIME_TEST_CLOCK="1")
    set_up(settings)
    money = Money(settings)
    create_admin(EMAIL, PASSWORD, money.owner.id)
    return money


@pytest.fixture
def admin(money):
    client = browser()
    sign_in(client)
    return client


def run_jobs(money, later_ms=6_000):
    """Let the jobs do what is due, with the sandbox itself."""
    at_ms = real_ms() + later_ms
    with closing(money.control()) as control, closing(money.cell()) as cell:
        sweep = Sweep(
            *(cell, lambda: at_ms, money.ids), settings=money.settings, control=lambda: control
        )
        jobs = (with_providers(add_cards), tend_wallets, with_providers(collect_payments))
        assert [job(sweep).failures for job in jobs] == [(), (), ()]


def link(response, name):
    """Where a button of the page leads."""
    before = response.content.decode().partition(f">{name}</a>")[0]
    return before.rpartition('href="')[2].partition('"')[0]


def post(client, path, page, **fields):
    return client.post(path, {**form_of(client.get(page)), **fields})


def add_card(admin, money, script="approve", **fields):
    """Add a card as its holder does; its page in the sandbox."""
    setup = post(admin, at(money, "methods/cards/"), at(money, "methods/")).headers["Location"]
    assert "The payment provider is asked for its page." in words_of(admin.get(setup))
    run_jobs(money)
    page = link(admin.get(setup), "Enter the card")
    back = post(admin, page, page, script=script, **fields)
    assert back.headers["Location"].endswith(setup)
    run_jobs(money, 12_000)
    assert "The card is added." in words_of(admin.get(setup))
    return page


def buy(admin, money):
    """Buy 100 with the first method; the page of the payment."""
    choose = admin.get(at(money, "add/")).content.decode()
    method = choose.partition('name="method" value="')[2].partition('"')[0]
    confirm = form_of(admin.get(at(money, f"add/?amount=100&method={method}"), follow=True))
    return admin.post(at(money, "add/pay/"), confirm).headers["Location"]


def charge_of(money):
    """The page of the sandbox's latest charge."""
    with closing(money.control()) as control, control.reading():
        return f"/sandbox/charges/{list_sandbox_charges(control)[0].id}/"


def test_a_card_is_added_on_the_sandboxs_page_and_charged(admin, money):
    add_card(admin, money)
    assert "Sandbox ending 4242 First" in words_of(admin.get(at(money, "methods/")))
    page = buy(admin, money)
    run_jobs(money, 12_000)
    assert "Paid." in words_of(admin.get(page))
    words = words_of(admin.get("/sandbox/"))
    assert "Card ending 4242 of Contoso in use is charged" in words
    assert "charged US$100.00" in words


def test_a_page_that_was_left_adds_no_card(admin, money):
    setup = post(admin, at(money, "methods/cards/"), at(money, "methods/")).headers["Location"]
    run_jobs(money)
    page = link(admin.get(setup), "Enter the card")
    assert post(admin, page, page, leave="1").status_code == 302
    run_jobs(money, 12_000)
    assert "The card was not added: the card was not added" in words_of(admin.get(setup))
    assert "No payment methods yet." in words_of(admin.get(at(money, "methods/")))


def test_a_card_behaves_from_then_on_as_it_is_told(admin, money):
    card = add_card(admin, money)
    changed = post(admin, card, "/sandbox/", script="decline_hard")
    assert changed.headers["Location"] == "/sandbox/"
    page = buy(admin, money)
    run_jobs(money, 12_000)
    assert "Failed. Nothing was charged. The card was reported lost." in words_of(admin.get(page))
    wrong = post(admin, card, "/sandbox/", script="dance")
    assert wrong.status_code == 422
    assert "What the card does must be one of approve" in words_of(wrong)


@pytest.mark.parametrize(
    ("button", "ends"), [("confirm", "Paid."), ("fail", "The cardholder did not confirm")]
)
def test_a_cardholder_confirms_a_payment_or_does_not(admin, money, button, ends):
    add_card(admin, money, script="ask_cardholder")
    page = buy(admin, money)
    run_jobs(money, 12_000)
    waiting = admin.get(page)
    assert "Waits for the cardholder." in words_of(waiting)
    bank = link(waiting, "Confirm at the bank")
    assert "Confirm a payment" in words_of(admin.get(bank))
    back = post(admin, bank, bank, **{button: "1"})
    assert back.headers["Location"] == at(money)
    assert post(admin, bank, page, confirm="1").status_code == 409
    run_jobs(money, 3_700_000)
    assert ends in words_of(admin.get(page))


def test_the_bank_refunds_and_disputes_what_it_charged(admin, money):
    add_card(admin, money)
    buy(admin, money)
    run_jobs(money, 12_000)
    charge = charge_of(money)
    assert post(admin, charge, charge, refund="40").headers["Location"] == "/sandbox/"
    assert "refunded US$40.00" in words_of(admin.get("/sandbox/"))
    too_much = post(admin, charge, charge, refund="60.01")
    assert too_much.status_code == 409
    assert "60 USD are left of the charge." in words_of(too_much)
    assert post(admin, charge, charge, refund="x").status_code == 422
    post(admin, charge, charge, dispute="1")
    assert "dispute open" in words_of(admin.get(charge))
    post(admin, charge, charge, lost="1")
    assert "dispute lost" in words_of(admin.get("/sandbox/"))
    assert post(admin, charge, "/sandbox/", won="1").status_code == 409


def test_the_bank_sends_its_webhooks_as_it_is_told(admin, money):
    post(admin, "/sandbox/", "/sandbox/", webhooks="out_of_order", down="1")
    page = admin.get("/sandbox/").content.decode()
    assert '<option value="out_of_order" selected>' in page
    assert 'name="down" value="1" checked' in page


def test_other_peoples_cards_and_ids_that_are_none_are_not_found(admin, money):
    other = Money(money.settings, name="Fabrikam")
    create_admin("other@contoso.example", PASSWORD, other.owner.id)
    card = add_card(admin, money)
    buy(admin, money)
    run_jobs(money, 12_000)
    stranger = browser()
    sign_in(stranger, email="other@contoso.example")
    for path in (card, charge_of(money), "/sandbox/cards/1/", f"/sandbox/charges/{'9' * 30}/"):
        assert stranger.get(path).status_code == 404
    assert "4242" not in words_of(stranger.get("/sandbox/"))
    assert browser().get("/sandbox/").status_code == 302
    setup = post(admin, at(money, "methods/cards/"), at(money, "methods/")).headers["Location"]
    assert stranger.get(setup).status_code == 404


@pytest.mark.parametrize("role", ["viewer", "voice_admin"])
def test_who_spends_no_money_has_no_sandbox(admin, money, role):
    card = add_card(admin, money)
    Membership.objects.update(role=role)
    for path in ("/sandbox/", card):
        assert admin.get(path).status_code == 404
        assert admin.post(path, {"down": "1"}).status_code in (403, 404)


def test_without_a_test_clock_there_is_no_sandbox_and_nobody_makes_up_a_card(
    admin, money, tmp_path
):
    card = add_card(admin, money)
    set_up(settings_in(tmp_path))
    for path in ("/sandbox/", card):
        assert admin.get(path).status_code == 404
    words = words_of(admin.get(at(money, "methods/")))
    assert "Cards cannot be added yet: the operator of this service has not set up" in words
    assert post(admin, at(money, "methods/cards/"), at(money, "alerts/")).status_code == 404


def test_where_another_provider_takes_cards_there_is_no_sandbox(admin, money):
    with closing(money.control()) as control, control.transaction():
        keys = StripeKeys("sk_test_1", "whsec_1", "https://api.stripe.com")
        seal = Seal(money.settings.seal_keys())
        set_stripe(control, seal, keys, actor="operator", now_ms=money.now_ms)
    assert admin.get("/sandbox/").status_code == 404
    assert "Add a card" in words_of(admin.get(at(money, "methods/")))
