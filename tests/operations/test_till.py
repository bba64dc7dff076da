"""The transaction on an organisation's payments. Mirrors src/talktime/operations/till.py and
counters.py."""

from datetime import UTC, datetime

import pytest

from talktime.core.documents import Seller
from talktime.operations.counters import Counters
from talktime.operations.fund import fund
from talktime.operations.purchases import start_purchase
from talktime.operations.till import (
    MOVING,
    NoWallet,
    caps_since_ms,
    counter_refusal,
    open_till,
)
from talktime.store.organisations import update_organisation
from tests.contents import cell_contents
from tests.shop import NOW_MS, UNIT, Shop

BOTH = pytest.mark.layouts("sqlite", "postgres")


@pytest.fixture
def shop(store):
    return Shop(store)


def tend(shop, counter=None):
    """Open the till, and do nothing."""
    with open_till(counter or shop.counter):
        pass


def mark(shop):
    """Why the wallet says that nothing can be bought."""
    with shop.cell.reading():
        return shop.cell.rows("SELECT no_buying FROM wallet")[0][0]


def set_mark(shop, code):
    with shop.cell.transaction():
        shop.cell.run(
            "UPDATE wallet SET no_buying = ? WHERE organisation_id = ?",
            [code, shop.organisation.id],
        )


@BOTH
def test_a_cell_without_the_wallet_is_named_and_nothing_is_written(shop):
    """An organisation that this cell does not have."""
    lost = shop.counter._replace(organisation=shop.organisation._replace(id=4711))
    before = cell_contents(shop.cell)
    with pytest.raises(NoWallet, match="organisation 4711 has no wallet in its cell") as caught:
        tend(shop, lost)
    assert cell_contents(shop.cell) == before
    assert counter_refusal(caught.value).code == "unknown_organisation"


@BOTH
def test_an_exception_while_the_till_is_open_leaves_everything_as_it_was(shop):
    """R5: a transaction."""
    before = cell_contents(shop.cell)
    with pytest.raises(ZeroDivisionError), open_till(shop.counter._replace(no_buying="country")):
        divmod(1, 0)
    assert cell_contents(shop.cell) == before


@BOTH
def test_buying_is_closed_and_opened_as_the_counter_says(shop):
    """R7, R71."""
    assert mark(shop) is None
    tend(shop, shop.counter._replace(no_buying="reseller"))
    assert mark(shop) == "reseller"
    tend(shop, shop.counter._replace(no_buying="country"))
    assert mark(shop) == "country"
    tend(shop)
    assert mark(shop) is None


@BOTH
def test_the_mark_of_a_change_of_the_model_stays_whatever_the_counter_says(shop):
    """R71, D14: the control plane may not know of it yet."""
    set_mark(shop, MOVING)
    tend(shop)
    assert mark(shop) == MOVING
    tend(shop, shop.counter._replace(no_buying="country"))
    assert mark(shop) == MOVING


@BOTH
def test_a_counter_is_closed_by_what_the_control_plane_says_now(shop):
    """R7: of an organisation that is switched off."""
    counters = Counters(lambda: shop.control, shop.cell, lambda: shop.now_ms, shop.ids.next)
    assert counters.of_id(shop.organisation.id).no_buying == ""
    off = shop.organisation._replace(active=False)
    with shop.control.transaction():
        update_organisation(shop.control, off)
    assert counters.of_id(shop.organisation.id).no_buying == "inactive"
    assert counters.of_id(4711) is None
    assert counters.of(shop.organisation).bounds == (50 * UNIT, 50_000 * UNIT)


@BOTH
def test_the_invoice_names_the_seller_of_the_counter(shop):
    """R18."""
    start_purchase(
        shop.counter,
        amount_micros=50 * UNIT,
        method_id=shop.method_id,
        idempotency_key="k",
        actor="admin",
        why_not=None,
    )
    seller = Seller("Contoso Telecom", ("1 Way",), "NO 1")
    with open_till(shop.counter._replace(seller=seller)) as collector:
        [payment] = collector.till.payments.values()
        collector.receive(payment, "cash", "operator")
    with shop.cell.reading():
        [(body, payment_id)] = shop.cell.rows("SELECT body, payment_id FROM document")
    assert '"Contoso Telecom"' in body
    assert payment_id == payment.id


@BOTH
def test_tended_once_nothing_is_written_the_second_time(shop):
    """D2."""
    shop.recharge_on(100 * UNIT, 200 * UNIT)
    tend(shop)
    before = cell_contents(shop.cell), shop.told("")
    tend(shop)
    assert (cell_contents(shop.cell), shop.told("")) == before


@BOTH
def test_money_that_comes_in_by_hand_is_seen_by_whoever_looks_next(shop):
    """R19: fund asks for attention; the look takes it away."""
    attention = "SELECT attention_ms FROM wallet"
    fund(
        shop.cell,
        shop.organisation,
        amount_micros=UNIT,
        reason="r",
        actor="a",
        idempotency_key="k",
        now_ms=NOW_MS,
        next_id=shop.ids.next,
    )
    with shop.cell.reading():
        assert shop.cell.rows(attention) == [(NOW_MS,)]
    tend(shop)
    with shop.cell.reading():
        assert shop.cell.rows(attention) == [(None,)]


@pytest.mark.parametrize(
    ("now", "since"),
    [
        ("2026-03-31T12:00", "2026-02-28T12:00"),
        ("2026-03-01T00:00", "2026-02-28T00:00"),
        ("2026-03-02T00:00", "2026-02-28T00:00"),
        ("2027-01-01T06:00", "2026-12-31T06:00"),
    ],
)
def test_what_counts_for_the_caps_is_this_month_and_the_last_day_at_least(now, since):
    """D2."""
    at_ms, since_ms = (
        int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000
        for text in (now, since)
    )
    assert caps_since_ms(at_ms) == since_ms
