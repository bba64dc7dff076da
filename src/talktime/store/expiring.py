"""Lots and cards that expire soon. Reads alone."""

from typing import NamedTuple

from talktime.core.payments import PaymentMethod
from talktime.store.database import Connection
from talktime.store.payments import PAYMENT_METHOD

LOTS_EXPIRING = """
    SELECT organisation_id, currency, day, MIN(id), COUNT(*), SUM(remaining_micros),
        MIN(expires_ms), (SELECT MAX(n.id) FROM lot n WHERE n.organisation_id = lots.organisation_id
            AND n.expires_ms >= lots.day * 86400000 AND n.expires_ms < (lots.day + 1) * 86400000)
    FROM (SELECT l.organisation_id, w.currency, l.expires_ms / 86400000 AS day, l.id,
        l.remaining_micros, l.expires_ms
        FROM lot l JOIN wallet w ON w.organisation_id = l.organisation_id
        WHERE NOT l.spent AND l.expires_ms > ? AND l.expires_ms <= ?) lots
    WHERE (organisation_id, day) > (?, ?)
    GROUP BY organisation_id, currency, day ORDER BY organisation_id, day LIMIT ?"""
CARDS_EXPIRING = (
    f"SELECT {', '.join(PAYMENT_METHOD.columns)} FROM payment_method WHERE kind = 'card' "
    "AND state = 'active' AND exp_year * 12 + exp_month BETWEEN ? AND ? AND id > ? "
    "ORDER BY id LIMIT ?"
)


class ExpiringLots(NamedTuple):
    """The lots of an organisation with money left that are about to expire on one day (UTC, days
    since 1970): the first of them, how many, what is left of them, when the first expires; and the
    newest of that day, with money left or without."""

    organisation_id: int
    currency: str
    day: int
    lot_id: int
    lots: int
    remaining_micros: int
    expires_ms: int
    newest_lot_id: int


def lots_expiring(
    connection: Connection, now_ms: int, until_ms: int, after: tuple[int, int], rows_max: int
) -> list[ExpiringLots]:
    """A page of what expires after now, and until a moment, by organisation and day."""
    rows = connection.rows(LOTS_EXPIRING, [now_ms, until_ms, *after, rows_max])
    return [
        ExpiringLots(owner, currency, day, lot_id, lots, int(micros), expires_ms, newest_id)
        for owner, currency, day, lot_id, lots, micros, expires_ms, newest_id in rows
    ]


def cards_expiring(
    connection: Connection, first_month: int, last_month: int, after_id: int, rows_max: int
) -> list[PaymentMethod]:
    """A page of cards whose last month (year * 12 + month) is between these, by id."""
    rows = connection.rows(CARDS_EXPIRING, [first_month, last_month, after_id, rows_max])
    return [PaymentMethod(*row) for row in rows]
