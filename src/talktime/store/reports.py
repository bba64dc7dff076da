"""What an organisation's statement is made of: sums of its transfers and usage records."""

from typing import NamedTuple

from talktime.core.ids import ID_MAX, first_id_at
from talktime.core.ledger import DEBT, SYSTEM_ACCOUNTS
from talktime.store.database import Connection

_LAST_SYSTEM = max(SYSTEM_ACCOUNTS)

# A transfer's effect on the wallet: its lots and its debt are inside, all other accounts outside.
_EFFECT = f"""
    CASE WHEN credit_account = {DEBT} OR credit_account > {_LAST_SYSTEM}
        THEN amount_micros ELSE 0 END
    - CASE WHEN debit_account = {DEBT} OR debit_account > {_LAST_SYSTEM}
        THEN amount_micros ELSE 0 END"""

CURRENCY = "SELECT currency, balance_micros FROM wallet WHERE organisation_id = ?"
BALANCE_BEFORE = f"""
    SELECT CAST(COALESCE(SUM({_EFFECT}), 0) AS BIGINT) FROM transfer
    WHERE organisation_id = ? AND at_ms < ?"""
DEBT_BEFORE = f"""
    SELECT CAST(COALESCE(SUM(
        CASE WHEN debit_account = {DEBT} THEN amount_micros ELSE -amount_micros END), 0) AS BIGINT)
    FROM transfer WHERE organisation_id = ? AND at_ms < ?
        AND (debit_account = {DEBT} OR credit_account = {DEBT})"""
LAST_TRANSFER = "SELECT MAX(at_ms) FROM transfer WHERE organisation_id = ?"

# An overdraft belongs to the call or to the correction that made it.
MOVEMENTS = f"""
    SELECT kind, record_kind, COUNT(*), CAST(SUM(effect) AS BIGINT)
    FROM (
        SELECT t.kind, u.kind AS record_kind, {_EFFECT} AS effect
        FROM transfer t LEFT JOIN usage_record u
            ON u.id = t.usage_id AND u.organisation_id = t.organisation_id
        WHERE t.organisation_id = ? AND t.at_ms >= ? AND t.at_ms < ?) m
    GROUP BY kind, record_kind ORDER BY kind, record_kind"""

# A record belongs to the period in which it was booked. Transfers say when that was; a record of no
# charge has none, and was booked when its id was made.
USAGE_BY_DESTINATION = """
    SELECT kind, destination, COUNT(*), CAST(SUM(used_s) AS BIGINT), CAST(SUM(billed_s) AS BIGINT),
        CAST(SUM(fee_micros) AS BIGINT), CAST(SUM(charge_micros) AS BIGINT),
        CAST(SUM(post_micros) AS BIGINT)
    FROM (
        SELECT u.kind, u.destination, u.used_s, u.billed_s, u.fee_micros, u.charge_micros,
            u.post_micros
        FROM usage_record u JOIN (
            SELECT DISTINCT usage_id FROM transfer
            WHERE organisation_id = ? AND at_ms >= ? AND at_ms < ? AND usage_id IS NOT NULL
        ) t ON t.usage_id = u.id
        WHERE u.organisation_id = ?
        UNION ALL
        SELECT kind, destination, used_s, billed_s, fee_micros, charge_micros, post_micros
        FROM usage_record WHERE organisation_id = ? AND id >= ? AND id <= ?
            AND charge_micros = 0) r
    GROUP BY kind, destination ORDER BY kind, destination"""

LOTS_BEFORE = """
    SELECT l.id, l.source, l.promotional, l.amount_micros,
        CAST(COALESCE(SUM(m.micros), 0) AS BIGINT) AS remaining_micros,
        l.purchased_ms, l.expires_ms, l.reason, l.actor
    FROM lot l LEFT JOIN (
        SELECT credit_account AS account, amount_micros AS micros
        FROM transfer WHERE organisation_id = ? AND at_ms < ?
        UNION ALL SELECT debit_account, -amount_micros
        FROM transfer WHERE organisation_id = ? AND at_ms < ?) m ON m.account = l.id
    WHERE l.organisation_id = ? AND l.purchased_ms < ?
    GROUP BY l.id, l.source, l.promotional, l.amount_micros, l.purchased_ms, l.expires_ms,
        l.reason, l.actor
    ORDER BY l.priority, l.expires_ms, l.purchased_ms, l.id"""


class Movement(NamedTuple):
    """Transfers of one kind in a period, and what they did to the balance.

    `record_kind` is that of their usage records: call, correction, or None.
    """

    kind: str
    record_kind: str | None
    transfers: int
    effect_micros: int


class UsageSum(NamedTuple):
    """Usage records of one kind (call or correction) to one destination in a period. Of the charge,
    `post_micros` are paid after use, not out of the wallet."""

    kind: str
    destination: str
    records: int
    used_s: int
    billed_s: int
    fee_micros: int
    charge_micros: int
    post_micros: int


class LotThen(NamedTuple):
    """A lot as it stood at a moment."""

    id: int
    source: str
    promotional: bool
    amount_micros: int
    remaining_micros: int
    purchased_ms: int
    expires_ms: int
    reason: str
    actor: str


def wallet_now(connection: Connection, organisation_id: int) -> tuple[str, int] | None:
    """The wallet's currency and balance as they stand, None where there is no wallet."""
    rows = connection.rows(CURRENCY, [organisation_id])
    return (rows[0][0], rows[0][1]) if rows else None


def balance_before(connection: Connection, organisation_id: int, at_ms: int) -> int:
    """The balance that all transfers before a moment make."""
    return int(connection.rows(BALANCE_BEFORE, [organisation_id, at_ms])[0][0])


def debt_before(connection: Connection, organisation_id: int, at_ms: int) -> int:
    """The debt that all transfers before a moment make."""
    return int(connection.rows(DEBT_BEFORE, [organisation_id, at_ms])[0][0])


def last_transfer_ms(connection: Connection, organisation_id: int) -> int | None:
    """When the organisation's money moved last."""
    last_ms: int | None = connection.rows(LAST_TRANSFER, [organisation_id])[0][0]
    return last_ms


def movements(
    connection: Connection, organisation_id: int, from_ms: int, to_ms: int
) -> list[Movement]:
    """What moved in a period, by kind."""
    rows = connection.rows(MOVEMENTS, [organisation_id, from_ms, to_ms])
    return [Movement(*row) for row in rows]


def usage_by_destination(
    connection: Connection, organisation_id: int, from_ms: int, to_ms: int
) -> list[UsageSum]:
    """The usage records booked in a period, by kind and destination."""
    ids = [min(first_id_at(from_ms), ID_MAX), min(first_id_at(to_ms) - 1, ID_MAX)]
    period = [organisation_id, from_ms, to_ms]
    rows = connection.rows(USAGE_BY_DESTINATION, [*period, organisation_id, organisation_id, *ids])
    return [UsageSum(*row) for row in rows]


def lots_before(connection: Connection, organisation_id: int, at_ms: int) -> list[LotThen]:
    """The organisation's lots with what was left in each just before a moment."""
    before = [organisation_id, at_ms]
    rows = connection.rows(LOTS_BEFORE, [*before, *before, *before])
    return [LotThen(*row)._replace(promotional=bool(row[2])) for row in rows]
