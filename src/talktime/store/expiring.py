"""Lots and cards that expire soon. Reads alone."""

from typing import NamedTuple

from talktime.core.payments import PaymentMethod
from talktime.store.database import Connection
from talktime.store.payments import PAYMENT_METHOD

LOTS_EXPIRING = """
    SELECT l.id, l.organisation_id, w.currency, l.remaining_micros, l.expires_ms
    FROM lot l JOIN wallet w ON w.organisation_id = l.organisation_id
    WHERE NOT l.spent AND l.expires_ms > ? AND l.expires_ms <= ? AND l.id > ?
    ORDER BY l.id LIMIT ?"""
CARDS_EXPIRING = (
    f"SELECT {', '.join(PAYMENT_METHOD.columns)} FROM payment_method WHERE kind = 'card' "
    "AND state = 'active' AND exp_year * 12 + exp_month BETWEEN ? AND ? AND id > ? "
    "ORDER BY id LIMIT ?"
)


class ExpiringLot(NamedTuple):
    """A lot with money left that is about to expire."""

    id: int
    organisation_id: int
    currency: str
    remaining_micros: int
    expires_ms: int


def lots_expiring(
    connection: Connection, now_ms: int, until_ms: int, after_id: int, rows_max: int
) -> list[ExpiringLot]:
    """A page of lots that expire after now, and until a moment, by id."""
    rows = connection.rows(LOTS_EXPIRING, [now_ms, until_ms, after_id, rows_max])
    return [ExpiringLot(*row) for row in rows]


def cards_expiring(
    connection: Connection, first_month: int, last_month: int, after_id: int, rows_max: int
) -> list[PaymentMethod]:
    """A page of cards whose last month (year * 12 + month) is between these, by id."""
    rows = connection.rows(CARDS_EXPIRING, [first_month, last_month, after_id, rows_max])
    return [PaymentMethod(*row) for row in rows]
