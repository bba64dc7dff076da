"""What is done with a webhook endpoint by a button: each a POST that leads back to its page."""

import secrets
from datetime import UTC, date, datetime, time, timedelta

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from talktime.console.databases import current
from talktime.console.doors import Desk, page
from talktime.console.pressed_once import once
from talktime.console.roles import NOTICES
from talktime.console.webhooks.pages import tell_secret, webhook_page
from talktime.core.deliveries import WEBHOOK
from talktime.core.refusal import Refusal
from talktime.operations.deliveries import redeliver_failed, send_test
from talktime.operations.endpoints import (
    BY_HAND,
    ENTROPY_BYTES,
    NewSecret,
    disable_endpoint,
    enable_endpoint,
    remove_endpoint,
    rotate_secret,
)
from talktime.operations.sealing import Seal

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
POST = ("POST",)


@page(may=NOTICES, methods=POST)
def rotate(desk: Desk, endpoint_id: int) -> HttpResponse:
    """Make a new secret, shown once; the one before signs too for a day."""

    def make() -> NewSecret | Refusal:
        return rotate_secret(
            *(desk.cell, desk.owner.id, endpoint_id),
            seal=Seal(current().seal_keys()),
            now_ms=desk.now_ms,
            entropy=secrets.token_bytes(ENTROPY_BYTES),
        )

    made = once(desk, make, lambda new: new.endpoint.id, in_cell=True)
    if isinstance(made, Refusal):
        return _refused(desk, endpoint_id, made)
    if made[1] is not None:
        tell_secret(desk, made[1])
        messages.success(desk.request, _("The secret was rotated."))
    return redirect("webhook", desk.owner.id, endpoint_id)


@page(may=NOTICES, methods=POST)
def enable(desk: Desk, endpoint_id: int) -> HttpResponse:
    """Tell an endpoint again."""
    with desk.cell.transaction():
        done = enable_endpoint(desk.cell, desk.owner.id, endpoint_id)
    return _done(desk, endpoint_id, done, _("The endpoint is told again."))


@page(may=NOTICES, methods=POST)
def disable(desk: Desk, endpoint_id: int) -> HttpResponse:
    """Tell an endpoint nothing until it is enabled."""
    with desk.cell.transaction():
        done = disable_endpoint(desk.cell, desk.owner.id, endpoint_id, reason=BY_HAND)
    return _done(desk, endpoint_id, done, _("The endpoint is told nothing more."))


@page(may=NOTICES, methods=POST)
def remove(desk: Desk, endpoint_id: int) -> HttpResponse:
    """Tell an endpoint nothing more, for good."""
    with desk.cell.transaction():
        done = remove_endpoint(desk.cell, desk.owner.id, endpoint_id)
    if isinstance(done, Refusal):
        return _refused(desk, endpoint_id, done)
    messages.success(desk.request, _("The endpoint was removed."))
    return redirect("webhooks", desk.owner.id)


@page(may=NOTICES, methods=POST)
def test(desk: Desk, endpoint_id: int) -> HttpResponse:
    """Send a test event."""
    with desk.cell.transaction():
        done = send_test(
            *(desk.cell, desk.owner.id, WEBHOOK, str(endpoint_id)),
            actor=desk.actor,
            now_ms=desk.now_ms,
            next_id=desk.next_id,
        )
    return _done(desk, endpoint_id, done, _("A test event is on its way."))


@page(may=NOTICES, methods=POST)
def again(desk: Desk, endpoint_id: int) -> HttpResponse:
    """Send all again that failed, of what happened since a day."""
    try:
        day = date.fromisoformat(desk.request.POST.get("since", ""))
        since_ms = _midnight_ms(desk, day)
    except (ValueError, OverflowError):
        wrong = Refusal("invalid_value", _("name a day since which to send again"))
        return webhook_page(desk, endpoint_id, wrong)
    with desk.cell.transaction():
        done = redeliver_failed(
            *(desk.cell, desk.owner.id, endpoint_id), since_ms=since_ms, now_ms=desk.now_ms
        )
    count = 0 if isinstance(done, Refusal) else done
    said = ngettext(
        "%(count)d delivery is sent again.", "%(count)d deliveries are sent again.", count
    )
    return _done(desk, endpoint_id, done, said % {"count": count})


def _midnight_ms(desk: Desk, day: date) -> int:
    at = datetime.combine(day, time(), desk.wording.zone)
    return max((at - EPOCH) // timedelta(milliseconds=1), 0)


def _done(desk: Desk, endpoint_id: int, done: object, said: str) -> HttpResponse:
    if isinstance(done, Refusal):
        return _refused(desk, endpoint_id, done)
    messages.success(desk.request, said)
    return redirect("webhook", desk.owner.id, endpoint_id)


def _refused(desk: Desk, endpoint_id: int, refusal: Refusal) -> HttpResponse:
    if refusal.code == "unknown_endpoint":
        raise Http404
    return webhook_page(desk, endpoint_id, refusal)
