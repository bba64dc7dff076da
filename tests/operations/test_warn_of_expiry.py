"""What is about to expire is told in time. Mirrors src/talktime/operations/warn_of_expiry.py."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from talktime.core.payments import PaymentMethod
from talktime.operations.fund import fund
from talktime.operations.payment_methods import add_method, remove_method
from talktime.operations.warn_of_expiry import warn_of_expiry
from talktime.store.expiring import lots_expiring
from tests.shop import UNIT, Shop

pytestmark = pytest.mark.layouts("sqlite", "postgres")
DAY_MS, HOUR_MS = 86_400_000, 3_600_000


@pytest.fixture
def shop(store):
    return Shop(store)


def ms(text):
    """A moment in UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000


def lot(shop, expires_ms, key="k", micros=50 * UNIT):
    """A lot that expires then."""
    return fund(
        shop.cell,
        shop.organisation,
        amount_micros=micros,
        reason="r",
        actor="a",
        idempotency_key=key,
        lasts_until_ms=expires_ms,
        now_ms=shop.now_ms,
        next_id=shop.ids.next,
    ).lot


def add_card(shop, year, month):
    """A card that ends with this month."""
    card = shop.bank.issue()
    method = PaymentMethod(
        *(shop.ids.next(), shop.organisation.id, "card", "active", 0, "bank", card.customer_ref),
        *(card.method_ref, "Visa", "4242", year, month, "", "", shop.now_ms, "admin"),
    )
    with shop.cell.transaction():
        add_method(shop.cell, method)
    return method.id


def warned(shop, at_ms):
    """Which notices come at this moment: the days left, or the card's last month."""
    shop.now_ms = at_ms
    with shop.cell.reading():
        before = shop.cell.rows("SELECT COUNT(*) FROM outbox")[0][0]
    swept = warn_of_expiry(shop.sweep)
    with shop.cell.reading():
        rows = shop.cell.rows(
            "SELECT key FROM outbox WHERE kind IN ('lot.expiring', 'card.expiring') ORDER BY id"
        )
        after = shop.cell.rows("SELECT COUNT(*) FROM outbox")[0][0]
    assert after - before == swept.rows
    return [key.rpartition("/")[2] for (key,) in rows[len(rows) - swept.rows :]]


def test_a_lot_is_told_30_7_and_1_days_before_and_once_each(shop):
    """R2, R4, D4: at the day to the millisecond, and not one before."""
    end_ms = shop.now_ms + 200 * DAY_MS
    lot(shop, end_ms)
    told = [
        warned(shop, end_ms - days * DAY_MS - early_ms)
        for days in (30, 7, 1)
        for early_ms in (1, 0, -1, -1_000)
    ]
    assert told == [[], ["30"], [], [], [], ["7"], [], [], [], ["1"], [], []]
    assert warned(shop, end_ms - 1) == []
    assert warned(shop, end_ms) == []


def test_a_lot_that_comes_after_its_day_was_told_of_is_told_too(shop):
    """D4: with all that ends then, once; and not again when the new one is spent."""
    lot(shop, shop.now_ms + 10 * DAY_MS, "a")
    assert warned(shop, shop.now_ms) == ["30"]
    lot(shop, shop.now_ms + 10 * DAY_MS - 1, "b", 10 * UNIT)
    assert warned(shop, shop.now_ms + 1) == ["30"]
    assert [facts["lots"] for facts in shop.facts("lot.expiring")] == [1, 2]
    shop.spend(10 * UNIT)
    assert warned(shop, shop.now_ms + 1) == []


def test_the_notice_has_what_remains(shop):
    """D4."""
    lot(shop, shop.now_ms + 10 * DAY_MS)
    shop.spend(20 * UNIT)
    warned(shop, shop.now_ms)
    with shop.cell.reading():
        [(facts,)] = shop.cell.rows("SELECT facts FROM outbox WHERE kind = 'lot.expiring'")
    assert '"remaining_micros":30000000' in facts
    assert '"days":30' in facts


def test_after_a_week_of_downtime_only_the_nearest_is_told(shop):
    """D4: no flood."""
    end_ms = shop.now_ms + 100 * DAY_MS
    lot(shop, end_ms)
    assert warned(shop, end_ms - 31 * DAY_MS) == []
    assert warned(shop, end_ms - 6 * DAY_MS) == ["7"]
    assert warned(shop, end_ms - 6 * DAY_MS + 1) == []
    assert warned(shop, end_ms - DAY_MS) == ["1"]


