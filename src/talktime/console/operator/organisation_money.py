"""Give an organisation credits, correct its balance, refund a payment, note that an invoice is
paid: each with a reason, confirmed, and done once however often its form is sent."""

from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.messages import SUCCESS, WARNING
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from talktime.console.doors import CHANGE, OperatorDesk, operator_page
from talktime.console.operator.asking import (
    Facts,
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
from talktime.operations.audit import person_of
from talktime.operations.grants import EXPIRED, Grant, give
from talktime.operations.purchases import find_payment
from talktime.operations.receipts import receive
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
        help_text=gettext_lazy("Empty: as what is bought now."),
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
    """Give credits; of more than one person may give alone, ask another operator."""
    return _at(desk, organisation_id, _grant)


def _grant(desk: OperatorDesk, place: Place) -> HttpResponse:
    form, left = _form(desk, GrantForm), place.room_micros(desk.actor)
    asks = bool(form.is_bound and form.is_valid() and form.cleaned_data["amount"] > left)
    typed = form.cleaned_data if form.is_bound else {}
    return _given(
        *(desk, place, form),
        title=_("Grant credits to %(name)s") % {"name": place.owner.name},
        button=_("Ask for approval") if asks else _("Grant them"),
        done=_("The credits are in the balance."),
        lead=_alone(desk, place, left, _("Of more, another operator must approve.")),
        effects=[_("It is more than one person may give: another operator must approve it.")]
        if asks
        else [],
        facts=[
            (_("Expires"), desk.wording.moment(typed.get("until") or place.counter.lot_expires_ms)),
            (_("Promotional"), _("Yes") if typed.get("promotional") else _("No")),
        ],
    )


@operator_page(may=OPERATE, methods=CHANGE)
def adjust(desk: OperatorDesk, organisation_id: int) -> HttpResponse:
    """Correct the balance by hand: what is added is a lot of its own."""
    return _at(desk, organisation_id, _adjust)


def _adjust(desk: OperatorDesk, place: Place) -> HttpResponse:
    form, left = _form(desk, AdjustForm), place.room_micros(desk.actor)
    # What is sent again after it was confirmed is known by its key: by then it counts itself.
    asked = form.is_bound and not confirmed(desk) and form.is_valid()
    if asked and form.cleaned_data["amount"] > left:
        limit = desk.wording.money(left, place.owner.currency).in_full
        detail = _("Above %(limit)s it is a grant, which another operator approves.")
        form.add_error("amount", detail % {"limit": limit})
    return _given(
        *(desk, place, form),
        title=_("Adjust the balance of %(name)s") % {"name": place.owner.name},
        button=_("Add it"),
        done=_("The balance was corrected."),
        lead=_(
            "Adds what was charged by mistake. To take money back, refund the payment that "
            "brought it, or take back what was entered by hand."
        ),
        source="adjustment",
    )


def _at(
    desk: OperatorDesk, organisation_id: int, view: Callable[[OperatorDesk, Place], HttpResponse]
) -> HttpResponse:
    try:
        with organisation_at(desk, organisation_id) as place:
            return view(desk, place)
    except CellAway as error:
        return away(desk, error)


def _alone(desk: OperatorDesk, place: Place, left_micros: int, more: str) -> str:
    limit = desk.wording.money(left_micros, place.owner.currency).in_full
    said = _("You may give %(limit)s alone now: what you gave in the last 24 hours counts.")
    return f"{said % {'limit': limit}} {more}"


def _given(
    desk: OperatorDesk,
    place: Place,
    form: forms.Form,
    *,
    title: str,
    button: str,
    done: str,
    lead: str,
    effects: Sequence[str] = (),
    facts: Facts = (),
    source: str = "grant",
) -> HttpResponse:
    """The form; what it gives, to be confirmed; or it is given, and told."""
    if form.is_bound and form.is_valid():
        typed = form.cleaned_data
        if not confirmed(desk):
            return confirm(
                desk,
                title=title,
                facts=[*_amount_facts(desk, place, typed), *facts],
                effects=effects,
                button=button,
                back=_back(place),
            )
        given = give(
            place.giver,
            Grant(
                *(typed["amount"], typed["reason"], desk.actor, typed["key"]),
                promotional=typed.get("promotional", False),
                lasts_until_ms=typed.get("until"),
                source=source,
            ),
        )
        if not isinstance(given, Refusal):
            if isinstance(given, Funded):
                messages.success(desk.request, done)
            else:
                messages.add_message(desk.request, *asked_words(given))
            return redirect("operator-organisation", place.owner.id)
        refused(form, given)
    return form_page(
        *(desk, form),
        title=title,
        button=_("Continue"),
        back=_back(place),
        back_name=place.owner.name,
        lead=lead,
    )


def asked_words(request: GrantRequest) -> tuple[int, str]:
    """What became of what was asked for: its form may be sent again after it was decided."""
    who = {"who": person_of(request.decided_by)}
    if request.state == "approved":
        return SUCCESS, _("The credits are in the balance: %(who)s has approved them.") % who
    if request.state == "rejected":
        return WARNING, _("%(who)s has rejected it: nothing was given.") % who
    if request.state == EXPIRED:
        return WARNING, _("Nobody decided it in time: nothing was given.")
    return WARNING, _("Another operator must approve it now.")


@operator_page(may=OPERATE, methods=CHANGE)
def refund(desk: OperatorDesk, organisation_id: int, payment_id: int) -> HttpResponse:
    """Give money of a payment back."""
    try:
        with organisation_at(desk, organisation_id) as place:
            payment = find_payment(place.counter, payment_id)
            if isinstance(payment, Refusal) or payment.kind == STATEMENT:
                raise Http404
            if payment.refunded_micros >= payment.amount_micros and desk.request.method != "POST":
                shown = {"why": _("All of this payment went back already."), "back": _back(place)}
                return desk.page("operator/refused.html", shown, status=409)
            return _refund(desk, place, payment)
    except CellAway as error:
        return away(desk, error)


def _refund_form(desk: OperatorDesk, left_micros: int, most: str, by_hand: bool) -> RefundForm:
    """The form, with all that is left in it. More than that is refused here, before it is
    confirmed; what is sent again after that, the refund itself knows by its key."""
    form: RefundForm = _form(desk, RefundForm, amount=decimal_text(left_micros))
    words = _("At most %(amount)s: what did not go back yet.")
    form.fields["amount"].help_text = words % {"amount": most}
    if not by_hand:
        del form.fields["reference"]
    asked = form.is_bound and not confirmed(desk) and form.is_valid()
    if asked and form.cleaned_data["amount"] > left_micros:
        wrong = _("At most %(amount)s can be refunded.")
        form.add_error("amount", wrong % {"amount": most})
    return form


def _refund(desk: OperatorDesk, place: Place, payment: Payment) -> HttpResponse:
    with place.cell.reading():
        by_hand = charge_of_payment(place.cell, place.owner.id, payment.id) is None
    left_micros = payment.amount_micros - payment.refunded_micros
    most = desk.wording.money(left_micros, payment.currency).in_full
    form = _refund_form(desk, left_micros, most, by_hand)
    facts = [
        (_("Organisation"), place.owner.name),
        (_("Payment"), desk.wording.money(payment.amount_micros, payment.currency).in_full),
        (_("Can be refunded"), most),
    ]
    title = _("Refund a payment of %(name)s") % {"name": place.owner.name}
    if form.is_bound and form.is_valid():
        typed = form.cleaned_data
        if not confirmed(desk):
            amount = desk.wording.money(typed["amount"], payment.currency).in_full
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
        (_("Amount"), desk.wording.money(payment.amount_micros, payment.currency).in_full),
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
        done = receive(
            *(place.giver, place.counter, payment.id),
            reference=typed["reference"],
            actor=desk.actor,
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
        (_("Amount"), amount.in_full),
        (_("Reason"), typed["reason"]),
    ]
