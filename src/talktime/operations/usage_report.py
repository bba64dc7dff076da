"""The usage report: a page of records, newest first, and what all that the filter wants add up to.

The sums come from `usage_day`, and what is newer than these from the records. They also say on
which days there is anything to find, so that a page looks through few records of however many.
Where what is wanted is rare among many, a page ends early, and the next goes on from there.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple, TypeVar

from talktime.core.calls import INBOUND_TYPES, UsageRecord
from talktime.core.catalogue import Catalogue
from talktime.core.directory import Organisation
from talktime.core.limits import USAGE_PAGE_MAX, USAGE_TAIL_MAX, USAGE_VISITED_MAX
from talktime.core.money import ceil_div
from talktime.core.usage_spans import CONFERENCE_OUT, IN, OUT, scopes_of, spans_of
from talktime.operations.calling_places import ANY_PREFIX, CONTEXTS, Places, prefixes_of
from talktime.operations.sum_usage import places_here, sum_key, sums_of
from talktime.store import usage_days as days_store
from talktime.store import usage_rows as rows_store
from talktime.store.database import Connection
from talktime.store.unsummed import passed_ids
from talktime.store.usage_days import ALL_USERS, DAY_MS, NOTHING, SumKey, Sums, Wanted
from talktime.store.usage_rows import ANY_NUMBER, Found, NumberWanted, Place
from talktime.store.work_marks import USAGE_DAY, mark

SLICE_RECORDS = 20_000
"""A day with more is looked through in parts."""

Key = TypeVar("Key")


class Asked(NamedTuple):
    """What a report is about: UTC days (since 1970, both included), and which records of them; by
    a number or a conference ('' for any) they are looked for one by one."""

    from_day: int
    to_day: int
    wanted: Wanted = Wanted()
    number: NumberWanted = ANY_NUMBER
    conference_id: str = ""

    @property
    def one_by_one(self) -> bool:
        """Whether no sums tell what is wanted."""
        return self.number != ANY_NUMBER or bool(self.conference_id)

    @property
    def days(self) -> list[int]:
        """The days, in their order."""
        return list(range(self.from_day, self.to_day + 1))


class UsagePage(NamedTuple):
    """Records, newest first. Where there is more, `older` is where it begins; `cut` says that the
    page ended early, because enough was looked through: there may be more."""

    records: list[UsageRecord]
    older: Place | None
    cut: bool


class Added(NamedTuple):
    """What the sums know of what is wanted: by day and type, and by what the chart shows and type
    (of users: out or in, whatever else is wanted). `behind`: many records are not in them yet.
    `wanted` and `all` are records by day, which say where to look."""

    by_day: dict[tuple[int, str], Sums]
    charted: dict[tuple[str | int, str], Sums]
    behind: bool
    wanted: dict[int, int]
    all: dict[int, int]

    @property
    def total(self) -> Sums:
        """All together."""
        total = NOTHING
        for each in self.by_day.values():
            total = total.plus(each)
        return total

    def by_direction(self, chart: str) -> dict[str | int, tuple[Sums, Sums]]:
        """What the chart shows (of days, users, countries or capabilities), outbound and inbound.

        >>> added = Added({(7, "user_in"): Sums(calls=1)}, {}, False, {}, {})
        >>> [sums.calls for sums in added.by_direction("day")[7]]
        [0, 1]
        """
        parts: dict[str | int, tuple[Sums, Sums]] = {}
        for (key, type_), sums in (self.by_day if chart == "day" else self.charted).items():
            out, in_ = parts.get(key, (NOTHING, NOTHING))
            inbound = type_ in INBOUND_TYPES or type_ == IN
            parts[key] = (out, in_.plus(sums)) if inbound else (out.plus(sums), in_)
        return parts


class Span(NamedTuple):
    """Some days on end: how many records there are, and how many of these are wanted."""

    from_ms: int
    to_ms: int
    records: int
    wanted: int


def spans_to_search(
    days: Sequence[int], added: Added, before: Place | None, enough: int, *, choosy: bool
) -> list[Span]:
    """The days on which something is to be found before a place, the newest first: as many together
    as one statement can look through.

    Where all records are wanted, that is all days: it stops at the last that it needs. Where some
    are, it may go through all there are; days that the sums do not know yet stay by themselves.
    """
    spans: list[Span] = []
    passed = 0
    for day in reversed(days):
        records, wanted = added.all.get(day, 0), added.wanted.get(day, 0)
        span = Span(day * DAY_MS, (day + 1) * DAY_MS, records, wanted)
        if before is not None and before <= (span.from_ms, 0):
            continue
        if not wanted and not added.behind:
            passed += records
            continue
        last = spans[-1] if spans else None
        if last is not None and (
            not choosy
            or (
                not added.behind
                and last.wanted < enough
                and last.records + passed + records <= SLICE_RECORDS
            )
        ):
            records += last.records + passed
            spans[-1] = Span(span.from_ms, last.to_ms, records, last.wanted + wanted)
        else:
            spans.append(span)
        passed = 0
    return spans


class Reader:
    """Reads one organisation's usage. The caller holds one snapshot of its cell open throughout."""

    def __init__(self, cell: Connection, owner: Organisation, catalogue: Catalogue) -> None:
        self._cell, self._owner, self._catalogue = cell, owner, catalogue

    def add_up(self, asked: Asked, chart: str = "day") -> Added:
        """What the records that are wanted add up to; a number or a conference is not looked at."""
        cell, owner_id, days = self._cell, self._owner.id, asked.days
        cursor, _ = mark(cell, USAGE_DAY) or (0, 0)
        by_day = {
            (day, type_): sums
            for day, type_, sums in days_store.days_and_types(cell, owner_id, days, asked.wanted)
        }
        charted: dict[tuple[str | int, str], Sums] = {}
        if chart == "user":
            for user_id, scope, sums in self._by_user(asked, (OUT, IN)):
                charted[user_id, scope] = sums
        elif chart != "day":
            for key, type_, sums in days_store.grouped(cell, owner_id, days, asked.wanted, chart):
                charted[key, type_] = sums
        chosen = asked.wanted != Wanted()
        everything = days_store.records_by_day(cell, owner_id, days) if chosen else {}
        for row, more in self._tail(cursor, asked):
            everything[row.day] = everything.get(row.day, 0) + 1
            if _is_wanted(row, asked.wanted):
                _add(by_day, (row.day, row.type), more)
                if chart == "user":
                    _add(charted, (row.user_id, scopes_of(row.type, "")[0]), more)
                elif chart != "day":
                    key = row.country if chart == "country" else row.capability
                    _add(charted, (key, row.type), more)
        wanted: Counter[int] = Counter()
        for (day, _), sums in by_day.items():
            wanted[day] += sums.records
        everything = everything if chosen else wanted
        behind = rows_store.more_than(cell, cursor, USAGE_TAIL_MAX) or (
            len(passed_ids(cell, USAGE_DAY, cursor, USAGE_TAIL_MAX + 1)) > USAGE_TAIL_MAX
        )
        return Added(by_day, charted, behind, dict(wanted), everything)

    def page(
        self, asked: Asked, added: Added, before: Place | None = None, limit: int = USAGE_PAGE_MAX
    ) -> UsagePage:
        """A page of what is wanted, from a place on; the sums say where to look."""
        found: list[Found] = []
        visited = 0
        for from_ms, end, cost in self._slices(asked, added, before, limit + 1):
            place: Place | None = end
            while place is not None:
                if visited and visited + cost > USAGE_VISITED_MAX:
                    return UsagePage(self._records(found), place, cut=True)
                more, place = self._found(asked, from_ms, place, limit + 1 - len(found))
                found += more
                visited += cost
                if len(found) > limit:
                    last = found[limit - 1]
                    older = Place(last.started_ms, last.id)
                    return UsagePage(self._records(found[:limit]), older, cut=False)
        return UsagePage(self._records(found), None, cut=False)

    def by_organizer(self, asked: Asked) -> dict[tuple[int, str], Sums]:
        """The sums of the calls out of conferences, by organizer and context."""
        cursor, _ = mark(self._cell, USAGE_DAY) or (0, 0)
        contexts = {scopes_of(CONFERENCE_OUT, context)[1]: context for context in ("", *CONTEXTS)}
        found = {
            (user_id, contexts[scope]): sums
            for user_id, scope, sums in self._by_user(asked, tuple(contexts))
        }
        for row, more in self._tail(cursor, asked):
            if row.type == CONFERENCE_OUT:
                _add(found, (row.user_id, row.context), more)
        return found

    def _by_user(self, asked: Asked, scopes: Sequence[str]) -> list[tuple[int, str, Sums]]:
        latest = days_store.latest_day(self._cell, self._owner.id)
        spans = spans_of(asked.from_day, asked.to_day, latest)
        return days_store.by_user(self._cell, self._owner.id, scopes, spans)

    def present(self, asked: Asked) -> tuple[list[str], list[str]]:
        """The countries and the capabilities that records of these days have, as far as they are
        in the sums."""
        pairs = days_store.present(self._cell, self._owner.id, asked.days)
        return sorted({pair[0] for pair in pairs}), sorted({pair[1] for pair in pairs})

    def _tail(self, cursor: int, asked: Asked) -> Iterator[tuple[SumKey, Sums]]:
        """What is newer than the sums: each record's place in them, and what it adds."""
        records = [
            record
            for record in days_store.tail(self._cell, self._owner.id, cursor, USAGE_TAIL_MAX)
            if asked.from_day <= record.started_ms // DAY_MS <= asked.to_day
        ]
        users = {record.user_id for record in records if record.user_id is not None}
        places = self._places(users)
        for record in records:
            yield sum_key(record, places), sums_of(record)

    def _slices(
        self, asked: Asked, added: Added, before: Place | None, enough: int
    ) -> Iterator[tuple[int, Place, int]]:
        """Spans of time in which something is, the newest first: since when, before which place,
        and about how many records must be looked through. `enough`: how many are sought."""
        choosy = asked.wanted != Wanted() or asked.one_by_one
        if asked.one_by_one or not _needs_a_closer_look(asked.wanted):
            enough = SLICE_RECORDS  # the statement itself stops at the last that is sought
        for span in spans_to_search(asked.days, added, before, enough, choosy=choosy):
            parts = max(ceil_div(span.records, SLICE_RECORDS), 1) if choosy else 1
            step_ms = ceil_div(span.to_ms - span.from_ms, parts)
            for part in reversed(range(parts)):
                from_ms = span.from_ms + part * step_ms
                end = Place(min(from_ms + step_ms, span.to_ms), 0)
                place = min(end, before) if before is not None else end
                if place > (from_ms, 0):
                    yield from_ms, place, ceil_div(span.records, parts) if choosy else 1

    def _found(
        self, asked: Asked, from_ms: int, before: Place, limit: int
    ) -> tuple[list[Found], Place | None]:
        """What is wanted of a span, and where to go on where not all of it was looked at."""
        wanted = asked.wanted
        closer = _needs_a_closer_look(wanted)
        prefixes = prefixes_of(wanted.country) if wanted.country else ANY_PREFIX
        most = SLICE_RECORDS if closer else limit
        found = rows_store.found(
            *(self._cell, self._owner.id, from_ms, before, wanted, prefixes, asked.number),
            *(asked.conference_id, most),
        )
        if not closer:
            return found, None
        places = self._places({each.user_id for each in found if each.user_id is not None})
        there = [each for each in found if _is_there(each, wanted, places)]
        if len(found) < most:
            return there, None
        return there, Place(found[-1].started_ms, found[-1].id)

    def _records(self, found: Sequence[Found]) -> list[UsageRecord]:
        ids = [each.id for each in found]
        return rows_store.records_of_ids(self._cell, self._owner.id, ids) if ids else []

    def _places(self, users: set[int]) -> Places:
        return places_here(self._cell, self._owner, self._catalogue, users)


