"""What in a cell waits for somebody of the operator's: payments, refunds, grants, calls, notices.
Each list by an index that holds what is open alone. The caller opens the reading.
"""

from typing import NamedTuple

from talktime.core.ids import first_id_at
from talktime.core.limits import ATTENTION_COUNTED_MAX
from talktime.core.payers import FREE_CALL
from talktime.store.database import Connection

FAILED_MS = 7 * 86_400_000
"""Payments that failed, and calls that could not be priced, are looked at for so long."""
TOLD_MS = 86_400_000
"""Deliveries are counted over so long."""

_PAYMENT = (
    "id, organisation_id, kind, state, amount_micros, currency, po_number, actor, declines, code, "
    "detail, due_ms, created_ms"
)
OPEN_PAYMENTS = (
    f"SELECT {_PAYMENT} FROM payment WHERE closed_ms IS NULL AND state = ? AND id > ? "
    "ORDER BY id LIMIT ?"
)
FAILED_PAYMENTS = (
    f"SELECT {_PAYMENT} FROM payment WHERE id < ? AND id >= ? AND state = 'failed' "
    "ORDER BY id DESC LIMIT ?"
)
PAUSED = """
    SELECT organisation_id, paused_code, paused_detail, paused_ms FROM recharge
    WHERE organisation_id > ? AND enabled AND paused_code <> ''
    ORDER BY organisation_id LIMIT ?"""
OPEN_REFUNDS = """
    SELECT id, organisation_id, payment_id, kind, state, amount_micros, reason, actor, detail,
        due_ms, created_ms
    FROM refund WHERE closed_ms IS NULL AND kind = ? AND id > ? ORDER BY id LIMIT ?"""
ASKED_GRANTS = """
    SELECT id, organisation_id, amount_micros, promotional, lasts_until_ms, reason, asked_by,
        asked_ms
    FROM grant_request WHERE state = 'asked' AND id > ?
        AND (lasts_until_ms IS NULL OR lasts_until_ms > ?) ORDER BY id LIMIT ?"""
_RUNNING = """
    SELECT c.id, c.organisation_id, c.switch_id, c.call_key, c.type, c.user_id,
        COALESCE(w.display_name, ''), c.from_digits, c.to_digits, c.rate, c.started_ms,
        c.answered_ms, c.granted_s, c.reported_s, c.held_micros, c.pool_s, c.deadline_ms, c.ending,
        c.sweep_ms
    FROM call c LEFT JOIN person w ON w.id = c.user_id AND w.organisation_id = c.organisation_id
    WHERE c.state = 'open' AND (c.sweep_ms, c.id) > (?, ?)"""
_IN_ORDER = "ORDER BY c.sweep_ms, c.id LIMIT ?"
RUNNING = f"{_RUNNING} {_IN_ORDER}"
RUNNING_OF = f"{_RUNNING} AND c.organisation_id = ? {_IN_ORDER}"
# By an index of these records alone.
UNPRICED = f"""
    SELECT u.id, u.organisation_id, u.type, COALESCE(w.display_name, ''), u.from_digits,
        u.to_digits, u.started_ms, u.used_s, u.billed_s - u.pool_s
    FROM usage_record u
    LEFT JOIN person w ON w.id = u.user_id AND w.organisation_id = u.organisation_id
    WHERE u.capability = '{FREE_CALL}' AND u.id < ? AND u.id >= ? ORDER BY u.id DESC LIMIT ?"""
STUCK = f"{_RUNNING} AND c.sweep_ms < ? AND c.deadline_ms < ? {_IN_ORDER}"
COUNTS = f"""
    SELECT
        (SELECT COUNT(*) FROM (SELECT 1 FROM payment
            WHERE closed_ms IS NULL AND state = 'unknown' LIMIT ?) a),
        (SELECT COUNT(*) FROM (SELECT 1 FROM payment
            WHERE closed_ms IS NULL AND state = 'invoiced' LIMIT ?) b),
        (SELECT COUNT(*) FROM (SELECT 1 FROM recharge
            WHERE enabled AND paused_code <> '' LIMIT ?) c),
        (SELECT COUNT(*) FROM (SELECT 1 FROM refund
            WHERE closed_ms IS NULL AND kind = 'refund' LIMIT ?) d),
        (SELECT COUNT(*) FROM (SELECT 1 FROM refund
            WHERE closed_ms IS NULL AND kind = 'chargeback' LIMIT ?) e),
        (SELECT COUNT(*) FROM (SELECT 1 FROM grant_request WHERE state = 'asked'
            AND (lasts_until_ms IS NULL OR lasts_until_ms > ?) LIMIT ?) f),
        (SELECT COUNT(*) FROM (SELECT 1 FROM call
            WHERE state = 'open' AND sweep_ms < ? AND deadline_ms < ? LIMIT ?) g),
        (SELECT COUNT(*) FROM (SELECT 1 FROM call WHERE state = 'open' LIMIT ?) h),
        (SELECT COUNT(*) FROM (SELECT 1 FROM delivery WHERE due_ms IS NOT NULL AND tries > 0
            LIMIT ?) i),
        (SELECT COUNT(*) FROM webhook_endpoint WHERE state = 'disabled'),
        (SELECT COUNT(*) FROM (SELECT 1 FROM outbox WHERE spread_ms IS NULL LIMIT ?) j),
        (SELECT COUNT(*) FROM (SELECT 1 FROM usage_record
            WHERE capability = '{FREE_CALL}' AND id >= ? LIMIT ?) k),
        (SELECT COUNT(*) FROM (SELECT 1 FROM post_statement
            WHERE state <> 'paid' AND state IN ('overdue', 'blocked') LIMIT ?) l)"""
