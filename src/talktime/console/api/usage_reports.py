"""`.../usage/sums`, `csv`, `zip` and `xlsx`: what calls add up to, and all of them as a file, as
the console's usage report has both."""

import re
from datetime import date, timedelta
from typing import Annotated, Any, Literal

from django.http import HttpResponse
from ninja import Query
from pydantic import Field

from talktime.console.api.door import Asked, Resource
from talktime.console.api.shapes import (
    Amount,
    AskedPage,
    Page,
    Shown,
    listing,
    not_of_this_list,
)
from talktime.console.api.usage_asked import EPOCH, Day, Filters, Search, asked_usage
from talktime.console.usage import exported
from talktime.console.usage.exported import CSV, XLSX, ZIP, Export
from talktime.core.limits import CSV_ROWS_MAX, XLSX_ROWS_MAX
from talktime.core.refusal import Refusal
from talktime.operations.usage_report import Reader
from talktime.store.usage_days import NO_USER, Sums, Wanted
from talktime.store.usage_rows import Person, people_of

reports = Resource("Usage reports", "What calls add up to, and all of them as a file.")
Answer = dict[str, Any]
By = Literal["day", "user", "country", "capability"]
Measure = Literal["calls", "minutes", "charge"]
AskedBy = Annotated[By, Query(description="What each row is the sums of.")]
AskedMeasure = Annotated[
    Measure, Query(description="The largest row comes first by this; days come in their order.")
]
MEASURED = {"calls": "calls", "minutes": "used_s", "charge": "charge_micros"}
REFUSALS = ("unknown_user", "range_too_long")
Parts = tuple[Sums, Sums]
Rank = tuple[int, str]
"""Where a row stands: by what its list is sorted, the lowest first, and its key."""


class Figures(Shown):
    """What calls add up to. Corrections are taken off all but `calls`; `used_seconds` were talked,
    `billed_seconds` rounded up by the rate, `included_seconds` of these cost nothing by a plan;
    `after_use` is what of the charge is paid after use."""

    calls: int
    corrections: int
    used_seconds: int
    billed_seconds: int
    included_seconds: int
    charge: Amount
    after_use: Amount


class SumsRow(Shown):
    """The sums of one day, user, country or capability. `key` is the day, the user's id, the code;
    empty for calls that have none. `user` and `display_name` are told of users, where they are
    not gone."""

    key: str
    user: str | None
    display_name: str | None
    total: Figures
    outbound: Figures
    inbound: Figures


SUMS = listing(
    *("sums", SumsRow),
    currency=(str, ...),
    total=(Figures, Field(description="All that is asked for, whatever page this is.")),
    behind=(bool, Field(description="Many new records are not in the sums yet: ask again soon.")),
)


@reports.reads("/usage/sums", SUMS, refusals=REFUSALS)
def get_usage_sums(
    asked: Asked,
    page: AskedPage,
    from_day: Day,
    to_day: Day,
    filters: Query[Filters],
    by: AskedBy = "day",
    measure: AskedMeasure = "charge",
) -> Answer | Refusal:
    """What the calls of some UTC days add up to, and the figures of the report's charts.

    By day, each day is there; by user, country or capability, those with calls. Users are set side
    by side only where no other filter is set. At most a year.
    """
    reader = Reader(asked.cell, asked.owner, asked.catalogue)
    with asked.cell.snapshot():
        question = asked_usage(asked, from_day, to_day, filters)
        if isinstance(question, Refusal):
            return question
        if by == "user" and question.wanted != Wanted():
            return Refusal("invalid_value", "sums by user take no filter but the days")
        added = reader.add_up(question, by)
        parts = added.by_direction(by)
        if by == "day":
            parts = {day: parts.get(day, (Sums(), Sums())) for day in question.days}
        ranked = sorted((_rank(key, each, by, measure), key) for key, each in parts.items())
        shown = [each for each in ranked if each[0] > _begin(page)][: page.limit]
        ids = [int(key) for _, key in shown] if by == "user" else []
        people = people_of(asked.cell, asked.owner.id, ids)
    answer: Answer = asked.page(page, "sums", shown, lambda each: "{}.{}".format(*each[0]))
    return {
        **answer,
        "sums": [
            _row(rank[1], parts[key], people.get(int(key)) if ids else None) for rank, key in shown
        ],
        "currency": asked.owner.currency,
        "total": _figures(added.total),
        "behind": added.behind,
    }


