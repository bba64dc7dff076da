"""Users in the cell of their organisation. The caller opens and commits the transaction."""

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from talktime.core.directory import User
from talktime.core.licensing import Holder
from talktime.store.database import Both, Connection, Row
from talktime.store.revisions import USERS, Page, one_of_equals, pages_after, write_rows
from talktime.store.tables import Table

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
PUT_PERSONS = PERSON.put("id")

_USER_COLUMNS = (
    "id, organisation_id, name, display_name, usage_location, licences, kind, active, policy, "
    "spend_limit_micros, toll_free_dial_in"
)
HOLDER_COLUMNS = f"{_USER_COLUMNS}, own_licences, groups"
PERSON_OF_ID = f"SELECT {_USER_COLUMNS} FROM person WHERE organisation_id = ? AND id = ?"
PERSONS_CALLED = (
    f"SELECT {_USER_COLUMNS} FROM person WHERE organisation_id = ? AND display_name = ? LIMIT 2"
)
PERSONS_OF_NAMES = (
    f"SELECT {HOLDER_COLUMNS} FROM person WHERE organisation_id = ? AND name = ANY(?)"
)
PERSONS_BY_NAME = (
    f"SELECT {HOLDER_COLUMNS} FROM person WHERE organisation_id = ? AND name > ? "
    "ORDER BY name LIMIT ?"
)
# A group's name in its JSON quotes is found in no other place of the column.
MEMBERS_BY_NAME = Both(
    f"SELECT {HOLDER_COLUMNS} FROM person WHERE organisation_id = ? AND name > ? "
    "AND strpos(groups, ?) > 0 ORDER BY name LIMIT ?",
    f"SELECT {HOLDER_COLUMNS} FROM person WHERE organisation_id = ? AND name > ? "
    "AND instr(groups, ?) > 0 ORDER BY name LIMIT ?",
)
PERSONS_AFTER = (
    f"SELECT {_USER_COLUMNS}, revision FROM person WHERE revision > ? ORDER BY revision LIMIT ?"
)
LICENCES_COUNTED = (
    "SELECT licences, COUNT(*) FROM person WHERE organisation_id = ? GROUP BY licences"
)


def users_after(connection: Connection, seen: int) -> Iterator[Page[User]]:
    """A cell's users changed since its `users` revision `seen` (0: all)."""
    return pages_after(connection, PERSONS_AFTER, seen, _user)


def put_holders(connection: Connection, holders: Iterable[Holder]) -> None:
    """Write users, new ones and all of those that are there, in revisions of some thousands."""
    rows = (
        (
            *user[:5],
            words_text(user.licences),
            *user[6:],
            words_text(own_licences),
            words_text(groups),
        )
        for user, own_licences, groups in holders
    )
    write_rows(connection, PUT_PERSONS, USERS, rows)


def insert_users(connection: Connection, users: Iterable[User]) -> None:
    """New users in no group, whose licences are all their own."""
    put_holders(connection, (Holder(user, user.licences) for user in users))


def user_of_id(connection: Connection, organisation_id: int, user_id: int) -> User | None:
    """The organisation's user of this id."""
    rows = connection.rows(PERSON_OF_ID, (organisation_id, user_id))
    return _user(rows[0]) if rows else None


def users_called(connection: Connection, organisation_id: int, name: str) -> list[User]:
    """The organisation's user of this sign-in name, or else those of this display name, of whom
    two are enough to tell that there are several."""
    rows = connection.rows(PERSONS_OF_NAMES, (organisation_id, [name.lower()]))
    return [_user(row) for row in rows or connection.rows(PERSONS_CALLED, (organisation_id, name))]


def holders_named(
    connection: Connection, organisation_id: int, names: Sequence[str]
) -> list[Holder]:
    """The organisation's users of these sign-in names."""
    rows = connection.rows(PERSONS_OF_NAMES, (organisation_id, list(names)))
    return [holder_of_row(row) for row in rows]


def holders_by_name(
    connection: Connection, organisation_id: int, after: str, limit: int
) -> list[Holder]:
    """An organisation's users whose names come after this one, by name."""
    rows = connection.rows(PERSONS_BY_NAME, (organisation_id, after, limit))
    return [holder_of_row(row) for row in rows]


def members_by_name(
    connection: Connection, organisation_id: int, group: str, after: str, limit: int
) -> list[Holder]:
    """The members of a group whose names come after this one, by name."""
    values = (organisation_id, after, json.dumps(group), limit)
    return [holder_of_row(row) for row in connection.rows(MEMBERS_BY_NAME, values)]


def licences_counted(
    connection: Connection, organisation_id: int
) -> list[tuple[frozenset[str], int]]:
    """Each set of licences in an organisation, and how many of its users have it."""
    rows = connection.rows(LICENCES_COUNTED, (organisation_id,))
    return [(_words(licences), count) for licences, count in rows]


@lru_cache(4_096)
def words_text(words: frozenset[str]) -> str:
    """A set of words as its column keeps it: a JSON list, sorted."""
    return json.dumps(sorted(words), separators=(",", ":"))


def _user(row: Row) -> User:
    id_, owner, name, display_name, location, licences, kind, active, policy, limit, dial_in, *_ = (
        row
    )
    return User(
        id_,
        one_of_equals(owner),
        name,
        display_name,
        sys.intern(location),
        _words(licences),
        sys.intern(kind),
        bool(active),
        sys.intern(policy),
        limit,
        bool(dial_in),
    )


def holder_of_row(row: Row) -> Holder:
    """The user of a row of HOLDER_COLUMNS."""
    return Holder(_user(row), _words(row[-2]), _words(row[-1]))


@lru_cache(4_096)
def _words(text: str) -> frozenset[str]:
    return frozenset(map(sys.intern, json.loads(text)))
