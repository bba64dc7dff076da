"""Wallets, payments and payment methods in a reader's words."""

from talktime.console.doors import Desk, Shown
from talktime.console.start.organisation_page import LOTS_MAX, SOON_MS, SOURCES
from talktime.core.ledger import Lot
from talktime.core.payments import (
    CARD,
    CHARGING,
    CONFIRMING,
    DECLINED,
    INVOICED,
    UNKNOWN,
    UP_TO,
    Payment,
    PaymentMethod,
)
from talktime.core.recharging import Wanted
from talktime.operations.commerce_models import blocked_move
from talktime.operations.recharge_settings import RechargeView
from talktime.operations.wallet_view import ExpiryMonth, WalletView

CALENDAR_MONTHS_MAX = 24
KINDS = {"purchase": "Purchase", "recharge": "Auto-recharge", "statement": "Statement"}
STATES = {
    CHARGING: ("On its way", "warn"),
    UNKNOWN: ("Outcome not known yet", "warn"),
    DECLINED: ("Declined, tried again", "warn"),
    CONFIRMING: ("Waits for the cardholder", "warn"),
    INVOICED: ("Waits for its money", "warn"),
    "succeeded": ("Paid", "good"),
    "failed": ("Failed", "bad"),
    "cancelled": ("Given up", ""),
}
EXPLAINED = {
    CHARGING: "The card is being charged. This takes a few seconds.",
    UNKNOWN: "The bank has not said whether the card was charged. It is asked again, and the card "
    "is not charged a second time: there is nothing to do.",
    DECLINED: "The card was declined. It is tried again by itself.",
    CONFIRMING: "The bank wants the cardholder to confirm this payment on its page.",
    INVOICED: "The credits are added when the invoice has been paid.",
    "succeeded": "The credits are in the balance.",
    "failed": "Nothing was charged.",
    "cancelled": "Nothing was charged.",
}
REFRESH_S = {CHARGING: 2, CONFIRMING: 5, UNKNOWN: 30, DECLINED: 30}
"""How often the page of a payment looks again."""

ADVICE = {
    "no_method": "Add a card, then resume.",
    "cardholder": "Add funds once, so that the cardholder can confirm the card; then resume.",
    "authentication_required": "The bank wants the cardholder present. Add funds once and confirm "
    "it on the bank's page, or add another card; then resume.",
    "expired_card": "Add a card that has not expired and make it the first, then resume.",
    "insufficient_funds": "See that the card covers the amount, or add another card; then resume.",
    "lost_card": "Add another card and remove this one, then resume.",
    "refund": "Add funds to pay what is owed, then resume.",
    "chargeback": "Speak with the cardholder's bank, add funds to pay what is owed; then resume.",
}
ADVICE_ELSE = "Look at the card or add another one, then resume."


def wallet_shown(desk: Desk, view: WalletView) -> Shown:
    """The balance, the lots, and when they expire."""
    return {
        "currency": view.currency,
        "available": desk.money(view.available_micros),
        "held": desk.money(view.held_micros),
        "debt": desk.money(view.debt_micros) if view.debt_micros else None,
        "lots": [lot_shown(desk, lot, view.now_ms) for lot in view.lots[:LOTS_MAX]],
        "lots_cut": max(len(view.lots) - LOTS_MAX, 0),
        "calendar": calendar_shown(desk, view.calendar[:CALENDAR_MONTHS_MAX]),
        "calendar_cut": max(len(view.calendar) - CALENDAR_MONTHS_MAX, 0),
    }


def lot_shown(desk: Desk, lot: Lot, now_ms: int) -> Shown:
    """One lot."""
    return {
        "source": SOURCES[lot.source],
        "promotional": lot.promotional,
        "amount": desk.money(lot.amount_micros),
        "remaining": desk.money(lot.remaining_micros),
        "held": desk.money(lot.held_micros),
        "purchased": desk.wording.day(lot.purchased_ms),
        "expires": desk.wording.moment(lot.expires_ms),
        "expired": lot.expires_ms <= now_ms,
        "soon": now_ms < lot.expires_ms <= now_ms + SOON_MS,
    }


