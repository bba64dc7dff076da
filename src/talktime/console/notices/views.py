"""Pages about what one of the reader's organisations was told. All work without scripts."""

import logging
from collections.abc import Callable
from contextlib import closing
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_POST, require_safe

from talktime.clock import now_ms
from talktime.console.billing.shown import COMMERCE_MODELS
from talktime.console.control_plane.models import Membership, Organisation
from talktime.console.databases import current
from talktime.console.notices.page import (
    delivery_shown,
    event_shown,
    notice_shown,
    told_shown,
)
from talktime.console.start.shown import wording_for
from talktime.core.refusal import Refusal
from talktime.operations.deliveries import find_delivery, list_told, mail_of, redeliver
from talktime.operations.endpoints import list_endpoints
from talktime.operations.notice_words import Place
from talktime.operations.recipients import list_recipients
from talktime.operations.wording import Wording
from talktime.store.database import Connection, Outage, connect
from talktime.store.notices import ID_MAX

log = logging.getLogger(__name__)
PAGE_NOTICES = 50
ID_DIGITS_MAX = 19

# A mail's own styles stand in it; it loads nothing, runs nothing, and only our page frames it.
MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; sandbox allow-popups "
    "allow-popups-to-escape-sandbox; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
# The page that frames it loads what all pages do, and the frame.
FRAMING_POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; "
    "img-src 'self'; font-src 'self'; frame-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
Answer = Callable[[Connection, Organisation, Wording], HttpResponse]


@require_safe
@login_required
@never_cache
def notices(request: HttpRequest, organisation_id: int) -> HttpResponse:
    """The organisation's notices, the newest first, a page at a time."""
    before = _id_in(request.GET.get("before", ""))

    def answer(cell: Connection, owner: Organisation, wording: Wording) -> HttpResponse:
        with cell.reading():
            told = list_told(cell, owner.id, before=before, limit=PAGE_NOTICES + 1)
            urls = {str(each.id): each.url for each in list_endpoints(cell, owner.id)}
            people = list_recipients(cell, owner.id)
        shown = {
            **_of(owner),
            "notices": told_shown(told[:PAGE_NOTICES], urls, wording),
            "recipients": people,
            "endpoints": sorted(urls.values()),
            "before": told[PAGE_NOTICES - 1].id if len(told) > PAGE_NOTICES else None,
            "later": before != ID_MAX,
        }
        return render(request, "notices/notices.html", shown)

    return _answered(request, organisation_id, answer)


@require_safe
@login_required
@never_cache
def delivery(request: HttpRequest, organisation_id: int, delivery_id: int) -> HttpResponse:
    """One delivery: how it stands, and what was sent."""

    def answer(cell: Connection, owner: Organisation, wording: Wording) -> HttpResponse:
        with cell.reading():
            found = _found(find_delivery(cell, owner.id, _known(delivery_id)))
            one, stored = found
            urls = {str(each.id): each.url for each in list_endpoints(cell, owner.id)}
            written = mail_of(cell, one, stored, place_of(owner))
        shown: dict[str, Any] = {
            **_of(owner),
            "notice": notice_shown(stored, wording),
            "delivery": delivery_shown(one, urls, wording),
            "asked": "again" in request.GET,
        }
        if one.channel != "mail":
            shown["event"] = event_shown(stored)
        elif not isinstance(written, Refusal):
            shown["written"] = written
        response = render(request, "notices/delivery.html", shown)
        response.headers["Content-Security-Policy"] = FRAMING_POLICY
        return response

    return _answered(request, organisation_id, answer)


@require_safe
@login_required
@never_cache
@xframe_options_sameorigin
def mail(request: HttpRequest, organisation_id: int, delivery_id: int) -> HttpResponse:
    """A mail's HTML, as its reader gets it: for the frame in the page above."""

    def answer(cell: Connection, owner: Organisation, wording: Wording) -> HttpResponse:
        with cell.reading():
            one, stored = _found(find_delivery(cell, owner.id, _known(delivery_id)))
            written = _found(mail_of(cell, one, stored, place_of(owner)))
        # Its link opens beside the console, never within the frame.
        page = written.html.replace("<head>", '<head><base target="_blank">', 1)
        response = HttpResponse(page)
        response.headers["Content-Security-Policy"] = MAIL_POLICY
        return response

    return _answered(request, organisation_id, answer)


@require_POST
@login_required
@never_cache
def again(request: HttpRequest, organisation_id: int, delivery_id: int) -> HttpResponse:
    """Send a delivery again; a job does within a second."""

    def answer(cell: Connection, owner: Organisation, wording: Wording) -> HttpResponse:
        with cell.transaction():
            done = redeliver(cell, owner.id, _known(delivery_id), now_ms=now_ms())
        if isinstance(done, Refusal):
            if done.code == "unknown_delivery":
                raise Http404
            shown = {**_of(owner), "refusal": done, "delivery_id": delivery_id}
            return render(request, "notices/refused.html", shown, status=409)
        response = redirect("delivery", owner.id, delivery_id)
        response.headers["Location"] += "?again"
        return response

    return _answered(request, organisation_id, answer)


def _answered(request: HttpRequest, organisation_id: int, answer: Answer) -> HttpResponse:
    """The answer about an organisation that the reader looks after; 404 for any other."""
    mine = Membership.objects.filter(
        account__email=request.user.get_username(), organisation_id=_known(organisation_id)
    )
    owner = Organisation.objects.filter(id__in=mine.values("organisation_id")).first()
    if owner is None:
        raise Http404
    wording = wording_for(request.headers.get("Accept-Language", ""), owner.time_zone)
    address = current().cells.get(owner.cell)
    try:
        if address is None:
            raise Outage(f"this process does not know the cell {owner.cell}")
        with closing(connect(address)) as cell:
            return answer(cell, owner, wording)
    except Outage as error:
        log.error("cell %s does not answer: %s", owner.cell, error)
        return render(request, "start/cell_away.html", _of(owner), status=503)


def place_of(owner: Organisation) -> Place:
    """The organisation, and where a mail's link leads."""
    return Place(owner.name, f"{current().address}/organisations/{owner.id}/")


def _of(owner: Organisation) -> dict[str, Any]:
    return {"organisation": owner, "commerce_model": COMMERCE_MODELS[owner.commerce_model]}


def _found(result: Any) -> Any:
    if isinstance(result, Refusal):
        raise Http404
    return result


def _known(id_: int) -> int:
    """An id that a database can hold; others are of nothing."""
    if id_ > ID_MAX:
        raise Http404
    return id_


def _id_in(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) <= ID_DIGITS_MAX:
        return min(int(text), ID_MAX)
    return ID_MAX
