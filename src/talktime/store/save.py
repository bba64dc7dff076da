"""Write back what deciding changed: a few bulk statements in the same transaction, every row
counted."""

from collections.abc import Callable, Iterable
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
    *("rate", "payers", "started_ms", "sweep_ms"),
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
ending_call = _row(("ending", *_KEY))


class RowsMissing(Exception):
    """A bulk write touched another number of rows than were bound: the transaction must not
    commit."""


def save(connection: Connection, books: Books, now_ms: int) -> None:
    """Write everything that changed in the books. Raises RowsMissing where a row was not there to
    change."""
    meters = [m for m in books.meters.values() if m.changed]
    wallets = _counted_up(books, meters)
    new_lots = {lot.id for lot in books.new_lots}
    lots = [lot for w in wallets for lot in w.lots if lot.changed and lot.id not in new_lots]
    calls = [c for c in books.calls.values() if c.changed and not c.new]
    # A call that was open, and is: what is written when one ends has not changed.
    going_on = [c for c in calls if c.state == OPEN and not c.restarted]
    ended = [c for c in calls if c.state != OPEN or c.restarted]
    planned: list[tuple[Both, list[Row]]] = [
        (UPDATE_WALLETS, [changed_wallet(wallet) for wallet in wallets]),
        (UPDATE_FIRST_FUNDED, [first_funded_wallet(w) for w in wallets if w.newly_funded]),
        (UPDATE_WATCHES, [watched_wallet(w) for w in books.wallets.values() if w.watch_changed]),
        (PUT_METERS, [meter(m) for m in meters]),
        (INSERT_LOTS, [new_lot(lot) for lot in books.new_lots]),
        (UPDATE_LOTS, [changed_lot(lot) for lot in lots if lot.spent == lot.was_spent]),
        (END_LOTS, [ended_lot(lot) for lot in lots if lot.spent != lot.was_spent]),
        (INSERT_CALLS, [new_call(c) for c in books.calls.values() if c.new]),
        (UPDATE_CALLS, [changed_call(call) for call in going_on]),
        (END_CALLS, [ended_call(call) for call in ended]),
        (UPDATE_STARTS, [restarted_call(call) for call in ended if call.restarted]),
        (UPDATE_ENDINGS, [ending_call(c) for c in books.calls.values() if c.ending_changed]),
        (INSERT_ANSWERS, [_answer(answer, now_ms) for answer in books.new_answers]),
        (INSERT_USAGE, [(*u[:-2], _texts(u.flags), _texts(u.because)) for u in books.usage]),
        (INSERT_TRANSFERS, [tuple(transfer) for transfer in books.transfers]),
    ]
    # What was told before is not told again.
    notices = [
        notice_row(id_, each) for id_, each in zip(books.notice_ids, books.notices, strict=True)
    ]
    writes = [
        (statement, rows) for statement, rows in (*planned, (INSERT_NOTICES, notices)) if rows
    ]
    writes += noting([u.id for u in books.usage], [t.id for t in books.transfers])
    if not writes:
        return
    for (statement, rows), touched in zip(writes, connection.write_all(writes), strict=True):
        if touched != len(rows) and statement not in NOT_COUNTED:
            raise RowsMissing(f"{statement.sqlite[:40]}: {len(rows)} rows bound, {touched} touched")


def _counted_up(books: Books, meters: Iterable[Meter]) -> list[Wallet]:
    """The wallets of all whose books have changed, each with its next version (kept.py)."""
    moved = {c.organisation_id for c in books.calls.values() if c.changed or c.ending_changed}
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
