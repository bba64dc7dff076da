"""What an organisation pays with: cards in the order in which they are tried, and agreements."""

from django.http import Http404, HttpResponse
from django.shortcuts import redirect

from talktime.console.billing.desk import Desk, Shown, at_the_desk
from talktime.console.billing.shown import method_shown
from talktime.core.refusal import Refusal
from talktime.operations.payment_methods import (
    find_method,
    list_methods,
    make_first,
    remove_method,
)


@at_the_desk("GET", "HEAD")
def methods_page(desk: Desk) -> HttpResponse:
    """The payment methods."""
    methods = list_methods(desk.counter.cell, desk.owner)
    shown: Shown = {
        "methods": [method_shown(each, place == 0) for place, each in enumerate(methods)],
    }
    return desk.page("methods", shown)


@at_the_desk("POST")
def first_method(desk: Desk, method_id: int) -> HttpResponse:
    """Try this method before all others."""
    if isinstance(make_first(desk.counter, method_id), Refusal):
        raise Http404
    return redirect("methods", desk.owner.id)


@at_the_desk("GET", "HEAD", "POST")
def removed_method(desk: Desk, method_id: int) -> HttpResponse:
    """Remove a method, after asking once."""
    method = find_method(desk.counter, method_id)
    if isinstance(method, Refusal):
        raise Http404
    if desk.request.method == "POST":
        remove_method(desk.counter, method_id)  # removed twice is removed
        return redirect("methods", desk.owner.id)
    return desk.page("remove_method", {"method": method_shown(method, False)})
