"""Auto-recharge settings: on or off, when, how much, from which card; and who is told of a low
balance."""

from collections.abc import Sequence

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from talktime.console.billing.credits_page import method_names
from talktime.console.billing.forms import (
    AlertsForm,
    RechargeForm,
)
from talktime.console.billing.payments_shown import payment_shown, recharge_shown, tries_shown
from talktime.console.doors import CHANGE, Desk, Shown, page
from talktime.console.refusals import sentence
from talktime.console.roles import BILLING
from talktime.core.burn import MONTH_DAYS, Suggestion, replay, suggested
from talktime.core.money import decimal_text
from talktime.core.payments import AMOUNT, PaymentMethod, Recharge
from talktime.core.refusal import Refusal
from talktime.operations.payment_methods import list_methods, make_first
from talktime.operations.purchases import list_payments, list_tries
from talktime.operations.recharge_settings import (
    RechargePlan,
    RechargeView,
    resume,
    set_alerts,
    set_recharge,
    view_recharge,
)
from talktime.operations.spending import DaySpent, spending_by_day

SUGGESTED_TIMES = 2
PAYMENTS_LOOKED_AT_MAX, ATTEMPTS_SHOWN_MAX = 100, 10


@page(may=BILLING, methods=CHANGE)
def recharge_page(desk: Desk) -> HttpResponse:
    """Set auto-recharge. With the box unchecked it is turned off, which always works."""
    view = view_recharge(desk.counter)
    cards = _cards(desk)
    if desk.request.method != "POST":
        kept, filled = _kept(desk, view, cards), _filled_in(desk)
        return _form(desk, view, RechargeForm(cards, initial={**kept, **filled}, kept=kept))
    if "enabled" not in desk.request.POST:
        set_recharge(desk.counter, RechargePlan(False), actor=desk.actor, why_not=None)
        messages.success(desk.request, _("Auto-recharge is off."))
        return redirect("credits", desk.owner.id)
    form = RechargeForm(cards, desk.request.POST, kept=_kept(desk, view, cards))
    if form.is_valid():
        done = set_recharge(desk.counter, _plan(form), actor=desk.actor, why_not=desk.why_not)
        if not isinstance(done, Refusal):
            _order_cards(desk, form, cards)
            messages.success(desk.request, _("Auto-recharge is on, with these settings."))
            return redirect("credits", desk.owner.id)
        form.add_error(None, sentence(done))
    return _form(desk, view, form, status=422)


@page(may=BILLING)
def recharge_replay(desk: Desk) -> HttpResponse:
    """What the settings in the address would have charged: a part of the page above."""
    form = RechargeForm(_cards(desk), desk.request.GET)
    form.is_valid()
    return desk.page("billing/recharge_replay.html", {"replay": _replayed(desk, _days(desk), form)})


@page(may=BILLING, methods=("POST",))
def resume_recharge(desk: Desk) -> HttpResponse:
    """Go on after a pause; where it is not paused any more, there is nothing to do."""
    done = resume(desk.counter, actor=desk.actor)
    if isinstance(done, Refusal):
        messages.error(desk.request, sentence(done))
    else:
        messages.success(desk.request, _("Auto-recharge goes on."))
    return redirect("credits", desk.owner.id)


@page(may=BILLING, methods=CHANGE)
def alerts_page(desk: Desk) -> HttpResponse:
    """Say at which balances somebody is told."""
    posted = desk.request.method == "POST"
    form = AlertsForm(desk.request.POST if posted else None, initial=_levels(desk))
    if posted and form.is_valid():
        done = set_alerts(desk.counter, form.cleaned_data["below"])
        if not isinstance(done, Refusal):
            messages.success(desk.request, _("Saved."))
            return redirect("credits", desk.owner.id)
        form.add_error("below", sentence(done))
    return desk.page("billing/alerts.html", {"form": form}, status=422 if posted else 200)


def _plan(form: RechargeForm) -> RechargePlan:
    typed = form.cleaned_data
    return RechargePlan(
        True,
        typed["trigger"],
        typed["amount"],
        typed["method"],
        typed["month_limit"],
        typed["day_max"],
    )


def _order_cards(desk: Desk, form: RechargeForm, cards: Sequence[PaymentMethod]) -> None:
    """Try the chosen card first, its backup second."""
    wanted = [form.cleaned_data.get(name) for name in ("first", "backup")]
    chosen = [card_id for card_id in wanted if card_id is not None]
    if chosen != [card.id for card in cards][: len(chosen)]:
        for card_id in reversed(chosen):
            make_first(desk.counter, card_id)


