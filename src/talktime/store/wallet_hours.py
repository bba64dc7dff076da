"""The movements of wallets: one by one, and added up by hour (table `wallet_hour`).

What is not added up yet is read from the transfers themselves, so that every sum is right at every
moment; they are added up to mark `wallet_hour` (store/work_marks.py), but for what is noted as
unsummed (store/unsummed.py). What reads both does so in one statement, or in a snapshot.
"""

from typing import NamedTuple

from talktime.core.ledger import DEBT, SYSTEM_ACCOUNTS, Transfer
from talktime.store.database import Connection
from talktime.store.unsummed import but_unsummed, passed
from talktime.store.work_marks import WALLET_HOUR

HOUR_MS = 3_600_000
_LAST_SYSTEM = max(SYSTEM_ACCOUNTS)
_INSIDE = f"({{side}}_account = {DEBT} OR {{side}}_account > {_LAST_SYSTEM})"
_DEBIT, _CREDIT = _INSIDE.format(side="debit"), _INSIDE.format(side="credit")
_BY_CALLS = "kind IN ('usage', 'overdraft', 'correction')"


def sides(where: str, transfers: str = "transfer") -> str:
    """Each transfer's effect on each account of a wallet: debt and lots are inside of it."""
    return f"""
    SELECT organisation_id, at_ms, debit_account AS account, -amount_micros AS effect,
        CASE WHEN {_BY_CALLS} THEN amount_micros ELSE 0 END AS spent
    FROM {transfers} WHERE {where} AND {_DEBIT}
    UNION ALL
    SELECT organisation_id, at_ms, credit_account, amount_micros,
        CASE WHEN {_BY_CALLS} THEN -amount_micros ELSE 0 END
    FROM {transfers} WHERE {where} AND {_CREDIT}"""


SUMMED_TO = f"COALESCE((SELECT value FROM work_mark WHERE name = '{WALLET_HOUR}'), 0)"
# `+`: by the id, which is little, not by the organisation, which is all there ever was.
_NEWER = sides(
    "+organisation_id = ?",
    f"""(
    SELECT * FROM transfer WHERE id > {SUMMED_TO}
    UNION ALL SELECT * FROM transfer WHERE id IN ({passed(WALLET_HOUR)})) t""",
)

CLEAR_SUMS = "DELETE FROM wallet_hour"


def _adding(where: str) -> str:
    return f"""
    INSERT INTO wallet_hour (organisation_id, hour, account, effect_micros, spent_micros)
    SELECT organisation_id, at_ms / {HOUR_MS}, account, CAST(SUM(effect) AS BIGINT),
        CAST(SUM(spent) AS BIGINT)
    FROM ({sides(where)}) s
    GROUP BY organisation_id, at_ms / {HOUR_MS}, account
    ON CONFLICT (organisation_id, hour, account) DO UPDATE SET
        effect_micros = wallet_hour.effect_micros + excluded.effect_micros,
        spent_micros = wallet_hour.spent_micros + excluded.spent_micros"""


ADD_BETWEEN = _adding(f"id > ? AND id <= ? AND {but_unsummed(WALLET_HOUR, 'transfer.id')}")
ADD_IDS = _adding("id = ANY(?)")
# Whole hours, what is newer than they are of the same time, and the rest up to the place.
BALANCE_BEFORE = f"""
    SELECT CAST(COALESCE(SUM(effect), 0) AS BIGINT) FROM (
        SELECT effect_micros AS effect FROM wallet_hour WHERE organisation_id = ? AND hour < ?
        UNION ALL SELECT effect FROM ({_NEWER}) n WHERE at_ms < ?
        UNION ALL SELECT effect FROM ({
    sides("organisation_id = ? AND at_ms >= ? AND at_ms <= ? AND (at_ms < ? OR id < ?)")
}) r) b"""
SPENT_BY_HOUR = f"""
    SELECT hour, CAST(SUM(spent) AS BIGINT) FROM (
        SELECT hour, spent_micros AS spent FROM wallet_hour WHERE organisation_id = ? AND hour >= ?
        UNION ALL SELECT at_ms / {HOUR_MS}, spent FROM ({_NEWER}) n WHERE at_ms >= ?) s
    GROUP BY hour HAVING SUM(spent) <> 0 ORDER BY hour"""
SPENT_OF_LOTS = f"""
    SELECT account, CAST(SUM(spent) AS BIGINT) FROM (
        SELECT account, spent_micros AS spent FROM wallet_hour
        WHERE organisation_id = ? AND account = ANY(?)
        UNION ALL SELECT account, spent FROM ({_NEWER}) n) s
    GROUP BY account"""
