"""Calls that run now, those that should have ended, and those that could not be priced."""

import json
from urllib.parse import urlencode

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from talktime.console.doors import OperatorDesk, Shown, operator_page
from talktime.console.operator.overview import STUCK_MS, counted
from talktime.console.operator.places import PAGE_ROWS, all_cells, number_in, owners_of
from talktime.console.operator.tables import Cell, Column, Tag, table
from talktime.console.operator.words import CALL_TYPES
from talktime.console.roles import FINANCE
from talktime.console.said import destination_said
from talktime.console.start.shown import telephone
from talktime.core.catalogue import Catalogue
from talktime.core.directory import Organisation
from talktime.core.ids import ID_MAX
from talktime.core.masking import masked_parties
from talktime.core.refusal import REFUSALS
from talktime.operations.running_calls import so_far
from talktime.operations.wording import duration
from talktime.store.attention import (
    RunningCall,
    UnpricedCall,
    Waiting,
    running_calls,
    stuck_calls,
    unpriced_calls,
    waiting,
)
from talktime.store.catalogue import load_catalogues


@operator_page(may=FINANCE)
def calls(desk: OperatorDesk) -> HttpResponse:
    """A page of open calls: all, or those past their deadline; or of those without a price."""
    if desk.request.GET.get("list") == "unpriced":
        return unpriced(desk)
    stuck = desk.request.GET.get("list") == "stuck"
    at, _dot, id_ = desk.request.GET.get("after", "").partition(".")
    after = (number_in(at), number_in(id_))
    before_ms = desk.now_ms - STUCK_MS
    found: list[RunningCall] = []
    waits: list[Waiting] = []
    with all_cells() as cells:
        for cell in cells.open.values():
            with cell.reading():
                if stuck:
                    found += stuck_calls(cell, before_ms, after, PAGE_ROWS + 1)
                else:
                    found += running_calls(cell, after, PAGE_ROWS + 1)
                waits.append(waiting(cell, desk.now_ms, before_ms))
    found.sort(key=lambda each: (each.sweep_ms, each.id))
    page = found[:PAGE_ROWS]
    owners = owners_of(desk, [each.organisation_id for each in page])
    last = page[-1] if len(found) > PAGE_ROWS else None
    kept = "list=stuck&" if stuck else ""
    with desk.control.reading():
        catalogue = load_catalogues(desk.control).in_force(desk.now_ms)
    columns = (
        *(Column(_("Organisation")), Column(_("Caller")), Column(_("To")), Column(_("Begun"))),
        *(Column(_("Granted until")), Column(_("Talked"), figures=True)),
        *(Column(_("Held"), figures=True), Column(_("Cost so far"), figures=True)),
    )
    rows = [
        call_row(desk, each, owners[each.organisation_id], catalogue)
        for each in page
        if each.organisation_id in owners
    ]
    shown: Shown = {
        "stuck": stuck,
        "here": urlencode({**desk.request.GET.dict(), "part": "live"}),
        **tabs_shown(waits),
        "table": table(_("Running calls"), columns, rows),
        "away": cells.away,
        "older": f"?{kept}after={last.sweep_ms}.{last.id}" if last else "",
        "newest": f"?{kept}" if after != (0, 0) else "",
    }
    live = desk.request.GET.get("part") == "live"
    return desk.page("operator/calls_live.html" if live else "operator/calls.html", shown)


def tabs_shown(waits: list[Waiting]) -> Shown:
    """How many calls are in each list."""
    return {
        "running": counted(sum(each.running_calls for each in waits)),
        "late": sum(each.stuck_calls for each in waits),
        "free": sum(each.unpriced_calls for each in waits),
    }


