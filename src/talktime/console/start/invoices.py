"""An organisation's invoices, for its admins: the list, and each as a PDF."""

import logging

from django.contrib.auth.decorators import login_required
from django.db import Error
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.connection import ConnectionDoesNotExist
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from talktime.console.cell.document_models import Document as DocumentRow
from talktime.console.control_plane.models import Membership, Organisation
from talktime.console.start.organisation_page import COMMERCE_MODELS, Shown, in_cell
from talktime.console.start.shown import wording_for
from talktime.core.documents import Document, number_text, parsed_body, parsed_number
from talktime.operations.document_pdf import TITLES, document_pdf
from talktime.operations.wording import Wording

PAGE_DOCUMENTS_MAX = 50
NUMBER_DIGITS_MAX = 18

log = logging.getLogger(__name__)


@require_safe
@login_required
@never_cache
def invoices(request: HttpRequest, organisation_id: int) -> HttpResponse:
    """What was issued to the organisation, the newest first; `before` is the last number seen."""
    one = organisation_of_reader(request, organisation_id)
    before = request.GET.get("before", "")
    if before and not (before.isascii() and before.isdigit() and len(before) <= NUMBER_DIGITS_MAX):
        raise Http404
    shown: Shown = {"organisation": one, "commerce_model": COMMERCE_MODELS[one.commerce_model]}
    wording = wording_for(request.headers.get("Accept-Language", ""), one.time_zone)
    try:
        rows = in_cell(DocumentRow, one).order_by("-number")
        if before:
            rows = rows.filter(number__lt=int(before))
        found = [document_of_row(row) for row in rows[: PAGE_DOCUMENTS_MAX + 1]]
    except (Error, ConnectionDoesNotExist) as error:
        return cell_away(request, one, shown, error)
    page = found[:PAGE_DOCUMENTS_MAX]
    shown |= {
        "documents": [document_shown(one, each, wording) for each in page],
        "older": page[-1].number if len(found) > PAGE_DOCUMENTS_MAX else None,
        "newest": not before,
    }
    return render(request, "start/invoices.html", shown)


@require_safe
@login_required
@never_cache
def invoice_pdf(request: HttpRequest, organisation_id: int, number: str) -> HttpResponse:
    """A document as a PDF; another organisation's is not found."""
    one = organisation_of_reader(request, organisation_id)
    cell, digits = parsed_number(number) or ("", 0)
    if cell != one.cell:
        raise Http404
    try:
        row = in_cell(DocumentRow, one).filter(number=digits).first()
    except (Error, ConnectionDoesNotExist) as error:
        shown: Shown = {"organisation": one, "commerce_model": COMMERCE_MODELS[one.commerce_model]}
        return cell_away(request, one, shown, error)
    if row is None:
        raise Http404
    document = document_of_row(row)
    locale = wording_for(request.headers.get("Accept-Language", ""), one.time_zone).locale
    pdf = document_pdf(document, one.cell, locale)
    response = HttpResponse(pdf, content_type="application/pdf")
    name = number_text(one.cell, document.number)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.pdf"'
    return response


def organisation_of_reader(request: HttpRequest, organisation_id: int) -> Organisation:
    """The organisation, where the reader looks after it; else it is not found."""
    mine = Membership.objects.filter(
        account__email=request.user.get_username(), organisation_id=organisation_id
    )
    one = Organisation.objects.filter(id=organisation_id).first()
    if one is None or not mine.exists():
        raise Http404
    return one


def document_of_row(row: DocumentRow) -> Document:
    """A document as the core knows it."""
    return Document(row.id, row.organisation_id, row.number, row.issued_ms, parsed_body(row.body))


def document_shown(one: Organisation, document: Document, wording: Wording) -> Shown:
    """A line of the list."""
    facts = document.facts
    return {
        "number": number_text(one.cell, document.number),
        "kind": TITLES[facts.kind],
        "issued": wording.day(document.issued_ms),
        "what": wording.month(facts.month) or facts.about or facts.lines[0].text,
        "method": facts.method,
        "po_number": facts.po_number,
        "amount": wording.money(facts.amount_micros, facts.currency),
    }


def cell_away(
    request: HttpRequest, one: Organisation, shown: Shown, error: Exception
) -> HttpResponse:
    """The page that says that the organisation's database does not answer."""
    log.error("cell %s does not answer: %s", one.cell, error)
    return render(request, "start/cell_away.html", shown, status=503)
