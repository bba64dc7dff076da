"""Money over HTTP: wallet, purchases, payments. Mirrors src/talktime/console/api."""

import json
from contextlib import closing

import pytest
from django.test import Client

from talktime.core.charges import Declined, Succeeded
from talktime.operations.organisations import change_organisation
from tests.console.money import CARD, Money
from tests.people import CATALOGUE

BASE = "/api/v1/organisations/Contoso"


@pytest.fixture
def money(installation):
    return Money(installation)


@pytest.fixture
def api(money):
    return client_of(money.key("billing", "operator"))


def client_of(key):
    headers = {"authorization": f"Bearer {key}"}
    return Client(SERVER_NAME="localhost", enforce_csrf_checks=True, headers=headers)


def send(api, method, path, body, key=None):
    headers = {} if key is None else {"idempotency-key": key}
    return api.generic(
        method, BASE + path, json.dumps(body), content_type="application/json", headers=headers
    )


def refused(response, status, code):
    assert response.headers["Content-Type"] == "application/problem+json"
    body = response.json()
    assert (response.status_code, body["status"], body["code"]) == (status, status, code)
    return body


def test_an_empty_wallet_says_that_it_can_be_filled_and_why_it_is_not(api):
    wallet = api.get(f"{BASE}/wallet").json()
    assert (wallet["currency"], wallet["available"], wallet["lots"]) == ("USD", "0", [])
    assert (wallet["can_buy"], wallet["why_not"], wallet["expiry_calendar"]) == (True, None, [])
    assert wallet["recharge"]["standing"] == {
        "code": "off",
        "words": "Auto-recharge is off",
        "until": None,
    }


def test_a_purchase_by_card_is_charged_and_becomes_a_lot(api, money):
    money.add_card()
    terms = api.get(f"{BASE}/purchases/terms?amount=100").json()
    assert (terms["amount"], terms["currency"]) == ("100", "USD")
    assert any("not refundable" in line.lower() for line in terms["terms"])
    body = {"amount": "100", "method_id": str(CARD)}
    begun = send(api, "POST", "/purchases", body, "order 1").json()
    assert (begun["state"], begun["amount"], begun["replayed"]) == ("charging", "100", False)
    money.run_jobs()
    paid = api.get(f"{BASE}/payments/{begun['payment_id']}").json()
    assert (paid["state"], paid["lot_id"] is not None) == ("succeeded", True)
    wallet = api.get(f"{BASE}/wallet").json()
    [lot] = wallet["lots"]
    assert (wallet["available"], lot["lot_id"], lot["remaining"]) == ("100", paid["lot_id"], "100")
    [month] = wallet["expiry_calendar"]
    assert month["month"] == terms["expires"][:7] == lot["expires"][:7]
    assert (month["amount"], month["lots"]) == ("100", 1)
    again = send(api, "POST", "/purchases", body, "order 1").json()
    assert again == {**begun, "replayed": True}
    money.run_jobs()
    assert money.bank.charged_micros == [100_000_000]


def test_a_declined_purchase_says_why(api, money):
    money.add_card()
    money.bank.answers = [Declined("ch_1", "insufficient_funds", "Not enough on it.", False)]
    body = {"amount": "100", "method_id": str(CARD)}
    begun = send(api, "POST", "/purchases", body, "order 1").json()
    money.run_jobs()
    failed = api.get(f"{BASE}/payments/{begun['payment_id']}").json()
    assert (failed["state"], failed["code"]) == ("failed", "insufficient_funds")
    assert api.get(f"{BASE}/wallet").json()["available"] == "0"


def test_an_agreement_to_pay_invoices_is_the_operators_to_add(money):
    """R10: or anybody could order on account."""
    own = client_of(money.key("billing"))
    refused(send(own, "POST", "/payment-methods", {"agreement": "EA-1"}), 403, "scope_missing")
    assert own.get(f"{BASE}/payment-methods").json()["payment_methods"] == []


