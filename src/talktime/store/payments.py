"""Payments, their tries, methods, and the settings of auto-recharge: read and written under the
lock of their wallet."""

from collections.abc import Sequence
from operator import attrgetter

from talktime.core.payments import AlertLevel, Payment, PaymentMethod, PaymentTry, Recharge, Till
from talktime.store.database import Both, Connection, Row
from talktime.store.save import RowsMissing
from talktime.store.tables import Table

RECHARGE = Table(
    "recharge",
    {
        "organisation_id": "bigint",
        "enabled": "boolean",
        "trigger_micros": "bigint",
        "method": "text",
        "amount_micros": "bigint",
        "month_cap_micros": "bigint",
        "day_max": "smallint",
        "paused_code": "text",
        "paused_detail": "text",
        "paused_ms": "bigint",
        "changed_ms": "bigint",
        "changed_by": "text",
    },
)
ALERT_LEVEL = Table(
    "alert_level",
    {
        "organisation_id": "bigint",
        "below_micros": "bigint",
        "fired_ms": "bigint",
        "fired_at_micros": "bigint",
    },
)
PAYMENT_METHOD = Table(
    "payment_method",
    {
        "id": "bigint",
        "organisation_id": "bigint",
        "kind": "text",
        "state": "text",
        "priority": "smallint",
        "provider": "text",
        "customer_ref": "text",
        "method_ref": "text",
        "brand": "text",
        "last4": "text",
        "exp_year": "smallint",
        "exp_month": "smallint",
        "agreement": "text",
        "po_number": "text",
        "created_ms": "bigint",
        "created_by": "text",
        "forget_ms": "bigint",
    },
)
PAYMENT = Table(
    "payment",
    {
        "id": "bigint",
        "organisation_id": "bigint",
        "kind": "text",
        "state": "text",
        "method_id": "bigint",
        "amount_micros": "bigint",
        "currency": "text",
        "idempotency_key": "text",
        "body_hash": "bigint",
        "po_number": "text",
        "actor": "text",
        "declines": "smallint",
        "code": "text",
        "detail": "text",
        "action_url": "text",
        "due_ms": "bigint",
        "created_ms": "bigint",
        "closed_ms": "bigint",
        "lot_id": "bigint",
        "statement_id": "bigint",
        "refunded_micros": "bigint",
    },
)
PAYMENT_TRY = Table(
    "payment_try",
    {
        "id": "bigint",
        "organisation_id": "bigint",
        "payment_id": "bigint",
        "number": "smallint",
        "method_id": "bigint",
        "provider": "text",
        "state": "text",
        "amount_micros": "bigint",
        "provider_ref": "text",
        "code": "text",
        "detail": "text",
        "asked": "smallint",
        "created_ms": "bigint",
        "closed_ms": "bigint",
    },
)
PAYMENT_TABLES = (RECHARGE, ALERT_LEVEL, PAYMENT_METHOD, PAYMENT, PAYMENT_TRY)

_PAYMENT_CHANGES = (
    *("state", "method_id", "declines", "code", "detail", "action_url", "due_ms", "closed_ms"),
    *("lot_id", "refunded_micros"),
)
_TRY_CHANGES = (
    *("payment_id", "number", "state", "provider_ref", "code", "detail", "asked", "closed_ms"),
)
PUT_RECHARGES = RECHARGE.put("organisation_id")
PUT_LEVELS = ALERT_LEVEL.put("organisation_id", "below_micros")
INSERT_PAYMENTS = PAYMENT.insert()
UPDATE_PAYMENTS = PAYMENT.update(*_PAYMENT_CHANGES)
INSERT_TRIES = PAYMENT_TRY.insert()
UPDATE_TRIES = PAYMENT_TRY.update(*_TRY_CHANGES)
INSERT_METHODS = PAYMENT_METHOD.insert()

