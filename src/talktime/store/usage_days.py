"""The sums of usage records by day; up to which record is mark `usage_day` (store/work_marks.py).

The caller opens and commits the transaction, or reads in a snapshot.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from talktime.store.database import Both, Connection
from talktime.store.tables import Table
from talktime.store.unsummed import but_unsummed
from talktime.store.work_marks import USAGE_DAY as MARK

ALL_USERS, NO_USER = -1, 0
"""Stand for a user in the sums: all users together, and calls that are no user's."""
DAY_MS = 86_400_000

USAGE_DAY = Table(
    "usage_day",
    {
        "organisation_id": "bigint",
        "day": "integer",
        "user_id": "bigint",
        "country": "text",
        "context": "text",
        "capability": "text",
        "type": "text",
        "records": "bigint",
        "calls": "bigint",
        "used_s": "bigint",
        "billed_s": "bigint",
        "pool_s": "bigint",
        "charge_micros": "bigint",
        "post_micros": "bigint",
    },
)
_SUMMED = list(USAGE_DAY.columns)[7:]
USAGE_USER = Table(
    "usage_user",
    {
        "organisation_id": "bigint",
        "scope": "text",
        "span": "integer",
        "user_id": "bigint",
        **dict.fromkeys(_SUMMED, "bigint"),
    },
)


def _adding(table: Table) -> Both:
    key = [column for column in table.columns if column not in _SUMMED]
    sums = ", ".join(f"{c} = {table.name}.{c} + excluded.{c}" for c in _SUMMED)
    add = f" ON CONFLICT ({', '.join(key)}) DO UPDATE SET {sums}"
    return Both(*(text + add for text in table.insert()))


ADD_SUMS = _adding(USAGE_DAY)
ADD_USER_SUMS = _adding(USAGE_USER)
CLEAR_SUMS = "DELETE FROM usage_day"
CLEAR_USER_SUMS = "DELETE FROM usage_user"

TO_SUM = (
    "id, organisation_id, started_ms, user_id, type, kind, from_digits, to_digits, capability, "
    "used_s, billed_s, pool_s, charge_micros, post_micros"
)
RECORDS_BETWEEN = (
    f"SELECT {TO_SUM} FROM usage_record WHERE id > ? AND id <= ? "
    f"AND {but_unsummed(MARK, 'usage_record.id')} ORDER BY id LIMIT ?"
)
RECORDS_OF_IDS = f"SELECT {TO_SUM} FROM usage_record WHERE id = ANY(?)"
# First by id, whatever the planner thinks: an organisation may have millions of records before.
TAIL = (
    f"SELECT {TO_SUM} FROM (SELECT {TO_SUM} FROM usage_record WHERE id > ? ORDER BY id LIMIT ?) t "
    "WHERE organisation_id = ?"
)
# `+`: by the ids, which are few, not by the organisation, which is all there ever was.
PASSED = (
    f"SELECT {TO_SUM} FROM usage_record WHERE +organisation_id = ? AND id IN (SELECT id FROM "
    f"unsummed WHERE name = '{MARK}' AND id <= ? ORDER BY id LIMIT ?)"
)
LOCATIONS = "SELECT id, usage_location FROM person WHERE id = ANY(?)"

_FILTERED = (
    "WHERE organisation_id = ? AND day = ANY(?) AND user_id = ? "
    "AND (CAST(? AS TEXT) = '' OR type = ?) AND (CAST(? AS TEXT) = '' OR country = ?) "
    "AND (CAST(? AS TEXT) = '' OR context = ?) AND (CAST(? AS TEXT) = '' OR capability = ?)"
)
_SUMMED_UP = ", ".join(f"CAST(SUM({column}) AS BIGINT)" for column in _SUMMED)
DAYS_AND_TYPES = f"SELECT day, type, {_SUMMED_UP} FROM usage_day {_FILTERED} GROUP BY day, type"
BY_COUNTRY = f"SELECT country, type, {_SUMMED_UP} FROM usage_day {_FILTERED} GROUP BY country, type"
BY_CAPABILITY = (
    f"SELECT capability, type, {_SUMMED_UP} FROM usage_day {_FILTERED} GROUP BY capability, type"
)
BY_USER = (
    f"SELECT user_id, scope, {_SUMMED_UP} FROM usage_user "
    "WHERE organisation_id = ? AND scope = ANY(?) AND span = ANY(?) GROUP BY user_id, scope"
)
PRESENT = (
    "SELECT DISTINCT country, capability FROM usage_day "
    "WHERE organisation_id = ? AND day = ANY(?) AND user_id = ?"
)
RECORDS_BY_DAY = (
    "SELECT day, CAST(SUM(records) AS BIGINT) FROM usage_day "
    "WHERE organisation_id = ? AND day = ANY(?) AND user_id = ? GROUP BY day"
)
LATEST_DAY = "SELECT MAX(day) FROM usage_day WHERE organisation_id = ?"
GROUPINGS = {"country": BY_COUNTRY, "capability": BY_CAPABILITY}


class ToSum(NamedTuple):
    """What of a usage record its sums need. Corrections are differences, and no calls."""

    id: int
    organisation_id: int
    started_ms: int
    user_id: int | None
    type: str
    kind: str
    from_digits: str
    to_digits: str
    capability: str
    used_s: int
    billed_s: int
    pool_s: int
    charge_micros: int
    post_micros: int


