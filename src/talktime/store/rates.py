"""Rate cards in the control plane: publish a version whole, read versions and their rates.

A card's version and its rows are written in one transaction and never changed, so whoever sees
the version sees all of it. Rows are read in the order of their prefixes, a chunk at a time.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple

from talktime.core.limits import RATE_CARD_VERSIONS_LISTED_MAX, RATE_CARDS_LISTED_MAX
from talktime.core.rates import DIRECTIONS, PrefixIndex, RateCard, RateCards, RateRow
from talktime.core.rating import Rate
from talktime.store.database import Connection
from talktime.store.tables import Table

READ_ROWS = 20_000
WRITE_ROWS = 10_000

RATE = Table(
    "rate",
    {
        "id": "bigint",
        "card_id": "bigint",
        "direction": "text",
        "prefix": "text",
        "destination": "text",
        "kind": "text",
        "country": "text",
        "per_minute_micros": "bigint",
        "fee_micros": "bigint",
        "first_increment_s": "integer",
        "next_increment_s": "integer",
        "valid_from_ms": "bigint",
    },
)

LOCK_REVISION = "SELECT value FROM revision WHERE name = 'rates' FOR UPDATE"
SET_REVISION = "UPDATE revision SET value = ? WHERE name = 'rates'"
INSERT_CARD = (
    "INSERT INTO rate_card (id, name, currency, valid_from_ms, imported_ms, source, row_count, "
    "revision) VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)
_VERSION_COLUMNS = "id, name, currency, valid_from_ms, row_count, revision"
VERSIONS_AFTER = (
    f"SELECT {_VERSION_COLUMNS} FROM rate_card WHERE revision > ? ORDER BY revision, id"
)
VERSIONS_OF = f"SELECT {_VERSION_COLUMNS} FROM rate_card WHERE name = ? ORDER BY valid_from_ms"
RATES_OF_VERSION = (
    "SELECT prefix, destination, per_minute_micros, fee_micros, first_increment_s, "
    "next_increment_s, valid_from_ms FROM rate WHERE card_id = ? AND direction = ? "
    "AND (prefix, valid_from_ms) > (?, ?) ORDER BY prefix, valid_from_ms LIMIT ?"
)


PUBLISHED = (
    f"SELECT {_VERSION_COLUMNS}, imported_ms, source FROM rate_card WHERE name = ? "
    "ORDER BY valid_from_ms DESC"
)
ALL_PUBLISHED = (
    f"SELECT {_VERSION_COLUMNS}, imported_ms, source FROM rate_card "
    "ORDER BY name, valid_from_ms DESC LIMIT ?"
)
VERSION_OF_ID = f"SELECT {_VERSION_COLUMNS}, imported_ms, source FROM rate_card WHERE id = ?"
ROWS_OF_VERSION = (
    "SELECT direction, prefix, destination, per_minute_micros, fee_micros, first_increment_s, "
    "next_increment_s, valid_from_ms, kind, country FROM rate "
    "WHERE card_id = ? AND (direction, prefix, valid_from_ms) > (?, ?, ?) "
    "ORDER BY direction, prefix, valid_from_ms LIMIT ?"
)
_SEARCHED = (
    "SELECT direction, prefix, destination, per_minute_micros, fee_micros, first_increment_s, "
    "next_increment_s, valid_from_ms, kind, country FROM rate WHERE card_id = ? AND {} "
    "ORDER BY direction, prefix, valid_from_ms LIMIT ?"
)
SEARCHED_BY_PREFIX = _SEARCHED.format("prefix LIKE ?")
SEARCHED_BY_NAME = _SEARCHED.format("LOWER(destination) LIKE ? ESCAPE '!'")


class CardVersion(NamedTuple):
    """A version of a card without its rates."""

    id: int
    name: str
    currency: str
    valid_from_ms: int
    row_count: int
    revision: int


CARD_NAMES = "SELECT DISTINCT name FROM rate_card ORDER BY name LIMIT ?"


def card_names(connection: Connection) -> list[str]:
    """The cards there are, by name; the first RATE_CARDS_LISTED_MAX."""
    return [row[0] for row in connection.rows(CARD_NAMES, [RATE_CARDS_LISTED_MAX])]


class Published(NamedTuple):
    """A version with when it was published and where its rows came from."""

    version: CardVersion
    imported_ms: int
    source: str


def published(connection: Connection, name: str = "") -> list[Published]:
    """The versions of a card, or of all, by card and then the latest start first; at most
    RATE_CARD_VERSIONS_LISTED_MAX of all."""
    if name:
        rows = connection.rows(PUBLISHED, [name])
    else:
        rows = connection.rows(ALL_PUBLISHED, [RATE_CARD_VERSIONS_LISTED_MAX])
    return [Published(CardVersion(*row[:6]), *row[6:]) for row in rows]


def version_of_id(connection: Connection, card_id: int) -> Published | None:
    """One version."""
    rows = connection.rows(VERSION_OF_ID, [card_id])
    return Published(CardVersion(*rows[0][:6]), *rows[0][6:]) if rows else None


def rows_of_version(connection: Connection, card_id: int) -> Iterator[RateRow]:
    """All rows of a version as they were published, by direction, prefix and time."""
    after, full = ("", "", 0), True
    while full:
        rows = connection.rows(ROWS_OF_VERSION, (card_id, *after, READ_ROWS))
        yield from map(_rate_row, rows)
        full = len(rows) == READ_ROWS
        if full:
            after = (rows[-1][0], rows[-1][1], rows[-1][7])


def search_version(connection: Connection, card_id: int, text: str, rows_max: int) -> list[RateRow]:
    """The rows of a version whose prefix begins with these digits, or whose destination's name
    holds this text."""
    if text.isascii() and text.isdigit():
        found = connection.rows(SEARCHED_BY_PREFIX, [card_id, f"{text}%", rows_max])
    else:
        for mark in "!%_":
            text = text.replace(mark, f"!{mark}")
        found = connection.rows(SEARCHED_BY_NAME, [card_id, f"%{text.lower()}%", rows_max])
    return [_rate_row(row) for row in found]


def _rate_row(row: tuple[Any, ...]) -> RateRow:
    return RateRow(row[0], Rate(*row[1:7]), *row[7:])


def lock_publishing(connection: Connection) -> int:
    """Let no other publish until this transaction ends; returns the counter's value."""
    return int(connection.rows(LOCK_REVISION)[0][0])