RECHARGE_OF = f"SELECT {', '.join(RECHARGE.columns)} FROM recharge WHERE organisation_id = ?"
LEVELS_OF = (
    f"SELECT {', '.join(ALERT_LEVEL.columns)} FROM alert_level WHERE organisation_id = ? "
    "ORDER BY below_micros"
)
DELETE_LEVELS = (
    "DELETE FROM alert_level WHERE organisation_id = ? AND below_micros > 0 "
    "AND NOT (below_micros = ANY(?))"
)
_METHOD_COLUMNS = ", ".join(PAYMENT_METHOD.columns)
METHODS_OF = (
    f"SELECT {_METHOD_COLUMNS} FROM payment_method "
    "WHERE organisation_id = ? AND state = 'active' ORDER BY priority, id"
)
METHOD_OF_ID = f"SELECT {_METHOD_COLUMNS} FROM payment_method WHERE organisation_id = ? AND id = ?"
SET_METHOD = (
    "UPDATE payment_method SET state = ?, priority = ?, forget_ms = ? "
    "WHERE organisation_id = ? AND id = ?"
)
# Not while a charge of the card may still be on its way, or has to be asked about.
METHODS_TO_FORGET = f"""
    SELECT {_METHOD_COLUMNS} FROM payment_method m WHERE forget_ms <= ? AND forget_ms IS NOT NULL
        AND NOT EXISTS (SELECT 1 FROM payment_try t WHERE t.organisation_id = m.organisation_id
            AND t.method_id = m.id AND t.closed_ms IS NULL)
        AND +id > ? ORDER BY +id LIMIT ?"""
_PAYMENT_COLUMNS = ", ".join(PAYMENT.columns)
OPEN_PAYMENTS = (
    f"SELECT {_PAYMENT_COLUMNS} FROM payment WHERE organisation_id = ? AND closed_ms IS NULL"
)
PAYMENTS_OF_ID = f"SELECT {_PAYMENT_COLUMNS} FROM payment WHERE organisation_id = ? AND id = ANY(?)"
PAYMENT_OF_KEY = (
    f"SELECT {_PAYMENT_COLUMNS} FROM payment WHERE organisation_id = ? AND idempotency_key = ?"
)
PAYMENTS_BEFORE = (
    f"SELECT {_PAYMENT_COLUMNS} FROM payment WHERE organisation_id = ? AND id < ? "
    "ORDER BY id DESC LIMIT ?"
)
_TRY_COLUMNS = ", ".join(PAYMENT_TRY.columns)
TRIES_OF = (
    f"SELECT {_TRY_COLUMNS} FROM payment_try WHERE organisation_id = ? AND payment_id = ANY(?) "
    "ORDER BY payment_id, number"
)
# Whoever's they are: the keys of a provider are the installation's.
OPEN_AT_PROVIDER = """
    SELECT (SELECT COUNT(*) FROM payment_try WHERE provider = ? AND closed_ms IS NULL)
        + (SELECT COUNT(*) FROM refund r JOIN payment_try t ON t.payment_id = r.payment_id
            AND t.state = 'succeeded' WHERE t.provider = ? AND r.due_ms IS NOT NULL)"""
CHARGED_SINCE = (
    f"SELECT {_TRY_COLUMNS} FROM payment_try WHERE state = 'succeeded' AND closed_ms >= ? "
    "AND id > ? ORDER BY id LIMIT ?"
)
RECHARGES_SINCE = (
    "SELECT created_ms, amount_micros, state IN ('failed', 'cancelled') FROM payment "
    "WHERE organisation_id = ? AND created_ms >= ? AND kind = 'recharge'"
)
# `+`: by what is due, which is little, not by the id, which would read all there ever was.
PAYMENTS_DUE = (
    "SELECT organisation_id, id FROM payment WHERE due_ms <= ? AND due_ms IS NOT NULL "
    "AND +id > ? ORDER BY +id LIMIT ?"
)
CLAIM_PAYMENT = (
    "UPDATE payment SET due_ms = ? WHERE organisation_id = ? AND id = ? AND due_ms <= ? "
    "AND closed_ms IS NULL"
)
WALLETS_ASKING = (
    "SELECT organisation_id FROM wallet WHERE attention_ms IS NOT NULL AND +organisation_id > ? "
    "ORDER BY +organisation_id LIMIT ?"
)
# The money of a wallet that can be spent now, of those whose recharge could begin.
WALLETS_TO_RECHARGE = """
    SELECT r.organisation_id FROM recharge r JOIN wallet w ON w.organisation_id = r.organisation_id
    WHERE r.organisation_id > ? AND r.enabled AND r.paused_code = '' AND w.no_buying IS NULL
        AND EXISTS (SELECT 1 FROM payment_method m WHERE m.organisation_id = r.organisation_id
            AND m.kind = 'card' AND m.state = 'active')
        AND NOT EXISTS (SELECT 1 FROM payment p WHERE p.organisation_id = r.organisation_id
            AND p.kind = 'recharge' AND p.closed_ms IS NULL)
        AND COALESCE((SELECT SUM(l.remaining_micros - l.held_micros) FROM lot l
            WHERE l.organisation_id = r.organisation_id AND NOT l.spent AND l.expires_ms > ?), 0)
            - w.debt_micros < r.trigger_micros
    ORDER BY r.organisation_id LIMIT ?"""

