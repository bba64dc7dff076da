"""Rate cards in the database. Mirrors src/talktime/store/rates.py."""

import sqlite3
from itertools import count

import psycopg
import pytest

from talktime.core.rates import RateCards, RateRow
from talktime.core.rating import Rate
from talktime.store import rates
from talktime.store.rates import (
    RATE,
    CardVersion,
    load_cards,
    lock_publishing,
    publish,
    read_rates,
    versions_of,
)

pytestmark = pytest.mark.layouts("sqlite", "postgres")

next_id = count(1).__next__


@pytest.fixture
def connection(store):
    return store.control()


def row(prefix, per_minute_micros, valid_from_ms=0, direction="outbound"):
    rate = Rate(prefix, 'Côte "d\'Or" \\ 東京', per_minute_micros, 7, 30, 6)
    return RateRow(direction, rate, valid_from_ms, "mobile", "FR")


def put(connection, name, rows, valid_from_ms=0):
    written = []
    with connection.transaction():
        version = CardVersion(
            next_id(), name, "USD", valid_from_ms, len(rows), lock_publishing(connection) + 1
        )
        publish(
            connection,
            version,
            rows,
            imported_ms=5,
            source="a test",
            next_id=next_id,
            written=written.append,
        )
    return version, written


def test_a_published_card_is_read_back_as_it_was(connection):
    rows = [row("49", 1), row("49", 2, 9), row("4", 3), row("1800", 4, direction="toll_free_in")]
    version, written = put(connection, "as it was", rows)
    assert written == [4]
    assert versions_of(connection, "as it was") == [version]
    assert list(read_rates(connection, version.id, "outbound")) == [
        (rows[2].rate, 0), (rows[0].rate, 0), (rows[1].rate, 9)
    ]  # fmt: skip
    assert list(read_rates(connection, version.id, "toll_free_in")) == [(rows[3].rate, 0)]


def test_more_rows_than_fit_one_chunk_are_all_written_and_read(connection):
    """Two dates for each prefix, so that a chunk ends between the two."""
    prefixes = [str(number) for number in range(10_000, 20_501)]
    rows = [row("1", 1), *(row(prefix, 1, at_ms) for prefix in prefixes for at_ms in (0, 5))]
    assert len(rows) == rates.READ_ROWS + 1_003 == 2 * rates.WRITE_ROWS + 1_003
    version, written = put(connection, "in chunks", rows)
    assert written == [10_000, 20_000, 21_003]
    read = list(read_rates(connection, version.id, "outbound"))
    in_order = sorted(rows, key=lambda each: (each.prefix, each.valid_from_ms))
    assert read == [(each.rate, each.valid_from_ms) for each in in_order]


def test_a_reader_takes_up_what_was_published_since(connection):
    _, before = load_cards(connection, RateCards(), 0)
    put(connection, "taken up", [row("49", 1)], 100)
    cards, first = load_cards(connection, RateCards(), before)
    assert first == before + 1
    assert cards.find("taken up", "outbound", "4930", 100).per_minute_micros == 1
    put(connection, "taken up", [row("49", 2)], 200)
    more, second = load_cards(connection, cards, first)
    assert second == first + 1
    assert more.find("taken up", "outbound", "4930", 199).per_minute_micros == 1
    assert more.find("taken up", "outbound", "4930", 200).per_minute_micros == 2
    assert cards.find("taken up", "outbound", "4930", 200).per_minute_micros == 1
    assert load_cards(connection, more, second) == (more, second)


def test_a_publication_that_fails_leaves_nothing(connection):
    seen = load_cards(connection, RateCards(), 0)[1]
    with pytest.raises((sqlite3.IntegrityError, psycopg.IntegrityError)):
        put(connection, "doubled", [row("49", 1), row("49", 2)])
    assert versions_of(connection, "doubled") == []
    assert load_cards(connection, RateCards(), 0)[1] == seen


def test_a_publication_of_another_number_of_rows_than_it_says_leaves_nothing(connection):
    version = CardVersion(next_id(), "miscounted", "USD", 0, 2, 10**6)
    with pytest.raises(ValueError, match="1 rates for a card of 2"), connection.transaction():
        publish(
            connection,
            version,
            [row("49", 1)],
            imported_ms=5,
            source="",
            next_id=next_id,
            written=[].append,
        )
    assert versions_of(connection, "miscounted") == []


def test_the_columns_written_are_the_columns_of_the_table(connection):
    if connection.dialect == "sqlite":
        found = [name for _, name, *_ in connection.rows("PRAGMA table_info(rate)")]
    else:
        found = [
            name
            for (name,) in connection.rows(
                "SELECT column_name FROM information_schema.columns WHERE table_name = 'rate' "
                "AND table_schema = current_schema() ORDER BY ordinal_position"
            )
        ]
    assert found == list(RATE.columns)
