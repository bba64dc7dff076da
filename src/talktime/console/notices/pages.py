"""What an organisation was told: the list, each mail as its reader sees it, sending it again."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.clickjacking import xframe_options_sameorigin

from talktime.console.databases import current
from talktime.console.doors import Desk, Shown, page
from talktime.console.notices.shown import (
    STATES,
    before_in,
    delivery_shown,
    event_shown,
    kind_title,
    notice_shown,
    told_shown,
)
from talktime.console.refusals import sentence
from talktime.console.roles import NOTICES
from talktime.console.start.headers import POLICY
from talktime.core.ids import ID_MAX
from talktime.core.notices import KINDS
from talktime.core.refusal import Refusal
from talktime.operations.deliveries import find_delivery, list_told, mail_of, redeliver
from talktime.operations.endpoints import list_endpoints
from talktime.operations.notice_words import Place
from talktime.operations.recipients import list_recipients
from talktime.store.notices import Only

PAGE_NOTICES = 50
FILTERS = ("kind", "state", "to")

# A mail's own styles stand in it; it loads nothing, runs nothing, and only our page frames it.
MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; sandbox allow-popups "
    "allow-popups-to-escape-sandbox; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
FRAMING_POLICY = f"{POLICY}; frame-src 'self'"
"""The page that frames it loads what all pages do, and the frame."""


@page()
def notices(desk: Desk) -> HttpResponse:
    """The organisation's notices, the newest first, a page at a time."""
    asked, cell, before = desk.request.GET, desk.cell, before_in(desk.request)
    kept = {name: asked[name] for name in FILTERS if asked.get(name)}
    with cell.reading():
        urls = {str(each.id): each.url for each in list_endpoints(cell, desk.owner.id)}
        people = [each.email for each in list_recipients(cell, desk.owner.id)]
        only = _only(kept)
        told = list_told(cell, desk.owner.id, before=before, limit=PAGE_NOTICES + 1, only=only)
    more = {"before": told[PAGE_NOTICES - 1].id} if len(told) > PAGE_NOTICES else {}
    shown: Shown = {
        "notices": told_shown(told[:PAGE_NOTICES], urls, desk.wording),
        "filters": {name: asked.get(name, "") for name in FILTERS},
        "filtered": bool(kept),
        "kinds": [(kind, kind_title(kind)) for kind in KINDS],
        "states": [(state, words) for state, (words, _look) in STATES.items()],
        "targets": [(each, each) for each in people] + list(urls.items()),
        "nobody": not people and not urls,
        "older": f"?{urlencode({**kept, **more})}" if more else "",
        "newest": f"?{urlencode(kept)}" if before != ID_MAX else "",
    }
    return desk.page("notices/notices.html", shown)


def _only(kept: dict[str, str]) -> Only:
    """What the list is to show; what cannot be in it finds nothing."""
    texts = (kept.get(name, "")[:254] for name in FILTERS)
    return Only(*(text if text.isprintable() else "?" for text in texts))


@page()
def delivery(desk: Desk, delivery_id: int) -> HttpResponse:
    """One delivery: how it stands, what was sent, and what was answered."""
    response = _delivery(desk, delivery_id)
    response.headers["Content-Security-Policy"] = FRAMING_POLICY
    return response


def _delivery(
    desk: Desk, delivery_id: int, refusal: Refusal | None = None, status: int = 200
) -> HttpResponse:
    with desk.cell.reading():
        one, stored = _found(find_delivery(desk.cell, desk.owner.id, delivery_id))
        urls = {str(each.id): each.url for each in list_endpoints(desk.cell, desk.owner.id)}
        written = mail_of(desk.cell, one, stored, place_of(desk))
    shown: Shown = {
        "notice": notice_shown(stored, desk.wording),
        "delivery": delivery_shown(one, urls, desk.wording),
        "endpoint_id": one.target if one.target in urls else "",
        "wrong": "" if refusal is None else sentence(refusal),
    }
    if one.channel != "mail":
        shown["event"] = event_shown(stored)
    elif not isinstance(written, Refusal):
        shown["written"] = written
        shown["written_in"] = written.html.partition(' lang="')[2].partition('"')[0]
    return desk.page("notices/delivery.html", shown, status)


@xframe_options_sameorigin
@page()
def mail(desk: Desk, delivery_id: int) -> HttpResponse:
    """A mail's HTML, as its reader gets it: for the frame in the page above."""
    with desk.cell.reading():
        one, stored = _found(find_delivery(desk.cell, desk.owner.id, delivery_id))
        written = _found(mail_of(desk.cell, one, stored, place_of(desk)))
    # Its link opens beside the console, never within the frame.
    framed = written.html.replace("<head>", '<head><base target="_blank">', 1)
    response = HttpResponse(framed)
    response.headers["Content-Security-Policy"] = MAIL_POLICY
    return response


@page(may=NOTICES, methods=("POST",))
def again(desk: Desk, delivery_id: int) -> HttpResponse:
    """Send a delivery again; a job does within a second."""
    with desk.cell.transaction():
        done = redeliver(desk.cell, desk.owner.id, delivery_id, now_ms=desk.now_ms)
    if isinstance(done, Refusal):
        if done.code == "unknown_delivery":
            raise Http404
        return _delivery(desk, delivery_id, done, 409)
    messages.success(desk.request, _("It is sent again within a moment."))
    return redirect("delivery", desk.owner.id, delivery_id)


def place_of(desk: Desk) -> Place:
    """The organisation, and where a mail's link leads."""
    return Place(desk.owner.name, f"{current().address}/organisations/{desk.owner.id}/")


def _found(result: Any) -> Any:
    if isinstance(result, Refusal):
        raise Http404
    return result
