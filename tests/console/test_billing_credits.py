"""Communications Credits in the console. Mirrors src/talktime/console/billing."""

import re
import time
from contextlib import closing

import pytest

from talktime.console.accounts import create_admin
from talktime.console.billing.payments_shown import advice_of
from talktime.console.control_plane.models import Account
from talktime.core.charges import Declined, Dispute
from talktime.operations.commerce_models import mark_moved
from talktime.operations.disputes import note_dispute
from talktime.operations.fund import fund
from talktime.operations.organisations import change_organisation
from talktime.operations.purchases import list_payments
from talktime.operations.recharge_settings import RechargePlan, set_alerts, set_recharge
from tests.console.money import Money
from tests.console.test_pages import EMAIL, PASSWORD, browser, sign_in, words_of
from tests.people import CATALOGUE

SETTINGS = {"trigger": "20", "amount": "60", "method": "amount", "month_limit": "", "day_max": "3"}
SETTINGS["first"] = "5001"


@pytest.fixture
def money(installation):
    money = Money(installation, time_zone="Europe/Oslo", country="NO")
    create_admin(EMAIL, PASSWORD, money.owner.id)
    return money


@pytest.fixture
def admin(money):
    client = browser()
    sign_in(client)
    return client


def at(money, path=""):
    return f"/organisations/{money.owner.id}/credits/{path}"


def form_of(response, button=None):
    """What a browser sends when the form of a page is sent as it is shown."""
    page = response.content.decode()
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))
    return fields if button is None else {**fields, button: "1"}


def post(client, path, **fields):
    """Send a form, with the token that the page of credits has given."""
    page = path.split("credits/")[0] + "credits/alerts/"
    token = form_of(client.get(page)).get("csrfmiddlewaretoken", "")
    return client.post(path, {"csrfmiddlewaretoken": token, **fields})


def fund_with(money, micros, days=200, key="k"):
    now_ms = time.time_ns() // 1_000_000
    with closing(money.cell()) as cell:
        fund(
            *(cell, money.owner),
            amount_micros=micros,
            reason="first order",
            actor="operator",
            idempotency_key=key,
            lasts_until_ms=now_ms + days * 86_400_000,
            now_ms=now_ms,
            next_id=money.ids,
        )


def test_an_empty_wallet_offers_to_be_filled(admin, money):
    response = admin.get(at(money))
    words = words_of(response)
    assert response.status_code == 200
    assert "Balance US$0.00" in words
    assert "Auto-recharge is off." in words
    assert "Nothing will expire: there are no credits." in words
    assert f'href="{at(money, "add/")}"' in response.content.decode()
    assert f'href="{at(money)}"' in admin.get(f"/organisations/{money.owner.id}/").content.decode()


def test_the_balance_its_debt_and_when_it_expires_are_shown(admin, money):
    fund_with(money, 100_000_000, days=40, key="a")
    fund_with(money, 50_000_001, days=200, key="b")
    response = admin.get(at(money))
    words = words_of(response)
    assert "Balance US$150.00 150.000001" in words
    assert "Owed" not in words
    widths = re.findall(r'<rect width="(\d+)%"', response.content.decode())
    assert widths == ["100", "50"]


def test_the_page_of_another_organisation_is_not_found(admin, installation, money):
    other = Money(installation, name="Fabrikam")
    other.add_card()
    for path in ("", "add/", "recharge/", "alerts/", "payments/", "methods/", "payments/1/"):
        assert admin.get(at(other, path)).status_code == 404
        assert browser().get(at(money, path)).status_code == 302
    assert admin.get(f"/organisations/{'9' * 30}/credits/").status_code == 404
    admin.changes_nothing = True  # it is not paused
    assert post(admin, at(money, "recharge/resume/")).status_code == 302
    token = form_of(admin.get(at(money, "recharge/")))
    assert admin.post(at(other, "recharge/"), {**token, "off": "1"}).status_code == 404


def test_a_form_without_its_token_changes_nothing(admin, money):
    money.add_card()
    for path in ("recharge/", "recharge/resume/", "alerts/", "add/pay/", "methods/5001/remove/"):
        assert admin.post(at(money, path), {"trigger": "10", "amount": "50"}).status_code == 403


