"""Telephone numbers in the control plane. The caller opens and commits the transaction."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from talktime.core.directory import NumberEntry
from talktime.store.database import Connection, Row
from talktime.store.revisions import (
    DIRECTORY,
    READ_ROWS,
    WRITE_ROWS,
    Page,
    bump,
    one_of_equals,
    pages_after,
    write_rows,
)
from talktime.store.tables import Table

NUMBER = Table(
    "number",
    {
        "digits": "text",
        "organisation_id": "bigint",
        "user_id": "bigint",
        "kind": "text",
        "active": "boolean",
        "attached": "text",
        "moved_from": "bigint",
        "moved_ms": "bigint",
        "revision": "bigint",
    },
)

_NUMBER_COLUMNS = "digits, organisation_id, user_id, kind, active, attached, moved_from, moved_ms"
SET_NUMBER = (
    "UPDATE number SET organisation_id = ?, user_id = ?, kind = ?, active = ?, attached = ?, "
    "moved_from = ?, moved_ms = ?, revision = ? "
    "WHERE digits = ?"
)
NUMBERS_OF_DIGITS = f"SELECT {_NUMBER_COLUMNS} FROM number WHERE digits = ANY(?)"
NUMBERS_OF_ORGANISATION = (
    f"SELECT {_NUMBER_COLUMNS} FROM number WHERE organisation_id = ? AND digits > ? "
    "ORDER BY digits LIMIT ?"
)
NUMBERS_OF_KIND = (
    f"SELECT {_NUMBER_COLUMNS} FROM number WHERE organisation_id = ? AND kind = ? AND active = ? "
    "AND digits > ? AND digits LIKE ? ORDER BY digits LIMIT ?"
)
NUMBERS_OF_USER = (
    f"SELECT {_NUMBER_COLUMNS} FROM number WHERE organisation_id = ? AND user_id = ? AND active = ?"
    " ORDER BY digits LIMIT ?"
)
NUMBERS_OF_USERS = (
    f"SELECT {_NUMBER_COLUMNS} FROM number WHERE organisation_id = ? AND user_id = ANY(?) "
    "AND active = ? ORDER BY digits DESC"
)
NUMBERS_OF_NOBODY = (
    f"SELECT {_NUMBER_COLUMNS} FROM number WHERE organisation_id = ? AND user_id IS NULL "
    "AND active = ? AND kind = ? LIMIT ?"
)
NUMBERS_AFTER = (
    f"SELECT {_NUMBER_COLUMNS}, revision FROM number WHERE revision > ? ORDER BY revision LIMIT ?"
)
NUMBERS_COUNTED = (
    "SELECT kind, COUNT(*) FROM number WHERE organisation_id = ? AND active GROUP BY kind"
)

INSERT_RESERVATION = (
    "INSERT INTO number_reservation (digits, organisation_id, kind, until_ms) VALUES (?, ?, ?, ?)"
)
RESERVATION_OF_DIGITS = (
    "SELECT digits, organisation_id, kind, until_ms FROM number_reservation WHERE digits = ?"
)
RESERVATIONS_COUNTED = (
    "SELECT kind, COUNT(*) FROM number_reservation "
    "WHERE organisation_id = ? AND until_ms > ? AND NOT (digits = ANY(?)) GROUP BY kind"
)
RESERVATIONS_OF_KIND = (
    "SELECT digits, organisation_id, kind, until_ms FROM number_reservation "
    "WHERE organisation_id = ? AND kind = ? AND until_ms > ? ORDER BY digits LIMIT ?"
)
DELETE_RESERVATIONS = "DELETE FROM number_reservation WHERE until_ms <= ? OR digits = ?"


class Reservation(NamedTuple):
    """A number that is kept for an organisation until it is assigned, or the time has passed."""

    digits: str
    organisation_id: int
    kind: str
    until_ms: int


def numbers_after(
    connection: Connection, seen: int, rows_max: int = READ_ROWS
) -> Iterator[Page[NumberEntry]]:
    """Numbers changed since the `directory` revision `seen` (0: all)."""
    return pages_after(connection, NUMBERS_AFTER, seen, _number, rows_max)


def insert_numbers(
    connection: Connection, numbers: Iterable[NumberEntry], rows_max: int = WRITE_ROWS
) -> None:
    """New numbers, in revisions of some thousands."""
    write_rows(connection, NUMBER.insert(), DIRECTORY, numbers, rows_max)


def update_number(connection: Connection, number: NumberEntry) -> None:
    """Write all of a number that is there."""
    revision = bump(connection, DIRECTORY)
    digits, *values = number
    connection.run(SET_NUMBER, (*values, revision, digits))


def numbers_of_digits(connection: Connection, digits: Sequence[str]) -> list[NumberEntry]:
    """The entries of these numbers, those out of use as well."""
    return [_number(row) for row in connection.rows(NUMBERS_OF_DIGITS, (list(digits),))]


def numbers_of_organisation(
    connection: Connection, organisation_id: int, after: str, limit: int
) -> list[NumberEntry]:
    """An organisation's numbers after this one, in their order, those out of use as well."""
    values = (organisation_id, after, limit)
    return [_number(row) for row in connection.rows(NUMBERS_OF_ORGANISATION, values)]


