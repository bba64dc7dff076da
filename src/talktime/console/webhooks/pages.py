"""Webhook endpoints: the list, adding one, one with its deliveries, its kinds of events."""

import secrets
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from talktime.console.databases import current
from talktime.console.doors import CHANGE, Desk, Shown, page
from talktime.console.notices.shown import (
    STATES,
    before_in,
    delivery_shown,
    kind_title,
)
from talktime.console.pressed_once import once
from talktime.console.refusals import sentence
from talktime.console.roles import NOTICES
from talktime.console.shared_forms import SharedForm
from talktime.console.told_once import tell_once, told_once
from talktime.core.ids import ID_MAX
from talktime.core.limits import NAME_TEXT_MAX, WEBHOOK_URL_TEXT_MAX
from talktime.core.notices import KINDS
from talktime.core.refusal import Refusal
from talktime.operations.deliveries import deliveries_of_endpoint
from talktime.operations.endpoints import (
    ACTIVE,
    ENTROPY_BYTES,
    OVERLAP_MS,
    NewSecret,
    add_endpoint,
    choose_kinds,
    list_endpoints,
)
from talktime.operations.sealing import Seal
from talktime.store.deliveries import Delivery
from talktime.store.notices import notices_of_ids
from talktime.store.recipients import Endpoint

PAGE_DELIVERIES = 25
HOUR_MS = 3_600_000
KIND_CHOICES = [(kind, kind) for kind, each in KINDS.items() if each.to_programs]


class KindsForm(SharedForm):
    """Which kinds of events a program is told of."""

    every = forms.ChoiceField(
        label=gettext_lazy("Events"),
        choices=[
            ("all", gettext_lazy("All events, also new kinds")),
            ("some", gettext_lazy("Only these:")),
        ],
        widget=forms.RadioSelect,
    )
    kinds = forms.MultipleChoiceField(
        label=gettext_lazy("Kinds"),
        choices=KIND_CHOICES,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(kind, f"{kind} · {kind_title(kind)}") for kind, _words in KIND_CHOICES]
        self.fields["kinds"].choices = choices  # type: ignore[attr-defined]

    def _meet(self, data: QueryDict) -> None:
        every = data.get("every", "")
        super()._meet(data)
        if "kinds" in self._both:  # sent again, these take the place of all
            data["every"] = every

    def clean(self) -> dict[str, Any]:
        """The kinds: none for all."""
        typed: dict[str, Any] = self.cleaned_data
        if typed.get("every") == "all":
            typed["kinds"] = []
        elif not typed.get("kinds"):
            self.add_error("kinds", _("Choose one kind or more."))
        return typed


class EndpointForm(KindsForm):
    """A new endpoint."""

    url = forms.CharField(
        label=gettext_lazy("Endpoint URL"),
        max_length=WEBHOOK_URL_TEXT_MAX,
        widget=forms.URLInput(attrs={"placeholder": "https://hooks.contoso.example/talktime"}),
    )


@page()
def webhooks(desk: Desk) -> HttpResponse:
    """The endpoints, and how a program knows that a message is ours."""
    with desk.cell.reading():
        found = list_endpoints(desk.cell, desk.owner.id)
    shown: Shown = {"endpoints": [endpoint_shown(desk, each) for each in found]}
    return desk.page("webhooks/webhooks.html", shown)


@page(may=NOTICES, methods=CHANGE)
def add_webhook(desk: Desk) -> HttpResponse:
    """Let a program be told; its secret is shown once, on the page that follows."""
    posted = desk.request.method == "POST"
    form = EndpointForm(desk.request.POST) if posted else EndpointForm(initial={"every": "all"})
    if posted and form.is_valid():
        settings, typed = current(), form.cleaned_data

        def make() -> NewSecret | Refusal:
            return add_endpoint(
                *(desk.cell, desk.owner.id, typed["url"]),
                kinds=typed["kinds"],
                actor=desk.actor[:NAME_TEXT_MAX],
                allowed_hosts=settings.webhooks_allow,
                seal=Seal(settings.seal_keys()),
                now_ms=desk.now_ms,
                next_id=desk.next_id,
                entropy=secrets.token_bytes(ENTROPY_BYTES),
            )

        made = once(desk, make, lambda new: new.endpoint.id, in_cell=True)
        if not isinstance(made, Refusal):
            if made[1] is not None:
                tell_secret(desk, made[1])
                messages.success(desk.request, _("The endpoint was added."))
            return redirect("webhook", desk.owner.id, made[0])
        form.add_error("url", sentence(made))
    return desk.page("webhooks/add.html", {"form": form}, 422 if posted else 200)


