"""The start page, for anyone, and the organisation's page, for its admins."""

import logging

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import AnonymousUser
from django.db import Error, connections
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.connection import ConnectionDoesNotExist
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from talktime.clock import now_ms
from talktime.config import CONTROL_PLANE_ALIAS
from talktime.console.cell.models import Revision as CellRevision
from talktime.console.control_plane.models import Membership, Organisation
from talktime.console.control_plane.models import Revision as ControlPlaneRevision
from talktime.console.doors import for_anyone
from talktime.console.start.organisation_page import COMMERCE_MODELS, organisation_page
from talktime.console.start.shown import wording_for

log = logging.getLogger(__name__)


@for_anyone
@require_safe
@never_cache
def start(request: HttpRequest) -> HttpResponse:
    """What this service is, how it is, and the ways in."""
    away = databases_away()
    if CONTROL_PLANE_ALIAS in away:
        request.user = AnonymousUser()  # who it is cannot be asked
    signed_in = request.user.is_authenticated
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
def organisation(request: HttpRequest, organisation_id: int) -> HttpResponse:
    """Balance, lots, latest calls and users of one of the reader's organisations."""
    mine = list(
        Membership.objects.filter(account__email=request.user.get_username()).values_list(
            "organisation_id", flat=True
        )
    )
    organisations = list(Organisation.objects.filter(id__in=mine).order_by("name"))
    for one in organisations:
        if one.id == organisation_id:
            return page_of(request, one, several=len(organisations) > 1)
    raise Http404


def page_of(request: HttpRequest, one: Organisation, *, several: bool) -> HttpResponse:
    wording = wording_for(request.headers.get("Accept-Language", ""), one.time_zone)
    shown = {
        "organisation": one,
        "commerce_model": COMMERCE_MODELS[one.commerce_model],
        "several": several,
    }
    try:
        shown |= organisation_page(one, wording, now_ms())
    except (Error, ConnectionDoesNotExist) as error:
        log.error("cell %s does not answer: %s", one.cell, error)
        return render(request, "start/cell_away.html", shown, status=503)
    return render(request, "start/organisation.html", shown)
