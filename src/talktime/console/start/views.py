"""The start page, for anyone, and the list of the organisations that somebody looks after."""

import logging

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from django.views.defaults import bad_request

from talktime.config import CONTROL_PLANE_ALIAS
from talktime.console.api.refusals import refuse
from talktime.console.databases import addresses, current
from talktime.console.doors import for_anyone
from talktime.console.kept_connections import lent
from talktime.console.versions import require_ours
from talktime.core.refusal import Refusal
from talktime.store.database import Outage

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


def form_expired(request: HttpRequest, reason: str = "") -> HttpResponse:
    """What whoever sends a form with an old token sees, with the way back to the form's page."""
    page = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(page, {request.get_host()}):
        page = ""
    return render(request, "403_csrf.html", {"page": page}, status=403)


def not_understood(request: HttpRequest, exception: Exception) -> HttpResponse:
    """What Django cannot take: most often a name of this service that it does not know."""
    if not request.path.startswith("/api/"):
        return bad_request(request, exception)
    detail = (
        "the request cannot be taken; most likely it names this service in its Host header "
        "otherwise than TALKTIME_URL does"
    )
    return refuse(Refusal("invalid_request", detail))


def databases_away() -> list[str]:
    """The aliases of the databases that do not answer, or are of another version."""
    away = []
    for alias, address in addresses(current()).items():
        try:
            with lent(address) as connection:
                require_ours(connection, address)
        except Outage as error:
            log.error("database %s does not answer: %s", alias, error)
            away.append(alias)
    return away