OLDEST_NEW = "SELECT at_ms FROM outbox WHERE spread_ms IS NULL ORDER BY id LIMIT 1"
OLDEST_DUE = "SELECT due_ms FROM delivery WHERE due_ms IS NOT NULL ORDER BY due_ms LIMIT 1"
DELIVERIES = """
    SELECT channel, state, COUNT(*) FROM (
        SELECT channel, state FROM delivery WHERE id >= ? ORDER BY id DESC LIMIT ?) d
    GROUP BY channel, state ORDER BY channel, state"""
FAILING_ENDPOINTS = """
    SELECT id, organisation_id, url, state, detail FROM webhook_endpoint
    WHERE state = 'disabled' OR id IN (SELECT CAST(target AS BIGINT) FROM (
        SELECT DISTINCT target FROM delivery
        WHERE due_ms IS NOT NULL AND tries > 0 AND channel = 'webhook' LIMIT ?) t)
    ORDER BY id LIMIT ?"""
EVENTS_DUE = """
    SELECT provider, COUNT(*), MIN(received_ms), MAX(tries) FROM provider_event
    WHERE due_ms IS NOT NULL GROUP BY provider ORDER BY provider"""
INBOX = """
    SELECT provider, COUNT(*), MIN(received_ms) FROM (
        SELECT provider, received_ms FROM payment_event_inbox LIMIT ?) i
    GROUP BY provider ORDER BY provider"""
NEWEST_USAGE = (
    "SELECT id FROM usage_record WHERE id >= ? AND kind = 'call' ORDER BY id DESC LIMIT ?"
)


class PaymentRow(NamedTuple):
    """A payment that somebody looks at."""

    id: int
    organisation_id: int
    kind: str
    state: str
    amount_micros: int
    currency: str
    po_number: str
    actor: str
    declines: int
    code: str
    detail: str
    due_ms: int | None
    created_ms: int


class PausedRow(NamedTuple):
    """An auto-recharge that is paused, and why."""

    organisation_id: int
    code: str
    detail: str
    since_ms: int | None


class RefundRow(NamedTuple):
    """A refund or a dispute that is not over."""

    id: int
    organisation_id: int
    payment_id: int
    kind: str
    state: str
    amount_micros: int
    reason: str
    actor: str
    detail: str
    due_ms: int | None
    created_ms: int


class GrantRow(NamedTuple):
    """A grant that waits for a second operator."""

    id: int
    organisation_id: int
    amount_micros: int
    promotional: bool
    lasts_until_ms: int | None
    reason: str
    asked_by: str
    asked_ms: int


class RunningCall(NamedTuple):
    """A call that is open; `rate` as the call keeps it (core/rating.py), `ending` the code of the
    refusal by which it is to end."""

    id: int
    organisation_id: int
    switch_id: int
    call_key: str
    type: str
    user_id: int | None
    caller: str
    from_digits: str
    to_digits: str
    rate: str
    started_ms: int
    answered_ms: int | None
    granted_s: int
    reported_s: int
    held_micros: int
    pool_s: int
    deadline_ms: int
    ending: str | None
    sweep_ms: int


class UnpricedCall(NamedTuple):
    """A usage record, or a correction of one, of which `unpriced_s` of the billed seconds were
    free because the rate card has no price for them (D10); `caller` is the user's name."""

    id: int
    organisation_id: int
    type: str
    caller: str
    from_digits: str
    to_digits: str
    started_ms: int
    used_s: int
    unpriced_s: int


class Waiting(NamedTuple):
    """How many of each kind wait in a cell, no more than ATTENTION_COUNTED_MAX."""

    unknown_payments: int
    unpaid_invoices: int
    paused_recharges: int
    open_refunds: int
    open_disputes: int
    asked_grants: int
    stuck_calls: int
    running_calls: int
    failing_deliveries: int
    disabled_endpoints: int
    notices_to_spread: int
    unpriced_calls: int
    overdue_statements: int


class EndpointRow(NamedTuple):
    """A webhook endpoint that fails."""

    id: int
    organisation_id: int
    url: str
    state: str
    detail: str


def open_payments(cell: Connection, state: str, after_id: int, rows_max: int) -> list[PaymentRow]:
    """Payments that are open in a state, the oldest first."""
    return [PaymentRow(*row) for row in cell.rows(OPEN_PAYMENTS, [state, after_id, rows_max])]


