"""Usage records as files to be saved: the same bytes for a browser and for a program."""

import tempfile
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from django.http import HttpRequest, HttpResponse

from talktime.console.databases import current
from talktime.console.streaming import Pieces, attachment
from talktime.core.catalogue import Catalogue
from talktime.core.directory import Organisation
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
from talktime.operations.usage_report import Asked
from talktime.store.database import connect

CSV, ZIP = "text/csv", "application/zip"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
Pages = Iterator[list[UsageRow]]


class Export(NamedTuple):
    """One export: whose records, which of them, when it is made and by which id. The number of
    records is the caller's to look at (limits.CSV_ROWS_MAX, XLSX_ROWS_MAX)."""

    owner: Organisation
    catalogue: Catalogue
    asked: Asked
    now_ms: int
    id: int

    @property
    def name(self) -> ExportName:
        """What its files are called."""
        return ExportName(self.id, self.now_ms)


def csv_file(request: HttpRequest, export: Export) -> HttpResponse:
    """The CSV file."""
    made = _made(export, csv_pieces)
    return attachment(request, made, export.name.csv, f"{CSV}; charset=utf-8")


def zip_file(request: HttpRequest, export: Export, user: str) -> HttpResponse:
    """The zip with the CSV file and the parameters; `user` as it was asked for."""
    parameters = parameters_of(export.asked, user)

    def zipped(pages: Pages) -> Iterator[bytes]:
        return zip_pieces(export.name, csv_pieces(pages), parameters)

    return attachment(request, _made(export, zipped), export.name.zip, ZIP)


def workbook(request: HttpRequest, export: Export) -> HttpResponse:
    """The workbook; it is whole before its first byte is sent."""
    return attachment(request, _made(export, _workbook_pieces), export.name.xlsx, XLSX)


def _made(export: Export, pieces_of: Callable[[Pages], Iterator[bytes]]) -> Pieces:
    """The pieces of a file, read with connections of their own: what the request has open is
    closed long before the last of them is sent."""
    owner, catalogue, asked, *_ = export
    settings = current()

    def made() -> Generator[bytes, None, None]:
        with (
            closing(connect(settings.control_plane)) as control,
            closing(connect(settings.cells[owner.cell])) as cell,
        ):
            yield from pieces_of(export_pages(control, cell, owner, catalogue, asked))

    return made()


def _workbook_pieces(pages: Pages) -> Iterator[bytes]:
    with tempfile.TemporaryDirectory(prefix="talktime-export-") as folder:
        path = Path(folder) / "export.xlsx"
        write_workbook(path, pages)
        yield from file_pieces(path)