def test_an_invoice_waits_until_the_operator_says_that_its_money_is_there(api, money):
    method = send(api, "POST", "/payment-methods", {"agreement": "EA-1"}).json()
    body = {"amount": "200", "method_id": method["method_id"], "po_number": "PO 7"}
    begun = send(api, "POST", "/purchases", body, "order 1").json()
    assert (begun["state"], begun["po_number"]) == ("invoiced", "PO 7")
    money.run_jobs()
    assert api.get(f"{BASE}/wallet").json()["available"] == "0"
    path = f"/payments/{begun['payment_id']}/receipt"
    paid = send(api, "POST", path, {"reference": "bank 1"}, "receipt 1").json()
    assert paid["state"] == "succeeded"
    send(api, "POST", path, {"reference": "bank 1"}, "receipt 2")
    assert api.get(f"{BASE}/wallet").json()["available"] == "200"
    cancel = f"/payments/{begun['payment_id']}/cancel"
    refused(send(api, "POST", cancel, {"reason": "x"}, "c"), 409, "payment_not_possible")


def test_payments_are_listed_in_pages_the_latest_first(api, money):
    method = money.add_invoice()
    for number in range(3):
        body = {"amount": "50", "method_id": str(method.id)}
        send(api, "POST", "/purchases", body, f"order {number}")
    everything = api.get(f"{BASE}/payments").json()
    ids = [each["payment_id"] for each in everything["payments"]]
    assert (ids, everything["next"]) == (sorted(ids, reverse=True), None)
    first = api.get(f"{BASE}/purchases?limit=2").json()
    assert [each["payment_id"] for each in first["purchases"]] == ids[:2]
    last = api.get(first["next"]).json()
    assert [each["payment_id"] for each in last["purchases"]] == ids[2:]
    for query in ("limit=0", "limit=many", "cursor=x"):
        refused(api.get(f"{BASE}/payments?{query}"), 422, "invalid_request")


def test_what_may_not_buy_is_told_the_exact_reason(api, money):
    money.add_card()
    with closing(money.control()) as control, control.transaction():
        rules = {"sold_by_reseller": True}
        change_organisation(control, "Contoso", rules=rules, catalogue=CATALOGUE)
    wallet = api.get(f"{BASE}/wallet").json()
    reason = "the plans of Contoso are bought through a reseller: ask the reseller to fund it"
    assert (wallet["can_buy"], wallet["why_not"]) == (False, reason)
    body = {"amount": "100", "method_id": str(CARD)}
    answer = refused(send(api, "POST", "/purchases", body, "k"), 409, "credits_not_offered")
    assert answer["detail"] == reason
    refused(api.get(f"{BASE}/purchases/terms?amount=100"), 409, "credits_not_offered")
    plan = {"enabled": True, "trigger": "20", "amount": "100"}
    refused(send(api, "PUT", "/recharge", plan, "k"), 409, "credits_not_offered")


def test_amounts_out_of_bounds_and_what_is_no_amount_are_refused(api, money):
    money.add_card()
    for amount, code in (("1", "amount_out_of_bounds"), ("much", "invalid_value"), ("", None)):
        code = code or "invalid_value"
        refused(api.get(f"{BASE}/purchases/terms?amount={amount}"), 422, code)
        body = {"amount": amount, "method_id": str(CARD)}
        refused(send(api, "POST", "/purchases", body, "k"), 422, code)
    body = {"amount": "100.001", "method_id": str(CARD)}
    assert "multiple of 0.01" in refused(send(api, "POST", "/purchases", body, "k"), 422,
                                         "invalid_value")["detail"]  # fmt: skip
    for method in ("6", "9" * 18, "9" * 19):
        body = {"amount": "100", "method_id": method}
        refused(send(api, "POST", "/purchases", body, "k"), 404, "unknown_payment_method")
    refused(send(api, "POST", "/purchases", {"amount": 100}, "k"), 422, "invalid_request")
    assert api.get(f"{BASE}/payments").json()["payments"] == []


