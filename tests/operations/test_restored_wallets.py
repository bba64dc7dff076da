"""Wallets that a restore has lost. Mirrors src/talktime/operations/restored_wallets.py."""

import pytest

from talktime.core.directory import Organisation
from talktime.operations.fund import fund
from talktime.operations.restored_wallets import make_missing_wallet
from talktime.store.organisations import wallet_here
from tests.contents import cell_contents

pytestmark = pytest.mark.layouts("sqlite", "postgres")

CONTOSO = Organisation(7, "Contoso", "main", "NOK", "UTC", "NO", "prepaid", True, "standard")


@pytest.fixture
def cell(store):
    return store.cell()


def made(cell, **said):
    with cell.transaction():
        return make_missing_wallet(cell, CONTOSO._replace(**said))


@pytest.mark.parametrize(
    ("model", "mark"), [("prepaid", None), ("draining", "draining"), ("post_usage",) * 2]
)
def test_a_lost_wallet_is_made_empty_and_marked_as_the_model_is(cell, model, mark):
    assert made(cell, commerce_model=model)
    assert wallet_here(cell, 7) == ("NOK", mark)


def test_a_wallet_that_is_there_stays_as_it_is(cell):
    assert made(cell)
    said = {"reason": "a test", "actor": "test", "idempotency_key": "first", "now_ms": 9}
    fund(cell, CONTOSO, amount_micros=5_000_000, next_id=iter(range(100, 200)).__next__, **said)
    before = cell_contents(cell)
    assert not made(cell)
    assert not made(cell, currency="USD", commerce_model="post_usage")
    assert cell_contents(cell) == before
