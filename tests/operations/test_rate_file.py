"""Reading rate files. Mirrors src/talktime/operations/rate_file.py."""

from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talktime.core import limits
from talktime.core.rates import RateRow
from talktime.core.rating import Rate
from talktime.operations.csv_rows import BadFile, RowError
from talktime.operations.rate_file import read_rate_file

HEADER = "prefix,destination,price_per_minute"
FULL_HEADER = (
    "direction,prefix,destination,kind,country,price_per_minute,connection_fee,"
    "first_increment_s,next_increment_s,valid_from"
)
THE_COLUMNS = f"the columns are {FULL_HEADER}"
PUBLISHED_HEADER = "Destination Name,Destination Type,Country,Prefix,Price / min"
START_MS = 1_700_000_000_000


def read(*lines, newline="\n", encoding="utf-8"):
    content = newline.join([*lines, ""]).encode(encoding)
    return read_rate_file(content, valid_from_ms=START_MS)


def reasons(answer):
    assert isinstance(answer, BadFile)
    assert answer.count == len(answer.errors)
    return [tuple(error) for error in answer.errors]


def test_our_own_layout_is_read_with_all_its_columns():
    rows = read(
        FULL_HEADER,
        "outbound,447,UK mobile,mobile,GB,0.029,0.01,30,6,2026-01-31",
        "toll_free_in,1800,US toll-free,freephone,US,0,,,,",
    )
    assert rows == [
        RateRow(
            "outbound",
            Rate("447", "UK mobile", 29_000, 10_000, 30, 6),
            1_769_817_600_000,
            "mobile",
            "GB",
        ),
        RateRow(
            "toll_free_in",
            Rate("1800", "US toll-free", 0, 0, 60, 60),
            START_MS,
            "freephone",
            "US",
        ),
    ]


def test_three_columns_are_enough_and_may_stand_in_any_order():
    rows = read("Price_Per_Minute, destination ,PREFIX", "0.015,Germany,49")
    assert rows == [RateRow("outbound", Rate("49", "Germany", 15_000, 0, 60, 60), START_MS)]


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_the_published_layout_is_read_with_and_without_a_byte_order_mark(newline, encoding):
    rows = read(
        PUBLISHED_HEADER, '"Korea, South",mixed,KR,82,0.04', newline=newline, encoding=encoding
    )
    rate = Rate("82", "Korea, South", 40_000, 0, 60, 60)
    assert rows == [RateRow("outbound", rate, START_MS, "mixed", "KR")]


def test_a_minute_may_cost_a_million_in_a_currency_of_small_units():
    [row] = read("prefix,destination,price_per_minute,connection_fee", "870,At sea,1000000,5000")
    assert row.rate == Rate("870", "At sea", 10**12, 5_000_000_000, 60, 60)


def test_a_date_may_carry_a_time_and_a_zone():
    rows = read(
        "prefix,destination,price_per_minute,valid_from",
        "49,Germany,1,2026-01-31T00:00:00Z",
        "44,UK,1,2026-01-31T01:00:00+01:00",
        "33,France,1,2026-01-31",
    )
    assert {row.valid_from_ms for row in rows} == {1_769_817_600_000}


