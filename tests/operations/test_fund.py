"""Money put in by hand. Mirrors src/talktime/operations/fund.py."""

from datetime import datetime
from itertools import count

import pytest

from talktime.core.directory import Organisation
from talktime.core.outcomes import Funded
from talktime.core.refusal import Refusal
from talktime.operations.fund import fund
from talktime.store.organisations import insert_wallet
from tests.contents import cell_contents

pytestmark = pytest.mark.layouts("sqlite", "postgres")

NOW_MS = 1_795_428_000_000  # 2026-11-23T10:00:00Z
CONTOSO = Organisation(
    7, "Contoso", "main", "NOK", "Europe/Oslo", "NO", "prepaid", True, "standard"
)
IN_ORDER = {
    "amount_micros": 50_000_000,
    "reason": "invoice 4711",
    "actor": "billing@contoso.example",
    "idempotency_key": "invoice 4711",
}


@pytest.fixture
def cell(store):
    connection = store.cell()
    with connection.transaction():
        insert_wallet(connection, CONTOSO.id, "NOK")
    return connection


@pytest.fixture
def put(cell):
    """Fund as is in order, but for what is said."""
    next_id = count(100).__next__

    def put(organisation=CONTOSO, now_ms=NOW_MS, **said):
        return fund(cell, organisation, **(IN_ORDER | said), now_ms=now_ms, next_id=next_id)

    return put


def test_a_purchase_is_a_lot_that_expires_twelve_months_later_in_the_organisations_zone(put, cell):
    funded = put()
    assert isinstance(funded, Funded)
    assert not funded.replayed
    assert funded.available_micros == 50_000_000
    lot = funded.lot
    assert (lot.source, lot.amount_micros, lot.remaining_micros) == (
        *("purchase", 50_000_000, 50_000_000),
    )
    assert (lot.purchased_ms, lot.priority, lot.promotional) == (NOW_MS, 0, False)
    # 11:00 in Oslo, a year later.
    assert lot.expires_ms == datetime.fromisoformat("2027-11-23T10:00:00Z").timestamp() * 1000
    assert cell.rows("SELECT balance_micros, held_micros, debt_micros FROM wallet") == [
        (50_000_000, 0, 0)
    ]
    assert cell.rows("SELECT debit_account, credit_account, amount_micros, kind FROM transfer") == [
        (1, lot.id, 50_000_000, "purchase")
    ]


def test_the_same_key_and_request_funds_once_whenever_it_comes(put, cell):
    first = put()
    before = cell_contents(cell)
    again = put(now_ms=NOW_MS + 86_400_000)
    assert again.replayed
    assert again.lot == first.lot
    assert again.available_micros == 50_000_000
    assert cell_contents(cell) == before


@pytest.mark.parametrize(
    "said",
    [
        {"amount_micros": 50_000_001},
        {"source": "grant"},
        {"reason": "invoice 4712"},
        {"actor": "someone else"},
        {"lasts_until_ms": NOW_MS + 1},
        {"priority": 1},
        {"promotional": True},
    ],
)
def test_the_same_key_with_another_request_is_refused_and_changes_nothing(put, cell, said):
    put()
    before = cell_contents(cell)
    assert put(**said) == Refusal(
        "idempotency_key_reused", "key 'invoice 4711' funded 50 NOK before, by another request"
    )
    assert cell_contents(cell) == before


def test_a_grant_that_expires_earlier_is_spent_first(put, cell):
    put()
    gift = put(
        amount_micros=5_000_000, source="grant", idempotency_key="gift", promotional=True,
        lasts_until_ms=NOW_MS + 1_000,
    )  # fmt: skip
    assert gift.available_micros == 55_000_000
    assert gift.lot.expires_ms == NOW_MS + 1_000
    assert gift.lot.promotional
    rows = cell.rows("SELECT debit_account, kind FROM transfer ORDER BY id")
    assert rows == [(1, "purchase"), (4, "grant")]


def test_a_key_that_a_payment_will_use_is_nobody_elses(put):
    """Or the charge of that payment could not be credited."""
    refused = put(idempotency_key="payment 4711")
    assert refused.code == "invalid_value"
    assert refused.detail == "keys that begin with 'payment ' are the service's own"


@pytest.mark.parametrize(
    ("said", "refused"),
    [
        ({"amount_micros": 0}, "the amount must be above 0 and at most 1000000000"),
        ({"amount_micros": -1}, "the amount must be above 0 and at most 1000000000"),
        ({"amount_micros": 10**15 + 1}, "the amount must be above 0 and at most 1000000000"),
        ({"source": "theft"}, "the source must be one of"),
        ({"source": "recharge"}, "the source must be one of purchase, grant, adjustment"),
        ({"reason": ""}, "the reason must be 1 to 500"),
        ({"reason": "a\x00"}, "the reason must be 1 to 500"),
        ({"reason": "\ud800"}, "the reason must be 1 to 500"),
        ({"actor": "a" * 201}, "the actor must be 1 to 200"),
        ({"idempotency_key": ""}, "the idempotency key must be 1 to 200"),
        ({"priority": 101}, "the priority must be from -100 to 100"),
        ({"lasts_until_ms": NOW_MS}, "the money would have expired before it is there"),
    ],
)
def test_malformed_funding_is_refused_and_changes_nothing(put, cell, said, refused):
    before = cell_contents(cell)
    refusal = put(**said)
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.detail[: len(refused)]) == ("invalid_value", refused)
    assert cell_contents(cell) == before


@pytest.mark.parametrize("mark", ["moving", "draining", "post_usage"])
def test_no_purchase_is_entered_once_buying_was_closed_but_a_gift_is(put, cell, mark):
    """D14: under the lock, whatever the control plane said before it."""
    bought = put()
    with cell.transaction():
        cell.run("UPDATE wallet SET no_buying = ?", [mark])
    before = cell_contents(cell)
    refusal = put(idempotency_key="another")
    assert refusal == Refusal("credits_not_offered", "buying has been closed")
    assert cell_contents(cell) == before
    again = put()
    assert (again.replayed, again.lot.id) == (True, bought.lot.id)
    for source in ("grant", "adjustment"):
        assert isinstance(put(source=source, idempotency_key=source), Funded)


def test_once_buying_was_closed_no_more_is_entered_than_is_owed_under_the_lock(put, cell):
    """D14: to the unit that can be paid."""
    with cell.transaction():
        cell.run("UPDATE wallet SET no_buying = 'draining'")
        cell.run("UPDATE wallet SET debt_micros = 45001, balance_micros = -45001")
    before = cell_contents(cell)
    refusal = put(amount_micros=60_000)
    assert refusal == Refusal("credits_not_offered", "buying has been closed")
    assert cell_contents(cell) == before
    assert isinstance(put(amount_micros=50_000), Funded)
    assert cell.rows("SELECT balance_micros, debt_micros FROM wallet") == [(4_999, 0)]


def test_what_the_rules_of_buying_refuse_is_not_entered_and_what_was_is_answered(put, cell):
    """R6, R7."""
    put()
    before = cell_contents(cell)
    no = Refusal("organisation_inactive", "Contoso is switched off")
    assert put(idempotency_key="another", why_not=no) == no
    assert cell_contents(cell) == before
    assert put(why_not=no).replayed


def test_an_organisation_without_a_wallet_in_the_cell_is_refused(put, cell):
    before = cell_contents(cell)
    assert put(CONTOSO._replace(id=8)) == Refusal(
        "unknown_organisation", "organisation 8 has no wallet"
    )
    assert cell_contents(cell) == before