def test_ids_of_the_year_2033_are_ids(api, money):
    """They have 19 digits."""
    late = 10**18
    money.add_card(late)
    body = {"amount": "100", "method_id": str(late)}
    begun = send(api, "POST", "/purchases", body, "order 1").json()
    assert (begun["state"], begun["method_id"]) == ("charging", str(late))
    later = api.get(f"{BASE}/payments?cursor={late}").json()
    assert [each["payment_id"] for each in later["payments"]] == [begun["payment_id"]]
    refused(api.get(f"{BASE}/payments?cursor={'9' * 19}"), 422, "invalid_request")


def test_payments_of_others_and_ids_that_are_none_are_unknown(api):
    refused(api.get(f"{BASE}/payments/1"), 404, "unknown_payment")
    refused(api.get(f"{BASE}/payments/1/refunds"), 404, "unknown_payment")
    refused(api.get(f"{BASE}/payments/{'9' * 30}"), 404, "not_found")
    refused(api.get(f"{BASE}/payments/x"), 404, "not_found")
    refused(api.get(f"{BASE}/payment-methods/1"), 404, "unknown_payment_method")
    refused(api.delete(f"{BASE}/wallet"), 405, "method_not_allowed")
    refused(api.get(f"{BASE.replace('Contoso', 'Fabrikam')}/wallet"), 404, "unknown_organisation")


def test_a_key_for_users_opens_no_wallet(money):
    client = client_of(money.key("users"))
    body = refused(client.get(f"{BASE}/wallet"), 403, "scope_missing")
    assert body["detail"] == "the key lacks the scope 'read' or 'billing'"
    refused(client_of("nothing").get(f"{BASE}/wallet"), 401, "unauthorized")


def test_a_balance_is_corrected_up_to_what_one_person_gives(money, api):
    """R12."""
    done = send(api, "POST", "/adjustments", {"amount": "400", "reason": "twice"}, "a 1").json()
    assert (done["state"], done["lot"]["source"], done["lot"]["amount"]) == (
        *("given", "adjustment"),
        "400",
    )
    more = send(api, "POST", "/adjustments", {"amount": "101", "reason": "again"}, "a 2")
    assert more.json()["code"] == "approval_needed"
    own = client_of(money.key("billing", "read"))
    refused = send(own, "POST", "/adjustments", {"amount": "1", "reason": "me"}, "a 3")
    assert refused.json()["code"] == "scope_missing"
    assert api.get(f"{BASE}/wallet").json()["available"] == "400"


def test_a_card_whose_last_charge_was_declined_for_good_says_so(api, money):
    money.add_card()

    def listed():
        (one,) = api.get(f"{BASE}/payment-methods").json()["payment_methods"]
        assert api.get(f"{BASE}/payment-methods/{CARD}").json() == one
        assert send(api, "POST", f"/payment-methods/{CARD}/first", {}).json() == {
            "payment_methods": [one]
        }
        return one["declined"]

    assert listed() is None
    for number, (answer, code) in enumerate(
        (
            (Declined("ch", "insufficient_funds", "Not enough on it.", False), None),
            (Declined("ch", "lost_card", "The card was lost.", True), "lost_card"),
            (Succeeded("ch"), None),
        )
    ):
        money.bank.answers = [answer]
        bought = {"amount": "100", "method_id": str(CARD)}
        assert send(api, "POST", "/purchases", bought, f"k{number}").status_code == 200
        money.run_jobs()
        declined = listed()
        assert (declined and declined["code"]) == code
        if declined:
            assert set(declined) == {"at", "code", "detail"}
            assert declined["detail"] == "The card was lost."
    assert "declined" in send(api, "POST", "/payment-methods", {"agreement": "EA-1"}).json()