def test_a_lot_that_expired_while_nobody_looked_is_not_told_as_about_to(shop):
    """D4."""
    end_ms = shop.now_ms + 100 * DAY_MS
    lot(shop, end_ms)
    assert warned(shop, end_ms) == []


def test_a_lot_that_was_spent_is_not_told(shop):
    """D4."""
    lot(shop, shop.now_ms + 10 * DAY_MS)
    shop.spend(50 * UNIT)
    assert warned(shop, shop.now_ms) == []


def test_a_lot_of_the_29_of_february_is_told_before_the_28(shop):
    """R4, D5."""
    shop.now_ms = ms("2028-02-29T10:00")
    bought = lot(shop, None)
    end_ms = ms("2029-02-28T10:00")
    assert bought.expires_ms == end_ms
    assert warned(shop, end_ms - 30 * DAY_MS - 1) == []
    assert warned(shop, end_ms - 30 * DAY_MS) == ["30"]
    assert warned(shop, ms("2029-02-27T10:00")) == ["1"]


def test_lots_of_many_days_are_read_page_by_page(shop):
    """R4: more than fit one transaction."""
    for number in range(12):
        lot(shop, shop.now_ms + (number + 10) * DAY_MS, f"k{number}", UNIT)
    until_ms, after, pages = shop.now_ms + 30 * DAY_MS, (0, 0), []
    with shop.cell.reading():
        while page := lots_expiring(shop.cell, shop.now_ms, until_ms, after, 5):
            pages.append([each.day - page[0].day for each in page])
            after = (page[-1].organisation_id, page[-1].day)
    assert pages == [[0, 1, 2, 3, 4], [0, 1, 2, 3, 4], [0, 1]]
    assert warned(shop, shop.now_ms) == ["30"] * 12


def test_lots_of_one_day_are_told_in_one_notice(shop):
    """D4: one mail for a day, with what all of them come to and when the first ends."""
    first_ms = (shop.now_ms // DAY_MS + 10) * DAY_MS
    for number in range(3):
        lot(shop, first_ms + number * HOUR_MS, f"k{number}", (number + 1) * UNIT)
    lot(shop, first_ms + DAY_MS, "the day after", 9 * UNIT)
    assert warned(shop, first_ms - 30 * DAY_MS) == ["30"]
    with shop.cell.reading():
        [(facts,)] = shop.cell.rows("SELECT facts FROM outbox WHERE kind = 'lot.expiring'")
    told = json.loads(facts)
    assert (told["lots"], told["remaining_micros"]) == (3, 6 * UNIT)
    assert told["expires_ms"] == first_ms
    assert warned(shop, first_ms - 7 * DAY_MS) == ["7", "30"]


@pytest.mark.parametrize(
    ("year", "month", "ends"),
    [
        (2027, 12, "2028-01-01"),  # the turn of the year
        (2028, 2, "2028-03-01"),  # after 29 February
        (2027, 2, "2027-03-01"),
        (2027, 4, "2027-05-01"),
        (2027, 1, "2027-02-01"),  # from 2 January on: its last month has 31 days
    ],
)
def test_a_card_is_told_once_from_30_days_before_its_last_month_is_over(shop, year, month, ends):
    """D4."""
    method_id = add_card(shop, year, month)
    end_ms = ms(ends)
    told = [
        warned(shop, end_ms - timedelta(days=30) // timedelta(milliseconds=1) + offset_ms)
        for offset_ms in (-1, 0, DAY_MS)
    ]
    assert told == [[], [f"{year}-{month}"], []]
    assert warned(shop, end_ms) == []
    with shop.cell.reading():
        [(facts,)] = shop.cell.rows("SELECT facts FROM outbox WHERE kind = 'card.expiring'")
    assert f'"method_id":{method_id}' in facts


def test_a_card_that_ended_while_nobody_looked_or_was_removed_is_not_told(shop):
    """D4."""
    ended, removed = add_card(shop, 2027, 3), add_card(shop, 2027, 4)
    assert ended != removed
    remove_method(shop.counter, removed)
    assert warned(shop, ms("2027-04-15T00:00")) == []