def test_auto_recharge_is_turned_on_shown_with_its_reason_and_turned_off(admin, money):
    money.add_card()
    fund_with(money, 100_000_000)
    page = admin.get(at(money, "recharge/")).content.decode()
    assert 'name="trigger" value="50"' in page
    sent = {**SETTINGS, "enabled": "on"}
    done = post(admin, at(money, "recharge/"), **sent)
    assert (done.status_code, done.headers["Location"]) == (302, at(money))
    words = words_of(admin.get(at(money)))
    assert "Auto-recharge is on. What is available is not below the trigger." in words
    assert "When the balance falls below US$20.00 Recharge with US$60.00" in words
    assert "Monthly limit None" in words
    post(admin, at(money, "recharge/"), **SETTINGS)
    assert "Auto-recharge is off." in words_of(admin.get(at(money)))
    assert 'name="trigger" value="20"' in admin.get(at(money, "recharge/")).content.decode()


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"trigger": ""}, "This field is required."),
        ({"amount": "much"}, "such as 12.5. Write an amount such as 99.50."),
        ({"amount": "1.0000001"}, "has more than 6 decimals. Write an amount such as 99.50."),
        ({"amount": "1"}, "The recharge amount must be from 50 to 50000 USD, not 1"),
        ({"method": "up_to", "trigger": "90"}, "it must be above the trigger"),
        ({"month_limit": "10"}, "The monthly limit must be at least 50 USD"),
        ({"day_max": "0"}, "greater than or equal to 1"),
    ],
)
def test_settings_that_cannot_be_are_said_and_nothing_changes(admin, money, changed, says):
    money.add_card()
    sent = {**SETTINGS, "enabled": "on"}
    response = post(admin, at(money, "recharge/"), **{**sent, **changed})
    assert response.status_code == 422
    assert says in words_of(response)
    assert "Auto-recharge is off." in words_of(admin.get(at(money)))


def test_what_is_no_amount_is_said_in_the_readers_language(admin, money):
    money.add_card()
    sent = {**SETTINGS, "enabled": "on", "amount": "1.000,50"}
    Account.objects.update(language="de")
    words = words_of(post(admin, at(money, "recharge/"), **sent))
    assert "'1.000,50' ist keine Dezimalzahl wie 12.5. Schreiben Sie" in words


def test_a_point_that_could_part_thousands_is_asked_about_where_decimals_have_a_comma(admin, money):
    money.add_card()
    sent = {**SETTINGS, "enabled": "on", "amount": "1.000"}
    Account.objects.update(language="de")
    twofold = "1.000 kann auf zwei Arten gelesen werden. Schreiben Sie Tausender ohne Punkt."
    refused = post(admin, at(money, "recharge/"), **sent)
    assert (refused.status_code, twofold in words_of(refused)) == (422, True)
    refused = post(admin, at(money, "alerts/"), below="20 1.000")
    assert (refused.status_code, twofold in words_of(refused)) == (422, True)
    for amount in ("1000", "1000,00", "1000.5"):
        assert post(admin, at(money, "recharge/"), **{**sent, "amount": amount}).status_code == 302
    assert post(admin, at(money, "alerts/"), below="20 99,50").status_code == 302
    shown = admin.get(at(money, "alerts/")).content.decode()
    assert re.findall(r'name="below" value="([^"]+)"', shown) == ["20  99.5"]
    Account.objects.update(language="en")
    assert post(admin, at(money, "alerts/"), below="1,000").status_code == 422
    assert post(admin, at(money, "alerts/"), below="1.000, 2").status_code == 302


def test_a_pause_after_a_dispute_sends_nobody_to_the_card(admin, money):
    money.add_card()
    plan = RechargePlan(True, 50_000_000, 100_000_000)
    money.counted(lambda counter: set_recharge(counter, plan, actor="a", why_not=None))
    money.run_jobs(money.now_ms + 5_000)
    [payment] = money.counted(list_payments)
    dispute = Dispute("dp_1", payment.amount_micros, "open")
    money.counted(lambda counter: note_dispute(counter, payment.id, dispute))
    advice = "Speak with the cardholder's bank, then resume."
    for path in (at(money), f"/organisations/{money.owner.id}/"):
        assert advice in words_of(admin.get(path))
    owing = "Speak with the cardholder's bank, add funds to pay what is owed; then resume."
    assert advice_of("disputed", 1) == owing


