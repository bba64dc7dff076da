"""Wallets, payments, payment methods and auto-recharge as JSON objects, the same over HTTP and in
the shell: amounts are decimal texts in the wallet's currency, times RFC 3339 in UTC, ids texts."""

from typing import Any

from talktime.core.directory import Organisation
from talktime.core.ledger import Lot
from talktime.core.money import decimal_text
from talktime.core.payments import CARD, Payment, PaymentMethod, PaymentTry
from talktime.core.recharging import Wanted
from talktime.core.refunding import Refund
from talktime.core.taking_back import TakenBack
from talktime.operations.purchases import Terms
from talktime.operations.recharge_settings import RechargeView
from talktime.operations.render import utc_text
from talktime.operations.wallet_view import WalletView
from talktime.store.card_setups import CardSetup
from talktime.store.grants import GrantRequest

Document = dict[str, Any]


def wallet_document(owner: Organisation, view: WalletView) -> Document:
    """A wallet with its lots, their expiry calendar and how auto-recharge stands."""
    return {
        "organisation": owner.name,
        "organisation_id": str(owner.id),
        "currency": view.currency,
        "available": decimal_text(view.available_micros),
        "held": decimal_text(view.held_micros),
        "balance": decimal_text(view.balance_micros),
        "debt": decimal_text(view.debt_micros),
        "lots": [lot_document(lot, view.now_ms) for lot in view.lots],
        "expiry_calendar": [
            {
                "month": month.month,
                "first": utc_text(month.first_ms),
                "amount": decimal_text(month.amount_micros),
                "lots": month.lots,
            }
            for month in view.calendar
        ],
        "can_buy": view.why_not is None,
        "why_not": None if view.why_not is None else view.why_not.detail,
        "recharge": recharge_document(view.recharge),
    }


def lot_document(lot: Lot, now_ms: int) -> Document:
    """One lot."""
    return {
        "lot_id": str(lot.id),
        "source": lot.source,
        "promotional": lot.promotional,
        "amount": decimal_text(lot.amount_micros),
        "remaining": decimal_text(lot.remaining_micros),
        "held": decimal_text(lot.held_micros),
        "purchased": utc_text(lot.purchased_ms),
        "expires": utc_text(lot.expires_ms),
        "expired": lot.expires_ms <= now_ms,
        "reason": lot.reason,
        "actor": lot.actor,
    }


def terms_document(terms: Terms, currency: str) -> Document:
    """What holds for a purchase, before it is made."""
    return {
        "amount": decimal_text(terms.amount_micros),
        "currency": currency,
        "expires": utc_text(terms.expires_ms),
        "terms": list(terms.terms),
    }


def payment_document(payment: Payment) -> Document:
    """A payment as it stands. `confirm_url` is the bank's page, where the cardholder must act."""
    return {
        "payment_id": str(payment.id),
        "kind": payment.kind,
        "state": payment.state,
        "amount": decimal_text(payment.amount_micros),
        "currency": payment.currency,
        "refunded": decimal_text(payment.refunded_micros),
        "method_id": _id(payment.method_id),
        "po_number": payment.po_number,
        "actor": payment.actor,
        "code": payment.code,
        "detail": payment.detail,
        "confirm_url": payment.action_url or None,
        "next_step": _moment(payment.due_ms),
        "created": utc_text(payment.created_ms),
        "closed": _moment(payment.closed_ms),
        "lot_id": _id(payment.lot_id),
    }


def method_document(method: PaymentMethod, declined: PaymentTry | None = None) -> Document:
    """A payment method: of a card what may be shown of it, and the last charge where that was
    `declined` for good."""
    document: Document = {
        "method_id": str(method.id),
        "kind": method.kind,
        "name": method.name,
        "created": utc_text(method.created_ms),
        "created_by": method.created_by,
    }
    if method.kind == CARD:
        expires = f"{method.exp_year}-{method.exp_month:02}" if method.exp_month else None
        document |= {"brand": method.brand, "last4": method.last4, "expires": expires}
        return {**document, "declined": _declined_document(declined)}
    return {**document, "agreement": method.agreement, "po_number": method.po_number}


