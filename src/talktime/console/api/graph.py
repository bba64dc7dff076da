"""What the lists under `callRecords` have in common: Microsoft Graph's moments, pages and links."""

from collections.abc import Sequence
from typing import Annotated, Any

from ninja import Path, Query
from pydantic import Field

from talktime.console.api.door import Asked
from talktime.console.api.shapes import AskedMoment, Page, Shown
from talktime.core.limits import PSTN_CALLS_MS_MAX
from talktime.core.refusal import Refusal

GRAPH_PAGE = 1_000
Answer = dict[str, Any]
FromTime = Annotated[AskedMoment, Path(description="The first moment of start, in UTC.")]
ToTime = Annotated[AskedMoment, Path(description="The last moment of start, in UTC.")]
SkipToken = Annotated[str, Query(alias="$skiptoken", max_length=64, description="From a nextLink.")]


class GraphPage(Shown):
    """A page of a list, as Graph gives it; on the last there is no `@odata.nextLink`."""

    count: int = Field(alias="@odata.count")
    next_link: str = Field("", alias="@odata.nextLink")


def why_not_between(from_time: int, to_time: int) -> Refusal | None:
    """Why a list is not given between these moments (ms); None where it is."""
    if to_time < from_time:
        return Refusal("invalid_value", "toDateTime must not be before fromDateTime")
    if to_time - from_time > PSTN_CALLS_MS_MAX:
        return Refusal("range_too_long", "at most 90 days are looked at at once")
    return None


def place_in(skiptoken: str) -> tuple[int, int] | None:
    """The place behind which a page begins; None for the first."""
    return Page(limit=GRAPH_PAGE, cursor=skiptoken).place


def graph_page(asked: Asked, rows: Sequence[Answer], last: Sequence[int] | None) -> Answer:
    """A page of these rows; `last` is the place of its last row, where more follow."""
    answer: Answer = {"@odata.count": len(rows), "value": rows}
    if last is not None:
        token = "-".join(map(str, last))
        answer["@odata.nextLink"] = asked.request.build_absolute_uri(
            f"{asked.request.path}?$skiptoken={token}"
        )
    return answer
