"""An organisation's statement for a period: what was there, what came, what went, what is left.

The balance here is the wallet's: all its lots, whether or not held, less its debt. A call counts in
the period in which it was charged, that is when it was over, whatever it cost and whoever paid: so
the calls are those behind the sums. A late report counts when it came.
"""

from typing import NamedTuple

from talktime.core.money import decimal_text
from talktime.core.refusal import Refusal
from talktime.store import reports
from talktime.store.database import Connection
from talktime.store.reports import LotThen, Movement, UsageSum


class UsageLine(NamedTuple):
    """Calls to one destination, or late corrections of calls (which may be negative). Of the
    charge, `post_micros` are paid after use, not out of the wallet."""

    destination: str
    calls: int
    used_s: int
    billed_s: int
    fee_micros: int
    charge_micros: int
    post_micros: int = 0

    @property
    def wallet_micros(self) -> int:
        """What the wallet paid of it."""
        return self.charge_micros - self.post_micros


class Statement(NamedTuple):
    """One organisation's money from `from_ms` (included) to `to_ms` (not included), in micros.

    opening + purchases + grants + adjustments + reinstatements
        - usage - corrections - forfeitures - refunds - chargebacks - taken back = closing.

    `bought` are the lots that came in, `lots` those with money left at the end. `unproven` says in
    words what does not add up: it is empty unless the books are damaged.
    """

    organisation_id: int
    currency: str
    from_ms: int
    to_ms: int
    opening_micros: int
    purchases_micros: int
    grants_micros: int
    adjustments_micros: int
    reinstatements_micros: int
    usage_micros: int
    corrections_micros: int
    forfeitures_micros: int
    refunds_micros: int
    chargebacks_micros: int
    taken_back_micros: int
    closing_micros: int
    debt_micros: int
    usage: tuple[UsageLine, ...]
    corrections: tuple[UsageLine, ...]
    bought: tuple[LotThen, ...]
    lots: tuple[LotThen, ...]
    unproven: tuple[str, ...]


def statement(
    connection: Connection, organisation_id: int, from_ms: int, to_ms: int
) -> Statement | Refusal:
    """Draw up a statement from one snapshot of the cell, its sums proven against the transfers.

    Times are milliseconds since the epoch. The connection must not be in a transaction.
    Refuses: UNKNOWN_ORGANISATION; INVALID_REQUEST for a period that does not end after it begins.
    """
    if from_ms >= to_ms:
        return Refusal("invalid_value", "a period ends after it begins")
    with connection.snapshot():
        wallet = reports.wallet_now(connection, organisation_id)
        if wallet is None:
            detail = f"organisation {organisation_id} has no wallet"
            return Refusal("unknown_organisation", detail)
        return _drawn_up(connection, organisation_id, from_ms, to_ms, *wallet)


def _drawn_up(
    connection: Connection,
    organisation_id: int,
    from_ms: int,
    to_ms: int,
    currency: str,
    balance_now_micros: int,
) -> Statement:
    moved = reports.movements(connection, organisation_id, from_ms, to_ms)
    used = reports.usage_by_destination(connection, organisation_id, from_ms, to_ms)
    lots = reports.lots_before(connection, organisation_id, to_ms)
    drawn_up = Statement(
        organisation_id=organisation_id,
        currency=currency,
        from_ms=from_ms,
        to_ms=to_ms,
        opening_micros=reports.balance_before(connection, organisation_id, from_ms),
        purchases_micros=_effect(moved, "purchase"),
        grants_micros=_effect(moved, "grant"),
        adjustments_micros=_effect(moved, "adjustment"),
        reinstatements_micros=_effect(moved, "reinstatement"),
        usage_micros=-sum(m.effect_micros for m in moved if m.record_kind == "call"),
        corrections_micros=-sum(m.effect_micros for m in moved if m.record_kind == "correction"),
        forfeitures_micros=-_effect(moved, "forfeiture"),
        refunds_micros=-_effect(moved, "refund"),
        chargebacks_micros=-_effect(moved, "chargeback"),
        taken_back_micros=-_effect(moved, "take_back"),
        closing_micros=reports.balance_before(connection, organisation_id, to_ms),
        debt_micros=reports.debt_before(connection, organisation_id, to_ms),
        usage=_lines(used, "call"),
        corrections=_lines(used, "correction"),
        bought=tuple(lot for lot in lots if lot.purchased_ms >= from_ms),
        lots=tuple(lot for lot in lots if lot.remaining_micros),
        unproven=(),
    )
    last_ms = reports.last_transfer_ms(connection, organisation_id)
    to_date = last_ms is None or last_ms < to_ms
    return drawn_up._replace(unproven=_unproven(drawn_up, balance_now_micros if to_date else None))


def _effect(moved: list[Movement], kind: str) -> int:
    return sum(movement.effect_micros for movement in moved if movement.kind == kind)


def _lines(used: list[UsageSum], kind: str) -> tuple[UsageLine, ...]:
    return tuple(UsageLine(*line[1:]) for line in used if line.kind == kind)


def _unproven(drawn_up: Statement, balance_now_micros: int | None) -> tuple[str, ...]:
    s = drawn_up
    came_micros = s.purchases_micros + s.grants_micros + s.adjustments_micros
    came_micros += s.reinstatements_micros
    went_micros = s.usage_micros + s.corrections_micros + s.forfeitures_micros
    went_micros += s.refunds_micros + s.chargebacks_micros + s.taken_back_micros
    lots_micros = sum(lot.remaining_micros for lot in s.lots)
    equal = [
        (
            "opening balance and movements",
            s.opening_micros + came_micros - went_micros,
            "closing balance",
            s.closing_micros,
        ),
        ("lots less debt", lots_micros - s.debt_micros, "closing balance", s.closing_micros),
        (
            "calls by destination",
            sum(line.wallet_micros for line in s.usage),
            "their transfers",
            s.usage_micros,
        ),
        (
            "corrections by destination",
            sum(line.wallet_micros for line in s.corrections),
            "their transfers",
            s.corrections_micros,
        ),
    ]
    if balance_now_micros is not None:
        equal.append(("closing balance", s.closing_micros, "wallet", balance_now_micros))
    return tuple(
        f"{left}: {decimal_text(left_micros)}, {right}: {decimal_text(right_micros)}"
        for left, left_micros, right, right_micros in equal
        if left_micros != right_micros
    )