def calendar_shown(desk: Desk, months: tuple[ExpiryMonth, ...]) -> list[Shown]:
    """What expires in which month; `percent` is how long its bar is, of the longest."""
    most_micros = max((month.amount_micros for month in months), default=0)
    return [
        {
            "month": desk.wording.month(month.month),
            "first": desk.wording.day(month.first_ms),
            "amount": desk.money(month.amount_micros),
            "lots": month.lots,
            "percent": max(month.amount_micros * 100 // most_micros, 1) if most_micros else 0,
        }
        for month in months
    ]


def recharge_shown(desk: Desk, view: RechargeView) -> Shown:
    """Auto-recharge: its state, and the reason why it buys now or does not."""
    recharge, standing = view.recharge, view.standing
    if isinstance(standing, Wanted):
        reason, until_ms = f"A recharge of {desk.money(standing.amount_micros).text} begins", None
    else:
        reason, until_ms = standing.words, standing.until_ms
    on = recharge is not None and recharge.enabled
    shown: Shown = {
        "on": on,
        "blocked_move": blocked_move(desk.owner, on),
        "reason": reason,
        "until": None if until_ms is None else desk.wording.moment(until_ms),
        "attempt": None if view.attempt is None else payment_shown(desk, view.attempt),
        "alerts": [desk.money(each.below_micros) for each in view.levels if each.below_micros],
    }
    if recharge is None:
        return shown
    cap_micros, left_micros = recharge.month_cap_micros, view.month_left_micros
    return {
        **shown,
        "set": True,
        "trigger": desk.money(recharge.trigger_micros),
        "up_to": recharge.method == UP_TO,
        "amount": desk.money(recharge.amount_micros),
        "month_limit": None if cap_micros is None else desk.money(cap_micros),
        "month_left": None if left_micros is None else desk.money(left_micros),
        "paused": paused_shown(desk, view) if on and recharge.paused_code else None,
    }


def paused_shown(desk: Desk, view: RechargeView) -> Shown:
    """Why auto-recharge is paused, since when, and what to do."""
    recharge = view.recharge
    if recharge is None:
        return {}
    since_ms = recharge.paused_ms
    return {
        "detail": recharge.paused_detail or recharge.paused_code,
        "since": None if since_ms is None else desk.wording.moment(since_ms),
        "advice": ADVICE.get(recharge.paused_code, ADVICE_ELSE),
    }


def payment_shown(desk: Desk, payment: Payment, names: dict[int, str] | None = None) -> Shown:
    """One payment, with why it stands as it does."""
    state, tone = STATES[payment.state]
    due_ms, closed_ms = payment.due_ms, payment.closed_ms
    method = (names or {}).get(payment.method_id or 0, "")
    later_ms = due_ms if payment.state in (DECLINED, UNKNOWN) else None
    return {
        "id": payment.id,
        "kind": KINDS[payment.kind],
        "amount": desk.wording.money(payment.amount_micros, payment.currency),
        "state": state,
        "tone": tone,
        "open": payment.open,
        "explained": EXPLAINED[payment.state],
        "why": payment.detail or payment.code,
        "method": method,
        "po_number": payment.po_number,
        "actor": payment.actor,
        "begun": desk.wording.moment(payment.created_ms),
        "ended": None if closed_ms is None else desk.wording.moment(closed_ms),
        "next": None if later_ms is None else desk.wording.moment(later_ms),
        "confirm_url": confirm_url(payment.action_url),
        "refresh_s": REFRESH_S.get(payment.state) if payment.open else None,
        "refunded": desk.money(payment.refunded_micros) if payment.refunded_micros else None,
    }


def confirm_url(url: str) -> str:
    """The bank's page, where that is an address to follow."""
    return url if url.startswith(("https://", "http://", "/")) else ""


def method_shown(method: PaymentMethod, first: bool) -> Shown:
    """One payment method."""
    expires = f"{method.exp_month:02}/{method.exp_year}" if method.exp_month else ""
    return {
        "id": method.id,
        "name": method.name,
        "card": method.kind == CARD,
        "expires": expires,
        "po_number": method.po_number,
        "first": first,
    }
