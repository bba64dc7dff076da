"""What the movements of a wallet were about: lots, calls, documents. Reads alone."""

from typing import NamedTuple

from talktime.core.documents import Document
from talktime.store.database import Connection
from talktime.store.documents import documents_of_rows

LOT_COLUMNS = (
    "id, source, promotional, amount_micros, remaining_micros, held_micros, purchased_ms, "
    "expires_ms, reason, actor"
)
# `+`: by the ids, which are few, not by the organisation, which is all there ever was.
LOTS_OF_IDS = f"SELECT {LOT_COLUMNS} FROM lot WHERE +organisation_id = ? AND id = ANY(?)"
LOTS_BEFORE = f"""
    SELECT {LOT_COLUMNS} FROM lot WHERE organisation_id = ? AND id < ?
    ORDER BY id DESC LIMIT ?"""
OPEN_LOTS_BEFORE = f"""
    SELECT {LOT_COLUMNS} FROM lot WHERE organisation_id = ? AND NOT spent AND id < ?
    ORDER BY id DESC LIMIT ?"""
_USAGE = """
    SELECT u.id, u.kind, u.type, COALESCE(w.display_name, ''), COALESCE(w.name, ''), u.from_digits,
        u.to_digits, u.destination, u.started_ms, u.used_s, u.charge_micros, u.pool_s,
        u.post_micros
    FROM usage_record u LEFT JOIN person w
        ON w.id = u.user_id AND w.organisation_id = u.organisation_id"""
USAGE_OF_IDS = f"{_USAGE} WHERE +u.organisation_id = ? AND u.id = ANY(?)"
LATEST_USAGE = f"""{_USAGE} WHERE u.organisation_id = ?
    ORDER BY u.started_ms DESC, u.id DESC LIMIT ?"""
# By state, of which the running ones have an index.
RUNNING_CALLS = """
    SELECT c.id, 'running', c.type, COALESCE(w.display_name, ''), COALESCE(w.name, ''),
        c.from_digits, c.to_digits, c.rate, c.started_ms, c.reported_s, c.held_micros, c.pool_s,
        c.post_micros, c.answered_ms, c.granted_s
    FROM call c LEFT JOIN person w ON w.id = c.user_id AND w.organisation_id = c.organisation_id
    WHERE c.state = 'open' AND c.organisation_id = ?
    ORDER BY c.started_ms DESC, c.id DESC LIMIT ?"""
DOCUMENTS_OF_PAYMENT = """
    SELECT id, organisation_id, number, issued_ms, body FROM document
    WHERE organisation_id = ? AND payment_id = ? ORDER BY number"""
PAYMENTS_OF_LOTS = (
    "SELECT lot_id, id FROM payment WHERE organisation_id = ? AND lot_id = ANY(?) ORDER BY id"
)


class LotLine(NamedTuple):
    """A lot as it stands."""

    id: int
    source: str
    promotional: bool
    amount_micros: int
    remaining_micros: int
    held_micros: int
    purchased_ms: int
    expires_ms: int
    reason: str
    actor: str


class CallLine(NamedTuple):
    """A usage record, or a running call: then `kind` is running, `destination` the text of its
    rate, `used_s` what was reported, the amounts are what it holds, and it says when it was
    answered (ms since the epoch; None where nobody said so) and how many seconds are granted."""

    id: int
    kind: str
    type: str
    display_name: str
    user: str
    from_digits: str
    to_digits: str
    destination: str
    started_ms: int
    used_s: int
    charge_micros: int
    pool_s: int
    post_micros: int
    answered_ms: int | None = None
    granted_s: int = 0


def lots_of_ids(
    connection: Connection, organisation_id: int, lot_ids: list[int]
) -> dict[int, LotLine]:
    """These lots of an organisation, by id."""
    rows = connection.rows(LOTS_OF_IDS, (organisation_id, lot_ids))
    return {row[0]: _lot(row) for row in rows}


def lots_before(
    connection: Connection, organisation_id: int, before_id: int, rows_max: int, *, open_: bool
) -> list[LotLine]:
    """A page of an organisation's lots, the latest first; with `open_` those with money left."""
    statement = OPEN_LOTS_BEFORE if open_ else LOTS_BEFORE
    return [_lot(row) for row in connection.rows(statement, (organisation_id, before_id, rows_max))]


def usage_of_ids(
    connection: Connection, organisation_id: int, usage_ids: list[int]
) -> dict[int, CallLine]:
    """These usage records of an organisation, by id."""
    rows = connection.rows(USAGE_OF_IDS, (organisation_id, usage_ids))
    return {row[0]: CallLine(*row) for row in rows}


def latest_usage(connection: Connection, organisation_id: int, rows_max: int) -> list[CallLine]:
    """The usage records of the calls that began last, the latest first."""
    return [CallLine(*row) for row in connection.rows(LATEST_USAGE, (organisation_id, rows_max))]


def running_calls(connection: Connection, organisation_id: int, rows_max: int) -> list[CallLine]:
    """The calls that are running, the latest first."""
    return [CallLine(*row) for row in connection.rows(RUNNING_CALLS, (organisation_id, rows_max))]


def documents_of_payment(
    connection: Connection, organisation_id: int, payment_id: int
) -> list[Document]:
    """The documents that name a payment: its invoice, and the credit notes of what went back."""
    rows = connection.rows(DOCUMENTS_OF_PAYMENT, (organisation_id, payment_id))
    return documents_of_rows(rows)


def payments_of_lots(
    connection: Connection, organisation_id: int, lot_ids: list[int]
) -> dict[int, int]:
    """By lot, the payment that it was bought with."""
    return dict(connection.rows(PAYMENTS_OF_LOTS, (organisation_id, lot_ids)))


def _lot(row: tuple[object, ...]) -> LotLine:
    line = LotLine(*row)  # type: ignore[arg-type]
    return line._replace(promotional=bool(line.promotional))
