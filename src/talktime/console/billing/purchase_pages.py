"""Add funds: choose, look at the terms, confirm, and see what becomes of the payment."""

import secrets
from urllib.parse import urlencode

from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from talktime.console.billing.credits_page import method_names
from talktime.console.billing.document_pages import document_shown
from talktime.console.billing.forms import AddFunds, presets
from talktime.console.billing.payments_shown import backs_shown, payment_shown, tries_shown
from talktime.console.doors import Desk, Shown, page
from talktime.console.refusals import sentence
from talktime.console.roles import BILLING, SEE
from talktime.console.said import said
from talktime.core.documents import LOT_TERMS
from talktime.core.ids import id_in
from talktime.core.limits import IDEMPOTENCY_KEY_TEXT_MAX
from talktime.core.money import decimal_text
from talktime.core.payments import INVOICE, INVOICED, PaymentMethod
from talktime.core.refusal import Refusal
from talktime.operations.lots import documents_of
from talktime.operations.payment_methods import find_method, list_methods
from talktime.operations.purchases import (
    Terms,
    find_payment,
    find_purchase,
    list_payments,
    list_tries,
    start_purchase,
    terms_of,
)
from talktime.operations.refunds import list_refunds

PAYMENTS_SHOWN_MAX = 50
KEY_BYTES = 16
LARGE_TIMES = 20


@page(may=SEE)
def add_funds(desk: Desk) -> HttpResponse:
    """Choose how much and with what; with both in the address, look at the terms. What was bought
    from there already is shown instead."""
    query = desk.request.GET
    bought = find_purchase(desk.counter, query.get("key", ""))
    if bought is not None:
        return redirect("payment", desk.owner.id, bought.id)
    methods = list_methods(desk.counter.cell, desk.owner)
    choices = [(each.id, said(each.name)) for each in methods]
    if desk.why_not is not None or not methods or "amount" not in query:
        initial = {"method": choices[0][0]} if choices else {}
        return _choose(desk, methods, AddFunds(choices, initial=initial))
    form = AddFunds(choices, query)
    if not form.is_valid():
        return _choose(desk, methods, form, status=422)
    typed = form.cleaned_data
    [method] = [each for each in methods if each.id == typed["method"]]
    terms = terms_of(desk.counter, typed["amount"], desk.why_not)
    if isinstance(terms, Refusal):
        form.add_error("amount", sentence(terms))
        return _choose(desk, methods, form, status=422)
    if typed["po_number"] and method.kind != INVOICE:
        form.add_error("po_number", _("A purchase order number goes with an invoice alone."))
        return _choose(desk, methods, form, status=422)
    if "key" not in query:  # in the address, whoever goes back to the page finds it again
        keyed = {**query.dict(), "key": secrets.token_hex(KEY_BYTES)}
        return redirect(f"{desk.request.path}?{urlencode(keyed)}")
    return _confirm(desk, terms, method, typed["po_number"], query["key"])


@page(may=BILLING, methods=("POST",))
def pay(desk: Desk) -> HttpResponse:
    """Begin the purchase that was confirmed. Sent twice, it is the same purchase."""
    posted = desk.request.POST
    method_id = id_in(posted.get("method", ""))
    form = AddFunds([] if method_id is None else [(method_id, "")], posted)
    key = posted.get("key", "")
    if not form.is_valid() or not 0 < len(key) <= IDEMPOTENCY_KEY_TEXT_MAX:
        return redirect("add-funds", desk.owner.id)
    typed = form.cleaned_data
    if is_large(desk, typed["amount"]) and "sure" not in posted:
        asked = {name: posted.get(name, "") for name in ("amount", "method", "po_number", "key")}
        unsure = urlencode({**asked, "unsure": "1"})
        return redirect(f"{reverse('add-funds', args=[desk.owner.id])}?{unsure}")
    begun = start_purchase(
        desk.counter,
        amount_micros=typed["amount"],
        method_id=typed["method"],
        po_number=typed["po_number"],
        idempotency_key=key,
        actor=desk.actor,
        why_not=desk.why_not,
    )
    if isinstance(begun, Refusal):
        typed_in = ("amount", "method", "po_number")
        again = urlencode({name: posted.get(name, "") for name in typed_in})
        shown: Shown = {
            "why": sentence(begun),
            "again": f"{reverse('add-funds', args=[desk.owner.id])}?{again}",
        }
        return desk.page("billing/not_bought.html", shown, status=begun.kind.status)
    return redirect("payment", desk.owner.id, begun.payment.id)