def _form(desk: Desk, view: RechargeView, form: RechargeForm, status: int = 200) -> HttpResponse:
    bounds, days = desk.counter.bounds, _days(desk)
    suggestion = suggested([day.spent_micros for day in days], bounds, desk.owner.currency)
    shown: Shown = {
        "form": form,
        "recharge": recharge_shown(desk, view),
        "least": desk.money(bounds.minimum_micros),
        "most": desk.money(bounds.maximum_micros),
        "cards": _cards(desk),
        "replay": _replayed(desk, days, form),
        "suggestion": None if suggestion is None else _suggestion_shown(desk, suggestion),
        "attempts": _attempts(desk),
        "months": desk.counter.figures.lot_months,
    }
    return desk.page("billing/recharge.html", shown, status=status)


def _days(desk: Desk) -> list[DaySpent]:
    return spending_by_day(desk.cell, desk.owner, MONTH_DAYS, desk.now_ms)


def _replayed(desk: Desk, days: list[DaySpent], form: RechargeForm) -> Shown:
    """What these settings would have charged with the use of the last 28 days."""
    spent_micros = sum(day.spent_micros for day in days)
    shown: Shown = {"spent": desk.money(spent_micros) if spent_micros > 0 else None}
    plan = _settings_in(desk, form)
    if plan is None or spent_micros <= 0:
        return shown
    charges = replay(
        [day.spent_micros for day in days],
        [day.month for day in days],
        plan,
        desk.counter.bounds,
        desk.owner.currency,
    )
    amounts: dict[int, int] = {}
    for charge in charges:
        amounts[charge.amount_micros] = amounts.get(charge.amount_micros, 0) + 1
    return {
        **shown,
        "plan": True,
        "charges": [
            {"times": times, "amount": desk.money(micros)}
            for micros, times in sorted(amounts.items(), reverse=True)
        ],
        "total": desk.money(sum(charge.amount_micros for charge in charges)),
    }


def _settings_in(desk: Desk, form: RechargeForm) -> Recharge | None:
    """The settings that stand in the form, as they would be kept; None where they cannot be."""
    typed = dict(form.cleaned_data if form.is_bound and form.is_valid() else {})
    if not form.is_bound:
        filled = RechargeForm(_cards(desk), {**form.initial, "enabled": "on"})
        typed = dict(filled.cleaned_data if filled.is_valid() else {})
    if not typed.get("amount"):
        return None
    plan = (typed["trigger"], typed["method"], typed["amount"], typed["month_limit"])
    if typed["method"] != AMOUNT and typed["amount"] <= typed["trigger"]:
        return None
    return Recharge(desk.owner.id, True, *plan, typed["day_max"], "", "", None, 0, "")


def _suggestion_shown(desk: Desk, suggestion: Suggestion) -> Shown:
    texts = [decimal_text(micros) for micros in suggestion]
    return {
        "trigger": desk.money(suggestion.trigger_micros),
        "amount": desk.money(suggestion.amount_micros),
        "limit": desk.money(suggestion.month_cap_micros),
        "query": f"trigger={texts[0]}&amount={texts[1]}&month_limit={texts[2]}&method=amount",
    }


def _attempts(desk: Desk) -> list[Shown]:
    """The latest recharges, each with its charges."""
    payments = list_payments(desk.counter, limit=PAYMENTS_LOOKED_AT_MAX)
    recharges = [each for each in payments if each.kind == "recharge"][:ATTEMPTS_SHOWN_MAX]
    if not recharges:
        return []
    tries, names = list_tries(desk.counter, [each.id for each in recharges]), method_names(desk)
    return [
        {
            **payment_shown(desk, each, names),
            "tries": tries_shown(desk, tries[each.id], names),
        }
        for each in recharges
    ]


def _cards(desk: Desk) -> list[PaymentMethod]:
    return [each for each in list_methods(desk.counter.cell, desk.owner) if each.last4]


def _kept(desk: Desk, view: RechargeView, cards: Sequence[PaymentMethod]) -> dict[str, object]:
    recharge = view.recharge
    shown: dict[str, object] = {"method": AMOUNT, "month_limit": "", "day_max": 5}
    if recharge is not None:
        cap_micros = recharge.month_cap_micros
        shown |= {
            "enabled": recharge.enabled,
            "trigger": decimal_text(recharge.trigger_micros),
            "method": recharge.method,
            "amount": decimal_text(recharge.amount_micros),
            "month_limit": "" if cap_micros is None else decimal_text(cap_micros),
            "day_max": recharge.day_max,
        }
    else:
        least_micros = desk.counter.bounds.minimum_micros
        shown |= {
            "trigger": decimal_text(least_micros),
            "amount": decimal_text(least_micros * SUGGESTED_TIMES),
        }
    for place, name in enumerate(("first", "backup")):
        if len(cards) > place:
            shown[name] = cards[place].id
    return shown


def _filled_in(desk: Desk) -> dict[str, object]:
    """The suggested values, which come in the address."""
    asked = desk.request.GET
    return {n: asked[n] for n in ("trigger", "amount", "month_limit", "method") if n in asked}


def _levels(desk: Desk) -> dict[str, object]:
    levels = view_recharge(desk.counter).levels
    return {"below": "  ".join(decimal_text(x.below_micros) for x in levels if x.below_micros)}
