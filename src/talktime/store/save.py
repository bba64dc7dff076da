"""Write back what deciding changed: a few bulk statements in the same transaction, every row
counted."""

from collections.abc import Iterable

import msgspec

from talktime.core.books import Books
from talktime.core.calls import Call
from talktime.core.ledger import Lot, Parts
from talktime.store.database import Both, Connection, Row
from talktime.store.tables import ANSWER, CALL, LOT, TRANSFER, USAGE_RECORD, WALLET

_encode = msgspec.json.Encoder().encode

INSERT_LOTS = LOT.insert()
UPDATE_LOTS = LOT.update("remaining_micros", "held_micros", "spent")
UPDATE_WALLETS = WALLET.update("balance_micros", "held_micros", "debt_micros")
INSERT_CALLS = CALL.insert()
UPDATE_CALLS = CALL.update(
    "state", "last_sequence", "settle_sequence", "answered_ms", "granted_s", "reported_s", "held_micros",
    "charged_micros", "parts", "deadline_ms", "closed_ms", "usage_id",
)  # fmt: skip
UPDATE_STARTS = CALL.update("rate", "started_ms", "sweep_ms")
INSERT_ANSWERS = ANSWER.insert()
INSERT_TRANSFERS = TRANSFER.insert()
INSERT_USAGE = USAGE_RECORD.insert()


class RowsMissing(Exception):
    """A bulk write touched another number of rows than were bound: the transaction must not
    commit."""


def save(connection: Connection, books: Books, now_ms: int) -> None:
    """Write everything that changed in the books. Raises RowsMissing where a row was not there to
    change."""
    wallets = [w for w in books.wallets.values() if w.changed]
    new_lots = {lot.id for lot in books.new_lots}
    lots = [lot for w in wallets for lot in w.lots if lot.changed and lot.id not in new_lots]
    new_calls = [c for c in books.calls.values() if c.new]
    calls = [c for c in books.calls.values() if c.changed and not c.new]
    planned: list[tuple[Both, list[Row]]] = [
        (UPDATE_WALLETS, [(w.balance_micros, w.held_micros, w.debt_micros, w.organisation_id) for w in wallets]),
        (INSERT_LOTS, [_new_lot(lot) for lot in books.new_lots]),
        (UPDATE_LOTS, [_changed_lot(lot) for lot in lots]),
        (INSERT_CALLS, [_new_call(c) for c in new_calls]),
        (UPDATE_CALLS, [_changed_call(c) for c in calls]),
        (UPDATE_STARTS, [
            (c.rate.text(), c.started_ms, c.deadline_ms, c.organisation_id, c.id) for c in calls if c.restarted
        ]),
        (INSERT_ANSWERS, [
            (a.call_id, a.sequence, a.organisation_id, a.body_hash, a.status, a.body, now_ms)
            for a in books.new_answers
        ]),
        (INSERT_USAGE, [(*u[:-2], _texts(u.flags), _texts(u.because)) for u in books.usage]),
        (INSERT_TRANSFERS, [tuple(t) for t in books.transfers]),
    ]  # fmt: skip
    writes = [(statement, rows) for statement, rows in planned if rows]
    if not writes:
        return
    for (statement, rows), touched in zip(writes, connection.write_all(writes), strict=True):
        if touched != len(rows):
            raise RowsMissing(f"{statement.sqlite[:40]}: {len(rows)} rows bound, {touched} touched")


def _new_lot(lot: Lot) -> Row:
    return (
        lot.id, lot.organisation_id, lot.source, lot.priority, lot.promotional, lot.amount_micros,
        lot.remaining_micros, lot.held_micros, lot.purchased_ms, lot.expires_ms, lot.idempotency_key,
        lot.body_hash, lot.reason, lot.actor, lot.remaining_micros == 0,
    )  # fmt: skip


def _changed_lot(lot: Lot) -> Row:
    return (
        lot.remaining_micros,
        lot.held_micros,
        lot.remaining_micros == 0,
        lot.organisation_id,
        lot.id,
    )


def _new_call(c: Call) -> Row:
    return (
        c.id, c.organisation_id, c.switch_id, c.call_key, c.state, c.type, c.user_id, c.from_digits,
        c.to_digits, c.rate.text(), c.last_sequence, c.settle_sequence, c.started_ms, c.answered_ms,
        c.granted_s, c.reported_s, c.held_micros, c.charged_micros, _parts(c.parts), c.deadline_ms,
        c.deadline_ms, c.closed_ms, c.usage_id,
    )  # fmt: skip


def _changed_call(c: Call) -> Row:
    return (
        c.state, c.last_sequence, c.settle_sequence, c.answered_ms, c.granted_s, c.reported_s, c.held_micros,
        c.charged_micros, _parts(c.parts), c.deadline_ms, c.closed_ms, c.usage_id, c.organisation_id, c.id,
    )  # fmt: skip


def _parts(parts: Parts) -> str:
    return "[" + ",".join([f"[{lot_id},{micros}]" for lot_id, micros in parts]) + "]"


def _texts(lines: Iterable[str]) -> str:
    return _encode(lines).decode()