@pytest.mark.parametrize(
    ("state", "explained", "back"),
    [
        ("open", "The money went back", "Open, the bank has the money"),
        ("lost", "The money went back", "Lost, the money is gone"),
        ("won", "The credits are in the balance.", "Won, the money came back"),
    ],
)
def test_a_disputed_payment_says_how_its_dispute_stands(admin, money, state, explained, back):
    """D15."""
    money.add_card()
    plan = RechargePlan(True, 50_000_000, 100_000_000)
    money.counted(lambda counter: set_recharge(counter, plan, actor="a", why_not=None))
    money.run_jobs(money.now_ms + 5_000)
    [payment] = money.counted(list_payments)
    for each in ("open", state):
        dispute = Dispute("dp_1", payment.amount_micros, each)
        money.counted(lambda counter, dispute=dispute: note_dispute(counter, payment.id, dispute))
    words = words_of(admin.get(at(money, f"payments/{payment.id}/")))
    assert f"Paid. {explained}" in words
    assert f"Dispute, US$100.00 {back}" in words
    listed = words_of(admin.get(at(money, "payments/")))
    assert ("Paid US$100.00 went back" in listed) == (state != "won")


def test_a_pause_says_why_and_what_to_do_and_is_ended_by_a_button(admin, money):
    money.add_card()
    money.bank.answers = [Declined("ch", "lost_card", "The card was reported lost.", True)]
    plan = RechargePlan(True, 50_000_000, 100_000_000)
    money.counted(lambda counter: set_recharge(counter, plan, actor="a", why_not=None))
    money.run_jobs(money.now_ms + 5_000)
    words = words_of(admin.get(at(money)))
    assert "Auto-recharge is paused since" in words
    assert "The card was reported lost. Add another card and remove this one, then resume." in words
    assert post(admin, at(money, "recharge/resume/")).status_code == 302
    assert post(admin, at(money, "recharge/resume/")).status_code == 302
    words = words_of(admin.get(at(money)))
    assert "Auto-recharge is on." in words
    assert "is paused" not in words


def test_an_attempt_on_its_way_is_shown_with_its_next_step(admin, money):
    money.add_card()
    money.bank.answers = [Declined("ch", "insufficient_funds", "Not enough.", False)]
    plan = RechargePlan(True, 50_000_000, 100_000_000)
    money.counted(lambda counter: set_recharge(counter, plan, actor="a", why_not=None))
    money.run_jobs(money.now_ms + 5_000)
    words = words_of(admin.get(at(money)))
    assert "Auto-recharge is on. A recharge is on its way." in words
    assert "A recharge of US$100.00 is on its way: Declined, tried again . Next try:" in words
    assert "Not enough." in words


def test_notices_of_a_low_balance_are_set(admin, money):
    assert post(admin, at(money, "alerts/"), below="20 100.50").status_code == 302
    assert "Somebody is told below: US$20.00, US$100.50" in words_of(admin.get(at(money)))
    assert 'value="20  100.5"' in admin.get(at(money, "alerts/")).content.decode()
    for below in ("x", "-5", " ".join(map(str, range(1, 12)))):
        assert post(admin, at(money, "alerts/"), below=below).status_code == 422
    money.counted(lambda counter: set_alerts(counter, set()))
    assert "told below" not in words_of(admin.get(at(money)))


def test_where_nothing_can_be_bought_the_reason_stands_in_place_of_the_button(admin, money):
    money.add_card()
    with closing(money.control()) as control, control.transaction():
        rules = {"agreement_country": "SE"}
        change_organisation(control, "Contoso", rules=rules, catalogue=CATALOGUE)
    reason = (
        "Funds cannot be added here. The billing agreement of Contoso is of SE, the organisation "
        "of NO: contact support."
    )
    for path in ("", "add/", "recharge/", "add/?amount=100&method=5001"):
        response = admin.get(at(money, path))
        assert reason in words_of(response)
        assert ">Add funds</a>" not in response.content.decode()
        assert ">Continue</button>" not in response.content.decode()
    key = {"amount": "100", "method": "5001", "po_number": "", "key": "k"}
    refused = post(admin, at(money, "add/pay/"), **key)
    assert refused.status_code == 409
    assert "Nothing was bought The billing agreement of Contoso is of SE" in words_of(refused)


def test_an_organisation_that_its_reseller_moved_is_told_the_one_step_to_take(money, admin):
    """R73, D14: with recharge on, the balance would refill and post-usage never begin."""
    plan = RechargePlan(True, 0, 50_000_000)
    money.counted(lambda counter: set_recharge(counter, plan, actor="a", why_not=None))
    with closing(money.control()) as control, control.transaction():
        mark_moved(control, money.owner, True)
    words = words_of(admin.get(at(money)))
    assert "Blocked: the reseller has moved this organisation to post-usage billing" in words
    assert "turn auto-recharge off" in words
    post(admin, at(money, "recharge/"))
    assert "Blocked:" not in words_of(admin.get(at(money)))