HOURS_OF_LOT = f"""
    SELECT hour FROM (
        SELECT hour FROM wallet_hour WHERE organisation_id = ? AND account = ? AND hour <= ?
        UNION SELECT at_ms / {HOUR_MS} FROM ({_NEWER}) n
        WHERE account = ? AND at_ms / {HOUR_MS} <= ?) h
    ORDER BY hour DESC LIMIT ?"""
_COLUMNS = ", ".join(Transfer._fields)
_BEFORE = "organisation_id = ? AND at_ms >= ? AND at_ms <= ? AND (at_ms < ? OR id < ?)"
TRANSFERS_BEFORE = f"""
    SELECT {_COLUMNS} FROM transfer WHERE {_BEFORE} AND ({_DEBIT} OR {_CREDIT})
    ORDER BY at_ms DESC, id DESC LIMIT ?"""
TRANSFERS_OF_LOT_BEFORE = f"""
    SELECT {_COLUMNS} FROM transfer WHERE {_BEFORE} AND (debit_account = ? OR credit_account = ?)
    ORDER BY at_ms DESC, id DESC LIMIT ?"""


class Place(NamedTuple):
    """A place among an organisation's transfers, by time and id: what is before it was earlier."""

    at_ms: int
    id: int = 0


def add_between(connection: Connection, after_id: int, to_id: int) -> None:
    """Add the transfers after an id, up to another, but those noted as unsummed, to the sums."""
    connection.run(ADD_BETWEEN, (after_id, to_id, after_id, to_id))


def add_ids(connection: Connection, ids: list[int]) -> None:
    """Add the transfers of these ids to the sums."""
    connection.run(ADD_IDS, (ids, ids))


def clear_sums(connection: Connection) -> None:
    """Take all sums away."""
    connection.run(CLEAR_SUMS)


def balance_before(connection: Connection, organisation_id: int, place: Place) -> int:
    """The balance that all transfers before a place make, in micros, without reading them all."""
    hour = place.at_ms // HOUR_MS
    begin_ms = hour * HOUR_MS
    rest = (organisation_id, begin_ms, place.at_ms, place.at_ms, place.id)
    bound = (organisation_id, hour, organisation_id, organisation_id, begin_ms, *rest, *rest)
    return int(connection.rows(BALANCE_BEFORE, bound)[0][0])


def spent_by_hour(
    connection: Connection, organisation_id: int, since_ms: int
) -> list[tuple[int, int]]:
    """What calls took, by hour since 1970, from the hour of `since_ms` on."""
    hour = since_ms // HOUR_MS
    bound = (organisation_id, hour, organisation_id, organisation_id, hour * HOUR_MS)
    return [(row[0], row[1]) for row in connection.rows(SPENT_BY_HOUR, bound)]


def spent_of_lots(
    connection: Connection, organisation_id: int, lot_ids: list[int]
) -> dict[int, int]:
    """What calls took of each of these lots."""
    bound = (organisation_id, lot_ids, organisation_id, organisation_id)
    return {row[0]: row[1] for row in connection.rows(SPENT_OF_LOTS, bound)}


def hours_of_lot(
    connection: Connection, organisation_id: int, lot_id: int, until_ms: int, rows_max: int
) -> list[int]:
    """The latest hours in which a lot was used, up to a moment's, the latest first."""
    hour, me = until_ms // HOUR_MS, organisation_id
    bound = (me, lot_id, hour, me, me, lot_id, hour, rows_max)
    return [row[0] for row in connection.rows(HOURS_OF_LOT, bound)]


def transfers_before(
    connection: Connection, organisation_id: int, since_ms: int, place: Place, rows_max: int
) -> list[Transfer]:
    """The wallet's movements before a place, and not before `since_ms`; the latest first."""
    bound = (organisation_id, since_ms, place.at_ms, place.at_ms, place.id, rows_max)
    return [Transfer(*row) for row in connection.rows(TRANSFERS_BEFORE, bound)]


def transfers_of_lot_before(
    connection: Connection,
    organisation_id: int,
    lot_id: int,
    since_ms: int,
    place: Place,
    rows_max: int,
) -> list[Transfer]:
    """A lot's movements before a place, and not before `since_ms`; the latest first."""
    at_ms = place.at_ms
    bound = (organisation_id, since_ms, at_ms, at_ms, place.id, lot_id, lot_id, rows_max)
    return [Transfer(*row) for row in connection.rows(TRANSFERS_OF_LOT_BEFORE, bound)]
