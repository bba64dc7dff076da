"""Reading CSV files of people: UTF-8, a header, every bad row named by line and reason.

A line number is the line on which the row begins, the header being line 1.
"""

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from talktime.core.limits import ROW_ERRORS_SHOWN_MAX

Progress = Callable[[str, int], None]
"""Called now and then with what is being done ("read", "written") and the rows done so far."""


class RowError(NamedTuple):
    """What is wrong with one line."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class BadFile:
    """Why a file was refused. All errors are counted; the first of them are named."""

    count: int
    errors: tuple[RowError, ...]


class RowErrors:
    """What was found to be wrong so far."""

    def __init__(self) -> None:
        self.count = 0
        self.first: list[RowError] = []

    def add(self, line: int, reason: str) -> None:
        """Count an error, and keep it while there is room."""
        self.count += 1
        if self.count <= ROW_ERRORS_SHOWN_MAX:
            self.first.append(RowError(line, reason))

    def result(self) -> BadFile:
        """All that was wrong, by line."""
        return BadFile(self.count, tuple(sorted(self.first)))


def unreadable(content: bytes, bytes_max: int) -> RowError | None:
    """Why a file's bytes are no text to read rows from."""
    if len(content) > bytes_max:
        return RowError(1, f"the file is larger than {bytes_max:,} bytes")
    try:
        content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return RowError(
            line,
            f"byte 0x{content[error.start]:02X} at offset {error.start} is not UTF-8; "
            "save the file as UTF-8",
        )
    return None


def records(content: bytes, errors: RowErrors) -> Iterator[tuple[int, list[str]]]:
    """Each record that is not blank, with the line on which it begins. Semicolons part the columns
    where the first line has no comma: so spreadsheets write them whose decimals have one."""
    first = content.partition(b"\n")[0]
    delimiter = ";" if b";" in first and b"," not in first else ","
    text = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8-sig", newline="")
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            errors.add(line, _broken(str(error), reader.line_num - line + 1))
            continue
        if fields:
            yield line, fields


def _broken(error: str, lines: int) -> str:
    if "unexpected end of data" in error:
        return "a quote that opens on this line is never closed"
    if "field larger" in error:
        most = f"{csv.field_size_limit():,} characters"
        if lines > 1:
            return f"a quote that opens on this line is not closed within {most}"
        return f"a cell of this line has more than {most}"
    return f"the quotes are broken: {error}"


def columns_of(
    header: list[str], columns: tuple[str, ...], must_have: Iterable[str]
) -> list[str] | str:
    """The columns that a header names, in its order, or what is wrong with it.

    >>> columns_of(["Name", " kind "], ("name", "kind"), {"name"})
    ['name', 'kind']
    >>> columns_of(["kind", "size"], ("name", "kind"), {"name"})
    "the header misses name and has unknown columns 'size'; the columns are name,kind"
    """
    names = [name.strip().casefold() for name in header]
    doubled = sorted(name for name, times in Counter(names).items() if times > 1)
    if doubled:
        return f"the header names these columns twice: {', '.join(doubled[:10])[:200]}"
    missing = sorted(set(must_have) - set(names))
    unknown = [name for name in names if name not in columns]
    wrong = []
    if missing:
        wrong.append(f"misses {', '.join(missing)}")
    if unknown:
        wrong.append(f"has unknown columns {', '.join(repr(name[:40]) for name in unknown[:10])}")
    if wrong:
        return f"the header {' and '.join(wrong)}; the columns are {','.join(columns)}"
    return names
