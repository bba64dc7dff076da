"""Take back credits that were entered by mistake, wholly or in part: with a reason, confirmed, and
done once however often its form is sent."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from talktime.console.billing.shown import SOURCES
from talktime.console.doors import CHANGE, OperatorDesk, operator_page
from talktime.console.operator.asking import (
    Facts,
    Key,
    Money,
    Reason,
    confirm,
    confirmed,
    form_page,
    not_done,
    refused,
)
from talktime.console.operator.places import CellAway, Place, away, organisation_at
from talktime.console.operator.tables import Cell, Column, table
from talktime.console.roles import OPERATE
from talktime.core.money import decimal_text
from talktime.core.refusal import Refusal
from talktime.core.taking_back import why_not
from talktime.operations.take_back import (
    Possible,
    list_entered,
    take_back,
    what_can_be_taken_back,
)
from talktime.store.taken_back import EnteredLot

LOTS_SHOWN = 10
COLUMNS = (
    Column(gettext_lazy("Added")),
    Column(gettext_lazy("Source")),
    Column(gettext_lazy("Amount"), figures=True),
    Column(gettext_lazy("Left"), figures=True),
    Column(gettext_lazy("Why")),
    Column(gettext_lazy("Take back"), heard=True),
)


class TakeBackForm(forms.Form):
    """How much is taken back, and whether what is not free becomes a debt."""

    amount = Money(label=gettext_lazy("Amount"))
    owe = forms.BooleanField(
        label=gettext_lazy("What calls have spent or hold of it becomes a debt"), required=False
    )
    reason = Reason()
    key = Key()


def entered_table(desk: OperatorDesk, place: Place) -> dict[str, Any]:
    """The latest lots that somebody entered by hand."""
    lots = list_entered(place.counter, LOTS_SHOWN)
    rows = [_row(desk, place, each) for each in lots]
    return table(_("Credits entered by hand"), COLUMNS, rows)


def _row(desk: OperatorDesk, place: Place, entered: EnteredLot) -> list[Cell]:
    owner, lot, todo, taken = place.owner, entered.lot, Cell(), ""
    if entered.taken_micros:
        amount = desk.wording.money(entered.taken_micros, owner.currency).in_full
        taken = _("%(amount)s taken back") % {"amount": amount}
    if desk.may(OPERATE) and entered.left_micros > 0:
        todo = Cell(_("Take back"), reverse("operator-take-back", args=[owner.id, lot.id]))
    return [
        Cell(
            desk.wording.moment(lot.purchased_ms),
            reverse("lot", args=[owner.id, lot.id]),
            note=str(lot.id),
        ),
        Cell(SOURCES[lot.source]),
        Cell(amount=desk.wording.money(lot.amount_micros, owner.currency), note=taken),
        Cell(amount=desk.wording.money(lot.remaining_micros, owner.currency)),
        Cell(lot.reason, note=lot.actor),
        todo,
    ]


@operator_page(may=OPERATE, methods=CHANGE)
def take_back_lot(desk: OperatorDesk, organisation_id: int, lot_id: int) -> HttpResponse:
    """Take back a lot that was entered by hand, or a part of it."""
    try:
        with organisation_at(desk, organisation_id) as place:
            return _take_back(desk, place, lot_id)
    except CellAway as error:
        return away(desk, error)


def _take_back(desk: OperatorDesk, place: Place, lot_id: int) -> HttpResponse:
    back = reverse("operator-organisation", args=[place.owner.id])
    form = TakeBackForm(desk.request.POST) if desk.request.method == "POST" else None
    if form is not None and confirmed(desk) and form.is_valid():
        typed = form.cleaned_data
        done = take_back(
            *(place.counter, lot_id, typed["amount"]),
            reason=typed["reason"],
            actor=desk.actor,
            idempotency_key=typed["key"],
            owe=typed["owe"],
        )
        if isinstance(done, Refusal):
            return not_done(desk, done, back)
        amount = desk.wording.money(done.taken.amount_micros, place.owner.currency).in_full
        messages.success(desk.request, _("%(amount)s was taken back.") % {"amount": amount})
        return redirect(back)
    possible = what_can_be_taken_back(place.counter, lot_id)
    if isinstance(possible, Refusal):
        if possible.code == "unknown_lot":
            raise Http404
        return not_done(desk, possible, back)
    return _asked(desk, place, form, possible, back)


def _asked(
    desk: OperatorDesk, place: Place, form: TakeBackForm | None, possible: Possible, back: str
) -> HttpResponse:
    """The form, or what it will do, to be confirmed."""
    owner = place.owner
    title = _("Take back credits of %(name)s") % {"name": owner.name}
    facts = _facts(desk, place, possible)
    if form is None:
        amount = decimal_text(possible.free_micros or possible.left_micros)
        form = TakeBackForm(initial={"key": f"operator {desk.next_id()}", "amount": amount})
    if possible.free_micros == possible.left_micros:
        del form.fields["owe"]
    if form.is_bound and form.is_valid():
        typed = form.cleaned_data
        micros = typed["amount"]
        refusal = why_not(
            *(possible.lot, micros, possible.left_micros, owner.currency),
            owe=typed.get("owe", False),
        )
        if refusal is None:
            amount = desk.wording.money(micros, owner.currency).in_full
            return confirm(
                desk,
                title=title,
                facts=[*facts, (_("To take back"), amount), (_("Reason"), typed["reason"])],
                effects=_effects(desk, place, micros - possible.free_micros),
                button=_("Take back %(amount)s") % {"amount": amount},
                back=back,
                danger=True,
            )
        refused(form, refusal, "amount")
    return form_page(
        *(desk, form),
        title=title,
        button=_("Continue"),
        back=back,
        back_name=owner.name,
        facts=facts,
    )


def _facts(desk: OperatorDesk, place: Place, possible: Possible) -> Facts:
    lot, owner = possible.lot, place.owner
    facts = [
        (_("Organisation"), owner.name),
        (SOURCES[lot.source], desk.wording.money(lot.amount_micros, owner.currency).in_full),
        (_("Added"), desk.wording.moment(lot.purchased_ms)),
        (_("By"), lot.actor),
        (_("Free"), desk.wording.money(possible.free_micros, owner.currency).in_full),
    ]
    if possible.left_micros > possible.free_micros:
        left = desk.wording.money(possible.left_micros, owner.currency).in_full
        facts.append((_("Can be taken back, with a debt"), left))
    return facts


def _effects(desk: OperatorDesk, place: Place, debt_micros: int) -> list[str]:
    told = _("The organisation is told, with the reason.")
    if debt_micros <= 0:
        return [told]
    debt = desk.wording.money(debt_micros, place.owner.currency).in_full
    owed = _("%(amount)s of it is not free any more: it becomes a debt, which the next funds pay.")
    return [owed % {"amount": debt}, told]
