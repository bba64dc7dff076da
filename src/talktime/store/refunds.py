"""Refunds and chargebacks: read and written under the lock of their wallet."""

from operator import attrgetter

from talktime.core.refunding import CHARGEBACK, Refund
from talktime.store.database import Connection, Row
from talktime.store.save import RowsMissing
from talktime.store.tables import Table

REFUND = Table(
    "refund",
    {
        "id": "bigint",
        "organisation_id": "bigint",
        "payment_id": "bigint",
        "kind": "text",
        "state": "text",
        "amount_micros": "bigint",
        "voided_micros": "bigint",
        "debt_micros": "bigint",
        "idempotency_key": "text",
        "body_hash": "bigint",
        "provider_ref": "text",
        "reason": "text",
        "actor": "text",
        "detail": "text",
        "asked": "smallint",
        "due_ms": "bigint",
        "created_ms": "bigint",
        "closed_ms": "bigint",
    },
)
_CHANGES = (
    *("state", "voided_micros", "debt_micros", "provider_ref", "detail", "asked", "due_ms"),
    "closed_ms",
)
INSERT_REFUNDS = REFUND.insert()
UPDATE_REFUNDS = REFUND.update(*_CHANGES)
_COLUMNS = ", ".join(REFUND.columns)
REFUND_OF_ID = f"SELECT {_COLUMNS} FROM refund WHERE organisation_id = ? AND id = ?"
REFUND_OF_KEY = f"SELECT {_COLUMNS} FROM refund WHERE organisation_id = ? AND idempotency_key = ?"
REFUNDS_OF_PAYMENT = (
    f"SELECT {_COLUMNS} FROM refund WHERE organisation_id = ? AND payment_id = ? ORDER BY id"
)
OPEN_CHARGEBACKS = (
    "SELECT COUNT(*) FROM refund WHERE organisation_id = ? AND kind = 'chargeback' "
    "AND state = 'open' AND id <> ?"
)
REFUNDS_DUE = (
    "SELECT organisation_id, id FROM refund WHERE due_ms <= ? AND due_ms IS NOT NULL "
    "AND +id > ? ORDER BY +id LIMIT ?"
)
# The charge of a payment; none where it was paid by invoice.
CHARGE_OF_PAYMENT = (
    "SELECT provider, provider_ref FROM payment_try "
    "WHERE organisation_id = ? AND payment_id = ? AND state = 'succeeded'"
)
CREDIT_NOTE = (
    "SELECT number FROM document WHERE organisation_id = ? AND payment_id = ? "
    "AND kind = 'credit_note' AND amount_micros = ? AND issued_ms IN (?, ?) AND id > ? "
    "ORDER BY issued_ms DESC, number LIMIT 1"
)

_row = attrgetter(*REFUND.columns)
_changed = attrgetter(*_CHANGES, "organisation_id", "id")


def insert_refund(connection: Connection, refund: Refund) -> None:
    """A new refund or chargeback."""
    connection.write_all([(INSERT_REFUNDS, [_row(refund)])])


def update_refund(connection: Connection, refund: Refund) -> None:
    """Write what became of one. Raises RowsMissing where it is not there."""
    touched = connection.write_all([(UPDATE_REFUNDS, [_changed(refund)])])
    if touched != [1]:
        raise RowsMissing(f"refund {refund.id}: {touched} rows touched")


def refund_of_id(connection: Connection, organisation_id: int, refund_id: int) -> Refund | None:
    """One refund or chargeback."""
    return _one(connection.rows(REFUND_OF_ID, [organisation_id, refund_id]))


def refund_of_key(connection: Connection, organisation_id: int, key: str) -> Refund | None:
    """The refund or chargeback of this idempotency key."""
    return _one(connection.rows(REFUND_OF_KEY, [organisation_id, key]))


def refunds_of_payment(
    connection: Connection, organisation_id: int, payment_id: int
) -> list[Refund]:
    """All that went back of a payment, failed and won ones too, in their order."""
    rows = connection.rows(REFUNDS_OF_PAYMENT, [organisation_id, payment_id])
    return [Refund(*row) for row in rows]


def has_open_chargeback(connection: Connection, organisation_id: int, but_id: int) -> bool:
    """Whether the organisation has an open dispute, apart from this one."""
    return bool(connection.rows(OPEN_CHARGEBACKS, [organisation_id, but_id])[0][0])


def refunds_due(
    connection: Connection, now_ms: int, after_id: int, rows_max: int
) -> list[tuple[int, int]]:
    """A page of refunds whose next step is due, as (organisation id, refund id), by id."""
    rows = connection.rows(REFUNDS_DUE, [now_ms, after_id, rows_max])
    return [(row[0], row[1]) for row in rows]


def charge_of_payment(
    connection: Connection, organisation_id: int, payment_id: int
) -> tuple[str, str] | None:
    """The provider of the charge that paid, and its reference there; None: no charge paid."""
    rows = connection.rows(CHARGE_OF_PAYMENT, [organisation_id, payment_id])
    return (rows[0][0], rows[0][1]) if rows else None


def credit_note_number(connection: Connection, refund: Refund) -> int | None:
    """The number of the credit note that a refund or chargeback made: with its row, or, of a refund
    that had failed and was done after all, when it was closed."""
    r = refund
    again_ms = r.created_ms if r.kind == CHARGEBACK or r.closed_ms is None else r.closed_ms
    bound = [r.organisation_id, r.payment_id, -r.amount_micros, r.created_ms, again_ms, r.id]
    rows = connection.rows(CREDIT_NOTE, bound)
    return int(rows[0][0]) if rows else None


def _one(rows: list[Row]) -> Refund | None:
    return Refund(*rows[0]) if rows else None
