"""Reading a rate file: every row right, or every bad row named by line and reason. No database.

Two layouts are told apart by their header, docs/reference/rate-files.md describes both:
- our own: a column for each field of a row; only prefix, destination and price_per_minute must be
- a published one: `Destination Name,Destination Type,Country,Prefix,Price / min`

A line number is the line on which the row begins, the header being line 1.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache

from talktime.core.limits import (
    DESTINATION_TEXT_MAX,
    INCREMENT_S_MAX,
    PREFIX_DIGITS_MAX,
    RATE_FILE_BYTES_MAX,
    RATE_MICROS_MAX,
    RATE_ROWS_MAX,
)
from talktime.core.money import decimal_text, parse_micros
from talktime.core.rates import DIRECTIONS, RateRow
from talktime.core.rating import Rate
from talktime.operations.csv_rows import (
    BadFile,
    Progress,
    RowErrors,
    columns_of,
    records,
    unreadable,
)
from talktime.operations.csv_text import bare_text

KINDS = ("landline", "mobile", "mixed", "non-geographic", "special", "freephone")
FREE_KIND = "freephone"
DEFAULT_INCREMENT_S = 60

OWN_COLUMNS = (
    "direction",
    "prefix",
    "destination",
    "kind",
    "country",
    "price_per_minute",
    "connection_fee",
    "first_increment_s",
    "next_increment_s",
    "valid_from",
)
_OWN_MUST_HAVE = {"prefix", "destination", "price_per_minute"}
_PUBLISHED_COLUMNS = {
    "destination name": "destination",
    "destination type": "kind",
    "country": "country",
    "prefix": "prefix",
    "price / min": "price_per_minute",
}

_COUNTRY = re.compile(r"[A-Z]{2}")
_WHOLE_NUMBER = re.compile(r"[0-9]{1,9}")
_DATE_YEARS = range(2000, 2101)
_PROGRESS_ROWS = 10_000


def read_rate_file(
    content: bytes,
    *,
    valid_from_ms: int,
    progress: Progress | None = None,
    rows_max: int = RATE_ROWS_MAX,
    bytes_max: int = RATE_FILE_BYTES_MAX,
) -> list[RateRow] | BadFile:
    """Read all rows of a rate file, or say what is wrong with each bad one.

    `valid_from_ms` is when the rows without a date of their own come into force. Refused are:
    another encoding than UTF-8, unknown or missing columns, rows of another length, a prefix that
    is not 1 to 15 digits or stands twice for one time, a price that is negative, not exact in
    micros, or zero for anything but kind `freephone`, and whatever docs/reference/rate-files.md
    lists beside these.

    >>> header = b"prefix,destination,price_per_minute\\n"
    >>> [row] = read_rate_file(header + b"49,Germany,0.015\\n", valid_from_ms=0)
    >>> row.rate.text()
    '["49","Germany",15000,0,60,60]'
    >>> read_rate_file(header + b"49,Germany,free\\n", valid_from_ms=0).errors
    (RowError(line=2, reason="price_per_minute: 'free' is not a decimal number such as 12.5"),)
    """
    errors = RowErrors()
    problem = unreadable(content, bytes_max)
    if problem is not None:
        errors.add(*problem)
        return errors.result()
    found = records(content, errors)
    first = next(found, None)
    if first is None:
        if not errors.count:
            errors.add(1, "the file is empty")
        return errors.result()
    columns = _columns(first[1])
    if isinstance(columns, str):
        errors.add(first[0], columns)
        return errors.result()
    reader = _RowReader(columns, valid_from_ms)
    rows = _rows(found, reader, rows_max, errors, progress)
    if not rows and not errors.count:
        errors.add(first[0], "the file has a header and no rows")
    return errors.result() if errors.count else rows


def _columns(header: list[str]) -> list[str] | str:
    """Our names of the file's columns in its order, or what is wrong with the header."""
    names = [name.strip().casefold() for name in header]
    if len(names) == len(_PUBLISHED_COLUMNS) and set(names) == set(_PUBLISHED_COLUMNS):
        return [_PUBLISHED_COLUMNS[name] for name in names]
    return columns_of(header, OWN_COLUMNS, _OWN_MUST_HAVE)


def _rows(
    found: Iterator[tuple[int, list[str]]],
    reader: "_RowReader",
    rows_max: int,
    errors: RowErrors,
    progress: Progress | None,
) -> list[RateRow]:
    lines_of_prefixes: dict[tuple[str, int], dict[str, int]] = {}
    rows: list[RateRow] = []
    for done, (line, fields) in enumerate(found, 1):
        if done > rows_max:
            errors.add(line, f"the file has more than {rows_max:,} rows")
            break
        try:
            row = reader.read(fields)
        except ValueError as error:
            errors.add(line, str(error))
            continue
        lines = lines_of_prefixes.setdefault((row.direction, row.valid_from_ms), {})
        first_line = lines.setdefault(row.rate.prefix, line)
        if first_line != line:
            errors.add(line, f"prefix: {row.rate.prefix} stands already on line {first_line}")
            continue
        rows.append(row)
        if progress is not None and done % _PROGRESS_ROWS == 0:
            progress("read", done)
    if progress is not None:
        progress("read", len(rows))
    return rows


