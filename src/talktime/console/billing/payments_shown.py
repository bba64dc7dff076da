"""Payments and auto-recharge in a reader's words: how they stand, why, and what to do."""

from django.utils.functional import Promise
from django.utils.translation import gettext as now_
from django.utils.translation import gettext_lazy as _

from talktime.console.doors import Desk, Shown
from talktime.console.refusals import not_wanted
from talktime.core.payments import (
    CHARGING,
    CONFIRMING,
    DECLINED,
    DISPUTED,
    INVOICED,
    REFUNDED,
    TAKEN_BACK,
    UNKNOWN,
    UP_TO,
    Payment,
    PaymentTry,
)
from talktime.core.recharging import Wanted
from talktime.core.refunding import REFUND, Refund
from talktime.operations.commerce_models import blocked_move
from talktime.operations.recharge_settings import RechargeView

KINDS: dict[str, Promise] = {
    "purchase": _("Purchase"),
    "recharge": _("Auto-recharge"),
    "statement": _("Statement"),
}
STATES: dict[str, tuple[Promise, str]] = {
    CHARGING: (_("On its way"), "warn"),
    UNKNOWN: (_("Outcome not known yet"), "warn"),
    DECLINED: (_("Declined, tried again"), "warn"),
    CONFIRMING: (_("Waits for the cardholder"), "warn"),
    INVOICED: (_("Waits for its money"), "warn"),
    "succeeded": (_("Paid"), "good"),
    "failed": (_("Failed"), "bad"),
    "cancelled": (_("Given up"), ""),
}
EXPLAINED: dict[str, Promise] = {
    CHARGING: _("The card is being charged. This takes a few seconds."),
    UNKNOWN: _(
        "The bank has not said whether the card was charged. It is asked again, and the card is "
        "not charged a second time: there is nothing to do."
    ),
    DECLINED: _("The card was declined. It is tried again by itself."),
    CONFIRMING: _("The bank wants the cardholder to confirm this payment on its page."),
    INVOICED: _(
        "The credits are added when the money has been received. Transfer it, and name the "
        "purchase order, or else the number of this payment."
    ),
    "succeeded": _("The credits are in the balance."),
    "failed": _("Nothing was charged."),
    "cancelled": _("Nothing was charged."),
}
STATEMENT_PAID = _("What was paid of the statement is recorded.")
TRY_STATES: dict[str, Promise] = {
    "sending": _("on its way"),
    "unknown": _("outcome not known"),
    "confirming": _("waits for the cardholder"),
    "succeeded": _("charged"),
    "declined": _("declined"),
    "refused": _("declined for good"),
    "failed": _("failed"),
    "cancelled": _("given up"),
}
WENT_BACK = _("The money went back, and what was left of its credits with it.")
UNDONE = _("It was undone: the statement is to be paid still.")
PARTLY_BACK = _("A part of the money went back.")
BACK_KINDS: dict[str, Promise] = {"refund": _("Refund"), "chargeback": _("Dispute")}
UNDONE_STATE = (_("Undone"), "warn")
BACK_STATES: dict[str, tuple[Promise, str]] = {
    "asked": (_("On its way"), "warn"),
    "unknown": (_("Outcome not known yet"), "warn"),
    "done": (_("Paid back"), ""),
    "failed": (_("Failed, the money stayed"), ""),
    "open": (_("Open, the bank has the money"), "bad"),
    "lost": (_("Lost, the money is gone"), "bad"),
    "won": (_("Won, the money came back"), "good"),
}
REFRESH_S = {CHARGING: 2, CONFIRMING: 5, UNKNOWN: 30, DECLINED: 30}
"""How often the page of a payment looks again."""

