"""`.../usage` and `callRecords`: calls that were charged, newest first; the other party's last
digits are hidden in all of them (R78)."""

from typing import Any

from ninja import Query
from pydantic import ConfigDict
from pydantic.alias_generators import to_camel

from talktime.console.api.door import Asked, Resource
from talktime.console.api.graph import (
    GRAPH_PAGE,
    FromTime,
    GraphPage,
    SkipToken,
    ToTime,
    graph_page,
    place_in,
    why_not_between,
)
from talktime.console.api.shapes import (
    Amount,
    AskedPage,
    IdText,
    PathId,
    Shown,
    listing,
)
from talktime.console.api.usage_asked import Day, Search, asked_usage
from talktime.core.calls import UsageRecord
from talktime.core.ids import ID_MAX
from talktime.core.refusal import Refusal
from talktime.operations.call_story import call_story
from talktime.operations.usage_documents import Describer, call_log_row
from talktime.operations.usage_report import Reader
from talktime.store.usage_rows import Place, span

usage = Resource("Usage", "Calls that were charged, with their corrections.")
Answer = dict[str, Any]


class CallLogRow(Shown):
    """A usage record, with the properties of a `pstnCallLogRow`, and ours behind."""

    model_config = ConfigDict(alias_generator=to_camel)

    id: str
    call_id: str
    user_id: str
    user_principal_name: str
    user_display_name: str
    start_date_time: str
    end_date_time: str
    duration: int
    charge: float
    call_type: str
    currency: str
    callee_number: str
    caller_number: str
    usage_country_code: str
    tenant_country_code: str
    other_party_country_code: str
    connection_charge: float
    destination_context: str | None
    destination_name: str
    conference_id: str | None
    license_capability: str
    inventory_type: str
    operator: str
    call_duration_source: str
    usage_id: IdText
    kind: str
    exact_charge: Amount
    exact_connection_charge: Amount
    billed_seconds: int
    included_seconds: int


class Story(Shown):
    """A call: its usage record with its corrections, in their order."""

    records: list[CallLogRow]


class PstnCalls(GraphPage):
    """A page of calls."""

    value: list[CallLogRow]


@usage.reads("/usage", listing("usage", CallLogRow), refusals=("unknown_user", "range_too_long"))
def get_usage(
    asked: Asked, page: AskedPage, from_day: Day, to_day: Day, filters: Query[Search]
) -> Answer | Refusal:
    """Usage records of some days, the newest first.

    At most a year. A page of what is rare may have fewer records than asked for; `next` goes on.
    """
    before = None if page.place is None else Place(*page.place)
    reader = Reader(asked.cell, asked.owner, asked.catalogue)
    with asked.cell.snapshot():
        question = asked_usage(asked, from_day, to_day, filters)
        if isinstance(question, Refusal):
            return question
        found = reader.page(question, reader.add_up(question), before, page.limit)
        rows = _rows(asked, found.records)
    following = asked.following(page, _cursor(found.older)) if found.older else None
    return {"usage": rows, "next": following}


@usage.reads("/usage/{int:usage_id}", Story, refusals=("unknown_call",))
def get_call(asked: Asked, usage_id: PathId) -> Answer | Refusal:
    """One call, by any of its usage records."""
    story = call_story(asked.cell, asked.owner.id, usage_id)
    if isinstance(story, Refusal):
        return story
    return {"records": _rows(asked, [part.record for part in story.parts])}


@usage.reads(
    "/callRecords/getPstnCalls(fromDateTime={from_time},toDateTime={to_time})",
    PstnCalls,
    refusals=("range_too_long",),
    sparse=True,
)
def get_pstn_calls(
    asked: Asked,
    from_time: FromTime,
    to_time: ToTime,
    skiptoken: SkipToken = "",
) -> Answer | Refusal:
    """Calls that began between two moments, both included, as Graph's `getPstnCalls` gives them.

    At most 90 days; pages of 1,000.
    """
    refusal = why_not_between(from_time, to_time)
    if refusal is not None:
        return refusal
    place = Place(*(place_in(skiptoken) or (to_time, ID_MAX)))
    with asked.cell.snapshot():
        found = span(asked.cell, asked.owner.id, from_time, place, GRAPH_PAGE + 1)
        rows = _rows(asked, found[:GRAPH_PAGE])
    last = found[GRAPH_PAGE - 1] if len(found) > GRAPH_PAGE else None
    return graph_page(asked, rows, last and (last.started_ms, last.id))


def _rows(asked: Asked, records: list[UsageRecord]) -> list[Answer]:
    describer = Describer(asked.control, asked.cell, asked.owner, asked.catalogue)
    return [call_log_row(row, asked.owner.country) for row in describer.rows(records)]


def _cursor(place: Place) -> str:
    return f"{place.started_ms}-{place.id}"
