"""Invoices and statements: the list, each as a PDF; what is on a statement; to whom they are
addressed."""

from collections.abc import Iterator

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as now_
from django.utils.translation import gettext_lazy as _

from talktime.console.billing.calls_shown import hidden_digits
from talktime.console.billing.forms import (
    ProfileForm,
)
from talktime.console.billing.payments_shown import payment_shown
from talktime.console.doors import CHANGE, Desk, Shown, page
from talktime.console.refusals import sentence
from talktime.console.roles import BILLING, SEE
from talktime.console.said import destination_said, said
from talktime.console.streaming import attachment, read_apart
from talktime.core.documents import (
    CREDIT_NOTE,
    INVOICE,
    STATEMENT,
    Document,
    number_text,
    parsed_number,
)
from talktime.core.ids import id_in
from talktime.core.limits import PAGE_ROWS_MAX
from talktime.core.post_usage import PostStatement
from talktime.core.refusal import Refusal
from talktime.operations.after_use_credit import stuck_credit
from talktime.operations.billing_profiles import buyer_of, set_billing_profile
from talktime.operations.document_pdf import document_pdf
from talktime.operations.documents import find_document, list_documents
from talktime.operations.post_statements import (
    Billed,
    csv_pieces,
    json_pieces,
    list_statement_payments,
    list_statements,
    show_statement,
    usage_pages,
)
from talktime.operations.wording import duration
from talktime.store.database import Connection

DOCUMENTS_SHOWN_MAX = 50
TITLES: dict[str, Promise] = {
    INVOICE: _("Invoice"),
    CREDIT_NOTE: _("Credit note"),
    STATEMENT: _("Statement"),
}
STATEMENT_STATES: dict[str, tuple[Promise, str]] = {
    "due": (_("To be paid"), "warn"),
    "overdue": (_("Overdue"), "bad"),
    "blocked": (_("Overdue: calls are blocked"), "bad"),
    "paid": (_("Paid"), "good"),
}


@page(may=SEE)
def invoices(desk: Desk) -> HttpResponse:
    """What was issued to the organisation, the newest first; statements with their state."""
    text = desk.request.GET.get("before", "")
    before = id_in(text)
    if text and before is None:
        raise Http404
    with desk.cell.reading():
        found = list_documents(desk.cell, desk.owner, before=before, limit=DOCUMENTS_SHOWN_MAX + 1)
        statements = list_statements(desk.cell, desk.owner, limit=PAGE_ROWS_MAX)
        buyer = buyer_of(desk.cell, desk.owner)
        credit_micros = stuck_credit(desk.cell, desk.owner)
    by_document = {each.document_id: each for each in statements}
    documents = found[:DOCUMENTS_SHOWN_MAX]
    more = len(found) > DOCUMENTS_SHOWN_MAX
    shown: Shown = {
        "documents": [document_shown(desk, each, by_document.get(each.id)) for each in documents],
        "older": f"?before={documents[-1].number}" if more else "",
        "newest": reverse("invoices", args=[desk.owner.id]) if before else "",
        "buyer": buyer,
        "credit": desk.money(credit_micros) if credit_micros else None,
    }
    return desk.page("billing/invoices.html", shown)


@page(may=SEE)
def invoice_pdf(desk: Desk, number: str) -> HttpResponse:
    """A document as a PDF; another organisation's is not found."""
    cell, digits = parsed_number(number) or ("", 0)
    if cell != desk.owner.cell:
        raise Http404
    with desk.cell.reading():
        document = find_document(desk.cell, desk.owner.id, digits)
    if isinstance(document, Refusal):
        raise Http404
    pdf = document_pdf(document, desk.owner.cell, desk.wording.locale)
    name = number_text(desk.owner.cell, document.number)
    return _file(pdf, "application/pdf", f"{name}.pdf")


@page(may=SEE)
def statement_page(desk: Desk, month: str) -> HttpResponse:
    """The statement of a month: how it stands, what is on it."""
    billed = _billed(desk, month)
    facts = billed.document.facts
    with desk.cell.reading():
        payments = list_statement_payments(desk.cell, billed.statement)
    shown: Shown = {
        "payments": [payment_shown(desk, each) for each in payments],
        "statement": statement_shown(desk, billed.statement),
        "document": document_shown(desk, billed.document, billed.statement),
        "lines": [
            {
                "text": destination_said(line.text),
                "month": desk.wording.month(line.month),
                "calls": desk.wording.decimal(line.quantity),
                "time": duration(line.billed_s or 0),
                "amount": desk.wording.money(line.amount_micros, facts.currency),
            }
            for line in facts.lines
        ],
    }
    return desk.page("billing/statement.html", shown)