_recharge_row = attrgetter(*RECHARGE.columns)
_level_row = attrgetter(*ALERT_LEVEL.columns)
_method_row = attrgetter(*PAYMENT_METHOD.columns)
_payment_row = attrgetter(*PAYMENT.columns)
_changed_payment = attrgetter(*_PAYMENT_CHANGES, "organisation_id", "id")
_try_row = attrgetter(*PAYMENT_TRY.columns)
_changed_try = attrgetter(*_TRY_CHANGES, "organisation_id", "id")


def load_till(
    connection: Connection, organisation_id: int, since_ms: int, payment_ids: Sequence[int] = ()
) -> Till:
    """What of an organisation's payments deciding needs: settings, levels, active methods, open
    payments and those named with their tries, recharges begun since `since_ms`."""
    till = Till(organisation_id)
    recharges, levels, methods, open_, named, started = connection.rows_of_all(
        [
            (RECHARGE_OF, [organisation_id]),
            (LEVELS_OF, [organisation_id]),
            (METHODS_OF, [organisation_id]),
            (OPEN_PAYMENTS, [organisation_id]),
            (PAYMENTS_OF_ID, [organisation_id, list(payment_ids)]),
            (RECHARGES_SINCE, [organisation_id, since_ms]),
        ]
    )
    for row in recharges:
        till.recharge = Recharge(*row)
        till.recharge.enabled = bool(till.recharge.enabled)
    till.levels = [AlertLevel(*row) for row in levels]
    till.methods = [PaymentMethod(*row) for row in methods]
    till.payments = {row[0]: Payment(*row) for row in (*open_, *named)}
    till.started = [(row[0], row[1], not row[2]) for row in started]
    for each in tries_of(connection, organisation_id, list(till.payments)):
        till.tries.setdefault(each.payment_id, []).append(each)
    for payment_id in till.payments:
        till.tries.setdefault(payment_id, [])
    return till


def save_till(connection: Connection, till: Till) -> None:
    """Write what deciding changed. Raises RowsMissing where a row was not there to change."""
    payments = till.payments.values()
    tries = [each for several in till.tries.values() for each in several]
    recharges = [till.recharge] if till.recharge is not None and till.recharge.changed else []
    # Changed ones before new ones: of the open ones there may be one alone.
    planned: list[tuple[Both, list[Row]]] = [
        (PUT_RECHARGES, [_recharge_row(each) for each in recharges]),
        (PUT_LEVELS, [_level_row(each) for each in till.levels if each.changed]),
        (UPDATE_PAYMENTS, [_changed_payment(p) for p in payments if p.changed and not p.new]),
        (INSERT_PAYMENTS, [_payment_row(p) for p in payments if p.new]),
        (UPDATE_TRIES, [_changed_try(t) for t in tries if t.changed and not t.new]),
        (INSERT_TRIES, [_try_row(t) for t in tries if t.new]),
    ]
    writes = [(statement, rows) for statement, rows in planned if rows]
    if writes:
        for (_, rows), touched in zip(writes, connection.write_all(writes), strict=True):
            if touched != len(rows):
                raise RowsMissing(f"{len(rows)} rows of a till bound, {touched} touched")


def tries_of(
    connection: Connection, organisation_id: int, payment_ids: Sequence[int]
) -> list[PaymentTry]:
    """All tries of some payments, by payment and number."""
    rows = connection.rows(TRIES_OF, [organisation_id, list(payment_ids)])
    return [PaymentTry(*row) for row in rows]


