"""Usage records as files: CSV, the zip with it, a workbook. All are made piece by piece as they are
sent, each page of records from a snapshot of its own: an export of a year holds neither memory nor
the databases' logs."""

import csv
import io
import json
import zipfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import xlsxwriter  # type: ignore[import-untyped]

from talktime.core.catalogue import Catalogue
from talktime.core.directory import Organisation
from talktime.operations.csv_text import safe_text
from talktime.operations.usage_documents import (
    AMOUNT_COLUMNS,
    EXPORT_COLUMNS,
    SECONDS_COLUMNS,
    Describer,
    UsageRow,
    export_fields,
)
from talktime.operations.usage_report import Asked, Reader
from talktime.store.database import Connection
from talktime.store.usage_rows import Place

PAGE_RECORDS = 2_000
FILE_BYTES = 64 * 1024
"""What begins like a formula and is none: numbers, and telephone numbers with their mask."""
ZIP_DATE = (1980, 1, 1, 0, 0, 0)
_NUMBERS = frozenset(SECONDS_COLUMNS + AMOUNT_COLUMNS)


class ExportName(NamedTuple):
    """What an export is called: by its id, and the UTC date on which it was made."""

    id: int
    made_ms: int

    @property
    def date(self) -> str:
        """The date, such as 2026-11-29."""
        return datetime.fromtimestamp(self.made_ms // 1000, UTC).strftime("%Y-%m-%d")

    @property
    def zip(self) -> str:
        """The name of the zip."""
        return f"Calls.Export.{self.id}.zip"

    @property
    def csv(self) -> str:
        """The name of the CSV file."""
        return f"PSTN.calls.{self.date}.csv"

    @property
    def xlsx(self) -> str:
        """The name of the workbook."""
        return f"PSTN.calls.{self.date}.xlsx"


def export_pages(
    control: Connection,
    cell: Connection,
    owner: Organisation,
    catalogue: Catalogue,
    asked: Asked,
) -> Iterator[list[UsageRow]]:
    """All records that are wanted, newest first, some thousands at a time. The connections are for
    this alone, and in no transaction. Raises Outage."""
    reader = Reader(cell, owner, catalogue)
    describer = Describer(control, cell, owner, catalogue)
    with cell.snapshot():
        added = reader.add_up(asked)
    before: Place | None = None
    while True:
        with cell.snapshot():
            page = reader.page(asked, added, before, PAGE_RECORDS)
            rows = describer.rows(page.records)
        if rows:
            yield rows
        if page.older is None:
            return
        before = page.older


def csv_pieces(pages: Iterable[list[UsageRow]]) -> Iterator[bytes]:
    """The CSV file (RFC 4180, UTF-8) with its header, a page at a time."""
    yield _csv_text([EXPORT_COLUMNS])
    for page in pages:
        yield _csv_text([[safe_text(field) for field in export_fields(row)] for row in page])


def zip_pieces(
    name: ExportName, pieces: Iterable[bytes], parameters: dict[str, Any]
) -> Iterator[bytes]:
    """The zip of an export: the CSV file, and what was asked for as `parameters.json`."""
    out = _Pieces()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open(_entry(name.csv), "w") as file:
            for piece in pieces:
                file.write(piece)
                yield out.taken()
        text = json.dumps(parameters, indent=2, ensure_ascii=False)
        archive.writestr(_entry("parameters.json"), text)
        yield out.taken()
    yield out.taken()


def write_workbook(path: Path, pages: Iterable[list[UsageRow]]) -> None:
    """Write the records as a workbook: each row goes to the disk as it comes. Seconds and amounts
    are numbers, all else is text, whatever it begins with."""
    book = xlsxwriter.Workbook(
        path, {"constant_memory": True, "tmpdir": str(path.parent), "strings_to_formulas": False}
    )
    sheet = book.add_worksheet("PSTN calls")
    bold, cents = book.add_format({"bold": True}), book.add_format({"num_format": "0.00"})
    for column, title in enumerate(EXPORT_COLUMNS):
        sheet.write_string(0, column, title, bold)
    sheet.freeze_panes(1, 0)
    line = 0
    for page in pages:
        for row in page:
            line += 1
            for column, (title, field) in enumerate(
                zip(EXPORT_COLUMNS, export_fields(row), strict=True)
            ):
                if title not in _NUMBERS:
                    sheet.write_string(line, column, field)
                elif title in AMOUNT_COLUMNS:
                    sheet.write_number(line, column, Decimal(field), cents)
                else:
                    sheet.write_number(line, column, int(field))
    book.close()


def file_pieces(path: Path) -> Iterator[bytes]:
    """A file, some of it at a time."""
    with path.open("rb") as file:
        while piece := file.read(FILE_BYTES):
            yield piece


def parameters_of(asked: Asked, user: str) -> dict[str, Any]:
    """What was asked for, as `parameters.json` says it: the UTC days, and the filter."""
    wanted = asked.wanted
    return {
        "fromDate": _day_text(asked.from_day),
        "toDate": _day_text(asked.to_day),
        "user": user or None,
        "callType": wanted.type or None,
        "country": wanted.country or None,
        "capability": wanted.capability or None,
        "domesticInternational": wanted.context or None,
        "number": asked.number.shown or None,
        "conferenceId": asked.conference_id or None,
    }


def _csv_text(rows: Iterable[Iterable[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()


def _day_text(day: int) -> str:
    return datetime.fromtimestamp(day * 86_400, UTC).strftime("%Y-%m-%d")


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, ZIP_DATE)
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


class _Pieces(io.RawIOBase):
    """What is written to it can be taken away in between; it cannot be gone back in."""

    def __init__(self) -> None:
        super().__init__()
        self._written = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._written += data
        return len(data)

    def taken(self) -> bytes:
        """What was written since it was last taken."""
        piece = bytes(self._written)
        self._written.clear()
        return piece
