"""What an organisation pays with: cards in the order in which they are tried, and agreements."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from talktime.clock import is_movable
from talktime.console.billing.payments_shown import confirm_url
from talktime.console.billing.shown import method_shown
from talktime.console.doors import CHANGE, Desk, Shown, page
from talktime.console.roles import BILLING, SEE
from talktime.console.said import said
from talktime.core.payments import PaymentTry
from talktime.core.refusal import Refusal
from talktime.operations.card_setups import (
    DONE,
    FAILED,
    SETUP_PLACE,
    STARTED,
    WAITING,
    begin_card,
    find_card_setup,
)
from talktime.operations.payment_methods import (
    declined_for_good,
    find_method,
    list_methods,
    make_first,
    remove_method,
)
from talktime.operations.provider_settings import SANDBOX, active_provider

SOON_S, LATER_S = 1, 5
"""How often the page of a card looks again: until it has an address, and afterwards."""


@page(may=SEE)
def methods_page(desk: Desk) -> HttpResponse:
    """The payment methods."""
    return _methods(desk)


def _methods(desk: Desk, refusal: Refusal | None = None) -> HttpResponse:
    with desk.control.reading():
        provider = active_provider(desk.control)
    methods = list_methods(desk.counter.cell, desk.owner)
    declined = declined_for_good(desk.counter.cell, desk.owner)
    shown: Shown = {
        "methods": [
            method_shown(each, place) | {"declined": _declined_shown(desk, declined.get(each.id))}
            for place, each in enumerate(methods)
        ],
        "no_cards": no_cards(provider),
        "wrong": refusal,
    }
    return desk.page("billing/methods.html", shown, 200 if refusal is None else refusal.kind.status)


def _declined_shown(desk: Desk, try_: PaymentTry | None) -> Shown:
    if try_ is None:
        return {}
    day = desk.wording.day(try_.closed_ms or try_.created_ms)
    return {"day": day, "why": try_.detail or try_.code}


@page(may=BILLING, methods=("POST",))
def add_card(desk: Desk) -> HttpResponse:
    """Begin to add a card: its holder enters it at the provider, never here."""
    cards = desk.request.build_absolute_uri(reverse("add-card", args=[desk.owner.id]))
    back = f"{cards}{SETUP_PLACE}/"
    with desk.control.reading():
        provider = active_provider(desk.control)
    if no_cards(provider):
        raise Http404
    begun = begin_card(desk.counter, provider=provider, return_url=back, actor=desk.actor)
    if isinstance(begun, Refusal):
        return _methods(desk, begun)
    return redirect("card-setup", desk.owner.id, begun.id)


@page(may=SEE)
def card_setup(desk: Desk, setup_id: int) -> HttpResponse:
    """How adding a card stands; looks again by itself until there is a page to go to."""
    setup = find_card_setup(desk.counter, setup_id)
    if isinstance(setup, Refusal):
        raise Http404
    waits = setup.state in (STARTED, WAITING)
    shown: Shown = {
        "setup": setup,
        "page": confirm_url(setup.url) if setup.state == WAITING else "",
        "failed": setup.state == FAILED,
        "done": setup.state == DONE,
        "refresh_s": (SOON_S if setup.state == STARTED else LATER_S) if waits else None,
    }
    return desk.page("billing/card_setup.html", shown)


def no_cards(provider: str) -> bool:
    """Whether no card can be added: the sandbox would take any, so it has none in production."""
    return provider == SANDBOX and not is_movable()


@page(may=BILLING, methods=("POST",))
def first_method(desk: Desk, method_id: int) -> HttpResponse:
    """Try this method before all others."""
    if isinstance(make_first(desk.counter, method_id), Refusal):
        raise Http404
    messages.success(desk.request, _("This payment method is tried first now."))
    return redirect("methods", desk.owner.id)


@page(may=BILLING, methods=CHANGE)
def removed_method(desk: Desk, method_id: int) -> HttpResponse:
    """Remove a method, after asking once."""
    method = find_method(desk.counter, method_id)
    if isinstance(method, Refusal):
        raise Http404
    if desk.request.method == "POST":
        remove_method(desk.counter, method_id)  # removed twice is removed
        removed = _("%(method)s is removed.") % {"method": said(method.name)}
        messages.success(desk.request, removed)
        return redirect("methods", desk.owner.id)
    return desk.page("billing/remove_method.html", {"method": method_shown(method, 0)})
