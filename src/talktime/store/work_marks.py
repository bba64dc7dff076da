"""How far some work of a cell is, or that it was asked for (table `work_mark`).

The caller opens and commits the transaction.
"""

from talktime.store.database import Connection

LEDGER, PROOF, BURN = "ledger", "proof", "burn"
USAGE_DAY, WALLET_HOUR = "usage_day", "wallet_hour"
"""Marks: the last transfer in the sums of days; that a proof of the books was asked for; the last
wallet whose spending was noted; the last usage record in the sums of days; the last transfer in the
sums of wallets by hour."""
BEHIND_TOLD = "behind_told"
"""When it was last logged that rows came behind the sums."""

READ_MARK = "SELECT value, at_ms FROM work_mark WHERE name = ?"
LOCK_MARK = f"{READ_MARK} FOR UPDATE"
NEW_MARK = (
    "INSERT INTO work_mark (name, value, at_ms) VALUES (?, 0, ?) ON CONFLICT (name) DO NOTHING"
)
PUT_MARK = (
    "INSERT INTO work_mark (name, value, at_ms) VALUES (?, ?, ?) "
    "ON CONFLICT (name) DO UPDATE SET value = excluded.value, at_ms = excluded.at_ms"
)


def line_of(name: str) -> str:
    """The mark up to which new rows are noted where these sums miss them (store/unsummed.py)."""
    return f"{name}_line"


def fence_of(name: str) -> str:
    """The mark for the transactions that may not have seen that line."""
    return f"{name}_fence"


def mark(connection: Connection, name: str) -> tuple[int, int] | None:
    """A mark's value and when it was set; None where it never was."""
    rows = connection.rows(READ_MARK, [name])
    return (rows[0][0], rows[0][1]) if rows else None


def lock_mark(connection: Connection, name: str, now_ms: int) -> int:
    """A mark's value, which nobody else can move until the transaction ends; 0 where it is new."""
    connection.run(NEW_MARK, [name, now_ms])
    return int(connection.rows(LOCK_MARK, [name])[0][0])


def put_mark(connection: Connection, name: str, value: int, at_ms: int) -> None:
    """Set a mark."""
    connection.run(PUT_MARK, [name, value, at_ms])
