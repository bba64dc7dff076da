"""Every endpoint that moves money wants an idempotency key. Mirrors src/talktime/console/api."""

import json

import pytest

from talktime.console.api.document import operations
from tests.console.money import CARD, Money
from tests.console.test_api_money import BASE, client_of, refused, send
from tests.console.test_billed_too_much import too_much
from tests.console.test_billing_after_use import billed

PLAN = {"enabled": True, "trigger": "20", "amount": "100"}
# Address, method, a body, another body.
MOVES_MONEY = {
    "purchases": (
        *("POST", "/purchases"),
        {"amount": "100", "method_id": str(CARD)},
        {"amount": "101", "method_id": str(CARD)},
    ),
    "payments/{payment_id}/receipt": (
        *("POST", "/payments/{payment}/receipt", {"reference": "a"}, {"reference": "b"}),
    ),
    "payments/{payment_id}/cancel": (
        *("POST", "/payments/{payment}/cancel", {"reason": "a"}, {"reason": "b"}),
    ),
    "payments/{payment_id}/refunds": (
        *("POST", "/payments/{paid}/refunds"),
        {"amount": "10", "reason": "a", "reference": "bank"},
        {"amount": "11", "reason": "a", "reference": "bank"},
    ),
    "grants": (
        *("POST", "/grants", {"amount": "5", "reason": "a"}, {"amount": "6", "reason": "a"}),
    ),
    "adjustments": (
        *("POST", "/adjustments", {"amount": "5", "reason": "a"}, {"amount": "6", "reason": "a"}),
    ),
    "lots/{lot_id}/taken-back": (
        *("POST", "/lots/{lot}/taken-back"),
        {"amount": "4", "reason": "a"},
        {"amount": "5", "reason": "a"},
    ),
    "grants/{grant_id}/approve": ("POST", "/grants/{grant}/approve", {}, {"x": 1}),
    "grants/{grant_id}/reject": ("POST", "/grants/{grant}/reject", {}, {"x": 1}),
    "recharge": ("PUT", "/recharge", PLAN, {**PLAN, "amount": "200"}),
    "commerce-model": (*("POST", "/commerce-model", {"to": "post_usage"}, {"to": "prepaid"}),),
    "statements/{month}/payments": (
        *("POST", "/statements/{month}/payments"),
        {"amount": "4", "note": "bank 1"},
        {"amount": "5", "note": "bank 1"},
    ),
    "statements/{month}/payments/{payment_id}/undo": (
        *("POST", "/statements/{month}/payments/{paid}/undo", {"reason": "a"}, {"reason": "b"}),
    ),
    "billed-too-much/settlements": (
        *("POST", "/billed-too-much/settlements"),
        {"way": "credits", "reason": "a"},
        {"way": "payout", "reason": "a"},
    ),
    "recharge/resume": ("POST", "/recharge/resume", {}, {"please": "go on"}),
}


@pytest.fixture
def money(installation):
    money = Money(installation)
    money.add_card()
    return money


@pytest.fixture
def api(money):
    return client_of(money.key("billing", "operator"))


def moving():
    """The addresses below an organisation that move money, with their methods."""
    for method, address, _name, told in operations():
        if told.moves_money:
            yield address.partition("{organisation}/")[2], method


def test_all_that_moves_money_is_walked_here():
    assert set(moving()) == {(path, case[0]) for path, case in MOVES_MONEY.items()}


@pytest.fixture
def ready(api, money):
    """Bring about what the request can be made on; its address."""

    def ready(path):
        if "resume" in path:
            send(api, "PUT", "/recharge", PLAN, "plan")
            from talktime.core.charges import Declined

            money.bank.answers = [Declined("ch", "lost_card", "It was lost.", True)]
            money.run_jobs()
            assert api.get(f"{BASE}/recharge").json()["paused"]["code"] != ""
        if "{grant}" in path:
            other, large = (
                client_of(money.key("billing", "operator")),
                {"amount": "5000", "reason": "a"},
            )
            asked = send(other, "POST", "/grants", large, "large").json()
            return path.format(grant=asked["grant_id"])
        if "{lot}" in path:
            send(api, "POST", "/adjustments", {"amount": "5", "reason": "a"}, "entered")
            [lot] = api.get(f"{BASE}/lots").json()["lots"]
            return path.format(lot=lot["lot_id"])
        if "{month}" in path:
            billed(money)
            payments = "/statements/2026-10/payments"
            send(api, "POST", payments, {"amount": "4", "note": "bank 0"}, "paid")
            [paid] = api.get(f"{BASE}{payments}").json()["payments"]
            return path.format(month="2026-10", paid=paid["payment_id"])
        if "too-much" in path:
            too_much(money)
        if "{" not in path:
            return path
        method = money.add_invoice()
        body = {"amount": "50", "method_id": str(method.id)}
        payment = send(api, "POST", "/purchases", body, "the invoice").json()["payment_id"]
        if "{paid}" in path:
            received = {"reference": "bank 1"}
            send(api, "POST", f"/payments/{payment}/receipt", received, "received")
        return path.format(payment=payment, paid=payment)

    return ready


