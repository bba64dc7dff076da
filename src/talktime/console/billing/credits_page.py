"""Your products, and Communication Credits: the balance, what keeps it filled, what to do."""

from django.http import HttpResponse
from django.utils.translation import gettext as _

from talktime.console.billing.payments_shown import payment_shown, recharge_shown
from talktime.console.billing.shown import (
    COMMERCE_MODELS,
    MONTHS_SHOWN_MAX,
    calendar_shown,
    method_shown,
    wallet_shown,
)
from talktime.console.doors import Desk, Shown, page
from talktime.console.roles import SEE
from talktime.console.said import said
from talktime.core.directory import Organisation
from talktime.core.meters import month_of, post_usage_key
from talktime.core.payments import Payment
from talktime.operations.licences_held import licences_held
from talktime.operations.payment_methods import list_methods
from talktime.operations.purchases import list_payments
from talktime.operations.wallet_view import view_wallet
from talktime.store.meters import meters_with_prefix

LATEST_SHOWN_MAX = 5
OPEN_REFRESH_S = 5


@page(may=SEE)
def products(desk: Desk) -> HttpResponse:
    """What the organisation has: credits, plans with their licences, how it pays after use."""
    view = view_wallet(desk.counter, desk.why_not)
    with desk.cell.reading():
        held = licences_held(desk.cell, desk.owner, desk.catalogue)
    shown: Shown = {
        **wallet_shown(desk, view),
        "recharge": recharge_shown(desk, view.recharge),
        "licences": held,
        "after_use": after_use_shown(desk),
    }
    return desk.page("billing/products.html", shown)


@page(may=SEE)
def credits_page(desk: Desk) -> HttpResponse:
    """Balance, payment method, billing settings, expiry calendar, the latest payments."""
    view = view_wallet(desk.counter, desk.why_not)
    payments = list_payments(desk.counter, limit=LATEST_SHOWN_MAX)
    methods = list_methods(desk.counter.cell, desk.owner)
    names = {each.id: said(each.name) for each in methods}
    refresh = any(_refreshes(each) for each in payments)
    shown: Shown = {
        **wallet_shown(desk, view),
        "recharge": recharge_shown(desk, view.recharge),
        "methods": [method_shown(each, place) for place, each in enumerate(methods[:2])],
        "calendar": calendar_shown(desk, view.calendar[:MONTHS_SHOWN_MAX]),
        "calendar_cut": max(len(view.calendar) - MONTHS_SHOWN_MAX, 0),
        "payments": [payment_shown(desk, each, names) for each in payments],
        "refresh_s": OPEN_REFRESH_S if refresh else None,
        "after_use": after_use_shown(desk),
    }
    return desk.page("billing/credits.html", shown)


def after_use_shown(desk: Desk) -> Shown:
    """How the organisation pays after use: its model, whether it may, and this month's sum."""
    rules, key = desk.owner.rules, post_usage_key(month_of(desk.now_ms))
    with desk.cell.reading():
        meters = meters_with_prefix(desk.cell, desk.owner.id, key)
    used_micros = sum(meter.used for meter in meters if meter.key == key)
    cap_micros = rules.post_usage_cap_micros
    return {
        "model": COMMERCE_MODELS[desk.owner.commerce_model],
        "prepaid": desk.owner.commerce_model == "prepaid",
        "draining": desk.owner.commerce_model == "draining",
        "on": rules.pay_as_you_go,
        "off_words": pay_as_you_go_off(desk.owner),
        "blocked": rules.post_usage_blocked,
        "month": desk.wording.month(month_of(desk.now_ms)),
        "used": desk.money(used_micros),
        "cap": None if cap_micros is None else desk.money(cap_micros),
        "percent": min(used_micros * 100 // cap_micros, 100) if cap_micros else 0,
    }


def pay_as_you_go_off(owner: Organisation) -> str:
    """What it means that pay-as-you-go is off, in the same words on every page; empty where it is
    on, or calls are paid by credits anyway."""
    if owner.commerce_model == "prepaid" or owner.rules.pay_as_you_go:
        return ""
    if owner.commerce_model == "draining":
        return _(
            "Pay-as-you-go is off: calls that need money are refused once the credits are used up."
        )
    return _("Pay-as-you-go is off: calls that need money are refused.")


def method_names(desk: Desk) -> dict[int, str]:
    """The active methods' names, by id."""
    return {each.id: said(each.name) for each in list_methods(desk.counter.cell, desk.owner)}


def _refreshes(payment: Payment) -> bool:
    return payment.open and payment.state in ("charging", "confirming")
