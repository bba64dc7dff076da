"""Look for users of an organisation, and count them by what they are and have. The caller's
`reading` is open on the organisation's cell.

Users that are alike (in one place, of one kind, with the same licences, able to call or not) are a
set; few sets are many users. Who is looked for by anything of that is looked for set by set, for an
index has the names of each; who is looked for by a name, in an index of the names.
"""

import json
from collections.abc import Iterable
from heapq import merge
from itertools import islice
from typing import NamedTuple

from talktime.core.licensing import Holder
from talktime.store.database import Both, Connection, Row
from talktime.store.users import HOLDER_COLUMNS, PERSONS_OF_NAMES, holder_of_row, words_text

# The names alone, so that no row need be read; a word as typed is looked for beside the one in
# lower case, for SQLite knows no lower case but that of ASCII.
NAMES_SOUGHT = Both(
    "SELECT name FROM person WHERE organisation_id = ? AND name > ? AND (strpos(name, ?) > 0 "
    "OR strpos(lower(display_name), ?) > 0 OR strpos(display_name, ?) > 0) ORDER BY name LIMIT ?",
    "SELECT name FROM person INDEXED BY person_by_word WHERE organisation_id = ? AND name > ? "
    "AND (instr(name, ?) > 0 OR instr(lower(display_name), ?) > 0 OR instr(display_name, ?) > 0) "
    "ORDER BY name LIMIT ?",
)
_OF_SET = (
    f"SELECT {HOLDER_COLUMNS} FROM person WHERE organisation_id = ? AND usage_location = ? "
    "AND kind = ? AND active = ? AND licences = ? AND name > ? "
)
SET_BY_NAME = f"{_OF_SET} ORDER BY name LIMIT ?"
# A group's name in its JSON quotes is found in no other place of the column. What is empty is not
# asked.
SET_SOUGHT = Both(
    f"{_OF_SET} AND (CAST(? AS text) = '' OR strpos(groups, ?) > 0) AND (strpos(name, ?) > 0 "
    "OR strpos(lower(display_name), ?) > 0 OR strpos(display_name, ?) > 0) ORDER BY name LIMIT ?",
    f"{_OF_SET} AND (CAST(? AS text) = '' OR instr(groups, ?) > 0) AND (instr(name, ?) > 0 "
    "OR instr(lower(display_name), ?) > 0 OR instr(display_name, ?) > 0) ORDER BY name LIMIT ?",
)
HELD_SETS = (
    "SELECT usage_location, kind, active, licences, COUNT(*) FROM person "
    "WHERE organisation_id = ? GROUP BY usage_location, kind, active, licences"
)
HOLDER_OF_ID = f"SELECT {HOLDER_COLUMNS} FROM person WHERE organisation_id = ? AND id = ?"
NAMES_OF_IDS = "SELECT id, name, display_name FROM person WHERE organisation_id = ? AND id = ANY(?)"


class HeldSet(NamedTuple):
    """How many users of one kind, at one place, able to call or not, have exactly these
    licences."""

    usage_location: str
    kind: str
    active: bool
    licences: frozenset[str]
    users: int


def holders_by_word(
    connection: Connection, organisation_id: int, word: str, after: str, limit: int
) -> list[Holder]:
    """The users with this in their names, however they write it, that come after this one."""
    values = (organisation_id, after, word.lower(), word.lower(), word, limit)
    names = [name for (name,) in connection.rows(NAMES_SOUGHT, values)]
    rows = connection.rows(PERSONS_OF_NAMES, (organisation_id, names)) if names else []
    return sorted((holder_of_row(row) for row in rows), key=_name)


def holders_of_sets(
    connection: Connection,
    organisation_id: int,
    sets: Iterable[HeldSet],
    group: str,
    word: str,
    after: str,
    limit: int,
) -> list[Holder]:
    """The users of these sets, in this group and with this in their names (each where it is not
    empty), that come after this name; by name."""
    quoted = json.dumps(group) if group else ""
    words = (quoted, quoted, word.lower(), word.lower(), word)
    asked = bool(group or word)
    queries: list[tuple[str | Both, Row]] = []
    for each in sets:
        key = (each.usage_location, each.kind, each.active, words_text(each.licences), after)
        values = (organisation_id, *key, *(words if asked else ()), limit)
        queries.append((SET_SOUGHT if asked else SET_BY_NAME, values))
    found = [[holder_of_row(row) for row in rows] for rows in connection.rows_of_all(queries)]
    return list(islice(merge(*found, key=_name), limit))


def held_sets(connection: Connection, organisation_id: int) -> list[HeldSet]:
    """The sets of an organisation's users, and how many users each has."""
    return [
        HeldSet(location, kind, bool(active), frozenset(json.loads(licences)), users)
        for location, kind, active, licences, users in connection.rows(
            HELD_SETS, (organisation_id,)
        )
    ]


def holder_of_id(connection: Connection, organisation_id: int, user_id: int) -> Holder | None:
    """The organisation's user of this id, with where the licences come from."""
    rows = connection.rows(HOLDER_OF_ID, (organisation_id, user_id))
    return holder_of_row(rows[0]) if rows else None


def names_of_ids(
    connection: Connection, organisation_id: int, ids: Iterable[int]
) -> dict[int, tuple[str, str]]:
    """The sign-in name and the display name of each of these users, by id."""
    rows = connection.rows(NAMES_OF_IDS, (organisation_id, list(ids)))
    return {id_: (name, display_name) for id_, name, display_name in rows}


def _name(holder: Holder) -> str:
    return holder.user.name
