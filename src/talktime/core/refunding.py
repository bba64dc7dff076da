"""Money that goes back: what a refund or a chargeback takes out of the wallet, and what comes back
into it when a refund fails or a dispute is won (D15). Pure.

    amount = voided + debt

`voided` is what was free of the payment's own lot; the rest was spent on calls, forfeited, or is
held by running calls (which go on): it becomes a debt, which whatever is free pays at once, and
the next money that comes in.
"""

from dataclasses import dataclass

from talktime.core.bookings import Returned, new_lot_of
from talktime.core.collecting import SERVICE, Collector
from talktime.core.ledger import DEBT, FUNDING, Lot
from talktime.core.meters import day_of
from talktime.core.money import decimal_text
from talktime.core.notices import notice
from talktime.core.payments import (
    CANCELLED,
    DECLINED,
    DISPUTED,
    FREEZING,
    REFUNDED,
    TAKEN_BACK,
    Payment,
    Recharge,
)

REFUND, CHARGEBACK = ("refund", "chargeback")
ASKED, UNKNOWN, DONE, FAILED = ("asked", "unknown", "done", "failed")
OPEN, LOST, WON = ("open", "lost", "won")
REINSTATEMENT = "reinstatement"


@dataclass(slots=True)
class Refund:
    """A refund by the operator (asked, unknown, done, failed), or a chargeback by the cardholder's
    bank (open, lost, won). While one is to be done, a job does its next step at `due_ms`."""

    id: int
    organisation_id: int
    payment_id: int
    kind: str
    state: str
    amount_micros: int
    voided_micros: int
    debt_micros: int
    idempotency_key: str
    body_hash: int
    provider_ref: str
    reason: str
    actor: str
    detail: str
    asked: int
    due_ms: int | None
    created_ms: int
    closed_ms: int | None = None

    def move(self, state: str, now_ms: int, *, due_ms: int | None = None, detail: str = "") -> None:
        """Go to another state; `asked`, `unknown` and `open` are not the last."""
        self.state, self.due_ms, self.detail = state, due_ms, detail
        self.closed_ms = None if state in (ASKED, UNKNOWN, OPEN) else now_ms


def take_back(collector: Collector, payment: Payment, lot: Lot | None, refund: Refund) -> None:
    """Take the amount of a refund or chargeback out of the wallet: from the payment's lot what is
    free of it, the rest as a debt. Sets the refund's two parts; auto-recharge is paused by a
    chargeback, and by a refund that leaves a debt (D15).

    A statement's payment has no lot: all of it is owed. Money in micros.
    """
    books, wallet, now_ms = collector.books, collector.wallet, collector.now_ms
    organisation_id = wallet.organisation_id
    voided_micros = wallet.void(lot, refund.amount_micros) if lot is not None else 0
    if lot is not None and voided_micros:
        books.transfer(organisation_id, lot.id, FUNDING, voided_micros, refund.kind, None, now_ms)
    debt_micros = refund.amount_micros - voided_micros
    if debt_micros:
        wallet.owe(debt_micros)
        books.transfer(organisation_id, DEBT, FUNDING, debt_micros, refund.kind, None, now_ms)
        books.transfers_from(wallet, wallet.pay_debt(now_ms), DEBT, "debt_payment", None, now_ms)
    refund.voided_micros, refund.debt_micros = voided_micros, debt_micros
    payment.refunded_micros += refund.amount_micros
    payment.changed = True
    paid, day = (
        f"{decimal_text(payment.amount_micros)} {payment.currency}",
        day_of(payment.created_ms),
    )
    if refund.kind == CHARGEBACK:
        freeze(collector, DISPUTED, f"The payment of {paid} of {day} was disputed", refund.id)
    elif wallet.debt_micros:
        freeze(collector, REFUNDED, f"The payment of {paid} of {day} was refunded", refund.id)


