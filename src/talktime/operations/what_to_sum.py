"""Which rows may be added to sums that follow ids (store/unsummed.py says how that is kept).

Whatever the clocks show, a row is in the sums once: no later than it is passed, or it is noted, and
added then. The lag decides only how many are noted: clocks may differ by so much that none is.
"""

from collections.abc import Callable
from typing import NamedTuple

import structlog

from talktime.core.ids import first_id_at, made_ms
from talktime.operations.sweep import Sweep, Swept
from talktime.store import unsummed as store
from talktime.store.database import Connection
from talktime.store.work_marks import BEHIND_TOLD, line_of, lock_mark, mark, put_mark

log = structlog.get_logger(__name__)

LAG_MS = 10_000
TELL_EVERY_MS = 3_600_000


class Span(NamedTuple):
    """The rows after one id, up to another, but those noted as unsummed; `at_ms` is when all up to
    there were known of."""

    after_id: int
    to_id: int
    at_ms: int


class TransferSums(NamedTuple):
    """Sums that the database makes of transfers: the name of their mark, and how those after one
    id, up to another, are added, and those of some ids."""

    name: str
    add_between: Callable[[Connection, int, int], None]
    add_ids: Callable[[Connection, list[int]], None]


def span_to_sum(cell: Connection, name: str, now_ms: int) -> Span | None:
    """What may be added to these sums now, to which nothing can come any more; None where there is
    nothing, or not yet. Opens its own transactions. Raises Outage."""
    with cell.reading():
        span, newest_id = _span(cell, name), store.newest_id(cell, name)
    if span.to_id <= span.after_id:
        line_id = _next_line(newest_id, now_ms)
        if line_id <= span.after_id:
            return None
        span = _put_line(cell, name, line_id, now_ms)
        if span.to_id <= span.after_id:
            return None
    if not _is_passed(cell, name):
        with cell.transaction():
            store.put_fence(cell, name, now_ms)
        if not _is_passed(cell, name):
            return None
    return span


def sum_transfers(sweep: Sweep, sums: TransferSums, batch_max: int) -> Swept:
    """Add a page of transfers to sums, and a page of those that came behind them; counts them. Each
    page is a transaction. Raises Outage."""
    cell, now_ms = sweep.connection, sweep.clock_ms()
    with cell.transaction():
        after_id = lock_mark(cell, sums.name, now_ms)
        ids = store.passed_ids(cell, sums.name, after_id, batch_max)
        if ids:
            sums.add_ids(cell, ids)
            store.remove(cell, sums.name, ids)
            tell_of_passed(sweep, sums.name, len(ids))
    more, rows = len(ids) == batch_max, len(ids)
    span = span_to_sum(cell, sums.name, now_ms)
    if span is not None:
        with cell.transaction():
            if lock_mark(cell, sums.name, now_ms) != span.after_id:
                return Swept(rows, more=not sweep.stopping())
            transfers, last_id = store.page_of_transfers(cell, sums.name, *span[:2], batch_max)
            sums.add_between(cell, span.after_id, last_id)
            move_mark(cell, sums.name, span, last_id)
        rows, more = rows + transfers, more or last_id < span.to_id
    return Swept(rows, more=more and not sweep.stopping())


def move_mark(cell: Connection, name: str, span: Span, last_id: int) -> None:
    """The sums are up to this id of a span now; their mark is locked."""
    _, before_ms = mark(cell, name) or (0, 0)
    put_mark(cell, name, last_id, span.at_ms if last_id == span.to_id else before_ms)


def tell_of_passed(sweep: Sweep, name: str, rows: int) -> None:
    """Log, once an hour at most, that rows came whose ids the sums had passed. In the transaction
    that adds them."""
    cell, now_ms = sweep.connection, sweep.clock_ms()
    _, told_ms = mark(cell, BEHIND_TOLD) or (0, 0)
    if told_ms and 0 <= now_ms - told_ms < TELL_EVERY_MS:
        return
    put_mark(cell, BEHIND_TOLD, 0, now_ms)
    ahead_s = max(made_ms((mark(cell, name) or (0, 0))[0]) - now_ms, 0) // 1000
    log.warning("clocks differ", cell=sweep.cell, sums=name, rows=rows, ahead_s=ahead_s)


def _span(cell: Connection, name: str) -> Span:
    after_id, _ = mark(cell, name) or (0, 0)
    return Span(after_id, *(mark(cell, line_of(name)) or (0, 0)))


def _is_passed(cell: Connection, name: str) -> bool:
    with cell.reading():
        return store.is_passed(cell, name)


def _next_line(newest_id: int, now_ms: int) -> int:
    """What is ahead of the clock is not waited for: all that comes below it is noted."""
    if made_ms(newest_id) > now_ms + LAG_MS:
        return newest_id
    return min(newest_id, first_id_at(now_ms - LAG_MS) - 1)


def _put_line(cell: Connection, name: str, line_id: int, now_ms: int) -> Span:
    with cell.transaction():
        lock_mark(cell, name, now_ms)
        span = _span(cell, name)
        if span.after_id < span.to_id or line_id <= span.after_id:
            return span
        store.put_line(cell, name, line_id, now_ms)
    return Span(span.after_id, line_id, now_ms)
