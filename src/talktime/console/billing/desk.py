"""Who looks at which organisation's money: its admins alone, each page with its counter open."""

import logging
from collections.abc import Callable
from contextlib import closing
from functools import wraps
from typing import Any, NamedTuple

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from talktime.clock import now_ms
from talktime.console.api.doors import ID_MAX, new_ids
from talktime.console.control_plane.models import Membership
from talktime.console.databases import current
from talktime.console.start.organisation_page import COMMERCE_MODELS
from talktime.console.start.shown import wording_for
from talktime.core.directory import Organisation
from talktime.core.refusal import Refusal
from talktime.operations.billing_profiles import seller_of
from talktime.operations.counters import Counters
from talktime.operations.eligibility import why_not_buy
from talktime.operations.till import Counter, NoWallet
from talktime.operations.wording import Amount, Wording
from talktime.store.database import Connection, Outage, connect
from talktime.store.organisations import organisation_of_id

log = logging.getLogger(__name__)

Shown = dict[str, Any]


class Desk(NamedTuple):
    """One reader at one organisation's counter."""

    request: HttpRequest
    control: Connection
    counter: Counter
    why_not: Refusal | None
    wording: Wording

    @property
    def owner(self) -> Organisation:
        """The organisation."""
        return self.counter.organisation

    @property
    def actor(self) -> str:
        """Who does it, as it is kept."""
        return self.request.user.get_username()

    def money(self, micros: int) -> Amount:
        """An amount in the organisation's currency."""
        return self.wording.money(micros, self.owner.currency)

    def page(self, template: str, shown: Shown, status: int = 200) -> HttpResponse:
        """A page below the organisation's heading."""
        context = {**heading(self.owner), "why_not": self.why_not, **shown}
        return render(self.request, f"billing/{template}.html", context, status=status)


View = Callable[..., HttpResponse]


def at_the_desk(*methods: str) -> Callable[[View], View]:
    """A page for the organisation's admins; for everybody else there is none."""

    def wrap(view: View) -> View:
        @require_http_methods(methods)
        @login_required
        @never_cache
        @wraps(view)
        def page(request: HttpRequest, organisation_id: int, **place: int) -> HttpResponse:
            mine = Membership.objects.filter(account__email=request.user.get_username())
            ids = (organisation_id, *place.values())
            if max(ids) > ID_MAX or not mine.filter(organisation_id=organisation_id).exists():
                raise Http404
            return _opened(request, organisation_id, view, place)

        return page

    return wrap


def _opened(
    request: HttpRequest, organisation_id: int, view: View, place: dict[str, int]
) -> HttpResponse:
    with closing(connect(current().control_plane)) as control:
        with control.reading():
            owner = organisation_of_id(control, organisation_id)
        if owner is None:
            raise Http404
        address = current().cells.get(owner.cell)
        try:
            if address is None:
                raise Outage(f"this process does not know the cell {owner.cell}")
            with closing(connect(address)) as cell:
                counters = Counters(
                    lambda: control, cell, now_ms, new_ids().next, seller_of(current())
                )
                why_not = why_not_buy(counters.catalogue, owner)
                wording = wording_for(request.headers.get("Accept-Language", ""), owner.time_zone)
                desk = Desk(request, control, counters.of(owner), why_not, wording)
                return view(desk, **place)
        except (Outage, NoWallet) as error:
            log.error("cell %s does not answer: %s", owner.cell, error)
            return render(request, "start/cell_away.html", heading(owner), status=503)


def heading(owner: Organisation) -> Shown:
    """What stands above every page of an organisation."""
    return {
        "organisation": owner,
        "commerce_model": COMMERCE_MODELS[owner.commerce_model],
        "several": True,
    }
