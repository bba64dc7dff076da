"""Grants, and raised limits of them, that wait for a second operator."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from talktime.console.doors import OperatorDesk, operator_page
from talktime.console.operator.asking import confirm, confirmed, not_done
from talktime.console.operator.places import (
    PAGE_ROWS,
    CellAway,
    all_cells,
    away,
    number_in,
    organisation_at,
    owners_of,
)
from talktime.console.roles import FINANCE, OPERATE
from talktime.core.refusal import Refusal
from talktime.operations.audit import person_of
from talktime.operations.catalogue import Writing
from talktime.operations.grants import EXPIRED, approve, find_request, reject
from talktime.operations.limit_requests import approve_limit, list_limits, reject_limit
from talktime.store.attention import asked_grants


@operator_page(may=FINANCE)
def grants(desk: OperatorDesk) -> HttpResponse:
    """All that wait, the oldest first."""
    after = number_in(desk.request.GET.get("after", ""))
    with all_cells() as cells:
        found = []
        for cell in cells.open.values():
            with cell.reading():
                found += asked_grants(cell, desk.now_ms, after, PAGE_ROWS + 1)
    found.sort(key=lambda each: each.id)
    page = found[:PAGE_ROWS]
    owners = owners_of(desk, [each.organisation_id for each in page])
    shown = [
        {
            "id": each.id,
            "owner": owners[each.organisation_id],
            "amount": desk.wording.money(each.amount_micros, owners[each.organisation_id].currency),
            "promotional": each.promotional,
            "expires": desk.wording.moment(each.lasts_until_ms) if each.lasts_until_ms else "",
            "reason": each.reason,
            "asked_by": each.asked_by,
            "asked": desk.wording.moment(each.asked_ms),
            "mine": person_of(each.asked_by) == desk.actor,
        }
        for each in page
        if each.organisation_id in owners
    ]
    more = page[-1].id if len(found) > PAGE_ROWS else None
    limits = [] if after else limits_shown(desk)
    found_here = {"grants": shown, "limits": limits, "away": cells.away, "more": more}
    return desk.page("operator/grants.html", found_here)


def limits_shown(desk: OperatorDesk) -> list[dict[str, Any]]:
    """The limits that somebody asks to be raised."""
    with desk.control.reading():
        asked = list_limits(desk.control)
    return [
        {
            "id": each.id,
            "code": each.code,
            "text": each.entry_text,
            "asked_by": each.asked_by,
            "asked": desk.wording.moment(each.asked_ms),
            "mine": each.asked_by == desk.actor,
        }
        for each in asked
    ]


@operator_page(may=OPERATE, methods=("POST",))
def decide_grant(desk: OperatorDesk, organisation_id: int, grant_id: int) -> HttpResponse:
    """Approve or reject one, after it was confirmed: not by who asked for it."""
    yes = desk.request.POST.get("decision") == "approve"
    try:
        with organisation_at(desk, organisation_id) as place:
            asked = find_request(place.giver, grant_id)
            if isinstance(asked, Refusal):
                return not_done(desk, asked, reverse("operator-grants"))
            if not confirmed(desk) and asked.state != EXPIRED:
                amount = desk.wording.money(asked.amount_micros, place.owner.currency).in_full
                return confirm(
                    desk,
                    title=_("Approve the grant") if yes else _("Reject the grant"),
                    facts=[
                        (_("Organisation"), place.owner.name),
                        (_("Amount"), amount),
                        (_("Reason"), asked.reason),
                        (_("Asked by"), asked.asked_by),
                    ],
                    button=_("Approve and grant it") if yes else _("Reject it"),
                    back=reverse("operator-grants"),
                    danger=not yes,
                )
            verb = approve if yes else reject
            done = verb(place.giver, grant_id, actor=desk.actor)
    except CellAway as error:
        return away(desk, error)
    if isinstance(done, Refusal):
        return not_done(desk, done, reverse("operator-grants"))
    if yes:
        messages.success(desk.request, _("The credits are in the balance."))
    else:
        messages.success(desk.request, _("The grant was rejected."))
    return redirect("operator-grants")


@operator_page(may=OPERATE, methods=("POST",))
def decide_limit(desk: OperatorDesk, limit_id: int) -> HttpResponse:
    """Approve or reject that one person may give more alone, after it was confirmed."""
    yes = desk.request.POST.get("decision") == "approve"
    if not confirmed(desk):
        with desk.control.reading():
            asked = next((x for x in list_limits(desk.control) if x.id == limit_id), None)
        if asked is not None:
            return confirm(
                desk,
                title=_("Approve the limit") if yes else _("Reject the limit"),
                facts=[
                    (_("Currency"), asked.code),
                    (_("Entry"), asked.entry_text),
                    (_("Asked by"), asked.asked_by),
                ],
                button=_("Approve it") if yes else _("Reject it"),
                back=reverse("operator-grants"),
                danger=yes,
            )
    how = Writing(desk.now_ms, desk.next_id)
    with desk.control.transaction():
        if yes:
            done: object = approve_limit(desk.control, limit_id, how, actor=desk.actor)
        else:
            done = reject_limit(desk.control, limit_id, how, actor=desk.actor)
    if isinstance(done, Refusal):
        return not_done(desk, done, reverse("operator-grants"))
    messages.success(
        desk.request, _("The catalogue was changed.") if yes else _("The limit stays as it is.")
    )
    return redirect("operator-grants")