@page(may=SEE)
def statement_csv(desk: Desk, month: str) -> HttpResponse:
    """The usage records on a statement as CSV."""
    billed, owner, hidden = _billed(desk, month), desk.owner, hidden_digits(desk)

    def pieces(cell: Connection) -> Iterator[bytes]:
        pages = usage_pages(cell, owner, billed.statement)
        return csv_pieces(pages, billed.document.facts.currency, hidden)

    name = f"statement-{month}.csv"
    return attachment(desk.request, read_apart(owner, pieces), name, "text/csv; charset=utf-8")


@page(may=SEE)
def statement_json(desk: Desk, month: str) -> HttpResponse:
    """The same as JSON."""
    billed, owner, hidden = _billed(desk, month), desk.owner, hidden_digits(desk)
    head = {"month": month, "document_number": number_text(owner.cell, billed.document.number)}

    def pieces(cell: Connection) -> Iterator[bytes]:
        pages = usage_pages(cell, owner, billed.statement)
        return json_pieces(pages, head, billed.document.facts.currency, hidden)

    name = f"statement-{month}.json"
    return attachment(desk.request, read_apart(owner, pieces), name, "application/json")


@page(may=BILLING, methods=CHANGE)
def billing_profile(desk: Desk) -> HttpResponse:
    """To whom documents are addressed from now on."""
    with desk.cell.reading():
        buyer = buyer_of(desk.cell, desk.owner)
    initial = {"legal_name": buyer.legal_name, "address": buyer.address, "tax_id": buyer.tax_id}
    if desk.request.method != "POST":
        return desk.page("billing/profile.html", {"form": ProfileForm(initial=initial)})
    form = ProfileForm(desk.request.POST, initial=initial)
    if form.is_valid():
        with desk.cell.transaction():
            done = set_billing_profile(desk.cell, desk.owner, **form.cleaned_data)
        if not isinstance(done, Refusal):
            messages.success(desk.request, now_("Saved. Documents are addressed so from now on."))
            return redirect("invoices", desk.owner.id)
        form.add_error(None, sentence(done))
    return desk.page("billing/profile.html", {"form": form}, status=422)


def document_shown(desk: Desk, document: Document, statement: PostStatement | None = None) -> Shown:
    """A line of the list."""
    facts = document.facts
    return {
        "number": number_text(desk.owner.cell, document.number),
        "kind": TITLES[facts.kind],
        "issued": desk.wording.day(document.issued_ms),
        "what": desk.wording.month(facts.month) or said(facts.about or facts.lines[0].text),
        "method": said(facts.method),
        "po_number": facts.po_number,
        "amount": desk.wording.money(facts.amount_micros, facts.currency),
        "month": facts.month if facts.kind == STATEMENT else "",
        "statement": None if statement is None else statement_shown(desk, statement),
    }


def statement_shown(desk: Desk, statement: PostStatement) -> Shown:
    """How a statement stands."""
    state, tone = STATEMENT_STATES[statement.state]
    left_micros = statement.to_pay_micros(desk.owner.currency)
    paid_ms, blocked_ms = statement.paid_ms, statement.blocked_ms
    return {
        "month": statement.month,
        "name": desk.wording.month(statement.month),
        "state": state,
        "tone": tone,
        "open": statement.state != "paid",
        "amount": desk.money(statement.amount_micros),
        "paid": desk.money(statement.paid_micros),
        "left": desk.money(max(left_micros, 0)),
        "payable": desk.wording.day(statement.payable_ms),
        "closed": desk.wording.moment(statement.closed_ms),
        "paid_at": None if paid_ms is None else desk.wording.moment(paid_ms),
        "blocked_at": None if blocked_ms is None else desk.wording.moment(blocked_ms),
        "note": statement.paid_note,
    }


def _billed(desk: Desk, month: str) -> Billed:
    with desk.cell.reading():
        billed = show_statement(desk.cell, desk.owner, month)
    if isinstance(billed, Refusal):
        raise Http404
    return billed


def _file(body: bytes, content_type: str, name: str) -> HttpResponse:
    response = HttpResponse(body, content_type=content_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
