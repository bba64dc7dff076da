"""What came of the last proof of a cell's books, check by check. The caller opens and commits."""

import json
from typing import NamedTuple

from talktime.store.database import Connection

_COLUMNS = "name, rows, broken, took_ms, proved_ms, findings"
PUT_CHECK = (
    f"INSERT INTO book_check ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE "
    "SET rows = excluded.rows, broken = excluded.broken, took_ms = excluded.took_ms, "
    "proved_ms = excluded.proved_ms, findings = excluded.findings"
)
CHECKS = f"SELECT {_COLUMNS} FROM book_check ORDER BY name"


class KeptCheck(NamedTuple):
    """One check: over how many rows, how many do not hold, how long it took, when it ended, and the
    first findings in words."""

    name: str
    rows: int
    broken: int
    took_ms: int
    proved_ms: int
    findings: tuple[str, ...]


def keep_check(connection: Connection, check: KeptCheck) -> None:
    """Keep what came of a check in place of its last."""
    connection.run(PUT_CHECK, (*check[:5], json.dumps(check.findings)))


def kept_checks(connection: Connection) -> dict[str, KeptCheck]:
    """What came of each check, by its name."""
    return {
        name: KeptCheck(name, rows, broken, took_ms, proved_ms, tuple(json.loads(findings)))
        for name, rows, broken, took_ms, proved_ms, findings in connection.rows(CHECKS)
    }
