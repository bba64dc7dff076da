"""What a command prints: a table or a panel for people, or one JSON document for programs.

Whatever comes from outside is printed as plain text: no markup, no control characters.
"""

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Annotated, Any

import typer
from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from talktime.core.money import decimal_text
from talktime.operations.render import utc_text

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead.")]

WIDTH_WITHOUT_TERMINAL = 120
NOTHING = "—"
READABLE_WIDTH = 16
COLUMN_GAP = 3


def console(*, stderr: bool = False) -> Console:
    """A console on today's stdout or stderr; wide where there is no terminal to fit into."""
    stream = sys.stderr if stderr else sys.stdout
    width = None
    if not stream.isatty() and "COLUMNS" not in os.environ:
        width = WIDTH_WITHOUT_TERMINAL
    return Console(file=stream, width=width, highlight=False, markup=False, emoji=False)


def show(as_json: bool, document: object, *pictures: RenderableType) -> None:
    """Print the document as JSON, or its pictures for people."""
    if as_json:
        print(json.dumps(document, ensure_ascii=False, indent=2))
        return
    out = console()
    for picture in pictures:
        out.print(picture)


def plain(value: object) -> Text:
    """A value as printable text; a dash for nothing."""
    if isinstance(value, Text):
        return value
    if value is None or value == "":
        return Text(NOTHING, style="dim")
    if isinstance(value, bool):
        return Text("yes" if value else "no")
    text = str(value)
    if not text.isprintable():
        text = "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)
    return Text(text, overflow="fold")


class Rows:
    """Rows under their columns' names; one below the other, as records, where that is too wide."""

    def __init__(
        self, columns: Sequence[str], rows: list[list[Text]], title: str, right: Sequence[str]
    ) -> None:
        self._columns = columns
        self._rows = rows
        self._title = title
        self._right = right

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Draw what fits."""
        if self._title:
            yield Text(self._title, style="bold")
        yield self._side_by_side() if self._fits(options.max_width) else self._records()

    def _fits(self, width: int) -> bool:
        """Whether each column gets a width at which a person can still read it."""
        needed = -COLUMN_GAP
        for place, column in enumerate(self._columns):
            widest = max([cell_len(column), *(row[place].cell_len for row in self._rows)])
            needed += min(widest, READABLE_WIDTH) + COLUMN_GAP
        return needed <= width

    def _side_by_side(self) -> Table:
        drawn = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
        for column in self._columns:
            drawn.add_column(
                column, justify="right" if column in self._right else "left", overflow="fold"
            )
        for row in self._rows:
            drawn.add_row(*row)
        return drawn

    def _records(self) -> Group:
        drawn: list[RenderableType] = []
        for row in self._rows:
            grid = facts_grid()
            for column, value in zip(self._columns, row, strict=True):
                grid.add_row(column, value)
            drawn.append(Padding(grid, (0, 0, 1, 0)))
        return Group(*drawn)


def table(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    title: str = "",
    right: Sequence[str] = (),
    empty: str = "There are none.",
) -> RenderableType:
    """Rows under their columns' names; those in `right` hold figures and stand on the right."""
    texts = [[plain(value) for value in row] for row in rows]
    if not texts:
        return Text(f"{title}: {empty}" if title else empty)
    return Padding(Rows(columns, texts, title, right), (0, 0, 1, 0))


def facts_grid() -> Table:
    """A grid of names and values."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", min_width=6, overflow="fold")
    grid.add_column(overflow="fold")
    return grid


def panel(title: str, facts: Mapping[str, object], *more: RenderableType) -> RenderableType:
    """One thing: its facts by name, and what else belongs to it."""
    grid = facts_grid()
    for name, value in facts.items():
        grid.add_row(name, value if isinstance(value, Group) else plain(value))
    body = Group(grid, *(Padding(part, (1, 0, 0, 0)) for part in more))
    return Panel(body, title=plain(title), title_align="left", expand=False, padding=(0, 1))


def lines(values: Iterable[object]) -> Group:
    """Several values as one fact, a line each."""
    return Group(*(plain(value) for value in values))


@cache
def decimals_of(currency: str) -> int:
    """A currency's own decimals (D19)."""
    from babel.numbers import get_currency_precision

    return get_currency_precision(currency)


def amount(micros: int, currency: str) -> str:
    """An exact amount for people: at least the currency's own decimals, and the currency.

    >>> amount(5_000_000, "USD"), amount(15_001, "USD"), amount(-1_500_000, "JPY")
    ('5.00 USD', '0.015001 USD', '-1.5 JPY')
    """
    units, _, decimals = decimal_text(micros).partition(".")
    decimals = decimals.ljust(decimals_of(currency), "0")
    return f"{units}.{decimals} {currency}" if decimals else f"{units} {currency}"


def moment(at_ms: int | None) -> str | None:
    """A moment as RFC 3339 in UTC; None stays None."""
    return None if at_ms is None else utc_text(at_ms)


def document_of(row: Any, *, leave: Iterable[str] = ()) -> dict[str, Any]:
    """A NamedTuple as a JSON object: micros as decimal strings, milliseconds as moments.

    `balance_micros` becomes `balance`, `created_ms` becomes `created`; ids become text, for
    programs whose numbers end at 53 bits.
    """
    left = set(leave)
    document: dict[str, Any] = {}
    for name, value in row._asdict().items():
        if name in left:
            continue
        if name.endswith("_micros"):
            document[name.removesuffix("_micros")] = None if value is None else decimal_text(value)
        elif name.endswith("_ms"):
            document[name.removesuffix("_ms")] = moment(value)
        elif name == "id" or name.endswith("_id"):
            document[name] = None if value is None else str(value)
        elif isinstance(value, frozenset | set):
            document[name] = sorted(value)
        elif hasattr(value, "_asdict"):
            document[name] = document_of(value)
        else:
            document[name] = value
    return document