class Sums(NamedTuple):
    """What usage records add up to: records, calls among them, seconds and micros."""

    records: int = 0
    calls: int = 0
    used_s: int = 0
    billed_s: int = 0
    pool_s: int = 0
    charge_micros: int = 0
    post_micros: int = 0

    def plus(self, other: "Sums") -> "Sums":
        """Both together.

        >>> Sums(records=1, charge_micros=5).plus(Sums(records=2)).records
        3
        """
        a1, b1, c1, d1, e1, f1, g1 = self
        a2, b2, c2, d2, e2, f2, g2 = other
        return Sums(a1 + a2, b1 + b2, c1 + c2, d1 + d2, e1 + e2, f1 + f2, g1 + g2)


NOTHING = Sums()


class SumKey(NamedTuple):
    """Of what a row has the sums."""

    organisation_id: int
    day: int
    user_id: int
    country: str
    context: str
    capability: str
    type: str


class UserKey(NamedTuple):
    """Of what a row has the sums of one user."""

    organisation_id: int
    scope: str
    span: int
    user_id: int


class Wanted(NamedTuple):
    """Which sums are asked for; '' is any, and ALL_USERS all of them."""

    user_id: int = ALL_USERS
    type: str = ""
    country: str = ""
    context: str = ""
    capability: str = ""


def records_between(connection: Connection, after_id: int, to_id: int, limit: int) -> list[ToSum]:
    """Records after one id, up to another, in the order of ids; without those noted as unsummed."""
    rows = connection.rows(RECORDS_BETWEEN, [after_id, to_id, limit])
    return [ToSum(*row) for row in rows]


def records_of_ids(connection: Connection, ids: Sequence[int]) -> list[ToSum]:
    """The records of these ids."""
    return [ToSum(*row) for row in connection.rows(RECORDS_OF_IDS, [list(ids)])]


def tail(
    connection: Connection, organisation_id: int, after_id: int, scanned_max: int
) -> list[ToSum]:
    """What of the organisation is not in the sums, which are up to an id: its records among the
    first so many of the cell after it, and those that the sums have passed."""
    newer = connection.rows(TAIL, [after_id, scanned_max, organisation_id])
    passed = connection.rows(PASSED, [organisation_id, after_id, scanned_max])
    return [ToSum(*row) for row in (*newer, *passed)]


def locations_of(connection: Connection, user_ids: Iterable[int]) -> dict[int, str]:
    """The usage locations of users, by id."""
    return dict(connection.rows(LOCATIONS, [list(user_ids)]))


def add_sums(
    connection: Connection,
    sums: Iterable[tuple[SumKey, Sums]],
    of_users: Iterable[tuple[UserKey, Sums]],
) -> None:
    """Add to the sums that are there."""
    rows = [(*key, *each) for key, each in sums]
    user_rows = [(*key, *each) for key, each in of_users]
    if rows:
        connection.write_all([(ADD_SUMS, rows), (ADD_USER_SUMS, user_rows)])


def clear_sums(connection: Connection) -> None:
    """Take all sums away."""
    connection.run(CLEAR_SUMS)
    connection.run(CLEAR_USER_SUMS)


def days_and_types(
    connection: Connection, organisation_id: int, days: Sequence[int], wanted: Wanted
) -> list[tuple[int, str, Sums]]:
    """The sums of days by type of call."""
    rows = connection.rows(DAYS_AND_TYPES, _params(organisation_id, days, wanted))
    return [(row[0], row[1], Sums(*row[2:])) for row in rows]


def grouped(
    connection: Connection, organisation_id: int, days: Sequence[int], wanted: Wanted, by: str
) -> list[tuple[str, str, Sums]]:
    """The sums of all these days by country or capability, and type of call."""
    rows = connection.rows(GROUPINGS[by], _params(organisation_id, days, wanted))
    return [(row[0], row[1], Sums(*row[2:])) for row in rows]


def by_user(
    connection: Connection, organisation_id: int, scopes: Sequence[str], spans: Sequence[int]
) -> list[tuple[int, str, Sums]]:
    """The sums of all these spans by user and scope."""
    rows = connection.rows(BY_USER, [organisation_id, list(scopes), list(spans)])
    return [(row[0], row[1], Sums(*row[2:])) for row in rows]


def present(
    connection: Connection, organisation_id: int, days: Sequence[int]
) -> list[tuple[str, str]]:
    """The countries and capabilities of these days, as they occur together."""
    rows = connection.rows(PRESENT, [organisation_id, list(days), ALL_USERS])
    return [(row[0], row[1]) for row in rows]


def records_by_day(
    connection: Connection, organisation_id: int, days: Sequence[int]
) -> dict[int, int]:
    """How many records there are of each day."""
    return dict(connection.rows(RECORDS_BY_DAY, [organisation_id, list(days), ALL_USERS]))


def latest_day(connection: Connection, organisation_id: int) -> int:
    """The latest day of which there are sums; 0 where there are none. It may be one to come: calls
    begin by the switches' clocks, and the service's may have been set back."""
    return int(connection.rows(LATEST_DAY, [organisation_id])[0][0] or 0)


def _params(organisation_id: int, days: Sequence[int], wanted: Wanted) -> list[object]:
    doubled = [each for value in wanted[1:] for each in (value, value)]
    return [organisation_id, list(days), wanted.user_id, *doubled]
