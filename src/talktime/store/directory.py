"""Organisations, numbers and users in the databases, and what of them has changed.

Each kind of row has a counter in table `revision`. Whoever changes a row moves the counter in the
same transaction and stamps the row with its value. The counter's row stays locked until the commit,
so revisions become visible in their order, and a reader that has seen one has seen all before it.

The caller opens and commits the transaction; before it looks at what is there and decides to write,
it calls `lock`, so that nobody else does the same in between.
"""

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice
from typing import Any, Generic, NamedTuple, TypeVar

from talktime.core.directory import NO_RULES, CallingRules, NumberEntry, Organisation, User
from talktime.store.database import Connection, Row
from talktime.store.tables import Table

DIRECTORY, KEYS, USERS = "directory", "keys", "users"

READ_ROWS = 20_000
# Fewer than a page: rows of one revision are read together.
WRITE_ROWS = 10_000

NUMBER = Table(
    "number",
    {
        "digits": "text",
        "organisation_id": "bigint",
        "user_id": "bigint",
        "kind": "text",
        "active": "boolean",
        "attached": "text",
        "revision": "bigint",
    },
)
PERSON = Table(
    "person",
    {
        "id": "bigint",
        "organisation_id": "bigint",
        "name": "text",
        "display_name": "text",
        "usage_location": "text",
        "licences": "text",
        "kind": "text",
        "active": "boolean",
        "policy": "text",
        "spend_limit_micros": "bigint",
        "toll_free_dial_in": "boolean",
        "own_licences": "text",
        "groups": "text",
        "revision": "bigint",
    },
)

REVISIONS = "SELECT name, value FROM revision"
LOCK_REVISION = "SELECT value FROM revision WHERE name = ? FOR UPDATE"
BUMP_REVISION = "UPDATE revision SET value = value + 1 WHERE name = ? RETURNING value"

