"""How organisations do. Mirrors src/talktime/operations/organisation_health.py."""

import pytest

from talktime.operations.organisation_health import days_left, health_of, note_burn
from talktime.operations.sum_usage import sum_usage
from talktime.store.health import flagged_after
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
