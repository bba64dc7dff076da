"""Users in files. Mirrors src/talktime/operations/user_file.py."""

import pytest

from talktime.core.directory import User
from talktime.core.licensing import Holder
from talktime.core.limits import ROW_ERRORS_SHOWN_MAX
from talktime.operations.csv_rows import RowErrors
from talktime.operations.user_changes import NO_LIMIT, UserChange
from talktime.operations.user_file import (
    COLUMNS,
    change_of_document,
    read_user_file,
    user_csv,
    user_document,
)

HOLDER = Holder(
    User(
        *(5, 7, "front-desk@contoso.example", 'Front "desk", Oslo', "NO"),
        *(frozenset({"MCOEV", "MCOMEETADV"}), "person", True, "DialoutCPCandPSTNDomestic"),
        *(25_500_000, False),
    ),
    frozenset({"MCOEV"}),
    frozenset({"sales", "agents"}),
)


def read(text, **bounds):
    errors = RowErrors()
    content = text if isinstance(text, bytes) else text.encode()
    return read_user_file(content, errors, **bounds), errors.result()


def test_a_user_is_written_and_read_back_the_same():
    text = "".join(user_csv([HOLDER]))
    assert text == (
        f"{','.join(COLUMNS)}\r\n"
        'front-desk@contoso.example,"Front ""desk"", Oslo",NO,MCOEV,agents;sales,'
        "DialoutCPCandPSTNDomestic,25.5,no,person,yes\r\n"
    )
    [row], bad = read(text)
    assert bad.count == 0
    assert row.change == UserChange(
        "front-desk@contoso.example",
        display_name='Front "desk", Oslo',
        usage_location="NO",
        licences=frozenset({"MCOEV"}),
        groups=frozenset({"sales", "agents"}),
        policy="DialoutCPCandPSTNDomestic",
        spend_limit_micros=25_500_000,
        toll_free_dial_in=False,
        kind="person",
        active=True,
    )


def test_a_name_like_a_formula_is_written_so_that_no_spreadsheet_runs_it():
    evil = HOLDER._replace(user=HOLDER.user._replace(display_name="=HYPERLINK(1)"))
    assert ",'=HYPERLINK(1)," in "".join(user_csv([evil]))


def test_a_users_document_is_the_change_that_makes_it():
    document = user_document(HOLDER)
    assert document["all_licences"] == ["MCOEV", "MCOMEETADV"]
    fields = {name: document[name] for name in COLUMNS}
    [row], _ = read("".join(user_csv([HOLDER])))
    assert change_of_document(fields) == row.change
    assert change_of_document({"name": "a", "spend_limit": None}).spend_limit_micros == NO_LIMIT
    assert change_of_document({"name": "a"}) == UserChange("a")


def test_columns_that_are_not_there_say_nothing_and_empty_cells_say_none():
    [row], _ = read("name\na\n")
    assert row.change == UserChange("a")
    [row], _ = read(
        "Name, licences ,groups,policy,spend_limit,kind,active,usage_location\na,,,,,,,\n"
    )
    assert row.change == UserChange(
        "a", licences=frozenset(), groups=frozenset(), policy="", spend_limit_micros=NO_LIMIT
    )


def test_licences_are_separated_by_spaces_or_semicolons():
    [row], _ = read("name,licences\na, MCOEV; MCOPSTN1 MCOPSTNC\n")
    assert row.change.licences == {"MCOEV", "MCOPSTN1", "MCOPSTNC"}


def test_semicolons_part_the_columns_where_the_header_has_no_comma():
    text = 'name;display_name;licences\nlobby;"Lobby, Oslo";"MCOEV;MCOPSTN1"\nhall;Hall\n'
    rows, bad = read(text)
    assert [(row.line, row.change.name, row.change.display_name) for row in rows] == [
        (2, "lobby", "Lobby, Oslo")
    ]
    assert rows[0].change.licences == {"MCOEV", "MCOPSTN1"}
    assert bad.errors == ((3, "columns of the row: 2, of the header: 3"),)


def test_every_bad_row_is_named_by_line_and_the_good_ones_are_read():
    rows, bad = read(
        'name,active,spend_limit\na,yes,1\nb,maybe,\n"c\nd",no,x\ne,no,-1\nf\ng,NO,0\n'
    )
    assert [(row.line, row.change.name) for row in rows] == [(2, "a"), (8, "g")]
    assert [tuple(error) for error in bad.errors] == [
        (3, "active: 'maybe' is neither yes nor no"),
        (4, "spend_limit: 'x' is not a decimal number such as 12.5"),
        (6, "spend_limit: -1 is negative"),
        (7, "columns of the row: 1, of the header: 3"),
    ]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "the file is empty"),
        (b"name\n", "the file has a header and no rows"),
        (b"name\n\xff\n", "byte 0xFF at offset 5 is not UTF-8; save the file as UTF-8"),
        (b"display_name\na\n", "the header misses name; the columns are name,display_name,"),
        (b"name,name\na,b\n", "the header names these columns twice: name"),
        (b"," * 100_000, "the header names these columns twice: "),
        (b"name,size\na,b\n", "the header has unknown columns 'size'; the columns are name,"),
        (b'name\n"a\n', "a quote that opens on this line is never closed"),
    ],
)
def test_a_file_that_is_no_list_of_users_is_refused(text, reason):
    rows, bad = read(text)
    assert (rows, bad.count) == ([], 1)
    assert bad.errors[0].reason.startswith(reason)


@pytest.mark.parametrize("cell", ["x" * 1_000_000, f'"{"x" * 1_000_000}"'])
def test_a_cell_that_is_too_long_is_said_to_be(cell):
    rows, bad = read(f"name,display_name\na,b\nc,{cell}\nd,e\n")
    assert [row.change.name for row in rows] == ["a", "d"]
    assert bad.errors == ((3, "a cell of this line has more than 131,072 characters"),)


def test_a_byte_order_mark_is_skipped():
    [row], _ = read("\ufeffname\na\n")
    assert row.change.name == "a"


def test_more_rows_or_bytes_than_allowed_are_refused():
    assert read("name\na\nb\n", rows_max=1)[1].errors == ((3, "the file has more than 1 rows"),)
    assert read("name\na\n", bytes_max=5)[1].errors == ((1, "the file is larger than 5 bytes"),)


def test_errors_are_all_counted_and_the_first_are_named():
    _, bad = read("name,active\n" + "a,maybe\n" * 150)
    assert (bad.count, len(bad.errors)) == (150, ROW_ERRORS_SHOWN_MAX)


def test_what_an_export_protects_from_spreadsheets_is_read_as_it_was():
    names = ("=HYPERLINK(1)", "+1+cmd", "@sum", "'=quoted", "'s-Hertogenbosch", "-front desk")
    holders = [
        HOLDER._replace(user=HOLDER.user._replace(id=number, name=name), groups=frozenset({"=x"}))
        for number, name in enumerate(names, 1)
    ]
    text = "".join(user_csv(holders))
    assert "'=HYPERLINK(1)" in text
    assert ",=" not in text
    errors = RowErrors()
    assert tuple(row.change.name for row in read_user_file(text.encode(), errors)) == names
    assert errors.count == 0
