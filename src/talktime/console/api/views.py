"""`.../usage/views`: usage reports that are kept under a name, for all of the organisation; those
of the console and these are the same."""

from datetime import date
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlencode

from pydantic import AfterValidator, Field

from talktime.console.api.door import Asked, Resource
from talktime.console.api.shapes import IdText, Moment, PathId, Sent, Shown, listing
from talktime.console.usage.forms import CHARTS, CUSTOM, MEASURES, RANGES, WEEK
from talktime.console.usage.names import COLUMNS, CONTEXTS
from talktime.console.usage.report_page import PAGE
from talktime.core.calls import CALL_TYPES
from talktime.core.keys import BILLING, OPERATOR, USERS
from talktime.core.limits import (
    CONFERENCE_TEXT_MAX,
    NUMBER_TEXT_MAX,
    SAVED_VIEW_NAME_TEXT_MAX,
    USER_NAME_TEXT_MAX,
)
from talktime.core.refusal import Refusal
from talktime.operations.saved_views import delete_view, list_views, save_view
from talktime.store.saved_views import SavedView

KEEPS = (USERS, BILLING, OPERATOR)
"""Whose members may replace and delete anybody's views in the console; their keys likewise."""
views = Resource("Saved usage reports", "Filters and columns of the usage report, under a name.")
Answer = dict[str, Any]


def _one_of(*values: str) -> str:
    return f"^({'|'.join(values)})$"


def _day(text: str) -> str:
    if text:
        date.fromisoformat(text)
    return text


CODE = _one_of("", "[A-Z0-9_]{1,64}")
DayText = Annotated[str, AfterValidator(_day), Field(pattern=r"^(\d{4}-\d\d-\d\d)?$")]
ColumnName = Annotated[str, Field(pattern=_one_of(*(column.key for column in COLUMNS)))]


class Report(Shown):
    """What a report is about; what is empty is not filtered by. Without `columns` it has the first
    ones, without `chart` and `measure` calls by day."""

    range: str
    first: str
    last: str
    user: str
    type: str
    country: str
    capability: str
    context: str
    number: str
    conference_id: str
    chart: str
    measure: str
    columns: list[str]


class View(Shown):
    """A kept report. `query` is what the address of the console's page has behind `?`."""

    view_id: IdText
    name: str
    report: Report
    query: str
    made_by: str
    created: Moment


class SentReport(Sent):
    """What a report is about."""

    range: str = Field(
        WEEK,
        pattern=_one_of(*(name for name, _ in RANGES)),
        description="The last 7 or 28 days, or `custom`, from `first` to `last`.",
    )
    first: DayText = Field("", examples=["2026-11-01"])
    last: DayText = Field("", examples=["2026-11-30"])
    user: str = Field("", max_length=USER_NAME_TEXT_MAX)
    type: str = Field("", pattern=_one_of("", *CALL_TYPES))
    country: str = Field("", pattern="^([A-Z]{2})?$")
    capability: str = Field("", pattern=CODE)
    context: str = Field("", pattern=_one_of("", *CONTEXTS))
    number: str = Field("", max_length=NUMBER_TEXT_MAX)
    conference_id: str = Field("", max_length=CONFERENCE_TEXT_MAX)
    chart: str = Field("", pattern=_one_of("", *(name for name, _ in CHARTS)))
    measure: str = Field("", pattern=_one_of("", *(name for name, _ in MEASURES)))
    columns: list[ColumnName] = Field([], max_length=len(COLUMNS))


class SentView(Sent):
    """A report to be kept."""

    name: str = Field(min_length=1, max_length=SAVED_VIEW_NAME_TEXT_MAX)
    report: SentReport


@views.reads("/usage/views", listing("views", View, paged=False))
def get_usage_views(asked: Asked) -> Answer:
    """The organisation's saved usage reports, by name."""
    found = list_views(asked.cell, asked.owner.id, PAGE)
    return {"views": [_shown(each) for each in found]}


@views.does(
    *("POST", "/usage/views", View),
    by=KEEPS,
    sent={"name": "Calls abroad", "report": {"range": "28", "context": "International"}},
)
def post_usage_view(asked: Asked, sent: SentView) -> Answer | Refusal:
    """Keep a usage report under a name, for everybody in the organisation.

    One of the same name is replaced, whoever made it.
    """
    report = sent.report
    if {report.first != "", report.last != ""} != {report.range == CUSTOM}:
        return Refusal("invalid_value", "the range custom, and it alone, has a first and last day")
    if report.first > report.last:
        return Refusal("invalid_value", "last must not be before first")
    saved = save_view(
        *(asked.cell, asked.owner.id),
        page=PAGE,
        name=sent.name,
        query=_query(report),
        actor=asked.actor,
        now_ms=asked.now_ms,
        next_id=asked.next_id,
        may_replace=True,
    )
    return saved if isinstance(saved, Refusal) else _shown(saved)


@views.does("DELETE", "/usage/views/{int:view_id}", View, by=KEEPS)
def delete_usage_view(asked: Asked, view_id: PathId) -> Answer | Refusal:
    """Take a saved usage report away, whoever made it."""
    gone = delete_view(asked.cell, asked.owner.id, PAGE, view_id)
    if gone is None:
        return Refusal("not_found", f"no usage report is saved with the id {view_id}")
    return _shown(gone)


def _query(report: SentReport) -> str:
    pairs = [(name, value) for name, value in report if name != "columns" and value]
    return urlencode([*pairs, *(("column", each) for each in report.columns)])


def _shown(view: SavedView) -> Answer:
    pairs = parse_qsl(view.query)
    asked = dict.fromkeys(Report.model_fields, "") | dict(pairs)
    columns = [value for name, value in pairs if name == "column"]
    return {
        "view_id": str(view.id),
        "name": view.name,
        "report": {**asked, "range": asked["range"] or WEEK, "columns": columns},
        "query": view.query,
        "made_by": view.created_by,
        "created": view.created_ms,
    }
