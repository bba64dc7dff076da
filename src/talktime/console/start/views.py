"""The start page, for anyone, and the list of the organisations that somebody looks after."""

import logging

from django.contrib.auth.decorators import login_required
from django.db import Error, connections
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from talktime.config import CONTROL_PLANE_ALIAS
from talktime.console.cell.models import Revision as CellRevision
from talktime.console.control_plane.models import Membership, Organisation
from talktime.console.control_plane.models import Revision as ControlPlaneRevision

log = logging.getLogger(__name__)


@require_safe
@never_cache
def start(request: HttpRequest) -> HttpResponse:
    """What this service is, how it is, and the ways in."""
    away = databases_away()
    signed_in = CONTROL_PLANE_ALIAS not in away and request.user.is_authenticated
    return render(request, "start/start.html", {"working": not away, "signed_in": signed_in})


def databases_away() -> list[str]:
    """The aliases of the databases that do not answer."""
    away = []
    for alias in connections:
        revision = ControlPlaneRevision if alias == CONTROL_PLANE_ALIAS else CellRevision
        try:
            revision.objects.using(alias).exists()
        except Error as error:
            log.error("database %s does not answer: %s", alias, error)
            away.append(alias)
    return away


@require_safe
@login_required
@never_cache
def organisations(request: HttpRequest) -> HttpResponse:
    """The reader's organisations; where there is one alone, its page."""
    mine = Membership.objects.filter(account__email=request.user.get_username()).values_list(
        "organisation_id", flat=True
    )
    found = list(Organisation.objects.filter(id__in=list(mine)).order_by("name"))
    if len(found) == 1:
        return redirect("organisation", found[0].id)
    return render(request, "start/organisations.html", {"organisations": found})
