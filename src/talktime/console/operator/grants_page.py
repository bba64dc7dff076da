"""Grants that wait for a second operator."""

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
from talktime.operations.grants import approve, list_requests, reject
from talktime.store.attention import asked_grants


@operator_page(may=FINANCE)
def grants(desk: OperatorDesk) -> HttpResponse:
    """All that wait, the oldest first."""
    after = number_in(desk.request.GET.get("after", ""))
    with all_cells() as cells:
        found = []
        for cell in cells.open.values():
            with cell.reading():
                found += asked_grants(cell, after, PAGE_ROWS + 1)
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
            "mine": each.asked_by == desk.actor,
        }
        for each in page
        if each.organisation_id in owners
    ]
    more = page[-1].id if len(found) > PAGE_ROWS else None
    return desk.page("operator/grants.html", {"grants": shown, "away": cells.away, "more": more})


@operator_page(may=OPERATE, methods=("POST",))
def decide_grant(desk: OperatorDesk, organisation_id: int, grant_id: int) -> HttpResponse:
    """Approve or reject one, after it was confirmed: not by who asked for it."""
    yes = desk.request.POST.get("decision") == "approve"
    try:
        with organisation_at(desk, organisation_id) as place:
            asked = next((x for x in list_requests(place.giver) if x.id == grant_id), None)
            if not confirmed(desk) and asked is not None:
                amount = desk.wording.money(asked.amount_micros, place.owner.currency).text
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
