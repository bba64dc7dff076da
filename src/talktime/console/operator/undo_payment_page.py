"""Undo a payment of a statement: with a reason, confirmed, and done once however often its form is
sent."""

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from talktime.console.databases import current
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
from talktime.core.payments import Payment
from talktime.core.post_usage import PostStatement
from talktime.core.refusal import Refusal
from talktime.operations.close_month import deadlines_of
from talktime.operations.dunning import sync_block
from talktime.operations.post_statements import find_paid_statement
from talktime.operations.purchases import find_payment
from talktime.operations.undo_payment import undo_payment


class UndoForm(forms.Form):
    """Why."""

    reason = Reason()
    key = Key()


@operator_page(may=OPERATE, methods=CHANGE)
def undo(desk: OperatorDesk, organisation_id: int, payment_id: int) -> HttpResponse:
    """Undo a payment of a statement that was another's, or came back from the bank."""
    try:
        with organisation_at(desk, organisation_id) as place:
            payment = find_payment(place.counter, payment_id)
            if isinstance(payment, Refusal) or payment.statement_id is None:
                raise Http404
            with place.cell.reading():
                statement = find_paid_statement(place.cell, payment)
            if payment.refunded_micros and desk.request.method != "POST":
                shown = {"why": _("This payment was undone already."), "back": _back(place)}
                return desk.page("operator/refused.html", shown, status=409)
            return _undo(desk, place, payment, statement)
    except CellAway as error:
        return away(desk, error)


def _undo(
    desk: OperatorDesk, place: Place, payment: Payment, statement: PostStatement
) -> HttpResponse:
    form = UndoForm(desk.request.POST or None, initial={"key": f"operator {desk.next_id()}"})
    facts = [
        (_("Organisation"), place.owner.name),
        (_("Statement"), desk.wording.month(statement.month)),
        (_("Payment"), desk.wording.money(payment.amount_micros, payment.currency).in_full),
        (_("Recorded"), f"{desk.wording.moment(payment.created_ms)}, {payment.actor}"),
        (_("Note"), payment.detail),
    ]
    title = _("Undo a payment of %(name)s") % {"name": place.owner.name}
    if form.is_bound and form.is_valid():
        typed = form.cleaned_data
        if not confirmed(desk):
            return confirm(
                desk,
                title=title,
                facts=[*facts, (_("Reason"), typed["reason"])],
                effects=_effects(desk, statement),
                button=_("Undo the payment"),
                back=_back(place),
                danger=True,
            )
        done = undo_payment(
            *(place.counter, statement.month, payment.id, deadlines_of(current())),
            reason=typed["reason"],
            actor=desk.actor,
            idempotency_key=typed["key"],
        )
        if isinstance(done, Refusal) and done.code == "payment_not_possible":
            return not_done(desk, done, _back(place))
        if not isinstance(done, Refusal):
            sync_block(place.control, place.cell, place.owner.id)
            messages.success(desk.request, _("Undone. The statement is to be paid again."))
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


def _effects(desk: OperatorDesk, statement: PostStatement) -> list[str]:
    """What undoing it does to the statement."""
    day = desk.wording.day(statement.payable_ms)
    effects = [_("So much of the statement is to be paid again, by %(day)s.") % {"day": day}]
    if statement.payable_ms <= desk.now_ms:
        late = _("That day has passed: it is overdue at once, and can block calls paid after use.")
        effects.append(late)
    return [*effects, _("The organisation's admins are told, with the reason.")]


def _back(place: Place) -> str:
    return reverse("operator-organisation", args=[place.owner.id])
