"""`callRecords/getPstnOnlineMeetingDialoutReport`: what meetings called, by organizer (R83)."""

from datetime import date
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from ninja import Path
from pydantic import ConfigDict
from pydantic.alias_generators import to_camel

from talktime.console.api.door import Asked, Resource
from talktime.console.api.graph import (
    GRAPH_PAGE,
    Answer,
    GraphPage,
    SkipToken,
    graph_page,
    place_in,
)
from talktime.console.api.shapes import Amount, Shown
from talktime.console.api.usage_asked import days_between
from talktime.core.money import half_up_text
from talktime.core.refusal import Refusal
from talktime.operations.calling_places import CONTEXTS
from talktime.operations.dial_out import OrganizerSum, dial_out_report

dial_out = Resource("Dial-out from meetings", "What meetings called, by organizer.")
FromDay = Annotated[date, Path(description="The first UTC day of start, such as 2026-11-01.")]
ToDay = Annotated[date, Path(description="The last UTC day of start, included.")]


class DialOutRow(Shown):
    """What the meetings of one organizer called in one context, with the properties of a
    `pstnOnlineMeetingDialoutReport`. Both charges include the connection fees."""

    model_config = ConfigDict(alias_generator=to_camel)

    currency: str
    destination_context: str | None
    total_call_charge: float
    total_calls: int
    total_call_seconds: int
    usage_location: str
    user_display_name: str
    user_id: str
    user_principal_name: str
    exact_total_call_charge: Amount


class DialOutReport(GraphPage):
    """A page of the report."""

    value: list[DialOutRow]


@dial_out.reads(
    "/callRecords/getPstnOnlineMeetingDialoutReport(fromDateTime={from_day},toDateTime={to_day})",
    DialOutReport,
    refusals=("range_too_long",),
    sparse=True,
)
def get_dial_out_report(
    asked: Asked, from_day: FromDay, to_day: ToDay, skiptoken: SkipToken = ""
) -> Answer | Refusal:
    """What meetings called in some UTC days, both included, as Graph's
    `getPstnOnlineMeetingDialoutReport` gives it: by organizer, usage location, context, currency.

    At most a year; pages of 1,000.
    """
    days = days_between(from_day, to_day, asked.now_ms)
    if isinstance(days, Refusal):
        return days
    after = place_in(skiptoken) or (-1, 0)
    report = dial_out_report(asked.cell, asked.owner, asked.catalogue, *days)
    found = sorted((row for row in report if _place(row) > after), key=_place)
    rows = [_row(each) for each in found[:GRAPH_PAGE]]
    last = found[GRAPH_PAGE - 1] if len(found) > GRAPH_PAGE else None
    return graph_page(asked, rows, last and _place(last))


def _place(row: OrganizerSum) -> tuple[int, int]:
    """Where a row stands: an order that stays whatever is added up meanwhile (R80)."""
    return row.user_id, ("", *CONTEXTS).index(row.context)


def _row(row: OrganizerSum) -> Answer:
    person, sums = row.person, row.sums
    return {
        "currency": row.currency,
        "destinationContext": row.context or None,
        "totalCallCharge": Decimal(half_up_text(sums.charge_micros)),
        "totalCalls": sums.calls,
        "totalCallSeconds": sums.used_s,
        "usageLocation": row.location,
        "userDisplayName": person.display_name if person else "",
        "userId": str(UUID(int=person.id)) if person else "",
        "userPrincipalName": person.name if person else "",
        "exactTotalCallCharge": sums.charge_micros,
    }