def test_one_prefix_may_stand_for_several_times_and_both_directions():
    rows = read(
        "direction,prefix,destination,price_per_minute,valid_from",
        "outbound,1800,Toll-free,0.01,2026-01-01",
        "outbound,1800,Toll-free,0.02,2026-02-01",
        "toll_free_in,1800,Toll-free,0.03,2026-01-01",
    )
    assert [row.rate.per_minute_micros for row in rows] == [10_000, 20_000, 30_000]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("49,Germany", "columns of the row: 2, of the header: 3"),
        ("49,Germany,1,2", "columns of the row: 4, of the header: 3"),
        (",Germany,1", "prefix: '' is not digits alone, without +, such as 4420"),
        ("+49,Germany,1", "prefix: '+49' is not digits alone, without +, such as 4420"),
        ("4９,Germany,1", "prefix: '4９' is not digits alone, without +, such as 4420"),
        ("049,Germany,1", "prefix: 049 begins with 0; it must begin with a country code"),
        ("1" * 16 + ",X,1", "prefix: 1111111111111111 is longer than 15 digits"),
        ("49, ,1", "destination: is empty"),
        ("49," + "x" * 201 + ",1", "destination: is longer than 200 characters"),
        ("49,Ger\0many,1", "destination: 'Ger\\x00many' holds a character that cannot be printed"),
        ("49\0,Germany,1", "prefix: '49\\x00' is not digits alone, without +, such as 4420"),
        ("49,Germany,-0.01", "price_per_minute: -0.01 is negative"),
        ("49,Germany,0", "price_per_minute: is zero, which only kind freephone may be"),
        ("49,Germany,0.000", "price_per_minute: is zero, which only kind freephone may be"),
        ("49,Germany,0.0000001", "price_per_minute: '0.0000001' has more than 6 decimals"),
        ("49,Germany,1000000.1", "price_per_minute: 1000000.1 is more than 1000000"),
        ("49,Germany,", "price_per_minute: '' is not a decimal number such as 12.5"),
        ("49,Germany,NaN", "price_per_minute: 'NaN' is not a decimal number such as 12.5"),
        ("49,Germany,1e3", "price_per_minute: '1e3' is not a decimal number such as 12.5"),
        ('49,Germany,"1,5"', "price_per_minute: '1,5' is not a decimal number such as 12.5"),
        ('49,"Ger"many,1', "the quotes are broken: ',' expected after '\"'"),
    ],
)
def test_each_bad_row_is_named_by_its_line_and_reason(line, reason):
    assert reasons(read(HEADER, "44,UK,0.01", "", line, "33,France,0.01")) == [(4, reason)]


@pytest.mark.parametrize(
    ("column", "text", "reason"),
    [
        ("direction", "inbound", "'inbound' is not one of outbound, toll_free_in, toll_in"),
        (
            "kind",
            "cell",
            "'cell' is not one of landline, mobile, mixed, non-geographic, special, freephone",
        ),
        ("country", "de", "'de' is not a code of two capital letters"),
        ("connection_fee", "-1", "-1 is negative"),
        ("connection_fee", "x", "'x' is not a decimal number such as 12.5"),
        ("first_increment_s", "0", "'0' is not a whole number from 1 to 3600"),
        ("first_increment_s", "1.5", "'1.5' is not a whole number from 1 to 3600"),
        ("next_increment_s", "3601", "'3601' is not a whole number from 1 to 3600"),
        ("next_increment_s", "-6", "'-6' is not a whole number from 1 to 3600"),
        (
            "valid_from",
            "31.01.2026",
            "'31.01.2026' is not a date such as 2026-01-31 or 2026-01-31T12:00:00Z",
        ),
        (
            "valid_from",
            "2026-02-30",
            "'2026-02-30' is not a date such as 2026-01-31 or 2026-01-31T12:00:00Z",
        ),
        ("valid_from", "1999-12-31", "1999-12-31 is not between 2000 and 2100"),
    ],
)
def test_each_optional_column_is_checked(column, text, reason):
    answer = read(f"{HEADER},{column}", f"49,Germany,0.01,{text}")
    assert reasons(answer) == [(2, f"{column}: {reason}")]


def test_all_bad_rows_are_named_at_once():
    answer = read(HEADER, "x,Germany,1", "44,UK,1", "33,France,-1", "44,UK again,1")
    assert reasons(answer) == [
        (2, "prefix: 'x' is not digits alone, without +, such as 4420"),
        (4, "price_per_minute: -1 is negative"),
        (5, "prefix: 44 stands already on line 3"),
    ]