ADVICE: dict[str, Promise] = {
    "no_method": _("Add a card, then resume."),
    "cardholder": _("Add funds once, so that the cardholder can confirm the card; then resume."),
    "authentication_required": _(
        "The bank wants the cardholder present. Add funds once and confirm it on the bank's page, "
        "or add another card; then resume."
    ),
    "expired_card": _("Add a card that has not expired and make it the first, then resume."),
    "insufficient_funds": _(
        "See that the card covers the amount, or add another card; then resume."
    ),
    "lost_card": _("Add another card and remove this one, then resume."),
    REFUNDED: _("Add funds to pay what is owed, then resume."),
    TAKEN_BACK: _("Add funds to pay what is owed, then resume."),
    DISPUTED: _("Speak with the cardholder's bank, add funds to pay what is owed; then resume."),
}
ADVICE_OWING_NOTHING: dict[str, Promise] = {
    REFUNDED: _("Nothing is owed: resume."),
    TAKEN_BACK: _("Nothing is owed: resume."),
    DISPUTED: _("Speak with the cardholder's bank, then resume."),
}
ADVICE_ELSE = _("Look at the card or add another one, then resume.")


def recharge_shown(desk: Desk, view: RechargeView) -> Shown:
    """Auto-recharge: its state, and the reason why it buys now or does not."""
    recharge, standing = view.recharge, view.standing
    if isinstance(standing, Wanted):
        amount = desk.money(standing.amount_micros).text
        reason = now_("A recharge of %(amount)s begins") % {"amount": amount}
        until_ms = None
    else:
        reason, until_ms = not_wanted(standing), standing.until_ms
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
    since_ms, code = recharge.paused_ms, recharge.paused_code
    return {
        "detail": recharge.paused_detail or code,
        "since": None if since_ms is None else desk.wording.moment(since_ms),
        "advice": advice_of(code, view.wallet.debt_micros),
    }


def advice_of(paused_code: str, debt_micros: int) -> Promise:
    """What to do about a paused auto-recharge, where so much is owed."""
    if not debt_micros and paused_code in ADVICE_OWING_NOTHING:
        return ADVICE_OWING_NOTHING[paused_code]
    return ADVICE.get(paused_code, ADVICE_ELSE)


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
        "paid": payment.state == "succeeded",
        "lot_id": payment.lot_id,
        "explained": _explained(payment),
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


def _explained(payment: Payment) -> Promise:
    if payment.kind == "statement" and payment.refunded_micros:
        return UNDONE
    if payment.state == "succeeded" and payment.refunded_micros >= payment.amount_micros:
        return WENT_BACK
    if payment.state == "succeeded" and payment.refunded_micros:
        return PARTLY_BACK
    if payment.state == "succeeded" and payment.kind == "statement":
        return STATEMENT_PAID
    return EXPLAINED[payment.state]


def backs_shown(desk: Desk, payment: Payment, refunds: list[Refund]) -> list[Shown]:
    """What of a payment went back, or was to: refunds and disputes, in their order."""
    undone = payment.kind == "statement"
    return [
        {
            "at": desk.wording.moment(each.created_ms),
            "kind": KINDS["statement"] if undone else BACK_KINDS[each.kind],
            "amount": desk.wording.money(each.amount_micros, payment.currency),
            "state": (UNDONE_STATE if undone else BACK_STATES[each.state])[0],
            "tone": (UNDONE_STATE if undone else BACK_STATES[each.state])[1],
            "why": each.reason if each.kind == REFUND else "",
        }
        for each in refunds
    ]


def tries_shown(desk: Desk, tries: list[PaymentTry], names: dict[int, str]) -> list[Shown]:
    """The charges that a payment asked for, in order."""
    return [
        {
            "at": desk.wording.moment(each.created_ms),
            "method": names.get(each.method_id, ""),
            "state": TRY_STATES.get(each.state, each.state),
            "why": each.detail or each.code,
        }
        for each in tries
    ]


def confirm_url(url: str) -> str:
    """The bank's page, where that is an address to follow."""
    return url if url.startswith(("https://", "http://", "/")) else ""