@reports.reads("/usage/csv", None, refusals=REFUSALS, gives=CSV)
def get_usage_csv(
    asked: Asked, from_day: Day, to_day: Day, filters: Query[Search]
) -> HttpResponse | Refusal:
    """Usage records of some UTC days as CSV (RFC 4180), the newest first: the console's file.

    At most a year, and 5,000,000 rows.
    """
    export = _export(asked, from_day, to_day, filters, CSV_ROWS_MAX)
    if isinstance(export, Refusal):
        return export
    return exported.csv_file(asked.request, export)


@reports.reads("/usage/zip", None, refusals=REFUSALS, gives=ZIP)
def get_usage_zip(
    asked: Asked, from_day: Day, to_day: Day, filters: Query[Search]
) -> HttpResponse | Refusal:
    """The CSV file in a zip, with what was asked for as parameters.json."""
    export = _export(asked, from_day, to_day, filters, CSV_ROWS_MAX)
    if isinstance(export, Refusal):
        return export
    return exported.zip_file(asked.request, export, filters.user)


@reports.reads("/usage/xlsx", None, refusals=REFUSALS, gives=XLSX)
def get_usage_xlsx(
    asked: Asked, from_day: Day, to_day: Day, filters: Query[Search]
) -> HttpResponse | Refusal:
    """Usage records of some UTC days as a workbook, the newest first: the console's file.

    At most a year, and 200,000 rows.
    """
    export = _export(asked, from_day, to_day, filters, XLSX_ROWS_MAX)
    if isinstance(export, Refusal):
        return export
    return exported.workbook(asked.request, export)


def _export(
    asked: Asked, from_day: date, to_day: date, filters: Search, rows_max: int
) -> Export | Refusal:
    catalogue = asked.catalogue
    reader = Reader(asked.cell, asked.owner, catalogue)
    with asked.cell.snapshot():
        question = asked_usage(asked, from_day, to_day, filters)
        if isinstance(question, Refusal):
            return question
        rows = reader.add_up(question).total.records
    if rows > rows_max:
        detail = f"{rows:,} rows are more than one file takes ({rows_max:,}): choose fewer days"
        return Refusal("range_too_long", detail)
    return Export(asked.owner, catalogue, question, asked.now_ms, asked.next_id())


def _rank(key: str | int, parts: Parts, by: str, measure: str) -> Rank:
    if by == "day":
        return int(key), (EPOCH + timedelta(days=int(key))).isoformat()
    size = sum(getattr(each, MEASURED[measure]) for each in parts)
    return -size, "" if key == NO_USER else str(key)


def _begin(page: Page) -> Rank:
    """Behind which row the page begins. Raises Refused."""
    if not page.cursor:
        return -(2**80), ""
    found = re.fullmatch(r"(-?[0-9]{1,20})\.([A-Za-z0-9_-]{0,64})", page.cursor)
    if found is None:
        raise not_of_this_list()
    return int(found[1]), found[2]


def _row(key: str, parts: Parts, person: Person | None) -> Answer:
    out, in_ = parts
    return {
        "key": key,
        "user": person.name if person else None,
        "display_name": person.display_name if person else None,
        "total": _figures(out.plus(in_)),
        "outbound": _figures(out),
        "inbound": _figures(in_),
    }


def _figures(sums: Sums) -> Answer:
    return {
        "calls": sums.calls,
        "corrections": sums.records - sums.calls,
        "used_seconds": sums.used_s,
        "billed_seconds": sums.billed_s,
        "included_seconds": sums.pool_s,
        "charge": sums.charge_micros,
        "after_use": sums.post_micros,
    }