@page(may=SEE)
def payment_page(desk: Desk, payment_id: int) -> HttpResponse:
    """What became of a payment; looks again by itself while that is open."""
    found = find_payment(desk.counter, payment_id)
    if isinstance(found, Refusal):
        raise Http404
    names = {}
    if found.method_id is not None:
        method = find_method(desk.counter, found.method_id)
        names = {} if isinstance(method, Refusal) else {method.id: said(method.name)}
    shown = payment_shown(desk, found, names)
    tries = list_tries(desk.counter, [found.id])[found.id]
    documents = documents_of(desk.cell, desk.owner, found.id)
    told: Shown = {
        "payment": shown,
        "documents": [document_shown(desk, each) for each in documents],
        "tries": tries_shown(desk, tries, method_names(desk) | names),
        "backs": backs_shown(desk, found, list_refunds(desk.counter, found.id)),
        "refresh_s": shown["refresh_s"],
        "bank": desk.counter.seller.bank if found.state == INVOICED else "",
    }
    return desk.page("billing/payment.html", told)


@page(may=SEE)
def payments_page(desk: Desk) -> HttpResponse:
    """All payments, the latest first, each with its reason."""
    text = desk.request.GET.get("before", "")
    before = id_in(text)
    if text and before is None:
        raise Http404
    found = list_payments(desk.counter, before=before, limit=PAYMENTS_SHOWN_MAX + 1)
    page, names = found[:PAYMENTS_SHOWN_MAX], method_names(desk)
    older = f"?before={page[-1].id}" if len(found) > PAYMENTS_SHOWN_MAX else ""
    shown = [payment_shown(desk, each, names) for each in page]
    newest = reverse("payments", args=[desk.owner.id]) if before else ""
    return desk.page("billing/payments.html", {"payments": shown, "older": older, "newest": newest})


def _choose(
    desk: Desk, methods: list[PaymentMethod], form: AddFunds, status: int = 200
) -> HttpResponse:
    bounds = desk.counter.bounds
    shown: Shown = {
        "form": form,
        "methods": methods,
        "invoices": any(each.kind == INVOICE for each in methods),
        "zone": str(desk.wording.zone),
        "expires": desk.wording.moment(desk.counter.lot_expires_ms),
        "terms": [said(each) for each in LOT_TERMS],
        "presets": [
            {"text": decimal_text(micros), "shown": desk.money(micros)}
            for micros in presets(bounds, desk.owner.currency)
        ],
        "least": desk.money(bounds.minimum_micros),
        "most": desk.money(bounds.maximum_micros),
    }
    return desk.page("billing/add_funds.html", shown, status=status)


def _confirm(
    desk: Desk, terms: Terms, method: PaymentMethod, po_number: str, key: str
) -> HttpResponse:
    shown: Shown = {
        "amount": desk.money(terms.amount_micros),
        "amount_text": decimal_text(terms.amount_micros),
        "method": method,
        "invoice": method.kind == INVOICE,
        "po_number": po_number,
        "zone": str(desk.wording.zone),
        "expires": desk.wording.moment(terms.expires_ms),
        "terms": terms.terms,
        "key": key,
        "large": is_large(desk, terms.amount_micros),
        "unsure": "unsure" in desk.request.GET,
    }
    return desk.page("billing/confirm.html", shown)


def is_large(desk: Desk, amount_micros: int) -> bool:
    """Whether so much is bought that a slip of the pen is likely: twenty times the least that can
    be, and more than twice of any of the latest purchases."""
    if amount_micros < desk.counter.bounds.minimum_micros * LARGE_TIMES:
        return False
    latest = list_payments(desk.counter, limit=PAYMENTS_SHOWN_MAX)
    paid = [each.amount_micros for each in latest if each.state == "succeeded"]
    return amount_micros > max(paid, default=0) * 2