def give_back(
    collector: Collector,
    payment: Payment,
    lot: Lot | None,
    refund: Refund,
    *,
    others_open: bool = False,
) -> Lot | None:
    """Put the amount back: what was voided into its lot, even where that has expired (then it is
    forfeited as always, unless a debt is owed, which it pays); what became a debt is forgiven as
    far as it is still owed, and comes as a new lot as far as other money has paid it since.

    Returns the new lot. Auto-recharge goes on where a dispute is won, or where the refund (as it
    was before it failed) had paused it: `others_open` says that another dispute is open.
    """
    books, wallet, now_ms = collector.books, collector.wallet, collector.now_ms
    organisation_id = wallet.organisation_id
    if lot is not None and refund.voided_micros:
        wallet.put_back(lot.id, refund.voided_micros)
        books.transfer(
            organisation_id, FUNDING, lot.id, refund.voided_micros, REINSTATEMENT, None, now_ms
        )
    forgiven_micros = min(refund.debt_micros, wallet.debt_micros)
    if forgiven_micros:
        wallet.forgive(forgiven_micros)
        books.transfer(organisation_id, FUNDING, DEBT, forgiven_micros, REINSTATEMENT, None, now_ms)
    if lot is not None:
        paid = wallet.pay_debt_from(lot.id, refund.voided_micros)
        books.transfers_from(wallet, paid, DEBT, "debt_payment", None, now_ms)
    new = None
    if refund.debt_micros > forgiven_micros:
        number = books.next_id()
        key = f"reinstatement of {refund.id} by {number}"
        why = "A dispute was won" if refund.kind == CHARGEBACK else "A refund failed"
        again = Returned(FUNDING, REINSTATEMENT, collector.expires_ms, key, why, SERVICE)
        new = new_lot_of(books, wallet, number, refund.debt_micros - forgiven_micros, again, now_ms)
    books.transfers_from(wallet, wallet.pay_debt(now_ms), DEBT, "debt_payment", None, now_ms)
    payment.refunded_micros -= refund.amount_micros
    payment.changed = True
    recharge = collector.till.recharge
    if (
        recharge is not None
        and recharge.paused_code in FREEZING
        and (refund.kind == CHARGEBACK or _paused_by(recharge, refund))
        and not wallet.debt_micros
        and not others_open
    ):
        recharge.resume()
    return new


def _paused_by(recharge: Recharge, refund: Refund) -> bool:
    # One that had failed and was done after all has paused it then.
    at_ms = (refund.created_ms, refund.closed_ms)
    return recharge.paused_code == REFUNDED and recharge.paused_ms in at_ms


def freeze(collector: Collector, code: str, why: str, cause_id: int) -> None:
    """Pause auto-recharge, and give up a charge that waits to be tried again: `code` (of FREEZING)
    and `why` say what has happened, `cause_id` of which it is told."""
    till, wallet, now_ms = collector.till, collector.wallet, collector.now_ms
    recharge = till.recharge
    if recharge is None:
        return
    detail = why
    if wallet.debt_micros:
        detail = f"{why}; {decimal_text(wallet.debt_micros)} {wallet.currency} is owed"
    attempt = till.open_recharge()
    if attempt is not None and attempt.state == DECLINED:
        attempt.code, attempt.detail = code, detail
        attempt.move(CANCELLED, now_ms)
    if code != REFUNDED or recharge.paused_code not in (DISPUTED, TAKEN_BACK):
        # A refund may fail, which resumes: it takes the place of no other. What is owed changes,
        # and stands with the wallet.
        recharge.pause(code, why, now_ms)
    if recharge.enabled:
        facts = {"code": code, "detail": detail, "currency": wallet.currency}
        told = notice(
            wallet.organisation_id,
            "recharge.paused",
            f"recharge.paused/{cause_id}",
            now_ms,
            balance_micros=wallet.balance_micros,
            **facts,
        )
        collector.books.tell(told)