def versions_of(connection: Connection, name: str) -> list[CardVersion]:
    """All versions of a card, in the order in which they come into force."""
    return [CardVersion(*row) for row in connection.rows(VERSIONS_OF, (name,))]


def publish(
    connection: Connection,
    version: CardVersion,
    rows: Iterable[RateRow],
    *,
    imported_ms: int,
    source: str,
    next_id: Callable[[], int],
    written: Callable[[int], None],
) -> None:
    """Write a version with its rows and move the counter to its revision.

    The caller holds `lock_publishing` and the transaction; `written` is told the rows so far.
    """
    connection.run(SET_REVISION, (version.revision,))
    connection.run(
        INSERT_CARD,
        (
            version.id,
            version.name,
            version.currency,
            version.valid_from_ms,
            imported_ms,
            source,
            version.row_count,
            version.revision,
        ),
    )
    statement, remaining, done = RATE.insert(), iter(rows), 0
    while chunk := list(islice(remaining, WRITE_ROWS)):
        bound = [_bound(row, version.id, next_id()) for row in chunk]
        connection.write_all([(statement, bound)])
        done += len(chunk)
        written(done)
    if done != version.row_count:
        raise ValueError(f"{done} rates for a card of {version.row_count}")


def _bound(row: RateRow, card_id: int, rate_id: int) -> tuple[int | str, ...]:
    prefix, destination, *terms = row.rate
    return (
        *(rate_id, card_id, row.direction, prefix, destination, row.kind, row.country),
        *terms,
        row.valid_from_ms,
    )


def read_rates(connection: Connection, card_id: int, direction: str) -> Iterator[tuple[Rate, int]]:
    """A version's rates with their `valid_from_ms`, by prefix and then by that time."""
    prefix, valid_from_ms, full = "", 0, True
    while full:
        rows = connection.rows(
            RATES_OF_VERSION, (card_id, direction, prefix, valid_from_ms, READ_ROWS)
        )
        for row in rows:
            yield Rate(*row[:6]), row[6]
        full = len(rows) == READ_ROWS
        if full:
            prefix, valid_from_ms = rows[-1][0], rows[-1][6]


def load_card(connection: Connection, version: CardVersion) -> RateCard:
    """A version with its rates, ready to be searched."""
    indexes = {
        direction: PrefixIndex.of(read_rates(connection, version.id, direction))
        for direction in DIRECTIONS
    }
    return RateCard(version.id, version.name, version.currency, version.valid_from_ms, indexes)


def load_cards(
    connection: Connection, cards: RateCards, seen_revision: int
) -> tuple[RateCards, int]:
    """The cards and what was published after `seen_revision`, with the revision now seen.

    Begin with `RateCards()` and 0; what is loaded already is not read again.
    """
    for row in connection.rows(VERSIONS_AFTER, (seen_revision,)):
        version = CardVersion(*row)
        cards = cards.with_card(load_card(connection, version))
        seen_revision = version.revision
    return cards, seen_revision
