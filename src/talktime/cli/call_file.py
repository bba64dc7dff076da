"""Reading a call file: one call a line, every line right before the first call is sent.

The layout is described in docs/reference/call-files.md.
"""

import csv
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from talktime.cli.failures import Failure
from talktime.core.limits import REPLAY_CALLS_MAX, REPLAY_REPEATS_MAX

MUST_HAVE = ("call_id", "from", "to", "used_seconds")
MAY_HAVE = (
    *("organisation", "at", "type", "user", "organizer", "service_number"),
    *("conference_id", "requested_seconds", "cause", "answer", "repeats", "settle"),
)
BAD_LINES_NAMED = 20
WHOLE_NUMBER = re.compile(r"[0-9]{1,9}")
CHOICES = {"answer": ("no", "yes"), "settle": ("sent", "lost")}


class PlannedCall(NamedTuple):
    """One call of the file: what the switch asks, how long people talk, what goes wrong."""

    call_id: str
    organisation: str
    at: str
    asked: dict[str, str | int]
    used_s: int
    cause: str
    answer: bool
    repeats: int
    settle: bool


def read_calls(path: Path) -> Iterator[PlannedCall]:
    """Each call of a file that `check_calls` has found right."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, strict=True)
        for row in reader:
            yield planned(row)


def check_calls(path: Path) -> int:
    """How many calls the file holds; Failure with the lines that are wrong, and why."""
    bad: list[str] = []
    count = wrong = 0
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            check_header(path, reader.fieldnames or ())
            seen: set[str] = set()
            for row in reader:
                count += 1
                reason = wrong_with(row, seen)
                if reason:
                    wrong += 1
                    if wrong <= BAD_LINES_NAMED:
                        bad.append(f"line {reader.line_num}: {reason}")
                if count > REPLAY_CALLS_MAX:
                    raise Failure(f"{path} holds more than {REPLAY_CALLS_MAX:,} calls. Split it.")
    except UnicodeDecodeError as error:
        raise Failure(f"{path} is not UTF-8: {error.reason}. Save it as UTF-8.") from error
    except csv.Error as error:
        raise Failure(f"{path} is not CSV: {error}") from error
    if wrong:
        if wrong > BAD_LINES_NAMED:
            bad.append(f"... and {wrong - BAD_LINES_NAMED:,} lines more")
        lines = "1 line is" if wrong == 1 else f"{wrong:,} lines are"
        raise Failure(f"{path}: {lines} wrong, no call was made", bad)
    if not count:
        raise Failure(f"{path} holds no calls")
    return count


def check_header(path: Path, names: Sequence[str]) -> None:
    """Failure where columns are missing, unknown or doubled."""
    missing = [name for name in MUST_HAVE if name not in names]
    unknown = [str(name)[:40] for name in names if name not in MUST_HAVE + MAY_HAVE]
    if missing:
        raise Failure(f"{path}: the header misses {', '.join(missing)}")
    if unknown:
        raise Failure(
            f"{path}: the header has the unknown columns {', '.join(unknown[:5])}; "
            f"the columns are {','.join(MUST_HAVE + MAY_HAVE)}"
        )
    if len(set(names)) != len(names):
        raise Failure(f"{path}: the header names a column twice")


def wrong_with(row: dict[str, str | None], seen: set[str]) -> str:
    """What is wrong with a line; empty where nothing is. Calls seen before are doubled ones."""
    if None in row or None in row.values():
        return "it has more or fewer columns than the header"
    call_id = row["call_id"] or ""
    if not call_id:
        return "call_id is empty"
    if call_id in seen:
        return f"call_id {call_id[:40]!r} stands in the file already"
    seen.add(call_id)
    for name in ("used_seconds", "requested_seconds", "repeats"):
        text = row.get(name) or "0"
        if not WHOLE_NUMBER.fullmatch(text):
            return f"{name} {text[:20]!r} is not a whole number"
    if int(row.get("repeats") or 0) > REPLAY_REPEATS_MAX:
        return f"repeats is more than {REPLAY_REPEATS_MAX}"
    for name, choices in CHOICES.items():
        if (row.get(name) or choices[0]) not in choices:
            return f"{name} is neither {' nor '.join(choices)}"
    return ""


def planned(row: dict[str, str]) -> PlannedCall:
    """A right line as the call it plans."""
    asked: dict[str, str | int] = {"type": row.get("type") or "user_out"}
    for name in ("from", "to", "user", "organizer", "service_number", "conference_id"):
        if row.get(name):
            asked[name] = row[name]
    if row.get("requested_seconds"):
        asked["requested_seconds"] = int(row["requested_seconds"])
    user = row.get("user") or ""
    return PlannedCall(
        call_id=row["call_id"],
        organisation=row.get("organisation") or user.partition("@")[2] or "(not named)",
        at=row.get("at") or "",
        asked=asked,
        used_s=int(row["used_seconds"] or 0),
        cause=row.get("cause") or "normal",
        answer=row.get("answer") == "yes",
        repeats=int(row.get("repeats") or 0),
        settle=row.get("settle") != "lost",
    )