def number_wanted(text: str, masked_digits: int) -> NumberWanted:
    """A number as somebody writes it to search for: with the digits of the other party that are
    hidden (R78) it finds all that look the same.

    >>> number_wanted("+49 30 12345678", 3)
    NumberWanted(digits='493012345678', shown='493012345')
    >>> number_wanted("+493012345***", 3)
    NumberWanted(digits='493012345***', shown='493012345')
    """
    digits = "".join(each for each in text if each.isdigit() or each == "*")
    return NumberWanted(digits, digits[: max(len(digits) - masked_digits, 0)])


def _is_wanted(key: SumKey, wanted: Wanted) -> bool:
    return (
        wanted.user_id in (ALL_USERS, key.user_id)
        and wanted.type in ("", key.type)
        and wanted.country in ("", key.country)
        and wanted.context in ("", key.context)
        and wanted.capability in ("", key.capability)
    )


def _needs_a_closer_look(wanted: Wanted) -> bool:
    """Whether a record's row alone does not tell if it is wanted."""
    return bool(wanted.country or wanted.context)


def _is_there(found: Found, wanted: Wanted, places: Places) -> bool:
    country = places.country(found.type, found.from_digits, found.to_digits)
    if wanted.country not in ("", country):
        return False
    context = places.context(found.type, found.user_id, country, found.to_digits)
    return wanted.context in ("", context)


def _add(sums: dict[Key, Sums], key: Key, more: Sums) -> None:
    sums[key] = sums.get(key, NOTHING).plus(more)
