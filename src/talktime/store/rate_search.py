"""Look rates up in the published cards, for people. The caller's `reading` is open on the control
plane. A card's rows are in the order of their prefixes; a row's later prices stand beside it."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from talktime.core.rates import RateRow
from talktime.core.rating import Rate
from talktime.store.database import Connection, Row
from talktime.store.rates import READ_ROWS

_COLUMNS = (
    "direction, prefix, destination, per_minute_micros, fee_micros, first_increment_s, "
    "next_increment_s, valid_from_ms, kind, country"
)
RATES_OF_PREFIXES = (
    f"SELECT {_COLUMNS} FROM rate WHERE card_id = ? AND direction = ? AND prefix = ANY(?) "
    "ORDER BY prefix, valid_from_ms"
)
# From a prefix on, to one: by the index of a card's prefixes. What is empty is not asked.
RATES_BETWEEN = (
    f"SELECT {_COLUMNS} FROM rate WHERE card_id = ? AND direction = ? "
    "AND (prefix, valid_from_ms) > (?, ?) AND prefix < ? "
    "AND (CAST(? AS text) = '' OR country = ? OR country = '') "
    "AND (CAST(? AS text) = '' OR kind = ?) "
    "AND (CAST(? AS integer) = 0 OR destination = ANY(?)) "
    "ORDER BY prefix, valid_from_ms LIMIT ?"
)
ROWS_IN_ORDER = (
    "SELECT prefix, destination, per_minute_micros, fee_micros, first_increment_s, "
    "next_increment_s, valid_from_ms, kind, country FROM rate WHERE card_id = ? AND direction = ? "
    "AND (prefix, valid_from_ms) > (?, ?) ORDER BY prefix, valid_from_ms LIMIT ?"
)
DESTINATIONS = (
    "SELECT destination, MIN(prefix), MAX(prefix) FROM rate WHERE card_id = ? AND direction = ? "
    "GROUP BY destination ORDER BY destination"
)

AFTER_ALL = ":"
"""Comes after all digits."""


class Destination(NamedTuple):
    """A destination of a card, and between which prefixes it lies."""

    name: str
    first: str
    last: str


class Between(NamedTuple):
    """Which rows of a card are looked for: prefixes from one on, before another; of a country
    (rows that name none are taken too), of a kind, of these destinations."""

    first: str = ""
    before: str = AFTER_ALL
    country: str = ""
    kind: str = ""
    destinations: tuple[str, ...] | None = None


def rates_of_prefixes(
    connection: Connection, card_id: int, direction: str, prefixes: Sequence[str]
) -> list[RateRow]:
    """A version's rows of these prefixes, by prefix and then by when they come into force."""
    rows = connection.rows(RATES_OF_PREFIXES, (card_id, direction, list(prefixes)))
    return [_rate_row(row) for row in rows]


def rates_between(
    connection: Connection,
    card_id: int,
    direction: str,
    between: Between,
    after: tuple[str, int],
    limit: int,
) -> list[RateRow]:
    """A version's rows that are looked for after (prefix, valid_from_ms), in that order."""
    first, before, country, kind, destinations = between
    start = max(after, (first, -1))
    values = (
        *(card_id, direction, *start, before, country, country, kind, kind),
        *(int(destinations is not None), list(destinations or ()), limit),
    )
    return [_rate_row(row) for row in connection.rows(RATES_BETWEEN, values)]


def rows_in_order(connection: Connection, card_id: int, direction: str) -> Iterator[Row]:
    """All of a version's rows by prefix and then by when they come into force: prefix, destination,
    price a minute and fee (micros), the increments (s), from when (ms), kind, country."""
    after, full = ("", -1), True
    while full:
        values = (card_id, direction, *after, READ_ROWS)
        rows = connection.rows(ROWS_IN_ORDER, values)
        yield from rows
        full = len(rows) == READ_ROWS
        if full:
            after = rows[-1][0], rows[-1][6]


def destinations_of(
    connection: Connection, card_id: int, direction: str
) -> tuple[Destination, ...]:
    """A version's destinations, by name. Reads all its rows."""
    return tuple(Destination(*row) for row in connection.rows(DESTINATIONS, (card_id, direction)))


def _rate_row(row: Row) -> RateRow:
    direction, *rate, valid_from_ms, kind, country = row
    return RateRow(direction, Rate(*rate), valid_from_ms, kind, country)
