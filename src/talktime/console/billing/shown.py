"""Wallets, lots and payment methods in a reader's words."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from talktime.console.doors import Desk, Shown
from talktime.console.said import said
from talktime.core.ledger import Lot
from talktime.core.payments import CARD, PaymentMethod
from talktime.operations.lots import EXPIRED, GONE, OPEN, USED, LotView
from talktime.operations.wallet_view import ExpiryMonth, WalletView
from talktime.store.wallet_lines import LotLine

MONTHS_SHOWN_MAX = 24
SOON_MS = 30 * 24 * 60 * 60 * 1000
SOURCES: dict[str, Promise] = {
    "purchase": _("Purchase"),
    "grant": _("Grant"),
    "recharge": _("Auto-recharge"),
    "adjustment": _("Adjustment"),
}
LOT_STATES: dict[str, tuple[Promise, str]] = {
    OPEN: (_("Open"), "good"),
    EXPIRED: (_("Expired"), "bad"),
    USED: (_("Used up"), ""),
    GONE: (_("Closed"), ""),
}
COMMERCE_MODELS: dict[str, Promise] = {
    "prepaid": _("Prepaid"),
    "draining": _("Moving to post-usage billing"),
    "post_usage": _("Post-usage billing"),
}


def wallet_shown(desk: Desk, view: WalletView) -> Shown:
    """The balance, and when it expires."""
    promotional_micros = sum(
        lot.remaining_micros
        for lot in view.lots
        if lot.promotional and lot.expires_ms > view.now_ms
    )
    return {
        "currency": view.currency,
        "available": desk.money(view.available_micros),
        "balance": desk.money(view.balance_micros),
        "held": desk.money(view.held_micros),
        "promotional": desk.money(promotional_micros),
        "debt": desk.money(view.debt_micros) if view.debt_micros else None,
        "soon": [lot_soon(desk, lot) for lot in soon(view)],
    }


def soon(view: WalletView) -> list[Lot]:
    """The lots that expire within 30 days, the next first."""
    until_ms = view.now_ms + SOON_MS
    lots = [lot for lot in view.lots if view.now_ms < lot.expires_ms <= until_ms]
    return sorted(lots, key=lambda lot: lot.expires_ms)


def lot_soon(desk: Desk, lot: Lot) -> Shown:
    """A lot that expires soon, in short."""
    return {
        "id": lot.id,
        "amount": desk.money(lot.remaining_micros),
        "expires": desk.wording.moment(lot.expires_ms),
    }


def lot_shown(desk: Desk, view: LotView) -> Shown:
    """One lot, open or not."""
    lot = view.lot
    state, tone = LOT_STATES[view.state(desk.now_ms)]
    is_soon = desk.now_ms < lot.expires_ms <= desk.now_ms + SOON_MS and lot.remaining_micros > 0
    return {
        "id": lot.id,
        "source": SOURCES[lot.source],
        "promotional": lot.promotional,
        "amount": desk.money(lot.amount_micros),
        "used": desk.money(view.used_micros),
        "held": desk.money(lot.held_micros),
        "left": desk.money(lot.remaining_micros),
        "gone": desk.money(view.gone_micros) if view.gone_micros else None,
        "bought": desk.wording.day(lot.purchased_ms),
        "bought_at": desk.wording.moment(lot.purchased_ms),
        "expires": desk.wording.day(lot.expires_ms),
        "expires_at": desk.wording.moment(lot.expires_ms),
        "state": state,
        "tone": tone,
        "soon": is_soon,
        "reason": lot.reason,
        "actor": lot.actor,
        "payment_id": view.payment_id,
    }


def lot_name(desk: Desk, lot: LotLine) -> str:
    """What a lot is called beside others: from when, of what kind."""
    return f"{SOURCES[lot.source]}, {desk.wording.day(lot.purchased_ms)}"


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


def method_shown(method: PaymentMethod, place: int) -> Shown:
    """One payment method; `place` counts from 0, the first to be tried."""
    expires = f"{method.exp_month:02}/{method.exp_year}" if method.exp_month else ""
    return {
        "id": method.id,
        "name": said(method.name),
        "card": method.kind == CARD,
        "expires": expires,
        "po_number": method.po_number,
        "first": place == 0,
        "backup": place > 0 and method.kind == CARD,
    }