def payment_of_id(connection: Connection, organisation_id: int, payment_id: int) -> Payment | None:
    """One payment."""
    rows = connection.rows(PAYMENTS_OF_ID, [organisation_id, [payment_id]])
    return Payment(*rows[0]) if rows else None


def payment_of_key(connection: Connection, organisation_id: int, key: str) -> Payment | None:
    """The payment that was asked for with this idempotency key."""
    rows = connection.rows(PAYMENT_OF_KEY, [organisation_id, key])
    return Payment(*rows[0]) if rows else None


def payments_before(
    connection: Connection, organisation_id: int, before_id: int, rows_max: int
) -> list[Payment]:
    """A page of an organisation's payments, the latest first."""
    rows = connection.rows(PAYMENTS_BEFORE, [organisation_id, before_id, rows_max])
    return [Payment(*row) for row in rows]


def payments_due(
    connection: Connection, now_ms: int, after_id: int, rows_max: int
) -> list[tuple[int, int]]:
    """A page of payments whose next step is due, as (organisation id, payment id), by id."""
    rows = connection.rows(PAYMENTS_DUE, [now_ms, after_id, rows_max])
    return [(row[0], row[1]) for row in rows]


def claim_payment(
    connection: Connection, organisation_id: int, payment_id: int, now_ms: int, until_ms: int
) -> bool:
    """Take a payment that is due, until a moment; False where another has it."""
    values = (until_ms, organisation_id, payment_id, now_ms)
    return connection.run(CLAIM_PAYMENT, values) == 1


def wallets_asking(connection: Connection, after_id: int, rows_max: int) -> list[int]:
    """A page of organisations whose wallets ask for attention, by id."""
    return [row[0] for row in connection.rows(WALLETS_ASKING, [after_id, rows_max])]


def wallets_to_recharge(
    connection: Connection, now_ms: int, after_id: int, rows_max: int
) -> list[int]:
    """A page of organisations that are below their trigger with nothing on its way, by id."""
    return [row[0] for row in connection.rows(WALLETS_TO_RECHARGE, [after_id, now_ms, rows_max])]


def methods_of(connection: Connection, organisation_id: int) -> list[PaymentMethod]:
    """The active payment methods of an organisation, the first to be tried first."""
    return [PaymentMethod(*row) for row in connection.rows(METHODS_OF, [organisation_id])]


def method_of_id(
    connection: Connection, organisation_id: int, method_id: int
) -> PaymentMethod | None:
    """One payment method, removed ones too."""
    rows = connection.rows(METHOD_OF_ID, [organisation_id, method_id])
    return PaymentMethod(*rows[0]) if rows else None


def insert_method(connection: Connection, method: PaymentMethod) -> None:
    """A new payment method."""
    connection.write_all([(INSERT_METHODS, [_method_row(method)])])


def set_method(connection: Connection, method: PaymentMethod) -> None:
    """Write the state and the priority of a method, and when it is to be forgotten."""
    changes = (method.state, method.priority, method.forget_ms)
    connection.run(SET_METHOD, (*changes, method.organisation_id, method.id))


def methods_to_forget(
    connection: Connection, now_ms: int, after_id: int, rows_max: int
) -> list[PaymentMethod]:
    """A page of removed cards that their providers are to forget now, by id: those of which no
    charge is open."""
    rows = connection.rows(METHODS_TO_FORGET, [now_ms, after_id, rows_max])
    return [PaymentMethod(*row) for row in rows]


def keep_levels(connection: Connection, organisation_id: int, levels: Sequence[int]) -> None:
    """Delete all alert levels but these and that of a balance used up."""
    connection.run(DELETE_LEVELS, [organisation_id, list(levels)])


def charged_since(
    connection: Connection, since_ms: int, after_id: int, rows_max: int
) -> list[PaymentTry]:
    """A page of the charges that succeeded since a moment, by the id of their try."""
    rows = connection.rows(CHARGED_SINCE, [since_ms, after_id, rows_max])
    return [PaymentTry(*row) for row in rows]


def open_at_provider(connection: Connection, provider: str) -> int:
    """How many charges and refunds at a provider have no end yet."""
    return int(connection.rows(OPEN_AT_PROVIDER, [provider, provider])[0][0])
