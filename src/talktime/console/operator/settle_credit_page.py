"""Settle what a prepaid organisation was billed too much after use: make credits of it, or note
that it was paid out; with a reason, confirmed, and done once however often its form is sent."""

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from talktime.console.doors import CHANGE, OperatorDesk, operator_page
from talktime.console.operator.asking import (
    Key,
    Reason,
    confirm,
    confirmed,
    form_page,
    not_done,
    refused,
)
from talktime.console.operator.places import CellAway, Place, away, organisation_at
from talktime.console.roles import OPERATE
from talktime.core.after_use_credit import CREDITS, PAYOUT
from talktime.core.post_usage import payable_micros
from talktime.core.refusal import Refusal
from talktime.operations.after_use_credit import Settled, settle_credit, stuck_credit

WAYS = (
    (CREDITS, gettext_lazy("Add it to the credits")),
    (PAYOUT, gettext_lazy("Pay it out, by bank transfer")),
)


class SettleForm(forms.Form):
    """What becomes of it, and why."""

    way = forms.ChoiceField(label=gettext_lazy("What becomes of it"), choices=WAYS)
    reason = Reason()
    key = Key()


@operator_page(may=OPERATE, methods=CHANGE)
def settle(desk: OperatorDesk, organisation_id: int) -> HttpResponse:
    """Make credits of what was billed too much, or note that it was paid out."""
    try:
        with organisation_at(desk, organisation_id) as place:
            with place.cell.reading():
                micros = stuck_credit(place.cell, place.owner)
            if not micros and desk.request.method != "POST":
                shown = {"why": _("Nothing was billed too much after use."), "back": _back(place)}
                return desk.page("operator/refused.html", shown, status=409)
            return _settle(desk, place, micros)
    except CellAway as error:
        return away(desk, error)


def _settle(desk: OperatorDesk, place: Place, micros: int) -> HttpResponse:
    form = SettleForm(desk.request.POST or None, initial={"key": f"operator {desk.next_id()}"})
    currency = place.owner.currency
    facts = [
        (_("Organisation"), place.owner.name),
        (_("Billed too much"), desk.wording.money(micros, currency).in_full),
    ]
    title = _("What %(name)s was billed too much") % {"name": place.owner.name}
    if form.is_bound and form.is_valid():
        typed = form.cleaned_data
        if not confirmed(desk):
            return confirm(
                desk,
                title=title,
                facts=[
                    *facts,
                    (_("What becomes of it"), dict(WAYS)[typed["way"]]),
                    (_("Reason"), typed["reason"]),
                ],
                effects=_effects(desk, place, typed["way"], micros),
                button=_("Settle it"),
                back=_back(place),
            )
        done = settle_credit(
            *(place.counter, typed["way"]),
            reason=typed["reason"],
            actor=desk.actor,
            idempotency_key=typed["key"],
        )
        if isinstance(done, Refusal) and done.code == "payment_not_possible":
            return not_done(desk, done, _back(place))
        if not isinstance(done, Refusal):
            messages.success(desk.request, _done(desk, place, done))
            return redirect("operator-organisation", place.owner.id)
        refused(form, done)
    return form_page(
        *(desk, form),
        title=title,
        button=_("Continue"),
        back=_back(place),
        back_name=place.owner.name,
        facts=facts,
    )


def _effects(desk: OperatorDesk, place: Place, way: str, micros: int) -> list[str]:
    """What it does."""
    if way == CREDITS:
        day = desk.wording.day(place.counter.lot_expires_ms)
        return [
            _("The credits are added to the balance at once, and expire on %(day)s.")
            % {"day": day},
            _("What is owed is paid of them first."),
        ]
    paid = desk.wording.money(payable_micros(micros, place.owner.currency), place.owner.currency)
    return [
        _("Transfer %(amount)s by hand: the service moves no money.") % {"amount": paid.in_full}
    ]


def _done(desk: OperatorDesk, place: Place, done: Settled) -> str:
    """What came of it: a report may have changed the amount since it was confirmed."""
    if not done.paid_out_micros:
        return _("It is settled, with a credit note.")
    paid = desk.wording.money(done.paid_out_micros, place.owner.currency)
    text = _("It is settled, with a credit note. Transfer %(amount)s by hand.")
    return text % {"amount": paid.in_full}


def _back(place: Place) -> str:
    return reverse("operator-organisation", args=[place.owner.id])
