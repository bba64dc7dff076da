"""SQL for lots that were entered by hand, and what was taken back of them. The caller opens the
transaction, and has locked the wallet before it inserts."""

from typing import NamedTuple

from talktime.core.taking_back import NOT_ENTERED, TakenBack
from talktime.store.database import Connection
from talktime.store.wallet_lines import LOT_COLUMNS, LotLine

_COLUMNS = ", ".join(TakenBack._fields)
INSERT = f"INSERT INTO taken_back ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
OF_KEY = f"SELECT {_COLUMNS} FROM taken_back WHERE organisation_id = ? AND idempotency_key = ?"
OF_LOT = f"SELECT {_COLUMNS} FROM taken_back WHERE organisation_id = ? AND lot_id = ? ORDER BY id"
# Nothing is forfeited before it expires: of a lot that has not, no transfer is looked at.
GONE = """
    SELECT CAST(COALESCE(SUM(micros), 0) AS BIGINT) FROM (
        SELECT amount_micros AS micros FROM taken_back WHERE organisation_id = ? AND lot_id = ?
        UNION ALL SELECT amount_micros FROM transfer
        WHERE organisation_id = ? AND at_ms >= ? AND debit_account = ? AND kind = 'forfeiture') g"""
_ENTERED = " AND ".join(f"SUBSTR(idempotency_key, 1, {len(key)}) <> '{key}'" for key in NOT_ENTERED)
LOTS_ENTERED = f"""
    SELECT {LOT_COLUMNS}, (
        SELECT CAST(COALESCE(SUM(t.amount_micros), 0) AS BIGINT) FROM taken_back t
        WHERE t.organisation_id = lot.organisation_id AND t.lot_id = lot.id), (
        SELECT CAST(COALESCE(SUM(f.amount_micros), 0) AS BIGINT) FROM transfer f
        WHERE f.organisation_id = lot.organisation_id AND f.at_ms >= lot.expires_ms
        AND f.debit_account = lot.id AND f.kind = 'forfeiture')
    FROM lot WHERE organisation_id = ? AND {_ENTERED}
    ORDER BY id DESC LIMIT ?"""


class EnteredLot(NamedTuple):
    """A lot that somebody entered by hand, and how much of it was taken back or forfeited."""

    lot: LotLine
    taken_micros: int
    forfeited_micros: int

    @property
    def left_micros(self) -> int:
        """What can be taken back of it still, with a debt where it is spent."""
        return self.lot.amount_micros - self.taken_micros - self.forfeited_micros


def insert_taken_back(connection: Connection, taken: TakenBack) -> None:
    """Something that was taken back."""
    connection.run(INSERT, taken)


def taken_back_of_key(connection: Connection, organisation_id: int, key: str) -> TakenBack | None:
    """What this idempotency key has taken back."""
    rows = connection.rows(OF_KEY, [organisation_id, key])
    return TakenBack(*rows[0]) if rows else None


def taken_back_of_lot(connection: Connection, organisation_id: int, lot_id: int) -> list[TakenBack]:
    """All that was taken back of a lot, in its order."""
    return [TakenBack(*row) for row in connection.rows(OF_LOT, [organisation_id, lot_id])]


def gone_micros(connection: Connection, organisation_id: int, lot_id: int, expires_ms: int) -> int:
    """How much of a lot was taken back or forfeited."""
    bound = (organisation_id, lot_id, organisation_id, expires_ms, lot_id)
    return int(connection.rows(GONE, bound)[0][0])


def lots_entered(connection: Connection, organisation_id: int, rows_max: int) -> list[EnteredLot]:
    """The lots that somebody entered by hand, the latest first."""
    rows = connection.rows(LOTS_ENTERED, [organisation_id, rows_max])
    return [EnteredLot(LotLine(*row[:-2]), *row[-2:]) for row in rows]
