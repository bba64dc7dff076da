"""How organisations do. Mirrors src/talktime/operations/organisation_health.py."""

import pytest

from talktime.core.meters import DOMESTIC, minutes_key, month_of
from talktime.core.payers import FREE_CALL, Payers
from talktime.core.rating import Rate
from talktime.operations.organisation_health import (
    Wanted,
    days_left,
    health_of,
    note_burn,
    organisations_page,
)
from talktime.operations.sum_usage import sum_usage
from talktime.store.health import flagged_after
from tests.commands import authorize
from tests.shop import UNIT, Shop

pytestmark = pytest.mark.layouts("sqlite", "postgres")


@pytest.fixture
def shop(store):
    """An organisation with a card."""
    return Shop(store)


def health(shop):
    """How the organisation does, once its usage is summed and its burn is noted; and who of its
    cell is listed as burning."""
    shop.wait(hours=1)
    sum_usage(shop.sweep)
    while note_burn(shop.sweep).more:
        pass
    cells = {shop.organisation.cell: shop.cell}
    [found] = health_of(cells, [shop.organisation], shop.now_ms)
    with shop.cell.reading():
        return found, flagged_after(shop.cell, "burning", 0, 10)


def test_what_was_spent_in_a_week_is_counted_once(shop):
    shop.give(100 * UNIT)
    shop.spend(40 * UNIT)
    found, burning = health(shop)
    assert (found.wallet.burn_micros, days_left(found.wallet)) == (40 * UNIT, 10)
    assert ("burning" in found.flags, burning) == (False, [])
    shop.spend(20 * UNIT)
    found, burning = health(shop)
    assert (found.wallet.burn_micros, days_left(found.wallet)) == (60 * UNIT, 4)
    assert ("burning" in found.flags, burning) == (True, [shop.organisation.id])


def test_what_was_spent_before_the_last_seven_days_does_not_count(shop):
    shop.give(100 * UNIT)
    shop.spend(40 * UNIT)
    shop.wait(days=6)
    found, _ = health(shop)
    assert found.wallet.burn_micros == 40 * UNIT
    shop.wait(days=1)
    found, burning = health(shop)
    assert (found.wallet.burn_micros, days_left(found.wallet), burning) == (0, None, [])


def unpriced(shop):
    """Who is listed with calls that could not be priced, and with which flags."""
    cells, wanted = {shop.organisation.cell: shop.cell}, Wanted(flag="unpriced")
    page = organisations_page(shop.control, cells, wanted, shop.now_ms)
    return [(row.organisation.name, row.flags) for row in page.rows]


def test_calls_that_could_not_be_priced_are_a_flag_for_seven_days(shop):
    """D10, R63: the operator finds whose rate card lacks a destination."""
    shop.give(100 * UNIT)
    shop.spend(UNIT)
    shop.wait(hours=1)
    sum_usage(shop.sweep)
    assert unpriced(shop) == []
    pool = minutes_key(month_of(shop.now_ms), "MCOPSTN1", "NO", DOMESTIC)
    owner, free = shop.organisation.id, Rate("", "Included minutes", 0, 0, 60, 60)
    payers = Payers(pool, money_code="no_rate", money_detail="x", paid_capability=FREE_CALL)
    given = {"rate": free, "payers": payers, "pool_total_s": 60}
    shop.do(authorize("unpriced", organisation_id=owner, at_ms=shop.now_ms, **given))
    assert shop.end_call("unpriced", 120).charge_micros == 0
    shop.wait(hours=1)
    sum_usage(shop.sweep)
    assert unpriced(shop) == [("Contoso", ("unpriced", "silent"))]
    shop.wait(days=6)
    assert unpriced(shop) == [("Contoso", ("unpriced", "silent"))]
    shop.wait(days=1)
    assert unpriced(shop) == []
