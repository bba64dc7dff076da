"""Usage records as reports and exports read them: of one organisation, by the time of their start,
newest first.

Spans of time end before `to_ms`; `before_id` splits records of the span's last millisecond. The
caller reads in a snapshot.
"""

import json
from collections.abc import Iterable
from typing import NamedTuple

from talktime.core.calls import INBOUND_TYPES, UsageRecord
from talktime.core.limits import USAGE_TRANSFERS_MAX
from talktime.store.database import Connection, Row
from talktime.store.tables import USAGE_RECORD
from talktime.store.usage_days import ALL_USERS, NO_USER, Wanted

_COLUMNS = ", ".join(USAGE_RECORD.columns)
_SPAN = (
    "FROM usage_record WHERE organisation_id = ? AND started_ms >= ? AND started_ms <= ? "
    "AND (started_ms < ? OR id < ?)"
)
_NEWEST_FIRST = "ORDER BY started_ms DESC, id DESC LIMIT ?"
_INBOUND = ", ".join(f"'{type_}'" for type_ in INBOUND_TYPES)
_OTHER = f"CASE WHEN type IN ({_INBOUND}) THEN from_digits ELSE to_digits END"
_OWN = f"CASE WHEN type IN ({_INBOUND}) THEN to_digits ELSE from_digits END"
FOUND = (
    f"SELECT id, started_ms, user_id, type, from_digits, to_digits {_SPAN} "
    f"AND (CAST(? AS BIGINT) = {ALL_USERS} OR COALESCE(user_id, {NO_USER}) = ?) "
    "AND (CAST(? AS TEXT) = '' OR type = ?) AND (CAST(? AS TEXT) = '' OR capability = ?) "
    f"AND (CAST(? AS INTEGER) = 0 OR substr({_OTHER}, 1, ?) = ANY(?)) "
    f"AND (CAST(? AS TEXT) = '' OR {_OWN} = ? OR "
    f"(length({_OTHER}) = ? AND substr({_OTHER}, 1, ?) = ?)) "
    f"AND (CAST(? AS TEXT) = '' OR conference_id = ?) {_NEWEST_FIRST}"
)
SPAN = f"SELECT {_COLUMNS} {_SPAN} {_NEWEST_FIRST}"
# By ids alone: a planner that were told the organisation as well could go through all it has.
OF_IDS = f"SELECT {_COLUMNS} FROM usage_record WHERE id = ANY(?)"
MORE_THAN = "SELECT id FROM usage_record WHERE id > ? ORDER BY id LIMIT 1 OFFSET ?"
PEOPLE = (
    "SELECT organisation_id, id, name, display_name, usage_location FROM person WHERE id = ANY(?)"
)
_MOVEMENT = "id, kind, debit_account, credit_account, amount_micros, usage_id, at_ms"
TRANSFERS = (
    f"SELECT {_MOVEMENT} FROM (SELECT {_MOVEMENT}, organisation_id FROM transfer "
    "WHERE id > ? AND id < ? ORDER BY id LIMIT ?) t WHERE organisation_id = ? AND usage_id = ?"
)


class Place(NamedTuple):
    """Before which record a page begins: its start, and its id."""

    started_ms: int
    id: int


class NumberWanted(NamedTuple):
    """A number that is searched for: as ours, whole; as the other party's, by its length and the
    digits of it that are shown. '' for any."""

    digits: str = ""
    shown: str = ""


ANY_NUMBER = NumberWanted()


class Found(NamedTuple):
    """A record that was found, with what a closer look needs."""

    id: int
    started_ms: int
    user_id: int | None
    type: str
    from_digits: str
    to_digits: str


class Person(NamedTuple):
    """A user as reports name them."""

    id: int
    name: str
    display_name: str
    usage_location: str


class Movement(NamedTuple):
    """A transfer that a usage record made."""

    id: int
    kind: str
    debit_account: int
    credit_account: int
    amount_micros: int
    usage_id: int
    at_ms: int


def found(
    connection: Connection,
    organisation_id: int,
    from_ms: int,
    before: Place,
    wanted: Wanted,
    prefixes: tuple[int, tuple[str, ...]],
    number: NumberWanted,
    conference_id: str,
    limit: int,
) -> list[Found]:
    """Records of a span that may be what is wanted: a country is told by `prefixes` (length and
    digits), which may be others' too; the context is not looked at."""
    length, digits = prefixes
    values = [
        *_span(organisation_id, from_ms, before),
        *(wanted.user_id, wanted.user_id, wanted.type, wanted.type),
        *(wanted.capability, wanted.capability, length, length, list(digits)),
        *(number.digits, number.digits, len(number.digits), len(number.shown), number.shown),
        *(conference_id, conference_id, limit),
    ]
    return [Found(*row) for row in connection.rows(FOUND, values)]


def span(
    connection: Connection, organisation_id: int, from_ms: int, before: Place, limit: int
) -> list[UsageRecord]:
    """The newest records of a span."""
    values = [*_span(organisation_id, from_ms, before), limit]
    return [_record(row) for row in connection.rows(SPAN, values)]


def records_of_ids(
    connection: Connection, organisation_id: int, ids: Iterable[int]
) -> list[UsageRecord]:
    """The organisation's records of these ids, newest first."""
    records = [_record(row) for row in connection.rows(OF_IDS, [list(ids)])]
    records = [record for record in records if record.organisation_id == organisation_id]
    return sorted(records, key=lambda record: (record.started_ms, record.id), reverse=True)


def more_than(connection: Connection, after_id: int, count: int) -> bool:
    """Whether the cell has more than so many records after an id."""
    return bool(connection.rows(MORE_THAN, [after_id, count]))


def people_of(
    connection: Connection, organisation_id: int, user_ids: Iterable[int]
) -> dict[int, Person]:
    """The organisation's users of these ids."""
    rows = connection.rows(PEOPLE, [list(user_ids)])
    return {row[1]: Person(*row[1:]) for row in rows if row[0] == organisation_id}


def transfers_of(
    connection: Connection, organisation_id: int, usage_id: int, before_id: int
) -> list[Movement]:
    """The transfers of a usage record. They are made right after it: their ids follow its own,
    and end before `before_id`."""
    values = [usage_id, before_id, USAGE_TRANSFERS_MAX, organisation_id, usage_id]
    rows = connection.rows(TRANSFERS, values)
    return [Movement(*row) for row in rows]


def _span(organisation_id: int, from_ms: int, before: Place) -> list[int]:
    return [organisation_id, from_ms, before.started_ms, before.started_ms, before.id]


def _record(row: Row) -> UsageRecord:
    return UsageRecord._make((*row[:-2], *(tuple(json.loads(text)) for text in row[-2:])))
