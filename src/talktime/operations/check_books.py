"""Prove the books of a cell, on live data: every wallet is its lots is its transfers, and so on.

All checks read one moment (a snapshot), take no lock, and run as set-based statements over whole
tables, so that a month of calls takes seconds. What does not hold is a finding, never an exception.

A usage record's call may be gone (operations/forget_calls.py); its transfers may not.
"""

from collections.abc import Callable, Generator
from typing import NamedTuple

from talktime.core.limits import FINDINGS_SHOWN_MAX
from talktime.core.money import decimal_text
from talktime.operations.book_checks import CHECKS, Check
from talktime.store import book_checks as sql
from talktime.store.database import Connection


class Finding(NamedTuple):
    """One row for which a check does not hold: whose, which, and what, in figures and in words.

    `ids` names the row (for a wallet: its organisation) and, where there is one, the row it points
    to. `expected` and `found` are micros where the check compares amounts.
    """

    check: str
    organisation_id: int
    ids: tuple[int, ...]
    expected: int | None
    found: int | None
    words: str


class Checked(NamedTuple):
    """What came of one check: `rows` looked at, `broken` ones, the first of these as findings."""

    name: str
    proves: str
    rows: int
    broken: int
    findings: tuple[Finding, ...]
    took_ms: int


class BooksChecked(NamedTuple):
    """What came of all checks on one cell."""

    checks: tuple[Checked, ...]
    took_ms: int

    @property
    def clean(self) -> bool:
        """Whether everything holds."""
        return not any(check.broken for check in self.checks)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings of all checks."""
        return tuple(finding for check in self.checks for finding in check.findings)


def check_books(connection: Connection, clock_ms: Callable[[], int]) -> BooksChecked:
    """Prove a cell's books as they stand now, each check in its own time by `clock_ms`.

    The connection must not be in a transaction: all checks read one snapshot, opened here. A check
    shows at most FINDINGS_SHOWN_MAX findings, and counts all. Raises Outage.
    """
    began_ms = clock_ms()
    checks = tuple(each_check(connection, clock_ms))
    return BooksChecked(checks, clock_ms() - began_ms)


def each_check(
    connection: Connection, clock_ms: Callable[[], int]
) -> Generator[Checked, None, None]:
    """The same, check by check, for who may have to stop in between."""
    with connection.snapshot():
        counts = sql.row_counts(connection)
        for check in CHECKS:
            yield _checked(connection, check, counts, clock_ms)


def _checked(
    connection: Connection, check: Check, counts: dict[str, int], clock_ms: Callable[[], int]
) -> Checked:
    began_ms = clock_ms()
    rows = sql.broken_rows(connection, check.statement, FINDINGS_SHOWN_MAX)
    findings = tuple(_finding(check, row[:5]) for row in rows)
    broken = rows[0][5] if rows else 0
    took_ms = clock_ms() - began_ms
    return Checked(check.name, check.proves, counts[check.table], broken, findings, took_ms)


def _finding(check: Check, row: tuple[int | None, ...]) -> Finding:
    organisation_id, row_id, other_id, expected, found = row
    words = check.words.format(
        id=row_id,
        other=other_id,
        expected=_amount(expected),
        found=_amount(found),
        of=expected,
        number=found,
    )
    ids = tuple(number for number in (row_id, other_id) if number is not None)
    return Finding(
        check.name,
        organisation_id or 0,
        ids,
        expected,
        found,
        words if organisation_id is None else f"organisation {organisation_id}: {words}",
    )


def _amount(micros: int | None) -> str:
    return "nothing" if micros is None else decimal_text(micros)
