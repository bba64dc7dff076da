"""Usage records as files and documents. Mirrors src/talktime/operations/usage_export.py."""

import csv
import io
import json
import zipfile
from decimal import Decimal

from talktime.core.calls import UsageRecord
from talktime.core.masking import shown_parties
from talktime.core.rating import Rate
from talktime.operations.usage_documents import (
    EXPORT_COLUMNS,
    UsageRow,
    call_log_row,
    export_fields,
)
from talktime.operations.usage_export import ExportName, csv_pieces, write_workbook, zip_pieces
from talktime.store.usage_rows import Person

HEADER = (
    "UsageId,Call ID,Conference ID,User Location,AAD ObjectId,UPN,User Display Name,Caller ID,"
    "Call Type,Number Type,Domestic/International,Destination Dialed,Destination Number,"
    "Start Time,End Time,Duration Seconds,Connection Fee,Charge,Currency,Capability,"
    "External Country,Call Direction,Operator,Source of Call Duration,Administrative unit"
)
START_MS = 1_795_428_000_250  # 2026-11-23T10:00:00.250Z
RATE = Rate("49", "Germany", 15_000, 20_000, 60, 60)


def row(type_="user_out", person=True, display_name="Front desk", **changes):
    record = UsageRecord(
        *(255, 1, 9, 1, "=1+1", "call", type_, 31, "4722001122", "493012345678", "Germany"),
        *("49", RATE.text(), "NOK", START_MS, START_MS + 61_000, 61, 120, 20_000, 50_000),
        *("normal", "MCOPSTNPP", "2026-11", "", 0, 0, "", (), ()),
    )._replace(**changes)
    parties = shown_parties(type_, record.from_digits, record.to_digits, 3)
    who = Person(31, "desk@contoso.example", display_name, "NO") if person else None
    context = "" if type_.endswith("_in") else "International"
    return UsageRow(record, who, "NO", parties, "NO", "DE", context, "Subscriber", "Contoso Voice")


def read(pieces):
    text = b"".join(pieces).decode()
    return text, list(csv.DictReader(io.StringIO(text, newline="")))


def test_the_header_is_that_of_the_reference_then_ours():
    """R76."""
    text, _ = read(csv_pieces([]))
    assert text.startswith(HEADER + ",Record Kind,")
    assert text.endswith("\r\n")
    assert text.count("\r\n") == text.count("\n") == 1


def test_a_row_says_who_called_whom_when_and_for_how_much():
    """R76, R78, R81."""
    _, [line] = read(csv_pieces([[row()]]))
    assert line["UsageId"] == "00000000-0000-0000-0000-0000000000ff"
    assert line["AAD ObjectId"] == "00000000-0000-0000-0000-00000000001f"
    assert line["Caller ID"] == "+4722001122"
    assert line["Destination Number"] == "+493012345***"
    assert line["Destination Dialed"] == "Germany"
    assert (line["Start Time"], line["End Time"]) == (
        "2026-11-23T10:00:00Z",
        "2026-11-23T10:01:01Z",
    )
    assert (line["Charge"], line["Connection Fee"]) == ("0.05", "0.02")
    assert line["Domestic/International"] == "International"


def test_amounts_are_rounded_half_up_and_exact_at_the_end():
    _, [line, back] = read(
        csv_pieces([[row(charge_micros=15_000), row(charge_micros=-15_000, kind="correction")]])
    )
    assert (line["Charge"], line["Charge Exact"]) == ("0.02", "0.015")
    assert (back["Charge"], back["Charge Exact"]) == ("-0.02", "-0.015")
    assert back["Record Kind"] == "correction"


def test_calls_of_bots_have_no_user():
    """R77."""
    _, [line] = read(csv_pieces([[row("ucap_in", person=False)]]))
    assert (line["AAD ObjectId"], line["UPN"], line["User Display Name"]) == ("", "", "")
    assert line["Call Direction"] == "Inbound"


def test_nothing_becomes_a_formula():
    """R76: what is quoted, or could be taken for a formula."""
    hostile = '=HYPERLINK("http://x","y")'
    _, [line] = read(csv_pieces([[row(display_name=hostile)]]))
    assert line["User Display Name"] == "'" + hostile
    assert line["Call ID"] == "'=1+1"


def test_a_workbook_keeps_text_as_text(tmp_path):
    path = tmp_path / "export.xlsx"
    write_workbook(path, [[row(display_name="=1+1"), row()]])
    with zipfile.ZipFile(path) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    assert "=1+1" in sheet
    assert "<v>61</v>" in sheet
    assert list(tmp_path.iterdir()) == [path]


def test_the_zip_has_the_file_and_what_was_asked_for():
    name = ExportName(7, START_MS)
    pieces = list(zip_pieces(name, csv_pieces([[row()], [row()]]), {"fromDate": "2026-11-01"}))
    assert name.zip == "Calls.Export.7.zip"
    with zipfile.ZipFile(io.BytesIO(b"".join(pieces))) as archive:
        assert archive.namelist() == ["PSTN.calls.2026-11-23.csv", "parameters.json"]
        assert len(archive.read("PSTN.calls.2026-11-23.csv").splitlines()) == 3
        assert json.loads(archive.read("parameters.json")) == {"fromDate": "2026-11-01"}


def test_a_document_is_like_a_call_log_row():
    """R78, R81."""
    document = call_log_row(row(), "NO")
    assert document["startDateTime"] == "2026-11-23T10:00:00.2500000Z"
    assert (document["charge"], document["connectionCharge"]) == (Decimal("0.05"), Decimal("0.02"))
    assert (document["callerNumber"], document["calleeNumber"]) == ("+4722001122", "+493012345***")
    assert document["destinationContext"] == "International"
    inbound = call_log_row(row("user_in"), "NO")
    assert inbound["destinationContext"] is None
    assert inbound["callerNumber"] == "+4722001***"


def test_every_column_has_a_field():
    assert len(export_fields(row())) == len(EXPORT_COLUMNS) == len(set(EXPORT_COLUMNS))
