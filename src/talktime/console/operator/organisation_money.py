"""Give an organisation credits, correct its balance, refund a payment, note that an invoice is
paid: each with a reason, confirmed, and done once however often its form is sent."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from talktime.console.doors import CHANGE, OperatorDesk, operator_page
from talktime.console.operator.asking import (
    Key,
    Moment,
    Money,
    Reason,
    confirm,
    confirmed,
    form_page,
    refused,
)
from talktime.console.operator.places import CellAway, Place, away, organisation_at
from talktime.console.roles import OPERATE
from talktime.core.limits import PO_NUMBER_TEXT_MAX
from talktime.core.money import decimal_text
from talktime.core.outcomes import Funded
from talktime.core.payments import INVOICED, STATEMENT, Payment
from talktime.core.refusal import Refusal
from talktime.operations.fund import fund
from talktime.operations.grants import Grant, give
from talktime.operations.purchases import confirm_receipt, find_payment
from talktime.operations.refunds import start_refund
from talktime.store.grants import GrantRequest
from talktime.store.refunds import charge_of_payment


class GrantForm(forms.Form):
    """Credits to be given."""

    amount = Money(label=gettext_lazy("Amount"))
    promotional = forms.BooleanField(
        label=gettext_lazy("Promotional: used before paid credits that expire at the same time"),
        required=False,
        initial=True,
    )
    until = Moment(
        label=gettext_lazy("Expires (UTC)"),
        required=False,
        help_text=gettext_lazy("Empty: in twelve months."),
    )
    reason = Reason()
    key = Key()


class AdjustForm(forms.Form):
    """A correction of the balance by hand."""

    amount = Money(label=gettext_lazy("Amount to add"))
    reason = Reason()
    key = Key()


class RefundForm(forms.Form):
    """How much of a payment goes back."""

    amount = Money(label=gettext_lazy("Amount"))
    reason = Reason()
    reference = forms.CharField(
        label=gettext_lazy("Reference of the bank transfer"),
        max_length=PO_NUMBER_TEXT_MAX,
        required=False,
        help_text=gettext_lazy("No card paid this: send the money by hand, then say how."),
    )
    key = Key()


class ReceiptForm(forms.Form):
    """An invoice's money is there."""

    reference = forms.CharField(
        label=gettext_lazy("Reference of the money"),
        max_length=PO_NUMBER_TEXT_MAX,
        help_text=gettext_lazy("As the bank statement has it."),
    )


@operator_page(may=OPERATE, methods=CHANGE)
def grant(desk: OperatorDesk, organisation_id: int) -> HttpResponse:
    """Give credits; above the limit, ask another operator."""
    try:
        with organisation_at(desk, organisation_id) as place:
            return _grant(desk, place)
    except CellAway as error:
        return away(desk, error)


def _grant(desk: OperatorDesk, place: Place) -> HttpResponse:
    form = _form(desk, GrantForm)
    above_micros = place.giver.approval_above_micros
    limit = desk.wording.money(above_micros, place.owner.currency).text
    if form.is_bound and form.is_valid():
        typed = form.cleaned_data
        asks = typed["amount"] > above_micros
        if not confirmed(desk):
            effects = (
                [_("It is above %(limit)s: another operator must approve it.")] if asks else []
            )
            facts = [
                *_amount_facts(desk, place, typed),
                (_("Expires"), _until(desk, typed["until"])),
                (_("Promotional"), _("Yes") if typed["promotional"] else _("No")),
            ]
            return confirm(
                desk,
                title=_("Grant credits to %(name)s") % {"name": place.owner.name},
                facts=facts,
                effects=[each % {"limit": limit} for each in effects],
                button=_("Ask for approval") if asks else _("Grant them"),
                back=_back(place),
            )
        done = give(
            place.giver,
            Grant(
                *(typed["amount"], typed["reason"], desk.actor, typed["key"]),
                promotional=typed["promotional"],
                lasts_until_ms=typed["until"],
            ),
        )
        if not isinstance(done, Refusal):
            _tell_given(desk, done)
            return redirect("operator-organisation", place.owner.id)
        refused(form, done)
    return form_page(
        *(desk, form),
        title=_("Grant credits to %(name)s") % {"name": place.owner.name},
        button=_("Continue"),
        back=_back(place),
        back_name=place.owner.name,
        lead=_("Above %(limit)s another operator must approve.") % {"limit": limit},
    )


def _tell_given(desk: OperatorDesk, done: Funded | GrantRequest) -> None:
    if isinstance(done, Funded):
        messages.success(desk.request, _("The credits are in the balance."))
    else:
        messages.warning(desk.request, _("Another operator must approve it now."))


@operator_page(may=OPERATE, methods=CHANGE)
def adjust(desk: OperatorDesk, organisation_id: int) -> HttpResponse:
    """Correct the balance by hand: what is added is a lot of its own."""
    try:
        with organisation_at(desk, organisation_id) as place:
            return _adjust(desk, place)
    except CellAway as error:
        return away(desk, error)


