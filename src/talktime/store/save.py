"""Write back what deciding changed: a few bulk statements in the same transaction, every row
counted."""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from operator import attrgetter

import msgspec

from talktime.core.books import Books
from talktime.core.calls import OPEN
from talktime.core.ledger import Wallet
from talktime.core.meters import Meter
from talktime.core.outcomes import StoredAnswer
from talktime.store.database import Both, Connection, Row
from talktime.store.notices import INSERT_NOTICES, notice_row
from talktime.store.tables import ANSWER, CALL, LOT, METER, TRANSFER, USAGE_RECORD, WALLET
from talktime.store.unsummed import NOTE_UNSUMMED, noting

_encode = msgspec.json.Encoder().encode

# Nearly all changes are of these few columns, in no index. The others follow where they change.
LOT_CHANGES = ("remaining_micros", "held_micros")
LOT_ENDS = (*LOT_CHANGES, "spent")
WALLET_CHANGES = ("balance_micros", "held_micros", "debt_micros", "version")
WATCH_CHANGES = (
    *("recharge_below_micros", "alert_below_micros", "alert_from_micros"),
    *("attention_ms", "lowest_micros", "no_buying"),
)
CALL_CHANGES = (
    *("last_sequence", "deadline_ms", "answered_ms", "granted_s"),
    *("reported_s", "held_micros", "parts", "pool_s", "post_micros"),
)
CALL_ENDS = (
    *(*CALL_CHANGES, "state", "settle_sequence"),
    *("charged_micros", "closed_ms", "usage_id"),
)
CALL_RESTARTS = (
    *("type", "user_id", "from_digits", "to_digits"),
    *("rate", "payers", "started_ms", "sweep_ms", "conference_id"),
)
INSERT_LOTS = LOT.insert()
UPDATE_LOTS = LOT.update(*LOT_CHANGES)
END_LOTS = LOT.update(*LOT_ENDS)
UPDATE_WALLETS = WALLET.update(*WALLET_CHANGES)
UPDATE_FIRST_FUNDED = WALLET.update("first_funded_ms")
UPDATE_WATCHES = WALLET.update(*WATCH_CHANGES)
PUT_METERS = METER.put("organisation_id", "key")
INSERT_CALLS = CALL.insert()
UPDATE_CALLS = CALL.update(*CALL_CHANGES)
END_CALLS = CALL.update(*CALL_ENDS)
UPDATE_STARTS = CALL.update(*CALL_RESTARTS)
UPDATE_ENDINGS = CALL.update("ending")
UPDATE_LIMITS = CALL.update("payers")
INSERT_ANSWERS = ANSWER.insert()
INSERT_TRANSFERS = TRANSFER.insert()
INSERT_USAGE = USAGE_RECORD.insert()
NOT_COUNTED = (INSERT_NOTICES, NOTE_UNSUMMED)

# A column is the attribute of its name, but for these of a call.
_CALL_ATTRIBUTES = {
    "rate": "rate_text",
    "payers": "payers_text",
    "parts": "parts_text",
    "sweep_ms": "deadline_ms",
}


def _row(columns: Iterable[str]) -> Callable[[object], Row]:
    return attrgetter(*[_CALL_ATTRIBUTES.get(column, column) for column in columns])


_KEY = ("organisation_id", "id")
new_lot, changed_lot = _row(LOT.columns), _row((*LOT_CHANGES, *_KEY))
ended_lot = _row((*LOT_ENDS, *_KEY))
changed_wallet = _row((*WALLET_CHANGES, "organisation_id"))
first_funded_wallet = _row(("first_funded_ms", "organisation_id"))
watched_wallet = _row((*WATCH_CHANGES, "organisation_id"))
meter = _row(METER.columns)
new_call, changed_call = _row(CALL.columns), _row((*CALL_CHANGES, *_KEY))
ended_call, restarted_call = _row((*CALL_ENDS, *_KEY)), _row((*CALL_RESTARTS, *_KEY))
ending_call, limited_call = _row(("ending", *_KEY)), _row(("payers", *_KEY))


class RowsMissing(Exception):
    """A bulk write touched another number of rows than were bound: the transaction must not
    commit."""


Write = tuple[Both, list[Row]]