def state_of(api):
    paths = ("wallet", "payments", "grants", "statements")
    return [api.get(f"{BASE}/{path}").json() for path in paths]


@pytest.mark.parametrize("name", MOVES_MONEY)
def test_without_a_key_nothing_is_done(api, ready, name):
    method, path, body, _ = MOVES_MONEY[name]
    path = ready(path)
    before = state_of(api)
    refused(send(api, method, path, body), 400, "idempotency_key_missing")
    refused(send(api, method, path, body, "k" * 201), 422, "invalid_value")
    assert state_of(api) == before


@pytest.mark.parametrize("name", MOVES_MONEY)
def test_a_key_of_another_request_is_refused_and_the_same_again_is_answered_the_same(
    api, ready, name
):
    method, path, body, other = MOVES_MONEY[name]
    path = ready(path)
    done = send(api, method, path, body, "key 1")
    assert (done.status_code, done.json()["replayed"]) == (200, False)
    after = state_of(api)
    refused(send(api, method, path, other, "key 1"), 409, "idempotency_key_reused")
    assert state_of(api) == after
    again = send(api, method, path, body, "key 1")
    assert again.json() == {**done.json(), "replayed": True}
    assert state_of(api) == after


def test_a_key_is_of_one_address_alone(api, money):
    body = {"amount": "100", "method_id": str(CARD)}
    send(api, "POST", "/purchases", body, "key 1")
    refused(send(api, "PUT", "/recharge", PLAN, "key 1"), 409, "idempotency_key_reused")


def test_a_refused_request_leaves_its_key_free(api, money):
    body = {"amount": "1", "method_id": str(CARD)}
    refused(send(api, "POST", "/purchases", body, "key 1"), 422, "amount_out_of_bounds")
    body["amount"] = "100"
    assert send(api, "POST", "/purchases", body, "key 1").json()["state"] == "charging"


def test_a_purchase_that_was_cut_short_is_made_once(api, money):
    body = {"amount": "100", "method_id": str(CARD)}
    first = send(api, "POST", "/purchases", body, "key 1").json()
    cell = money.cell()
    with cell.transaction():
        cell.run("UPDATE money_request SET answer = ''")
    cell.close()
    assert send(api, "POST", "/purchases", body, "key 1").json() == first
    assert len(api.get(f"{BASE}/payments").json()["payments"]) == 1


def test_what_is_kept_of_a_request_is_its_answer(api, money):
    body = {"amount": "100", "method_id": str(CARD)}
    answer = send(api, "POST", "/purchases", body, "key 1").json()
    cell = money.cell()
    [[kept]] = cell.rows("SELECT answer FROM money_request")
    cell.close()
    assert {**json.loads(kept), "replayed": False} == answer


def test_the_csv_of_a_statement_is_sent_while_it_is_made(api, ready):
    address = ready("/statements/{month}")
    shown = api.get(f"{BASE}{address}/usage").json()["usage"]
    answer = api.get(f"{BASE}{address}/csv")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/csv; charset=utf-8")
    lines = b"".join(answer.streaming_content).decode().split("\r\n")
    assert [line.partition(",")[0] for line in lines] == ["usage_id", shown[0]["usage_id"], ""]
    refused(api.get(f"{BASE}/statements/2026-09/csv"), 404, "unknown_statement")


def test_the_same_meaning_in_other_letters_is_the_same_request(api, money):
    """Programs send fields in any order; an organisation is named, or its id is given."""
    method = str(CARD)
    texts = [
        f'{{"amount": "100", "method_id": "{method}"}}',
        f'{{"method_id":"{method}",\n "amount":"\\u0031\\u0030\\u0030"}}',
    ]
    by_id = f"/api/v1/organisations/{money.owner.id}"
    done = [
        api.post(f"{base}/purchases", text, "application/json", headers={"Idempotency-Key": "k"})
        for base in (BASE, by_id)
        for text in texts
    ]
    assert [each.status_code for each in done] == [200] * 4
    assert [each.json()["replayed"] for each in done] == [False, True, True, True]
    assert len({each.json()["payment_id"] for each in done}) == 1
    assert len(api.get(f"{BASE}/payments").json()["payments"]) == 1


@pytest.mark.parametrize("body", ["{", "\udcff", "[" * 100_000])
def test_a_body_that_nobody_reads_may_be_anything_and_is_compared(api, ready, body):
    path = ready("/grants/{grant}/reject")
    sent = body.encode(errors="surrogateescape")
    head = {"Idempotency-Key": "k"}
    first = api.post(BASE + path, sent, "application/json", headers=head)
    again = api.post(BASE + path, sent, "application/json", headers=head)
    assert [each.json()["replayed"] for each in (first, again)] == [False, True]
    refused(send(api, "POST", path, {"x": 1}, "k"), 409, "idempotency_key_reused")