def _adjust(desk: OperatorDesk, place: Place) -> HttpResponse:
    form, title = _form(desk, AdjustForm), _("Adjust the balance of %(name)s")
    title = title % {"name": place.owner.name}
    above_micros = place.giver.approval_above_micros
    limit = desk.wording.money(above_micros, place.owner.currency).text
    if form.is_bound and form.is_valid():
        typed = form.cleaned_data
        if typed["amount"] > above_micros:
            detail = _("Above %(limit)s it is a grant, which another operator approves.")
            form.add_error("amount", detail % {"limit": limit})
        elif not confirmed(desk):
            return confirm(
                desk,
                title=title,
                facts=_amount_facts(desk, place, typed),
                button=_("Add it"),
                back=_back(place),
            )
        else:
            done = fund(
                *(place.cell, place.owner),
                amount_micros=typed["amount"],
                source="adjustment",
                reason=typed["reason"],
                actor=desk.actor,
                idempotency_key=typed["key"],
                seller=place.counter.seller,
                now_ms=place.counter.now_ms,
                next_id=desk.next_id,
            )
            if not isinstance(done, Refusal):
                messages.success(desk.request, _("The balance was corrected."))
                return redirect("operator-organisation", place.owner.id)
            refused(form, done)
    return form_page(
        *(desk, form),
        title=title,
        button=_("Continue"),
        back=_back(place),
        back_name=place.owner.name,
        lead=_(
            "Adds what was charged by mistake. To take money back, refund the payment that "
            "brought it."
        ),
    )


@operator_page(may=OPERATE, methods=CHANGE)
def refund(desk: OperatorDesk, organisation_id: int, payment_id: int) -> HttpResponse:
    """Give money of a payment back."""
    try:
        with organisation_at(desk, organisation_id) as place:
            payment = find_payment(place.counter, payment_id)
            if isinstance(payment, Refusal) or payment.kind == STATEMENT:
                raise Http404
            return _refund(desk, place, payment)
    except CellAway as error:
        return away(desk, error)


def _refund(desk: OperatorDesk, place: Place, payment: Payment) -> HttpResponse:
    with place.cell.reading():
        by_hand = charge_of_payment(place.cell, place.owner.id, payment.id) is None
    left_micros = payment.amount_micros - payment.refunded_micros
    form = _form(desk, RefundForm, amount=decimal_text(left_micros))
    if not by_hand:
        del form.fields["reference"]
    facts = [
        (_("Organisation"), place.owner.name),
        (_("Payment"), desk.wording.money(payment.amount_micros, payment.currency).text),
        (_("Not gone back yet"), desk.wording.money(left_micros, payment.currency).text),
    ]
    title = _("Refund a payment of %(name)s") % {"name": place.owner.name}
    if form.is_bound and form.is_valid():
        typed = form.cleaned_data
        if not confirmed(desk):
            amount = desk.wording.money(typed["amount"], payment.currency).text
            effects = [
                _("What of it was used already becomes a debt, which the next funds pay."),
                _("A refund cannot be taken back."),
            ]
            return confirm(
                desk,
                title=title,
                facts=[*facts, (_("To refund"), amount), (_("Reason"), typed["reason"])],
                effects=effects,
                button=_("Refund %(amount)s") % {"amount": amount},
                back=_back(place),
                danger=True,
            )
        done = start_refund(
            *(place.counter, payment.id, typed["amount"]),
            reason=typed["reason"],
            actor=desk.actor,
            idempotency_key=typed["key"],
            reference=typed.get("reference", ""),
        )
        if not isinstance(done, Refusal):
            messages.success(desk.request, _("The refund was begun."))
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


@operator_page(may=OPERATE, methods=CHANGE)
def receipt(desk: OperatorDesk, organisation_id: int, payment_id: int) -> HttpResponse:
    """Note that the money of an invoice is there: its credits are added."""
    try:
        with organisation_at(desk, organisation_id) as place:
            payment = find_payment(place.counter, payment_id)
            if isinstance(payment, Refusal):
                raise Http404
            return _receipt(desk, place, payment)
    except CellAway as error:
        return away(desk, error)


def _receipt(desk: OperatorDesk, place: Place, payment: Payment) -> HttpResponse:
    form, title = _form(desk, ReceiptForm), _("Mark the invoice as paid")
    facts = [
        (_("Organisation"), place.owner.name),
        (_("Amount"), desk.wording.money(payment.amount_micros, payment.currency).text),
        (_("Purchase order"), payment.po_number or "-"),
        (_("Ordered"), desk.wording.moment(payment.created_ms)),
    ]
    if payment.state not in (INVOICED, "succeeded"):
        raise Http404
    if form.is_bound and form.is_valid():
        typed = form.cleaned_data
        if not confirmed(desk):
            return confirm(
                desk,
                title=title,
                facts=[*facts, (_("Reference"), typed["reference"])],
                effects=[_("The credits are added to the balance at once.")],
                button=_("The money is there"),
                back=_back(place),
            )
        done = confirm_receipt(
            place.counter, payment.id, reference=typed["reference"], actor=desk.actor
        )
        if not isinstance(done, Refusal):
            messages.success(desk.request, _("The credits are in the balance."))
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


def _form(desk: OperatorDesk, kind: type[forms.Form], **initial: Any) -> Any:
    """The form as it was sent, or a new one with a key of its own."""
    if desk.request.method == "POST":
        return kind(desk.request.POST)
    return kind(initial={"key": f"operator {desk.next_id()}", **initial})


def _back(place: Place) -> str:
    return reverse("operator-organisation", args=[place.owner.id])


def _amount_facts(desk: OperatorDesk, place: Place, typed: dict[str, Any]) -> list[tuple[str, str]]:
    amount = desk.wording.money(typed["amount"], place.owner.currency)
    return [
        (_("Organisation"), place.owner.name),
        (_("Amount"), amount.text),
        (_("Reason"), typed["reason"]),
    ]


def _until(desk: OperatorDesk, until_ms: int | None) -> str:
    if until_ms is None:
        return _("In twelve months")
    return desk.wording.moment(until_ms)