_ORGANISATION_COLUMNS = (
    "id, name, cell, currency, time_zone, country, commerce_model, active, rate_card, calling_rules"
)
INSERT_ORGANISATION = (
    f"INSERT INTO organisation ({_ORGANISATION_COLUMNS}, created_ms, revision) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
SET_ORGANISATION = (
    "UPDATE organisation SET commerce_model = ?, active = ?, rate_card = ?, calling_rules = ?, "
    "revision = ? WHERE id = ?"
)
ORGANISATION_OF_ID = f"SELECT {_ORGANISATION_COLUMNS} FROM organisation WHERE id = ?"
ORGANISATION_OF_NAME = f"SELECT {_ORGANISATION_COLUMNS} FROM organisation WHERE name = ?"
ORGANISATIONS_BY_NAME = (
    f"SELECT {_ORGANISATION_COLUMNS} FROM organisation WHERE name > ? ORDER BY name LIMIT ?"
)
CURRENCIES_IN_CELL = "SELECT id, currency FROM organisation WHERE cell = ?"
ORGANISATIONS_AFTER = (
    f"SELECT {_ORGANISATION_COLUMNS}, revision FROM organisation WHERE revision > ? "
    "ORDER BY revision LIMIT ?"
)

_NUMBER_COLUMNS = "digits, organisation_id, user_id, kind, active, attached"
SET_NUMBER = (
    "UPDATE number SET organisation_id = ?, user_id = ?, kind = ?, active = ?, attached = ?, "
    "revision = ? "
    "WHERE digits = ?"
)
NUMBERS_OF_DIGITS = f"SELECT {_NUMBER_COLUMNS} FROM number WHERE digits = ANY(?)"
NUMBERS_OF_ORGANISATION = (
    f"SELECT {_NUMBER_COLUMNS} FROM number WHERE organisation_id = ? AND digits > ? "
    "ORDER BY digits LIMIT ?"
)
NUMBERS_AFTER = (
    f"SELECT {_NUMBER_COLUMNS}, revision FROM number WHERE revision > ? ORDER BY revision LIMIT ?"
)

_PERSON_COLUMNS = (
    "id, organisation_id, name, display_name, usage_location, licences, kind, active, policy, "
    "spend_limit_micros, toll_free_dial_in"
)
SET_PERSON = (
    "UPDATE person SET display_name = ?, usage_location = ?, licences = ?, active = ?, "
    "policy = ?, spend_limit_micros = ?, toll_free_dial_in = ?, own_licences = ?, "
    "revision = ? WHERE organisation_id = ? AND id = ?"
)
PERSON_OF_ID = f"SELECT {_PERSON_COLUMNS} FROM person WHERE organisation_id = ? AND id = ?"
PERSONS_OF_NAMES = (
    f"SELECT {_PERSON_COLUMNS} FROM person WHERE organisation_id = ? AND name = ANY(?)"
)
PERSONS_BY_NAME = (
    f"SELECT {_PERSON_COLUMNS} FROM person WHERE organisation_id = ? AND name > ? "
    "ORDER BY name LIMIT ?"
)
PERSONS_AFTER = (
    f"SELECT {_PERSON_COLUMNS}, revision FROM person WHERE revision > ? ORDER BY revision LIMIT ?"
)

INSERT_WALLET = (
    "INSERT INTO wallet (organisation_id, currency, balance_micros, held_micros, debt_micros) "
    "VALUES (?, ?, 0, 0, 0)"
)

WALLETS = (
    "SELECT w.organisation_id, w.currency, "
    "EXISTS (SELECT 1 FROM lot l WHERE l.organisation_id = w.organisation_id) FROM wallet w"
)

Value = TypeVar("Value")


class Page(NamedTuple, Generic[Value]):
    """Rows that changed, in the order of their revisions; all up to `revision` are in."""

    rows: list[Value]
    revision: int


def revisions(connection: Connection) -> dict[str, int]:
    """All counters of one database: cheap to ask for, and moved by every change."""
    return dict(connection.rows(REVISIONS))


def lock(connection: Connection, counter: str) -> None:
    """Let nobody else change rows of this counter until the transaction ends."""
    connection.rows(LOCK_REVISION, (counter,))


def bump(connection: Connection, counter: str) -> int:
    """Move a counter on and return its new value, the revision of the rows written with it."""
    return int(connection.rows(BUMP_REVISION, (counter,))[0][0])


def pages_after(
    connection: Connection,
    statement: str,
    seen: int,
    value_of: Callable[[Row], Value],
    rows_max: int = READ_ROWS,
) -> Iterator[Page[Value]]:
    """Rows above the revision `seen`, some thousands at a time; never a part of one revision."""
    full = True
    while full:
        rows = connection.rows(statement, (seen, rows_max))
        full = len(rows) == rows_max
        if full:
            last = rows[-1][-1]
            rows = [row for row in rows if row[-1] != last]
            if not rows:
                raise ValueError(f"{rows_max} rows of revision {last}: more than are read at once")
        if rows:
            seen = rows[-1][-1]
            yield Page([value_of(row) for row in rows], seen)


def organisations_after(connection: Connection, seen: int) -> Iterator[Page[Organisation]]:
    """Organisations changed since the `directory` revision `seen` (0: all)."""
    return pages_after(connection, ORGANISATIONS_AFTER, seen, _organisation)


def numbers_after(
    connection: Connection, seen: int, rows_max: int = READ_ROWS
) -> Iterator[Page[NumberEntry]]:
    """Numbers changed since the `directory` revision `seen` (0: all)."""
    return pages_after(connection, NUMBERS_AFTER, seen, _number, rows_max)


def users_after(connection: Connection, seen: int) -> Iterator[Page[User]]:
    """A cell's users changed since its `users` revision `seen` (0: all)."""
    return pages_after(connection, PERSONS_AFTER, seen, _user)


def insert_wallet(connection: Connection, organisation_id: int, currency: str) -> None:
    """An empty wallet in the organisation's cell."""
    connection.run(INSERT_WALLET, (organisation_id, currency))


def insert_organisation(
    connection: Connection, organisation: Organisation, created_ms: int
) -> None:
    """A new organisation."""
    revision = bump(connection, DIRECTORY)
    values = (*organisation[:-1], rules_text(organisation.rules), created_ms, revision)
    connection.run(INSERT_ORGANISATION, values)


def update_organisation(connection: Connection, organisation: Organisation) -> None:
    """Write commerce model, `active`, rate card and rules: the rest of an organisation stays."""
    revision = bump(connection, DIRECTORY)
    values = (
        *(organisation.commerce_model, organisation.active, organisation.rate_card),
        *(rules_text(organisation.rules), revision, organisation.id),
    )
    connection.run(SET_ORGANISATION, values)


def organisation_of_id(connection: Connection, organisation_id: int) -> Organisation | None:
    """The organisation of this id."""
    rows = connection.rows(ORGANISATION_OF_ID, (organisation_id,))
    return _organisation(rows[0]) if rows else None


def organisation_named(connection: Connection, name: str) -> Organisation | None:
    """The organisation of exactly this name."""
    rows = connection.rows(ORGANISATION_OF_NAME, (name,))
    return _organisation(rows[0]) if rows else None


def organisations_by_name(connection: Connection, after: str, limit: int) -> list[Organisation]:
    """Organisations whose names come after this one, by name."""
    return [_organisation(row) for row in connection.rows(ORGANISATIONS_BY_NAME, (after, limit))]


def currencies_in_cell(connection: Connection, cell: str) -> dict[int, str]:
    """The currency of every organisation that has its wallet in this cell, by id."""
    return dict(connection.rows(CURRENCIES_IN_CELL, (cell,)))


def wallets_of_cell(connection: Connection) -> dict[int, tuple[str, bool]]:
    """Every wallet of a cell by its organisation's id: its currency, and whether it has lots."""
    return {row[0]: (row[1], bool(row[2])) for row in connection.rows(WALLETS)}


def insert_numbers(
    connection: Connection, numbers: Iterable[NumberEntry], rows_max: int = WRITE_ROWS
) -> None:
    """New numbers, in revisions of some thousands."""
    _insert(connection, NUMBER, DIRECTORY, numbers, rows_max)


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


def insert_users(connection: Connection, users: Iterable[User]) -> None:
    """New users in their cell, in revisions of some thousands."""
    rows = (
        (*user[:5], licences_text(user.licences), *user[6:], licences_text(user.licences), "[]")
        for user in users
    )
    _insert(connection, PERSON, USERS, rows)


def update_user(connection: Connection, user: User) -> None:
    """Write what can change of a user: all but the name and the kind."""
    revision = bump(connection, USERS)
    licences = licences_text(user.licences)
    values = (
        *(user.display_name, user.usage_location, licences, user.active, user.policy),
        *(user.spend_limit_micros, user.toll_free_dial_in, licences, revision),
    )
    connection.run(SET_PERSON, (*values, user.organisation_id, user.id))


def user_of_id(connection: Connection, organisation_id: int, user_id: int) -> User | None:
    """The organisation's user of this id."""
    rows = connection.rows(PERSON_OF_ID, (organisation_id, user_id))
    return _user(rows[0]) if rows else None


def users_named(connection: Connection, organisation_id: int, names: Sequence[str]) -> list[User]:
    """The organisation's users of these sign-in names."""
    rows = connection.rows(PERSONS_OF_NAMES, (organisation_id, list(names)))
    return [_user(row) for row in rows]


def users_by_name(
    connection: Connection, organisation_id: int, after: str, limit: int
) -> list[User]:
    """An organisation's users whose names come after this one, by name."""
    rows = connection.rows(PERSONS_BY_NAME, (organisation_id, after, limit))
    return [_user(row) for row in rows]


def licences_text(licences: Iterable[str]) -> str:
    """A set of licences as its column keeps it: a JSON list, sorted."""
    return json.dumps(sorted(licences), separators=(",", ":"))


def _insert(
    connection: Connection,
    table: Table,
    counter: str,
    rows: Iterable[tuple[Any, ...]],
    rows_max: int = WRITE_ROWS,
) -> None:
    statement, remaining = table.insert(), iter(rows)
    while chunk := list(islice(remaining, rows_max)):
        revision = bump(connection, counter)
        connection.write_all([(statement, [(*row, revision) for row in chunk])])


def _organisation(row: Row) -> Organisation:
    organisation = Organisation(*row[:9])
    return organisation._replace(active=bool(organisation.active), rules=parsed_rules(row[9]))


def _number(row: Row) -> NumberEntry:
    digits, organisation_id, user_id, kind, active, attached, *_ = row
    owner = _one_of_equals(organisation_id)
    kind, attached = sys.intern(kind), sys.intern(attached)
    return NumberEntry(digits, owner, user_id, kind, bool(active), attached)


def _user(row: Row) -> User:
    id_, organisation_id, name, display_name, usage_location, licences, kind, active, *own = row
    policy, spend_limit_micros, toll_free_dial_in, *_ = own
    return User(
        id_,
        _one_of_equals(organisation_id),
        name,
        display_name,
        sys.intern(usage_location),
        _licences(licences),
        sys.intern(kind),
        bool(active),
        sys.intern(policy),
        spend_limit_micros,
        bool(toll_free_dial_in),
    )


def rules_text(rules: CallingRules) -> str:
    """An organisation's rules as their column keeps them: a JSON object of what is not default."""
    fields = {
        name: sorted(value) if isinstance(value, frozenset) else value
        for name, value in rules._asdict().items()
        if value != getattr(NO_RULES, name)
    }
    return json.dumps(fields, separators=(",", ":"), sort_keys=True)


@lru_cache(4_096)
def parsed_rules(text: str) -> CallingRules:
    """Read back what `rules_text` wrote."""
    fields: dict[str, Any] = json.loads(text)
    for name, value in fields.items():
        if isinstance(value, list):
            fields[name] = frozenset(value)
    return CallingRules(**fields)


@lru_cache(65_536)
def _one_of_equals(organisation_id: int) -> int:
    """The same object for the same id: a million users then share a few thousand."""
    return organisation_id


@lru_cache(4_096)
def _licences(text: str) -> frozenset[str]:
    return frozenset(map(sys.intern, json.loads(text)))