def test_errors_beyond_the_first_hundred_are_counted():
    answer = read(HEADER, *(f"{prefix},X,-1" for prefix in range(1, 251)))
    assert answer.count == 250
    assert len(answer.errors) == limits.ROW_ERRORS_SHOWN_MAX == 100


@pytest.mark.parametrize(
    ("content", "line", "reason"),
    [
        (b"", 1, "the file is empty"),
        (b"\xef\xbb\xbf\r\n\r\n", 1, "the file is empty"),
        (HEADER.encode(), 1, "the file has a header and no rows"),
        (
            HEADER.encode() + b"\n49,\xd6sterreich,1\n",
            2,
            "byte 0xD6 at offset 39 is not UTF-8; save the file as UTF-8",
        ),
        (
            HEADER.encode("utf-16"),
            1,
            "byte 0xFF at offset 0 is not UTF-8; save the file as UTF-8",
        ),
        (
            HEADER.encode() + b'\n44,UK,1\n49,"Germany,1\n33,France,1\n',
            3,
            "a quote that opens on this line is never closed",
        ),
        (b"prefix,Prefix,destination\n", 1, "the header names these columns twice: prefix"),
        (
            b"prefix,name,price_per_minute\n",
            1,
            "the header misses destination and has unknown columns 'name'; " + THE_COLUMNS,
        ),
        (
            b"49,Germany,0.01\n",
            1,
            "the header misses destination, prefix, price_per_minute "
            "and has unknown columns '49', 'germany', '0.01'; " + THE_COLUMNS,
        ),
    ],
)
def test_a_file_that_is_no_rate_file_is_refused_with_the_reason(content, line, reason):
    assert reasons(read_rate_file(content, valid_from_ms=0)) == [(line, reason)]


def test_a_quote_that_is_not_closed_is_found_in_a_large_file_too():
    lines = [HEADER, '49,"Germany,1', *(f"{prefix},X,1" for prefix in range(100_000, 120_000))]
    reason = "a quote that opens on this line is not closed within 131,072 characters"
    assert (2, reason) in reasons(read(*lines))[:1]


def test_a_file_has_a_largest_number_of_rows_and_bytes():
    content = "\n".join([HEADER, "1,A,1", "2,B,1", "3,C,1", "4,D,1"]).encode()
    answer = read_rate_file(content, valid_from_ms=0, rows_max=2)
    assert reasons(answer) == [(4, "the file has more than 2 rows")]
    answer = read_rate_file(content, valid_from_ms=0, bytes_max=20)
    assert reasons(answer) == [(1, "the file is larger than 20 bytes")]


def test_progress_is_told():
    told = []
    content = "\n".join([HEADER, *(f"{p},X,1" for p in range(10_000, 22_000))]).encode()
    read_rate_file(content, valid_from_ms=0, progress=lambda *done: told.append(done))
    assert told == [("read", 10_000), ("read", 12_000)]


@given(st.binary(max_size=200))
def test_any_bytes_after_a_header_are_read_or_named(content):
    answer = read_rate_file(HEADER.encode() + b"\n" + content, valid_from_ms=0)
    if isinstance(answer, BadFile):
        assert answer.count > 0
        assert all(isinstance(error, RowError) and error.line >= 1 for error in answer.errors)
    else:
        assert answer


def test_the_demo_card_is_right_and_serves_both_directions():
    rows = read_rate_file(
        files("talktime").joinpath("demo_rates.csv").read_bytes(), valid_from_ms=0
    )
    assert len(rows) == 78
    by_direction = {direction: set() for direction in ("outbound", "toll_free_in")}
    for row in rows:
        by_direction[row.direction].add(row.country)
    assert {"US", "GB", "DE", "NO"} <= by_direction["outbound"] & by_direction["toll_free_in"]
    assert {(row.rate.first_increment_s, row.rate.next_increment_s) for row in rows} == {
        (60, 60), (30, 6), (1, 1)
    }  # fmt: skip