class _RowReader:
    """Turns fields into a row. Columns that the file lacks are read as empty."""

    def __init__(self, columns: list[str], valid_from_ms: int) -> None:
        self._width = len(columns)
        self._places = [columns.index(name) if name in columns else -1 for name in OWN_COLUMNS]
        self._valid_from_ms = valid_from_ms

    def read(self, fields: list[str]) -> RateRow:
        """Raises ValueError with the column and the reason for the first thing that is wrong."""
        if len(fields) != self._width:
            raise ValueError(f"columns of the row: {len(fields)}, of the header: {self._width}")
        # The empty field at the end is what place -1 reads.
        fields.append("")
        (
            direction, prefix, destination, kind, country, price, fee, first_s, next_s, valid_from
        ) = [fields[place] for place in self._places]  # fmt: skip
        kind = _kind(kind)
        rate = Rate(
            _prefix(prefix),
            _destination(destination),
            _price(price, kind),
            _fee(fee),
            _increment("first_increment_s", first_s),
            _increment("next_increment_s", next_s),
        )
        from_ms = _date_ms(valid_from) if valid_from else self._valid_from_ms
        return RateRow(_direction(direction), rate, from_ms, kind, _country(country))


def _direction(text: str) -> str:
    if text and text not in DIRECTIONS:
        raise ValueError(f"direction: {text[:40]!r} is not one of {', '.join(DIRECTIONS)}")
    return text or DIRECTIONS[0]


def _prefix(text: str) -> str:
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f"prefix: {text[:40]!r} is not digits alone, without +, such as 4420")
    if len(text) > PREFIX_DIGITS_MAX:
        raise ValueError(f"prefix: {text[:40]} is longer than {PREFIX_DIGITS_MAX} digits")
    if text[0] == "0":
        raise ValueError(f"prefix: {text} begins with 0; it must begin with a country code")
    return text


@lru_cache(10_000)
def _destination(text: str) -> str:
    name = bare_text(text.strip())
    if not name:
        raise ValueError("destination: is empty")
    if len(name) > DESTINATION_TEXT_MAX:
        raise ValueError(f"destination: is longer than {DESTINATION_TEXT_MAX} characters")
    if not name.isprintable():
        raise ValueError(f"destination: {name[:40]!r} holds a character that cannot be printed")
    return name


@lru_cache(1_000)
def _kind(text: str) -> str:
    kind = text.strip().casefold()
    if kind and kind not in KINDS:
        raise ValueError(f"kind: {text[:40]!r} is not one of {', '.join(KINDS)}")
    return kind


@lru_cache(1_000)
def _country(text: str) -> str:
    if text and _COUNTRY.fullmatch(text) is None:
        raise ValueError(f"country: {text[:40]!r} is not a code of two capital letters")
    return text


@lru_cache(100_000)
def _price(text: str, kind: str) -> int:
    price_micros = _micros("price_per_minute", text)
    if price_micros == 0 and kind != FREE_KIND:
        raise ValueError(f"price_per_minute: is zero, which only kind {FREE_KIND} may be")
    return price_micros


@lru_cache(10_000)
def _fee(text: str) -> int:
    return _micros("connection_fee", text) if text else 0


def _micros(column: str, text: str) -> int:
    try:
        micros = parse_micros(text)
    except ValueError as error:
        raise ValueError(f"{column}: {error}") from None
    if text.startswith("-"):
        raise ValueError(f"{column}: {text} is negative")
    if micros > RATE_MICROS_MAX:
        raise ValueError(f"{column}: {text} is more than {decimal_text(RATE_MICROS_MAX)}")
    return micros


@lru_cache(10_000)
def _increment(column: str, text: str) -> int:
    if not text:
        return DEFAULT_INCREMENT_S
    if _WHOLE_NUMBER.fullmatch(text) is None or not 1 <= int(text) <= INCREMENT_S_MAX:
        raise ValueError(
            f"{column}: {text[:40]!r} is not a whole number from 1 to {INCREMENT_S_MAX}"
        )
    return int(text)


@lru_cache(10_000)
def _date_ms(text: str) -> int:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(
            f"valid_from: {text[:40]!r} is not a date such as 2026-01-31 or 2026-01-31T12:00:00Z"
        ) from None
    if at.year not in _DATE_YEARS:
        raise ValueError(
            f"valid_from: {text} is not between {_DATE_YEARS[0]} and {_DATE_YEARS[-1]}"
        )
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
    since_epoch = at - datetime(1970, 1, 1, tzinfo=UTC)
    return (
        since_epoch.days * 86_400 + since_epoch.seconds
    ) * 1000 + since_epoch.microseconds // 1000
