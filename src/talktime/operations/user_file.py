"""Users as programs and files write them: a JSON object each, or a row of a CSV file. No database.

docs/reference/user-files.md describes both. What a file has no column for (an object no field)
stays as it is, and is the default of a new user.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from talktime.core.licensing import Holder
from talktime.core.limits import USER_FILE_BYTES_MAX, USER_ROWS_MAX
from talktime.core.money import decimal_text, parse_micros
from talktime.operations.csv_rows import Progress, RowErrors, columns_of, records, unreadable
from talktime.operations.csv_text import bare_text, safe_text
from talktime.operations.user_changes import NO_LIMIT, UserChange
from talktime.operations.users import UserRow

COLUMNS = (
    "name",
    "display_name",
    "usage_location",
    "licences",
    "groups",
    "policy",
    "spend_limit",
    "toll_free_dial_in",
    "kind",
    "active",
)
_YES_OR_NO = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
_BETWEEN_WORDS = re.compile(r"[\s;]+")
_PROGRESS_ROWS = 1_000


def user_document(holder: Holder) -> dict[str, Any]:
    """A user as a JSON object. `licences` are the user's own, `all_licences` those of the groups
    too: what counts on a call."""
    user = holder.user
    limit = user.spend_limit_micros
    return {
        "name": user.name,
        "display_name": user.display_name,
        "usage_location": user.usage_location,
        "licences": sorted(holder.own_licences),
        "groups": sorted(holder.groups),
        "policy": user.policy,
        "spend_limit": None if limit is None else decimal_text(limit),
        "toll_free_dial_in": user.toll_free_dial_in,
        "kind": user.kind,
        "active": user.active,
        "id": str(user.id),
        "organisation_id": str(user.organisation_id),
        "all_licences": sorted(user.licences),
    }


def user_csv(holders: Iterable[Holder]) -> Iterator[str]:
    """The lines of a CSV file of these users, its header first (RFC 4180)."""
    line = io.StringIO()
    writer = csv.writer(line)
    for row in _csv_rows(holders):
        writer.writerow(row)
        yield line.getvalue()
        line.seek(0)
        line.truncate()


def read_user_file(
    content: bytes,
    errors: RowErrors,
    *,
    progress: Progress | None = None,
    rows_max: int = USER_ROWS_MAX,
    bytes_max: int = USER_FILE_BYTES_MAX,
) -> list[UserRow]:
    """The rows of a CSV file that can be read; what is wrong with the others is added to `errors`.

    >>> errors = RowErrors()
    >>> [row] = read_user_file(b"name,licences\\nfront-desk,MCOEV MCOPSTN1\\n", errors)
    >>> row.line, row.change.name, sorted(row.change.licences), row.change.active
    (2, 'front-desk', ['MCOEV', 'MCOPSTN1'], None)
    """
    problem = unreadable(content, bytes_max)
    if problem is not None:
        errors.add(*problem)
        return []
    found = records(content, errors)
    line, header = next(found, (1, []))
    columns = columns_of(header, COLUMNS, {"name"}) if header else "the file is empty"
    if isinstance(columns, str):
        errors.add(line, columns)
        return []
    rows: list[UserRow] = []
    for done, (line, fields) in enumerate(found, 1):
        if done > rows_max:
            errors.add(line, f"the file has more than {rows_max:,} rows")
            break
        try:
            rows.append(UserRow(line, _change_of(columns, fields)))
        except ValueError as error:
            errors.add(line, str(error))
        if progress is not None and done % _PROGRESS_ROWS == 0:
            progress("read", done)
    if not rows and not errors.count:
        errors.add(line, "the file has a header and no rows")
    return rows


def change_of_document(document: Mapping[str, Any]) -> UserChange:
    """The change that a user's JSON object describes; its types are as `user_document` has them.

    Raises ValueError, with the field and the reason, for an amount that is none.
    """
    values = {field: value for field, value in document.items() if field != "spend_limit"}
    for field in ("licences", "groups"):
        if field in values:
            values[field] = frozenset(values[field])
    if "spend_limit" in document:
        values["spend_limit_micros"] = _limit(document["spend_limit"] or "")
    return UserChange(**values)


def _csv_rows(holders: Iterable[Holder]) -> Iterator[Iterable[str]]:
    yield COLUMNS
    for holder in holders:
        document = user_document(holder)
        yield [_cell(document[column]) for column in COLUMNS]


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case list():
            return safe_text(";".join(value))
    return safe_text(str(value))


def _change_of(columns: list[str], fields: list[str]) -> UserChange:
    """Raises ValueError with the column and the reason for the first thing that is wrong."""
    if len(fields) != len(columns):
        raise ValueError(f"columns of the row: {len(fields)}, of the header: {len(columns)}")
    values: dict[str, Any] = {}
    for column, field in zip(columns, fields, strict=True):
        text = bare_text(field.strip())
        match column:
            case "licences" | "groups":
                values[column] = frozenset(_BETWEEN_WORDS.split(text)) - {""}
            case "spend_limit":
                values["spend_limit_micros"] = _limit(text)
            case "active" | "toll_free_dial_in":
                values[column] = _yes_or_no(column, text)
            case "policy" | "name":
                values[column] = text
            case _:
                values[column] = text or None
    return UserChange(**values)


def _yes_or_no(column: str, text: str) -> bool | None:
    if not text:
        return None
    found = _YES_OR_NO.get(text.casefold())
    if found is None:
        raise ValueError(f"{column}: {text[:40]!r} is neither yes nor no")
    return found


def _limit(text: str) -> int:
    if not text:
        return NO_LIMIT
    try:
        micros = parse_micros(text)
    except ValueError as error:
        raise ValueError(f"spend_limit: {error}") from None
    if micros < 0:
        raise ValueError(f"spend_limit: {text} is negative")
    return micros