def failed_payments(
    cell: Connection, now_ms: int, before_id: int, rows_max: int
) -> list[PaymentRow]:
    """Payments of the last days that failed, the latest first."""
    since = first_id_at(now_ms - FAILED_MS)
    return [PaymentRow(*row) for row in cell.rows(FAILED_PAYMENTS, [before_id, since, rows_max])]


def paused_recharges(cell: Connection, after_id: int, rows_max: int) -> list[PausedRow]:
    """Auto-recharges that are turned on and paused, by organisation."""
    return [PausedRow(*row) for row in cell.rows(PAUSED, [after_id, rows_max])]


def open_refunds(cell: Connection, kind: str, after_id: int, rows_max: int) -> list[RefundRow]:
    """Refunds (`refund`) or disputes (`chargeback`) that are not over, the oldest first."""
    return [RefundRow(*row) for row in cell.rows(OPEN_REFUNDS, [kind, after_id, rows_max])]


def asked_grants(cell: Connection, now_ms: int, after_id: int, rows_max: int) -> list[GrantRow]:
    """Grants that wait for a second operator and have not expired, the oldest first."""
    found = [GrantRow(*row) for row in cell.rows(ASKED_GRANTS, [after_id, now_ms, rows_max])]
    return [each._replace(promotional=bool(each.promotional)) for each in found]


def running_calls(
    cell: Connection,
    after: tuple[int, int],
    rows_max: int,
    organisation_id: int | None = None,
) -> list[RunningCall]:
    """Open calls, of an organisation or of all, after (sweep_ms, id): the first to be looked at
    first."""
    if organisation_id is None:
        return [RunningCall(*row) for row in cell.rows(RUNNING, [*after, rows_max])]
    rows = cell.rows(RUNNING_OF, [*after, organisation_id, rows_max])
    return [RunningCall(*row) for row in rows]


def stuck_calls(
    cell: Connection, before_ms: int, after: tuple[int, int], rows_max: int
) -> list[RunningCall]:
    """Open calls whose deadline is before a moment, in the same order."""
    params = [*after, before_ms, before_ms, rows_max]
    return [RunningCall(*row) for row in cell.rows(STUCK, params)]


def unpriced_calls(
    cell: Connection, now_ms: int, before_id: int, rows_max: int
) -> list[UnpricedCall]:
    """Calls of the last days that could not be priced, the latest first (R63, D10)."""
    since = first_id_at(now_ms - FAILED_MS)
    return [UnpricedCall(*row) for row in cell.rows(UNPRICED, [before_id, since, rows_max])]


def waiting(cell: Connection, now_ms: int, stuck_before_ms: int = 0) -> Waiting:
    """How many of each kind wait now; of calls, those whose deadline was before a moment."""
    most = ATTENTION_COUNTED_MAX
    params = [most] * 5 + [now_ms, most] + [stuck_before_ms, stuck_before_ms] + [most] * 4
    params += [first_id_at(now_ms - FAILED_MS), most, most]
    return Waiting(*cell.rows(COUNTS, params)[0])


def oldest_waiting_ms(cell: Connection) -> tuple[int | None, int | None]:
    """When the oldest notice not given out yet happened, and since when the oldest delivery is
    due."""
    found = [cell.rows(statement) for statement in (OLDEST_NEW, OLDEST_DUE)]
    new_ms, due_ms = (rows[0][0] if rows else None for rows in found)
    return new_ms, due_ms


def deliveries_counted(cell: Connection, now_ms: int) -> list[tuple[str, str, int]]:
    """Deliveries of the last day by channel and state, the newest ATTENTION_COUNTED_MAX of them."""
    params = [first_id_at(now_ms - TOLD_MS), ATTENTION_COUNTED_MAX]
    return [(row[0], row[1], row[2]) for row in cell.rows(DELIVERIES, params)]


def failing_endpoints(cell: Connection, rows_max: int) -> list[EndpointRow]:
    """Webhook endpoints that were disabled, or have deliveries that failed and are tried again."""
    return [
        EndpointRow(*row) for row in cell.rows(FAILING_ENDPOINTS, [ATTENTION_COUNTED_MAX, rows_max])
    ]


def events_due(cell: Connection) -> list[tuple[str, int, int, int]]:
    """Events of payment providers that wait in a cell: provider, how many, since when, and how
    often the most tried was tried."""
    return [(row[0], row[1], row[2], row[3]) for row in cell.rows(EVENTS_DUE)]


def event_inbox(control: Connection) -> list[tuple[str, int, int]]:
    """Events that came to the door and were not looked at: provider, how many, since when."""
    return [(row[0], row[1], row[2]) for row in control.rows(INBOX, [ATTENTION_COUNTED_MAX])]


def newest_usage_ids(cell: Connection, since_ms: int, rows_max: int) -> list[int]:
    """The ids of the newest usage records of calls made since a moment, the newest first."""
    params = [first_id_at(since_ms), rows_max]
    return [row[0] for row in cell.rows(NEWEST_USAGE, params)]
