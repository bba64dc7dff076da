"""A statement's text and values as each database takes them.

A statement is constant text with `?` for each bound value. Two spellings are translated, once per
statement: `= ANY(?)` takes a list (on SQLite through json_each), and `FOR UPDATE` is left out on
SQLite, where BEGIN IMMEDIATE has locked the whole file. Where the texts really differ, a `Both`
holds one for each.

For PostgreSQL lists are written as array literals, so that a statement has one set of parameter
types and is prepared once.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

Row = tuple[Any, ...]
Params = Sequence[Any]
STATEMENTS_PREPARED_MAX = 256  # that a connection keeps


class Both(NamedTuple):
    """One statement in two spellings."""

    postgres: str
    sqlite: str


Statement = str | Both


class Keys(list[Row]):
    """Rows to join with: on PostgreSQL bound column by column for `unnest`, on SQLite as one JSON
    array of rows."""


@lru_cache(1024)
def for_postgres(statement: Statement) -> str:
    """The text as psycopg takes it."""
    text = statement.postgres if isinstance(statement, Both) else statement
    return text.replace("?", "%s")


@lru_cache(1024)
def numbered(statement: Statement) -> str:
    """The text as PostgreSQL itself takes it.

    >>> numbered("SELECT key FROM meter WHERE organisation_id = ANY(?) AND key = ?")
    'SELECT key FROM meter WHERE organisation_id = ANY($1) AND key = $2'
    """
    text = statement.postgres if isinstance(statement, Both) else statement
    first, *others = text.replace("%%", "%").split("?")
    return first + "".join(f"${number}{other}" for number, other in enumerate(others, 1))


@lru_cache(1024)
def for_sqlite(statement: Statement) -> str:
    """The text as sqlite3 takes it."""
    text = statement.sqlite if isinstance(statement, Both) else statement
    return text.replace("= ANY(?)", "IN (SELECT value FROM json_each(?))").replace(
        " FOR UPDATE", ""
    )


_encode = msgspec.json.Encoder().encode


def array_literal(values: Sequence[Any]) -> str:
    r"""A list of numbers, or one of texts, as PostgreSQL's array literal.

    JSON writes them the same way but for the brackets, and for control characters, which are
    escaped one by one.

    >>> array_literal([1, None, True]), array_literal(['a "b"', None])
    ('{1,null,true}', '{"a \\"b\\"",null}')
    """
    first = next((value for value in values if value is not None), None)
    if type(first) is str and not "".join(filter(None, values)).isprintable():
        return "{" + ",".join([_quoted(value) for value in values]) + "}"
    return "{" + _encode(values).decode()[1:-1] + "}"


def _quoted(text: str | None) -> str:
    if text is None:
        return "null"
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def postgres_values(params: Params) -> list[Any]:
    """The bound values: lists as array literals, Keys a literal for each column."""
    values: list[Any] = []
    for value in params:
        if type(value) is list:
            values.append(array_literal(value))
        elif type(value) is Keys:
            values.extend(array_literal(column) for column in zip(*value, strict=True))
        else:
            values.append(value)
    return values


def sqlite_values(params: Params) -> list[Any]:
    """The bound values: lists as JSON."""
    return [_encode(value).decode() if isinstance(value, list) else value for value in params]
