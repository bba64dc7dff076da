"""`.../usage` and `callRecords`: calls that were charged, newest first; the other party's last
digits are hidden in all of them (R78)."""

from datetime import date
from typing import Annotated, Any

from ninja import Path, Query
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from talktime.console.api.door import Asked, Resource
from talktime.console.api.shapes import (
    Amount,
    AskedMoment,
    AskedPage,
    IdText,
    Page,
    PathId,
    Shown,
    listing,
)
from talktime.console.identity import ID_MAX
from talktime.core.calls import CALL_TYPES, UsageRecord
from talktime.core.limits import PSTN_CALLS_MS_MAX, USAGE_DAYS_MAX, USER_NAME_TEXT_MAX
from talktime.core.refusal import Refusal
from talktime.operations.call_story import call_story
from talktime.operations.usage_documents import Describer, call_log_row
from talktime.operations.usage_report import Asked as AskedUsage
from talktime.operations.usage_report import Reader
from talktime.operations.users import find_user
from talktime.store.usage_days import ALL_USERS, Wanted
from talktime.store.usage_rows import Place, span

DAY_MS = 86_400_000
GRAPH_PAGE = 1_000
EPOCH = date(1970, 1, 1)
usage = Resource("Usage", "Calls that were charged, with their corrections.")
Answer = dict[str, Any]
_CODE = "A code, as the answers have it; empty for all."
Day = Annotated[date, Query(examples=["2026-11-01"])]
FromTime = Annotated[AskedMoment, Path(description="The first moment of start, in UTC.")]
ToTime = Annotated[AskedMoment, Path(description="The last moment of start, in UTC.")]


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


class PstnCalls(Shown):
    """A page of calls, as Graph gives them; on the last there is no `@odata.nextLink`."""

    count: int = Field(alias="@odata.count")
    value: list[CallLogRow]
    next_link: str = Field("", alias="@odata.nextLink")


class Filters(BaseModel):
    """Which calls are looked for, from one UTC day to another, both included."""

    user: str = Field("", max_length=USER_NAME_TEXT_MAX, description="A user's sign-in name.")
    type: str = Field("", pattern=f"^({'|'.join(CALL_TYPES)})?$", description=_CODE)
    country: str = Field("", pattern="^([A-Z]{2})?$", description="The other party's country.")
    context: str = Field("", pattern="^(Domestic|International)?$", description=_CODE)
    capability: str = Field("", max_length=64, description=_CODE)


@usage.reads("/usage", listing("usage", CallLogRow), refusals=("unknown_user", "range_too_long"))
def get_usage(
    asked: Asked, page: AskedPage, from_day: Day, to_day: Day, filters: Query[Filters]
) -> Answer | Refusal:
    """Usage records of some days, the newest first.

    At most a year. A page of what is rare may have fewer records than asked for; `next` goes on.
    """
    days = (from_day - EPOCH).days, (to_day - EPOCH).days
    if days[1] < days[0] or days[0] < 0:
        return Refusal("invalid_value", "to_day must not be before from_day")
    if days[1] - days[0] >= USAGE_DAYS_MAX:
        return Refusal("range_too_long", f"{USAGE_DAYS_MAX} days at most are looked at at once")
    before = None if page.place is None else Place(*page.place)
    reader = Reader(asked.cell, asked.owner, asked.catalogue, asked.now_ms)
    with asked.cell.snapshot():
        user_id = ALL_USERS
        if filters.user:
            user = find_user(asked.cell, asked.owner, filters.user)
            if isinstance(user, Refusal):
                return user
            user_id = user.id
        wanted = Wanted(user_id, filters.type, filters.country, filters.context, filters.capability)
        question = AskedUsage(*days, wanted)
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
    skiptoken: Annotated[
        str, Query(alias="$skiptoken", max_length=64, description="From a nextLink.")
    ] = "",
) -> Answer | Refusal:
    """Calls that began between two moments, both included, as Graph's `getPstnCalls` gives them.

    At most 90 days; pages of 1,000.
    """
    if to_time < from_time:
        return Refusal("invalid_value", "toDateTime must not be before fromDateTime")
    if to_time - from_time > PSTN_CALLS_MS_MAX:
        return Refusal("range_too_long", "at most 90 days are looked at at once")
    place = Place(*(Page(limit=GRAPH_PAGE, cursor=skiptoken).place or (to_time, ID_MAX)))
    with asked.cell.snapshot():
        found = span(asked.cell, asked.owner.id, from_time, place, GRAPH_PAGE + 1)
        rows = _rows(asked, found[:GRAPH_PAGE])
    answer: Answer = {"@odata.count": len(rows), "value": rows}
    if len(found) > GRAPH_PAGE:
        last = found[GRAPH_PAGE - 1]
        token = _cursor(Place(last.started_ms, last.id))
        request = asked.request
        answer["@odata.nextLink"] = request.build_absolute_uri(f"{request.path}?$skiptoken={token}")
    return answer


def _rows(asked: Asked, records: list[UsageRecord]) -> list[Answer]:
    describer = Describer(asked.control, asked.cell, asked.owner, asked.catalogue)
    return [call_log_row(row, asked.owner.country) for row in describer.rows(records)]


def _cursor(place: Place) -> str:
    return f"{place.started_ms}-{place.id}"
