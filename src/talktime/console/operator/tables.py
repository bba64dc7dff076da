"""Tables of the operator's pages: columns and cells in words, for `operator/table.html`."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from django.utils.functional import Promise

from talktime.operations.wording import Amount

Text = str | Promise


class Column(NamedTuple):
    """A column: its label, and whether amounts or figures stand in it, to the right. Where each
    cell says itself what it is, a link to do something, its label is for those who listen alone."""

    label: Text
    figures: bool = False
    heard: bool = False


class Tag(NamedTuple):
    """A word in a coloured field; `tone` is good, warn, bad or none."""

    text: Text
    tone: str = ""


class Cell(NamedTuple):
    """What stands in one place: a text or an amount, perhaps a link; tags behind it, a note
    below. `code` and `code_note` are what is called so in every language."""

    text: Text = ""
    url: str = ""
    amount: Amount | None = None
    tags: tuple[Tag, ...] = ()
    note: Text = ""
    code: bool = False
    code_note: bool = False


def table(
    caption: Text, columns: Sequence[Column], rows: Iterable[Sequence[Cell | Text]]
) -> dict[str, Any]:
    """What the template draws; each cell knows its column."""
    return {
        "caption": caption,
        "columns": columns,
        "rows": [
            [
                {"column": column, "cell": cell if isinstance(cell, Cell) else Cell(cell)}
                for column, cell in zip(columns, row, strict=True)
            ]
            for row in rows
        ],
    }