@page()
def webhook(desk: Desk, endpoint_id: int) -> HttpResponse:
    """One endpoint with its deliveries, the newest first, a page at a time."""
    return webhook_page(desk, endpoint_id)


def webhook_page(desk: Desk, endpoint_id: int, refusal: Refusal | None = None) -> HttpResponse:
    """The page of an endpoint, with why a change of it was refused."""
    before, state = before_in(desk.request), desk.request.GET.get("state", "")
    state = state if state in STATES else ""
    with desk.cell.reading():
        endpoint = endpoint_here(desk, endpoint_id)
        found = deliveries_of_endpoint(
            *(desk.cell, desk.owner.id, endpoint_id),
            before=before,
            limit=PAGE_DELIVERIES + 1,
            state=state,
        )
        deliveries = [] if isinstance(found, Refusal) else found
        told = _told(desk, deliveries[:PAGE_DELIVERIES])
    kept = {"state": state} if state else {}
    last = deliveries[PAGE_DELIVERIES - 1 : PAGE_DELIVERIES]
    more = {"before": last[0].id} if len(deliveries) > PAGE_DELIVERIES else {}
    shown: Shown = {
        "endpoint": endpoint_shown(desk, endpoint),
        "told": told_once(desk.request, page_of(endpoint_id)),
        "deliveries": told,
        "state": state,
        "states": [(name, words) for name, (words, _look) in STATES.items()],
        "overlap_hours": OVERLAP_MS // HOUR_MS,
        "wrong": "" if refusal is None else sentence(refusal),
        "older": f"?{urlencode({**kept, **more})}" if more else "",
        "newest": f"?{urlencode(kept)}" if before != ID_MAX else "",
    }
    return desk.page("webhooks/webhook.html", shown, 200 if refusal is None else 422)


@page(may=NOTICES, methods=CHANGE)
def webhook_kinds(desk: Desk, endpoint_id: int) -> HttpResponse:
    """Choose the kinds of events."""
    with desk.cell.reading():
        endpoint = endpoint_here(desk, endpoint_id)
    posted = desk.request.method == "POST"
    kinds = list(endpoint.kinds)
    initial = {"every": "some" if kinds else "all", "kinds": kinds}
    form = KindsForm(desk.request.POST if posted else None, initial=initial)
    if posted and form.is_valid():
        with desk.cell.transaction():
            done = choose_kinds(desk.cell, desk.owner.id, endpoint_id, form.cleaned_data["kinds"])
        if not isinstance(done, Refusal):
            messages.success(desk.request, _("Saved."))
            return redirect("webhook", desk.owner.id, endpoint_id)
        form.add_error("kinds", sentence(done))
    shown: Shown = {"form": form, "endpoint": endpoint_shown(desk, endpoint)}
    return desk.page("webhooks/kinds.html", shown, 422 if posted else 200)


def endpoint_here(desk: Desk, endpoint_id: int) -> Endpoint:
    """The endpoint of this id; 404 where the organisation has none. Takes no lock."""
    for each in list_endpoints(desk.cell, desk.owner.id):
        if each.id == endpoint_id:
            return each
    raise Http404


def endpoint_shown(desk: Desk, endpoint: Endpoint) -> Shown:
    """One endpoint for people, without its secrets."""
    until_ms = endpoint.old_until_ms
    rotating = until_ms is not None and until_ms > desk.now_ms
    return {
        "id": endpoint.id,
        "url": endpoint.url,
        "active": endpoint.state == ACTIVE,
        "why": endpoint.detail,
        "kinds": endpoint.kinds,
        "old_until": desk.wording.moment(until_ms) if rotating and until_ms else "",
        "created": desk.wording.moment(endpoint.created_ms),
        "created_by": endpoint.created_by,
    }


def _told(desk: Desk, deliveries: list[Delivery]) -> list[Shown]:
    """Deliveries, each with what it tells of."""
    ids = [each.outbox_id for each in deliveries]
    notices = notices_of_ids(desk.cell, [desk.owner.id], ids) if ids else {}
    return [
        {
            **delivery_shown(each, {}, desk.wording),
            "kind": notices[each.outbox_id].notice.kind,
            "at": desk.wording.moment(notices[each.outbox_id].notice.at_ms),
        }
        for each in deliveries
        if each.outbox_id in notices
    ]


def tell_secret(desk: Desk, made: NewSecret) -> None:
    """Keep a new secret for the endpoint's page."""
    endpoint = made.endpoint
    tell_once(desk.request, page_of(endpoint.id), endpoint.url, made.secret)


def page_of(endpoint_id: int) -> str:
    """What names the page of an endpoint where a secret is kept for it."""
    return f"webhook {endpoint_id}"
