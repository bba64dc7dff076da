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
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from talktime.core.money import decimal_text
from talktime.operations.render import utc_text

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead.")]

WIDTH_WITHOUT_TERMINAL = 120
NOTHING = "—"


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


def table(
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    title: str = "",
    right: Sequence[str] = (),
    empty: str = "There are none.",
) -> RenderableType:
    """Rows under their columns' names; those in `right` hold figures and stand on the right."""
    drawn = Table(
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        title=title or None,
        title_justify="left",
    )
    drawn.title_style = "bold"
    for column in columns:
        drawn.add_column(
            column, justify="right" if column in right else "left", overflow="fold", min_width=2
        )
    for row in rows:
        drawn.add_row(*(plain(cell) for cell in row))
    if not drawn.row_count:
        return Text(f"{title}: {empty}" if title else empty)
    return drawn


def panel(title: str, facts: Mapping[str, object], *more: RenderableType) -> RenderableType:
    """One thing: its facts by name, and what else belongs to it."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", min_width=6, overflow="fold")
    grid.add_column(overflow="fold")
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
            document[name.removesuffix("_micros")] = decimal_text(value)
        elif name.endswith("_ms"):
            document[name.removesuffix("_ms")] = moment(value)
        elif name == "id" or name.endswith("_id"):
            document[name] = None if value is None else str(value)
        elif isinstance(value, frozenset | set):
            document[name] = sorted(value)
        else:
            document[name] = value
    return document