def unpriced(desk: OperatorDesk) -> HttpResponse:
    """Calls of the last days that took place and are in no rate card, the latest first (D10)."""
    before = number_in(desk.request.GET.get("after", "")) or ID_MAX
    found: list[UnpricedCall] = []
    waits: list[Waiting] = []
    with all_cells() as cells:
        for cell in cells.open.values():
            with cell.reading():
                found += unpriced_calls(cell, desk.now_ms, before, PAGE_ROWS + 1)
                waits.append(waiting(cell, desk.now_ms, desk.now_ms - STUCK_MS))
    found.sort(key=lambda each: each.id, reverse=True)
    page = found[:PAGE_ROWS]
    owners = owners_of(desk, [each.organisation_id for each in page])
    columns = (
        *(Column(_("Organisation")), Column(_("Caller")), Column(_("To")), Column(_("Begun"))),
        *(Column(_("Talked"), figures=True), Column(_("Not charged"), figures=True)),
        Column(_("Rate card")),
    )
    with desk.control.reading():
        catalogue = load_catalogues(desk.control).in_force(desk.now_ms)
    rows = [
        unpriced_row(desk, each, owner, catalogue)
        for each in page
        if (owner := owners.get(each.organisation_id)) is not None
    ]
    shown: Shown = {
        "unpriced": True,
        **tabs_shown(waits),
        "table": table(_("Without a price"), columns, rows),
        "away": cells.away,
        "older": f"?list=unpriced&after={page[-1].id}" if len(found) > PAGE_ROWS else "",
        "newest": "?list=unpriced" if before != ID_MAX else "",
    }
    return desk.page("operator/calls.html", shown)


def unpriced_row(
    desk: OperatorDesk, call: UnpricedCall, owner: Organisation, catalogue: Catalogue
) -> list[Cell]:
    """One call whose price nobody knows, with the rate card that lacks it."""
    card = owner.rate_card
    of, caller, called = _whose(call, owner, catalogue)
    return [
        *(of, caller, Cell(called)),
        Cell(desk.wording.moment(call.started_ms)),
        Cell(duration(call.used_s)),
        Cell(duration(call.unpriced_s)),
        Cell(card, reverse("operator-rate-card", args=[card]) if card else ""),
    ]


def call_row(
    desk: OperatorDesk, call: RunningCall, owner: Organisation, catalogue: Catalogue
) -> list[Cell]:
    """One call that runs."""
    tags: tuple[Tag, ...] = ()
    now = so_far(call, desk.now_ms)
    if call.ending:
        tags = (Tag(_("Is to end: %(reason)s") % {"reason": title_of(call.ending)}, "warn"),)
    elif call.deadline_ms < desk.now_ms - STUCK_MS:
        tags = (Tag(_("Stuck"), "bad"),)
    elif now.talked_s is None:
        tags = (Tag(_("Not answered yet")),)
    of, caller, called = _whose(call, owner, catalogue)
    minutes = ""
    if call.pool_s:
        minutes = _("%(time)s of included minutes") % {"time": duration(call.pool_s)}
    return [
        *(of, caller, Cell(called, note=destination_said(destination_of(call.rate)))),
        Cell(desk.wording.moment(call.started_ms)),
        Cell(
            desk.wording.moment(call.deadline_ms if now.until_ms is None else now.until_ms),
            tags=tags,
        ),
        Cell("" if now.talked_s is None else duration(now.talked_s)),
        Cell(amount=desk.wording.money(call.held_micros, owner.currency), note=minutes),
        Cell(amount=desk.wording.money(now.cost_micros, owner.currency)),
    ]


def _whose(
    call: RunningCall | UnpricedCall, owner: Organisation, catalogue: Catalogue
) -> tuple[Cell, Cell, str]:
    """Whose call it is, who called and whom; the other party's number masked as the organisation
    itself sees it (R78)."""
    parties = masked_parties(
        *(call.type, telephone(call.from_digits), telephone(call.to_digits)),
        catalogue.country(owner.country).masked_digits,
    )
    url = reverse("operator-organisation", args=[owner.id])
    return (
        Cell(owner.name, url, note=CALL_TYPES.get(call.type, call.type)),
        Cell(parties.caller or call.caller, note=call.caller),
        parties.callee,
    )


def title_of(code: str) -> str:
    """The refusal of this code, in the reader's language."""
    return _(REFUSALS[code].title) if code in REFUSALS else code


def destination_of(rate: str) -> str:
    """The destination of a call's rate, as its row keeps it.

    >>> destination_of('["49","Germany",15000,0,60,60]'), destination_of("")
    ('Germany', '')
    """
    try:
        return str(json.loads(rate)[1])
    except (ValueError, LookupError, TypeError):
        return ""
