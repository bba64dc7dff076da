"""The usage report as a file: CSV, the zip with it, a workbook. What is on the page is exported,
all pages of it."""

import tempfile
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from pathlib import Path

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from talktime.console.databases import current
from talktime.console.doors import Desk, page
from talktime.console.roles import SEE
from talktime.console.usage.asked import asked_of, form_of
from talktime.console.usage.report_page import query_of
from talktime.console.usage.streaming import Pieces, attachment
from talktime.core.limits import CSV_ROWS_MAX, XLSX_ROWS_MAX
from talktime.operations.usage_documents import UsageRow
from talktime.operations.usage_export import (
    ExportName,
    csv_pieces,
    export_pages,
    file_pieces,
    parameters_of,
    write_workbook,
    zip_pieces,
)
from talktime.operations.usage_report import Asked, Reader
from talktime.store.database import connect

CSV, ZIP = "text/csv; charset=utf-8", "application/zip"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Pages = Iterator[list[UsageRow]]


@page(may=SEE)
def csv_file(desk: Desk) -> HttpResponse:
    """The CSV file."""
    asked = _asked(desk, CSV_ROWS_MAX)
    if isinstance(asked, HttpResponse):
        return asked
    name = ExportName(desk.next_id(), desk.now_ms)
    return attachment(desk.request, _made(desk, asked, csv_pieces), name.csv, CSV)


@page(may=SEE)
def zip_file(desk: Desk) -> HttpResponse:
    """The zip with the CSV file and the parameters."""
    asked = _asked(desk, CSV_ROWS_MAX)
    if isinstance(asked, HttpResponse):
        return asked
    name = ExportName(desk.next_id(), desk.now_ms)
    parameters = parameters_of(asked, desk.request.GET.get("user", ""))

    def zipped(pages: Pages) -> Iterator[bytes]:
        return zip_pieces(name, csv_pieces(pages), parameters)

    return attachment(desk.request, _made(desk, asked, zipped), name.zip, ZIP)


@page(may=SEE)
def workbook(desk: Desk) -> HttpResponse:
    """The workbook; it is whole before its first byte is sent."""
    asked = _asked(desk, XLSX_ROWS_MAX)
    if isinstance(asked, HttpResponse):
        return asked
    name = ExportName(desk.next_id(), desk.now_ms)
    return attachment(desk.request, _made(desk, asked, _workbook_pieces), name.xlsx, XLSX)


def _asked(desk: Desk, rows_max: int) -> Asked | HttpResponse:
    """What is to be exported; where that is wrong or too much, back to the report that says so."""
    reader = Reader(desk.cell, desk.owner, desk.catalogue, desk.now_ms)
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
    return asked


def _made(desk: Desk, asked: Asked, pieces_of: Callable[[Pages], Iterator[bytes]]) -> Pieces:
    """The pieces of a file, read with connections of their own: the desk is cleared long before
    the last of them is sent."""
    owner, catalogue, settings = desk.owner, desk.catalogue, current()
    now_ms = desk.now_ms

    def made() -> Generator[bytes, None, None]:
        with (
            closing(connect(settings.control_plane)) as control,
            closing(connect(settings.cells[owner.cell])) as cell,
        ):
            yield from pieces_of(export_pages(control, cell, owner, catalogue, asked, now_ms))

    return made()


def _workbook_pieces(pages: Pages) -> Iterator[bytes]:
    with tempfile.TemporaryDirectory(prefix="talktime-export-") as folder:
        path = Path(folder) / "export.xlsx"
        write_workbook(path, pages)
        yield from file_pieces(path)