def save(
    connection: Connection, books: Books, now_ms: int, render: Callable[[], None] = lambda: None
) -> None:
    """Write everything that changed in the books. The rows of a table are made while the database
    takes those of the one before; `render` is called once, before the answers' are. Raises
    RowsMissing where a row was not there to change."""
    counts: list[tuple[Both, int]] = []

    def counted() -> Iterator[Write]:
        for statement, rows in _writes(books, now_ms, render):
            if rows:
                counts.append((statement, len(rows)))
                yield statement, rows

    writes = counted()
    first = next(writes, None)
    if first is None:
        return
    touched_rows = connection.write_all(chain((first,), writes))
    for (statement, count), touched in zip(counts, touched_rows, strict=True):
        if touched != count and statement not in NOT_COUNTED:
            raise RowsMissing(f"{statement.sqlite[:40]}: {count} rows bound, {touched} touched")


def _writes(books: Books, now_ms: int, render: Callable[[], None]) -> Iterator[Write]:
    meters = [m for m in books.meters.values() if m.changed]
    wallets = _counted_up(books, meters)
    yield UPDATE_WALLETS, [changed_wallet(wallet) for wallet in wallets]
    yield UPDATE_FIRST_FUNDED, [first_funded_wallet(w) for w in wallets if w.newly_funded]
    yield (
        UPDATE_WATCHES,
        [watched_wallet(w) for w in books.wallets.values() if w.watch_changed],
    )
    yield PUT_METERS, [meter(m) for m in meters]
    new_lots = {lot.id for lot in books.new_lots}
    lots = [lot for w in wallets for lot in w.lots if lot.changed and lot.id not in new_lots]
    yield INSERT_LOTS, [new_lot(lot) for lot in books.new_lots]
    yield UPDATE_LOTS, [changed_lot(lot) for lot in lots if lot.spent == lot.was_spent]
    yield END_LOTS, [ended_lot(lot) for lot in lots if lot.spent != lot.was_spent]
    yield from _of_calls(books)
    yield INSERT_USAGE, [(*u[:-2], _texts(u.flags), _texts(u.because)) for u in books.usage]
    yield INSERT_TRANSFERS, [tuple(transfer) for transfer in books.transfers]
    render()
    yield INSERT_ANSWERS, [_answer(answer, now_ms) for answer in books.new_answers]
    # What was told before is not told again.
    yield (
        INSERT_NOTICES,
        [notice_row(id_, n) for id_, n in zip(books.notice_ids, books.notices, strict=True)],
    )
    yield from noting([u.id for u in books.usage], [t.id for t in books.transfers])


def _of_calls(books: Books) -> Iterator[Write]:
    yield INSERT_CALLS, [new_call(c) for c in books.calls.values() if c.new]
    calls = [c for c in books.calls.values() if c.changed and not c.new]
    # A call that was open, and is: what is written when one ends has not changed.
    yield UPDATE_CALLS, [changed_call(c) for c in calls if c.state == OPEN and not c.restarted]
    ended = [c for c in calls if c.state != OPEN or c.restarted]
    yield END_CALLS, [ended_call(call) for call in ended]
    yield UPDATE_STARTS, [restarted_call(call) for call in ended if call.restarted]
    yield UPDATE_ENDINGS, [ending_call(c) for c in books.calls.values() if c.ending_changed]
    yield UPDATE_LIMITS, [limited_call(c) for c in books.calls.values() if c.limits_changed]


def _counted_up(books: Books, meters: Iterable[Meter]) -> list[Wallet]:
    """The wallets of all whose books have changed, each with its next version (kept.py)."""
    moved = {
        c.organisation_id
        for c in books.calls.values()
        if c.changed or c.ending_changed or c.limits_changed
    }
    moved.update([m.organisation_id for m in meters])
    wallets = [
        w
        for w in books.wallets.values()
        if w.changed or w.watch_changed or w.newly_funded or w.organisation_id in moved
    ]
    for wallet in wallets:
        wallet.version += 1
    return wallets


def _answer(a: StoredAnswer, now_ms: int) -> Row:
    return (a.call_id, a.sequence, a.organisation_id, a.body_hash, a.status, a.body, now_ms)


def _texts(lines: Iterable[str]) -> str:
    return _encode(lines).decode()
