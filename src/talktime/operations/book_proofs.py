"""Proofs of the books that are kept to be looked at: run when somebody asks for one, or each day.

A proof reads whole tables: who looks at a page asks for it, and a job does it.
"""

from contextlib import closing
from typing import NamedTuple

import structlog

from talktime.core.limits import FINDINGS_KEPT_MAX
from talktime.operations.audit import note
from talktime.operations.book_checks import CHECKS
from talktime.operations.check_books import Checked, each_check
from talktime.operations.sweep import Sweep, Swept
from talktime.store.database import Connection
from talktime.store.kept_proofs import KeptCheck, keep_check, kept_checks
from talktime.store.work_marks import PROOF, mark, put_mark

log = structlog.get_logger(__name__)


class CheckState(NamedTuple):
    """One check in words, and what came of it when it last ran; None: it never has."""

    name: str
    proves: str
    last: KeptCheck | None


class BooksState(NamedTuple):
    """How a cell's books were when they were last proven. `asked_ms`: somebody asked for another
    proof, which has not come yet."""

    checks: tuple[CheckState, ...]
    proved_ms: int | None
    asked_ms: int | None

    @property
    def broken(self) -> int:
        """How many rows did not hold."""
        return sum(each.last.broken for each in self.checks if each.last)


def books_state(cell: Connection) -> BooksState:
    """What is known of a cell's books. The caller opens the reading."""
    kept, asked = kept_checks(cell), mark(cell, PROOF)
    states = tuple(CheckState(each.name, each.proves, kept.get(each.name)) for each in CHECKS)
    times = [each.last.proved_ms for each in states if each.last]
    proved_ms = min(times) if len(times) == len(states) else None
    return BooksState(states, proved_ms, asked[1] if asked and asked[0] else None)


def ask_for_proof(cell: Connection, now_ms: int) -> None:
    """Have the cell's books proven soon; the caller opens and commits the transaction."""
    put_mark(cell, PROOF, 1, now_ms)
    note(cell, 0, "books.proof_asked", always=True)


def prove_when_asked(sweep: Sweep) -> Swept:
    """Prove the books of a cell where somebody has asked for it, log what does not hold and keep
    what was found; counts the rows that do not hold. Raises Outage."""
    with sweep.connection.reading():
        asked = mark(sweep.connection, PROOF)
    return _prove(sweep) if asked and asked[0] else Swept(0)


def _prove(sweep: Sweep) -> Swept:
    cell, done = sweep.connection, list[Checked]()
    with closing(each_check(cell, sweep.clock_ms)) as checks:
        for check in checks:
            done.append(check)
            for finding in check.findings:
                said = {"cell": sweep.cell, "check": finding.check, "finding": finding.words}
                log.error("books do not hold", **said)
            if sweep.stopping():
                break
    whole = len(done) == len(CHECKS)
    with cell.transaction():
        for check in done:
            keep_check(cell, _kept(check, sweep.clock_ms()))
        if whole:
            put_mark(cell, PROOF, 0, sweep.clock_ms())
    return Swept(sum(check.broken for check in done))


def _kept(check: Checked, now_ms: int) -> KeptCheck:
    words = tuple(finding.words for finding in check.findings[:FINDINGS_KEPT_MAX])
    return KeptCheck(check.name, check.rows, check.broken, check.took_ms, now_ms, words)
