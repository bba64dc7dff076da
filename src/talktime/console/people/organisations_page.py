"""The organisations that somebody may look after; the operator's people find all of them here."""

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import urlencode

from talktime.console.control_plane.models import Membership, Organisation
from talktime.console.doors import account_of, personal_page
from talktime.console.roles import ROLE_NAMES
from talktime.core.limits import NAME_TEXT_MAX

ROWS = 50


@personal_page()
def organisations(request: HttpRequest) -> HttpResponse:
    """A page of organisations by name, those whose name holds what is searched for."""
    account = account_of(request)
    roles = dict(Membership.objects.filter(account=account).values_list("organisation_id", "role"))
    if len(roles) == 1 and not account.staff_role:
        return redirect("organisation", next(iter(roles)))
    wanted = request.GET.get("q", "").strip()[:NAME_TEXT_MAX]
    after = request.GET.get("after", "")[:NAME_TEXT_MAX]
    rows: QuerySet[Organisation] = Organisation.objects.order_by("name")
    if not account.staff_role:
        rows = rows.filter(id__in=roles)
    if wanted and wanted.isprintable():
        rows = rows.filter(name__icontains=wanted)
    if after and after.isprintable():
        rows = rows.filter(name__gt=after)
    found = list(rows[: ROWS + 1])
    shown = {
        "organisations": [
            {
                "id": each.id,
                "name": each.name,
                "country": each.country,
                "currency": each.currency,
                "active": each.active,
                "role": ROLE_NAMES[roles[each.id]] if each.id in roles else "",
            }
            for each in found[:ROWS]
        ],
        "searched": wanted,
        "searchable": bool(account.staff_role) or len(roles) > ROWS or bool(wanted),
        "newest": f"?{urlencode({'q': wanted})}" if after else "",
        "older": f"?{urlencode({'q': wanted, 'after': found[ROWS - 1].name})}"
        if len(found) > ROWS
        else "",
    }
    return render(request, "people/organisations.html", shown)