def numbers_of_kind(
    connection: Connection,
    organisation_id: int,
    kind: str,
    after: str,
    limit: int,
    *,
    active: bool = True,
    part: str = "",
) -> list[NumberEntry]:
    """An organisation's numbers of one kind after this one, in their order: those in use, or those
    that were taken out of it; `part` is digits that stand in each."""
    values = (organisation_id, kind, active, after, f"%{part}%", limit)
    return [_number(row) for row in connection.rows(NUMBERS_OF_KIND, values)]


def numbers_of_user(
    connection: Connection, organisation_id: int, user_id: int, limit: int
) -> list[NumberEntry]:
    """The numbers in use that a user has."""
    values = (organisation_id, user_id, True, limit)
    return [_number(row) for row in connection.rows(NUMBERS_OF_USER, values)]


def first_numbers(
    connection: Connection, organisation_id: int, user_ids: Sequence[int]
) -> dict[int, str]:
    """By user, the digits of the first number in use that each has."""
    rows = connection.rows(NUMBERS_OF_USERS, (organisation_id, list(user_ids), True))
    entries = [_number(row) for row in rows]
    return {each.user_id: each.digits for each in entries if each.user_id is not None}


def numbers_of_nobody(
    connection: Connection, organisation_id: int, kind: str, limit: int
) -> list[NumberEntry]:
    """Some of an organisation's numbers in use of one kind that no user has."""
    values = (organisation_id, True, kind, limit)
    return [_number(row) for row in connection.rows(NUMBERS_OF_NOBODY, values)]


def numbers_counted(connection: Connection, organisation_id: int) -> dict[str, int]:
    """How many numbers an organisation has in use, by kind."""
    return dict(connection.rows(NUMBERS_COUNTED, (organisation_id,)))


def put_reservation(connection: Connection, reservation: Reservation, now_ms: int) -> None:
    """Keep a number for an organisation; reservations that have ended are forgotten."""
    connection.run(DELETE_RESERVATIONS, (now_ms, reservation.digits))
    connection.run(INSERT_RESERVATION, reservation)


def end_reservation(connection: Connection, digits: str, now_ms: int) -> None:
    """Forget a number's reservation, and those that have ended."""
    connection.run(DELETE_RESERVATIONS, (now_ms, digits))


def reservation_of(connection: Connection, digits: str) -> Reservation | None:
    """The reservation of a number, ended or not."""
    rows = connection.rows(RESERVATION_OF_DIGITS, (digits,))
    return Reservation(*rows[0]) if rows else None


def reservations_counted(
    connection: Connection, organisation_id: int, now_ms: int, but_for: Sequence[str]
) -> dict[str, int]:
    """How many numbers are reserved for an organisation, by kind, some (digits) left out."""
    return dict(connection.rows(RESERVATIONS_COUNTED, (organisation_id, now_ms, list(but_for))))


def reservations_of_kind(
    connection: Connection, organisation_id: int, kind: str, now_ms: int, limit: int
) -> list[Reservation]:
    """The numbers of one kind that are reserved for an organisation, in their order."""
    rows = connection.rows(RESERVATIONS_OF_KIND, (organisation_id, kind, now_ms, limit))
    return [Reservation(*row) for row in rows]


def _number(row: Row) -> NumberEntry:
    digits, organisation_id, user_id, kind, active, attached, moved_from, moved_ms, *_ = row
    owner = one_of_equals(organisation_id)
    kind, attached = sys.intern(kind), sys.intern(attached)
    return NumberEntry(digits, owner, user_id, kind, bool(active), attached, moved_from, moved_ms)
