"""Communications Credits: the balance, when it expires, what keeps it filled."""

from django.http import HttpResponse
from django.shortcuts import redirect

from talktime.console.billing.forms import AlertsForm, RechargeForm
from talktime.console.billing.shown import payment_shown, recharge_shown, wallet_shown
from talktime.console.doors import Desk, Shown, page
from talktime.console.roles import BILLING, SEE
from talktime.core.money import decimal_text
from talktime.core.payments import Payment
from talktime.core.refusal import Refusal
from talktime.operations.payment_methods import list_methods
from talktime.operations.purchases import list_payments
from talktime.operations.recharge_settings import (
    RechargePlan,
    RechargeView,
    resume,
    set_alerts,
    set_recharge,
    view_recharge,
)
from talktime.operations.wallet_view import view_wallet

LATEST_MAX = 5
OPEN_REFRESH_S = 5
SUGGESTED_TIMES = 2


@page(may=SEE)
def credits_page(desk: Desk) -> HttpResponse:
    """Balance, expiry calendar, auto-recharge with its reason, the latest payments."""
    view = view_wallet(desk.counter, desk.why_not)
    payments = list_payments(desk.counter, limit=LATEST_MAX)
    refresh = any(_refreshes(each) for each in payments)
    shown: Shown = {
        **wallet_shown(desk, view),
        "recharge": recharge_shown(desk, view.recharge),
        "payments": [payment_shown(desk, each, method_names(desk)) for each in payments],
        "refresh_s": OPEN_REFRESH_S if refresh else None,
    }
    return desk.page("billing/credits.html", shown)


@page(
    may=BILLING,
    methods=(
        "GET",
        "HEAD",
        "POST",
    ),
)
def recharge_page(desk: Desk) -> HttpResponse:
    """Set auto-recharge; turning it off has a button of its own, which always works."""
    view = view_recharge(desk.counter)
    if desk.request.method != "POST":
        form = RechargeForm(initial=_initial(desk, view))
        return _recharge_form(desk, view, form)
    if "off" in desk.request.POST:
        set_recharge(desk.counter, RechargePlan(False), actor=desk.actor, why_not=None)
        return redirect("credits", desk.owner.id)
    form = RechargeForm(desk.request.POST)
    if form.is_valid():
        typed = form.cleaned_data
        plan = RechargePlan(
            True,
            typed["trigger"],
            typed["amount"],
            typed["method"],
            typed["month_limit"],
            typed["day_max"],
        )
        done = set_recharge(desk.counter, plan, actor=desk.actor, why_not=desk.why_not)
        if not isinstance(done, Refusal):
            return redirect("credits", desk.owner.id)
        form.add_error(None, _sentence(done))
    return _recharge_form(desk, view, form, status=422)


@page(may=BILLING, methods=("POST",))
def resume_recharge(desk: Desk) -> HttpResponse:
    """Go on after a pause; where it is not paused any more, there is nothing to do."""
    resume(desk.counter, actor=desk.actor)
    return redirect("credits", desk.owner.id)


@page(
    may=BILLING,
    methods=(
        "GET",
        "HEAD",
        "POST",
    ),
)
def alerts_page(desk: Desk) -> HttpResponse:
    """Say at which balances somebody is told."""
    posted = desk.request.method == "POST"
    form = AlertsForm(desk.request.POST) if posted else AlertsForm(initial=_levels(desk))
    if posted and form.is_valid():
        done = set_alerts(desk.counter, form.cleaned_data["below"])
        if not isinstance(done, Refusal):
            return redirect("credits", desk.owner.id)
        form.add_error("below", _sentence(done))
    return desk.page("billing/alerts.html", {"form": form}, status=422 if posted else 200)


def method_names(desk: Desk) -> dict[int, str]:
    """The active methods' names, by id."""
    return {each.id: each.name for each in list_methods(desk.counter.cell, desk.owner)}


def _refreshes(payment: Payment) -> bool:
    return payment.open and payment.state in ("charging", "confirming")


def _recharge_form(
    desk: Desk, view: RechargeView, form: RechargeForm, status: int = 200
) -> HttpResponse:
    bounds = desk.counter.bounds
    shown: Shown = {
        "form": form,
        "recharge": recharge_shown(desk, view),
        "least": desk.money(bounds.minimum_micros),
        "most": desk.money(bounds.maximum_micros),
        "cards": [each for each in list_methods(desk.counter.cell, desk.owner) if each.last4],
    }
    return desk.page("billing/recharge.html", shown, status=status)


def _initial(desk: Desk, view: RechargeView) -> dict[str, object]:
    recharge = view.recharge
    if recharge is None:
        least_micros = desk.counter.bounds.minimum_micros
        return {
            "trigger": decimal_text(least_micros),
            "amount": decimal_text(least_micros * SUGGESTED_TIMES),
        }
    cap_micros = recharge.month_cap_micros
    return {
        "trigger": decimal_text(recharge.trigger_micros),
        "method": recharge.method,
        "amount": decimal_text(recharge.amount_micros),
        "month_limit": "" if cap_micros is None else decimal_text(cap_micros),
        "day_max": recharge.day_max,
    }


def _levels(desk: Desk) -> dict[str, object]:
    levels = view_recharge(desk.counter).levels
    return {"below": "  ".join(decimal_text(x.below_micros) for x in levels if x.below_micros)}


def _sentence(refusal: Refusal) -> str:
    return f"{refusal.detail[:1].upper()}{refusal.detail[1:]}. {refusal.kind.remedy}"
