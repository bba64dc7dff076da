"""`.../calls/running` and `.../dial-out`: calls as they run, and what meetings called."""

from typing import Any

from pydantic import Field

from talktime.console.api.door import Asked, Resource
from talktime.console.api.shapes import Amount, AskedPage, IdText, Moment, Shown, listing
from talktime.console.api.usage_asked import Day, days_between
from talktime.core.masking import shown_parties
from talktime.core.rating import Rate
from talktime.core.refusal import Refusal
from talktime.operations.dial_out import dial_out_report
from talktime.operations.running_calls import so_far
from talktime.store.attention import RunningCall, running_calls

calls_now = Resource("Calls now", "Calls that run, and what meetings called.")
Answer = dict[str, Any]
BEGINNING = (-1, -1)


class Running(Shown):
    """A call that runs. `talked_seconds` and `granted_until` are null until it is answered;
    `is_to_end` is the code of the refusal by which it ends before its time."""

    call_id: str
    type: str
    caller: str
    from_number: str | None = Field(serialization_alias="from")
    to_number: str | None = Field(serialization_alias="to")
    destination: str
    began_at: Moment
    answered_at: Moment | None
    granted_until: Moment | None
    deadline: Moment
    talked_seconds: int | None
    held: Amount
    cost_so_far: Amount
    currency: str
    is_to_end: str | None


class Organizer(Shown):
    """What the meetings of one organizer called, in their country or abroad."""

    user: str | None
    display_name: str | None
    user_id: IdText
    location: str
    context: str
    calls: int
    seconds: int
    charge: Amount
    currency: str


@calls_now.reads("/calls/running", listing("calls", Running))
def get_running_calls(asked: Asked, page: AskedPage) -> Answer:
    """The organisation's running calls, the earliest deadline first."""
    place = page.place or BEGINNING
    with asked.cell.reading():
        found = running_calls(asked.cell, place, page.limit, asked.owner.id)
    answer: Answer = asked.page(page, "calls", found, lambda call: f"{call.sweep_ms}-{call.id}")
    return {**answer, "calls": [_running(asked, call) for call in found]}


@calls_now.reads(
    "/dial-out", listing("organizers", Organizer, paged=False), refusals=("range_too_long",)
)
def get_dial_out(asked: Asked, from_day: Day, to_day: Day) -> Answer | Refusal:
    """What meetings called, by organizer, in UTC days, both included; the dearest first."""
    days = days_between(from_day, to_day, asked.now_ms)
    if isinstance(days, Refusal):
        return days
    found = dial_out_report(asked.cell, asked.owner, asked.catalogue, *days)
    return {
        "organizers": [
            {
                "user": each.person.name if each.person else None,
                "display_name": each.person.display_name if each.person else None,
                "user_id": each.user_id,
                "location": each.location,
                "context": each.context,
                "calls": each.sums.calls,
                "seconds": each.sums.used_s,
                "charge": each.sums.charge_micros,
                "currency": each.currency,
            }
            for each in found
        ]
    }


def _running(asked: Asked, call: RunningCall) -> Answer:
    now = so_far(call, asked.now_ms)
    shown = shown_parties(call.type, call.from_digits, call.to_digits, asked.hidden_digits)
    return {
        "call_id": call.call_key,
        "type": call.type,
        "caller": call.caller,
        "from_number": shown.caller or None,
        "to_number": shown.callee or None,
        "destination": Rate.parse(call.rate).destination,
        "began_at": call.started_ms,
        "answered_at": call.answered_ms,
        "granted_until": now.until_ms,
        "deadline": call.deadline_ms,
        "talked_seconds": now.talked_s,
        "held": call.held_micros,
        "cost_so_far": now.cost_micros,
        "currency": asked.owner.currency,
        "is_to_end": call.ending,
    }
