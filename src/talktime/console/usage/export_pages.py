"""The usage report as a file: CSV, the zip with it, a workbook. What is on the page is exported,
all pages of it."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from talktime.console.doors import Desk, page
from talktime.console.roles import SEE
from talktime.console.usage import exported
from talktime.console.usage.asked import asked_of, form_of
from talktime.console.usage.exported import Export
from talktime.console.usage.report_page import query_of
from talktime.core.limits import CSV_ROWS_MAX, XLSX_ROWS_MAX
from talktime.operations.usage_report import Reader


@page(may=SEE)
def csv_file(desk: Desk) -> HttpResponse:
    """The CSV file."""
    export = _export(desk, CSV_ROWS_MAX)
    if isinstance(export, HttpResponse):
        return export
    return exported.csv_file(desk.request, export)


@page(may=SEE)
def zip_file(desk: Desk) -> HttpResponse:
    """The zip with the CSV file and the parameters."""
    export = _export(desk, CSV_ROWS_MAX)
    if isinstance(export, HttpResponse):
        return export
    return exported.zip_file(desk.request, export, desk.request.GET.get("user", ""))


@page(may=SEE)
def workbook(desk: Desk) -> HttpResponse:
    """The workbook; it is whole before its first byte is sent."""
    export = _export(desk, XLSX_ROWS_MAX)
    if isinstance(export, HttpResponse):
        return export
    return exported.workbook(desk.request, export)


def _export(desk: Desk, rows_max: int) -> Export | HttpResponse:
    """What is to be exported; where that is wrong or too much, back to the report that says so."""
    reader = Reader(desk.cell, desk.owner, desk.catalogue)
    report = redirect(f"{reverse('usage', args=[desk.owner.id])}{query_of(desk)}")
    with desk.cell.snapshot():
        asked = asked_of(desk, form_of(desk, reader))
        if asked is None:
            return report
        rows = reader.add_up(asked).total.records
    if rows > rows_max:
        text = _("%(rows)s rows are more than one file takes (%(most)s): choose fewer days.")
        figures = {
            name: desk.wording.decimal(n) for name, n in (("rows", rows), ("most", rows_max))
        }
        messages.error(desk.request, text % figures)
        return report
    return Export(desk.owner, desk.catalogue, asked, desk.now_ms, desk.next_id())
