"""Credits taken back over HTTP. Mirrors src/talktime/console/api/ledger.py."""

from contextlib import closing

import pytest

from talktime.operations.fund import fund
from tests.console.money import Money
from tests.console.test_api_money import BASE, client_of, refused, send

BODY = {"amount": "900", "reason": "1,000 instead of 100"}


@pytest.fixture
def money(installation):
    return Money(installation)


@pytest.fixture
def api(money):
    return client_of(money.key("billing", "operator"))


@pytest.fixture
def lot_id(money):
    with closing(money.cell()) as cell:
        return fund(
            *(cell, money.owner),
            amount_micros=1_000_000_000,
            reason="bank 4711",
            actor="operator",
            idempotency_key="F1",
            now_ms=money.now_ms,
            next_id=money.ids,
        ).lot.id


def test_a_lot_is_taken_back_once_and_listed(api, lot_id):
    path = f"/lots/{lot_id}/taken-back"
    took = send(api, "POST", path, BODY, "back 1").json()
    assert (took["lot_id"], took["amount"], took["reason"]) == (str(lot_id), "900", BODY["reason"])
    assert (took["taken_from_lot"], took["became_debt"]) == ("900", "0")
    assert took.pop("replayed") is False
    again = send(api, "POST", path, BODY, "back 1").json()
    assert again.pop("replayed") is True
    assert again == took
    assert api.get(BASE + path).json() == {"taken_back": [took]}
    lot = api.get(f"{BASE}/lots/{lot_id}").json()
    assert (lot["remaining"], lot["gone"]) == ("100", "900")
    [moved, _] = api.get(f"{BASE}/transactions").json()["transactions"]
    assert (moved["kind"], moved["amount"], moved["balance"]) == ("take_back", "-900", "100")


def test_what_cannot_be_taken_back_is_refused(api, lot_id):
    path = f"/lots/{lot_id}/taken-back"
    refused(send(api, "POST", path, BODY), 400, "idempotency_key_missing")
    refused(send(api, "POST", "/lots/5/taken-back", BODY, "b"), 404, "unknown_lot")
    refused(api.get(f"{BASE}/lots/5/taken-back"), 404, "not_found")
    refused(send(api, "POST", path, {**BODY, "reason": ""}, "b"), 422, "invalid_request")
    more = {**BODY, "amount": "1000.01"}
    refused(send(api, "POST", path, more, "b"), 422, "amount_out_of_bounds")
    assert api.get(f"{BASE}/wallet").json()["available"] == "1000"
    assert api.get(BASE + path).json() == {"taken_back": []}


def test_an_organisations_own_key_takes_nothing_back(money, lot_id):
    own = client_of(money.key("billing"))
    path = f"/lots/{lot_id}/taken-back"
    refused(send(own, "POST", path, BODY, "b"), 403, "scope_missing")
    assert own.get(f"{BASE}/wallet").json()["available"] == "1000"
