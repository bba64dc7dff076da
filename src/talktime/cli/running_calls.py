"""`talktime calls`: the calls that run now, of all organisations or one."""

import time
from contextlib import ExitStack
from typing import Annotated, Any

import typer
from rich.console import RenderableType
from rich.live import Live

from talktime.cli.installation import (
    catalogue_of,
    cell,
    control_plane,
    installation,
    organisation_of,
)
from talktime.cli.output import Json, console, moment, show, table
from talktime.clock import now_ms
from talktime.config import Settings
from talktime.core.catalogue import Catalogue
from talktime.core.directory import Organisation
from talktime.core.limits import PAGE_ROWS_MAX
from talktime.core.masking import Parties, shown_parties
from talktime.core.money import decimal_text
from talktime.core.rating import Rate
from talktime.operations.running_calls import so_far
from talktime.operations.wording import duration
from talktime.store.attention import RunningCall, running_calls
from talktime.store.organisations import organisations_of_ids

BEGINNING = (-1, -1)
FOLLOW_S = 1
Found = tuple[RunningCall, Organisation, Parties]
"""A call, whose it is, and its numbers as they may be shown (R78)."""
COLUMNS = (
    *("Organisation", "Caller", "To", "Destination", "Granted until", "Talked", "Cost so far"),
    "Is to end",
)


def calls_command(
    organisation: Annotated[str, typer.Option(help="Only this organisation's.")] = "",
    follow: Annotated[bool, typer.Option("--follow", help="Show them until Ctrl-C.")] = False,
    limit: Annotated[
        int, typer.Option(help="At most so many.", min=1, max=PAGE_ROWS_MAX)
    ] = PAGE_ROWS_MAX,
    json: Json = False,
) -> None:
    """Show the running calls: organisation, caller, destination, granted until, cost so far."""
    settings = installation()
    if follow and not json:
        out = console()
        with Live(console=out, auto_refresh=False, screen=out.is_terminal) as live:
            while True:
                seen = found(settings, organisation, limit + 1)
                live.update(picture(seen, limit), refresh=True)
                time.sleep(FOLLOW_S)
    running = found(settings, organisation, limit + 1)
    calls = [document(*each) for each in running[:limit]]
    show(json, {"calls": calls, "more": len(running) > limit}, picture(running, limit))


def found(settings: Settings, organisation: str, limit: int) -> list[Found]:
    """The running calls of all cells, the earliest deadline first, each with whose it is."""
    calls: list[RunningCall] = []
    with ExitStack() as opened:
        control = opened.enter_context(control_plane(settings))
        owner = organisation_of(control, organisation) if organisation else None
        for name in [owner.cell] if owner is not None else settings.cells:
            connection = opened.enter_context(cell(settings, name))
            owner_id = owner.id if owner is not None else None
            with connection.reading():
                calls += running_calls(connection, BEGINNING, limit, owner_id)
        catalogue = catalogue_of(control)
        with control.reading():
            owners = organisations_of_ids(control, {call.organisation_id for call in calls})
    calls.sort(key=lambda call: (call.sweep_ms, call.id))
    return [
        (call, owner, parties_of(call, owner, catalogue))
        for call in calls[:limit]
        if (owner := owners.get(call.organisation_id)) is not None
    ]


def parties_of(call: RunningCall, owner: Organisation, catalogue: Catalogue) -> Parties:
    """The numbers of a call, the other party's masked by the organisation's country."""
    hidden = catalogue.country(owner.country).masked_digits
    return shown_parties(call.type, call.from_digits, call.to_digits, hidden)


def picture(running: list[Found], limit: int) -> RenderableType:
    """The calls for people, at most so many; where there are more, it says so."""
    at_ms = now_ms()
    rows = []
    for call, owner, parties in running[:limit]:
        now = so_far(call, at_ms)
        rows.append(
            (
                owner.name,
                call.caller or parties.caller,
                parties.callee,
                Rate.parse(call.rate).destination,
                moment(call.deadline_ms if now.until_ms is None else now.until_ms),
                "not answered yet" if now.talked_s is None else duration(now.talked_s),
                f"{decimal_text(now.cost_micros)} {owner.currency}",
                call.ending or "",
            )
        )
    more = len(running) > limit
    title = f"Running calls, the first {limit:,} of more" if more else "Running calls"
    right = ("Talked", "Cost so far")
    return table(COLUMNS, rows, title=title, right=right, empty="No call is running.")


def document(call: RunningCall, owner: Organisation, parties: Parties) -> dict[str, Any]:
    """A call for programs."""
    now = so_far(call, now_ms())
    return {
        "call_id": call.call_key,
        "organisation": owner.name,
        "type": call.type,
        "caller": call.caller,
        "from": parties.caller or None,
        "to": parties.callee or None,
        "destination": Rate.parse(call.rate).destination,
        "began_at": moment(call.started_ms),
        "answered_at": moment(call.answered_ms),
        "granted_until": moment(now.until_ms),
        "deadline": moment(call.deadline_ms),
        "talked_seconds": now.talked_s,
        "held": decimal_text(call.held_micros),
        "cost_so_far": decimal_text(now.cost_micros),
        "currency": owner.currency,
        "is_to_end": call.ending,
    }