def _declined_document(declined: PaymentTry | None) -> Document | None:
    if declined is None:
        return None
    at = utc_text(declined.closed_ms or declined.created_ms)
    return {"at": at, "code": declined.code, "detail": declined.detail}


def setup_document(setup: CardSetup) -> Document:
    """A card being added: started, waiting (at `url`), done (`method_id`) or failed (`detail`)."""
    return {
        "setup_id": str(setup.id),
        "state": setup.state,
        "url": setup.url or None,
        "method_id": _id(setup.method_id),
        "detail": setup.detail,
        "created": utc_text(setup.created_ms),
    }


def refund_document(refund: Refund) -> Document:
    """Money that went back, or is on its way."""
    return {
        "refund_id": str(refund.id),
        "payment_id": str(refund.payment_id),
        "kind": refund.kind,
        "state": refund.state,
        "amount": decimal_text(refund.amount_micros),
        "taken_from_lot": decimal_text(refund.voided_micros),
        "became_debt": decimal_text(refund.debt_micros),
        "reason": refund.reason,
        "actor": refund.actor,
        "detail": refund.detail,
        "created": utc_text(refund.created_ms),
        "closed": _moment(refund.closed_ms),
    }


def taken_back_document(taken: TakenBack) -> Document:
    """What was taken back of a lot at once."""
    return {
        "taken_back_id": str(taken.id),
        "lot_id": str(taken.lot_id),
        "amount": decimal_text(taken.amount_micros),
        "taken_from_lot": decimal_text(taken.voided_micros),
        "became_debt": decimal_text(taken.debt_micros),
        "reason": taken.reason,
        "actor": taken.actor,
        "taken": utc_text(taken.at_ms),
    }


def grant_document(request: GrantRequest) -> Document:
    """A grant that waits for a second operator, or was decided."""
    return {
        "grant_id": str(request.id),
        "source": request.source,
        "state": request.state,
        "amount": decimal_text(request.amount_micros),
        "promotional": request.promotional,
        "expires": _moment(request.lasts_until_ms),
        "reason": request.reason,
        "asked_by": request.asked_by,
        "decided_by": request.decided_by,
        "lot_id": _id(request.lot_id),
    }


def recharge_document(view: RechargeView) -> Document:
    """Auto-recharge: its settings (null: never set), the reason why it buys or does not, the
    attempt on its way, the balances at which somebody is told."""
    recharge = view.recharge
    document: Document = {"enabled": False, "trigger": None, "amount": None, "method": None}
    document |= {"month_limit": None, "day_max": None, "paused": None}
    if recharge is not None:
        document |= {
            "enabled": recharge.enabled,
            "trigger": decimal_text(recharge.trigger_micros),
            "amount": decimal_text(recharge.amount_micros),
            "method": recharge.method,
            "month_limit": _amount(recharge.month_cap_micros),
            "day_max": recharge.day_max,
        }
        if recharge.paused_code:
            document["paused"] = {
                "code": recharge.paused_code,
                "detail": recharge.paused_detail,
                "since": _moment(recharge.paused_ms),
            }
    code, words, until_ms = standing_of(view)
    document["standing"] = {"code": code, "words": words, "until": _moment(until_ms)}
    document["month_left"] = _amount(view.month_left_micros)
    document["attempt"] = None if view.attempt is None else payment_document(view.attempt)
    document["alerts"] = [
        decimal_text(level.below_micros) for level in view.levels if level.below_micros
    ]
    return document


def standing_of(view: RechargeView) -> tuple[str, str, int | None]:
    """Whether auto-recharge buys now, or why not: a code, words, and until when that lasts where
    time alone ends it."""
    standing = view.standing
    if isinstance(standing, Wanted):
        amount = decimal_text(standing.amount_micros)
        return "due", f"A recharge of {amount} {view.wallet.currency} begins now", None
    return standing.code, standing.words, standing.until_ms


def _amount(micros: int | None) -> str | None:
    return None if micros is None else decimal_text(micros)


def _moment(at_ms: int | None) -> str | None:
    return None if at_ms is None else utc_text(at_ms)


def _id(id_: int | None) -> str | None:
    return None if id_ is None else str(id_)
