"""Purchases and expiry: every lot, and what used it."""

from django.http import Http404, HttpResponse
from django.urls import reverse

from talktime.console.billing.calls_shown import hidden_digits, moved_shown, place_in, place_text
from talktime.console.billing.document_pages import document_shown
from talktime.console.billing.shown import (
    MONTHS_SHOWN_MAX,
    calendar_shown,
    lot_shown,
    wallet_shown,
)
from talktime.console.doors import Desk, Shown, page
from talktime.console.roles import OPERATE, SEE
from talktime.core.ids import id_in
from talktime.operations.lots import find_lot, invoice_of, list_lots
from talktime.operations.take_back import Possible, what_can_be_taken_back
from talktime.operations.transactions import LATEST, list_lot_movements
from talktime.operations.wallet_view import view_wallet

LOTS_SHOWN_MAX, MOVEMENTS_SHOWN_MAX = 50, 50


@page(may=SEE)
def lots_page(desk: Desk) -> HttpResponse:
    """Every purchase and grant, the latest first, and when what is left expires."""
    text, show_all = desk.request.GET.get("before", ""), "all" in desk.request.GET
    before = id_in(text)
    if text and before is None:
        raise Http404
    view = view_wallet(desk.counter, desk.why_not)
    found = list_lots(
        desk.cell, desk.owner, open_=not show_all, before=before, limit=LOTS_SHOWN_MAX + 1
    )
    page_, all_ = found[:LOTS_SHOWN_MAX], "all&" if show_all else ""
    more = len(found) > LOTS_SHOWN_MAX
    here = reverse("lots", args=[desk.owner.id])
    shown: Shown = {
        **wallet_shown(desk, view),
        "lots": [lot_shown(desk, each) for each in page_],
        "all": show_all,
        "older": f"?{all_}before={page_[-1].lot.id}" if more else "",
        "newest": f"{here}?all" if before and show_all else (here if before else ""),
        "calendar": calendar_shown(desk, view.calendar[:MONTHS_SHOWN_MAX]),
        "calendar_cut": max(len(view.calendar) - MONTHS_SHOWN_MAX, 0),
    }
    return desk.page("billing/lots.html", shown)


@page(may=SEE)
def lot_page(desk: Desk, lot_id: int) -> HttpResponse:
    """One lot: what was bought, the calls that used it, what else became of it."""
    text = desk.request.GET.get("before", "")
    before = place_in(text) if text else LATEST
    view = find_lot(desk.cell, desk.owner, lot_id)
    if before is None or view is None:
        raise Http404
    movements = list_lot_movements(
        desk.cell, desk.owner.id, lot_id, before=before, limit=MOVEMENTS_SHOWN_MAX
    )
    hidden, invoice = hidden_digits(desk), invoice_of(desk.cell, desk.owner, lot_id)
    older = movements.older
    shown: Shown = {
        "lot": lot_shown(desk, view),
        "to_take_back": to_take_back(desk, lot_id),
        "invoice": None if invoice is None else document_shown(desk, invoice),
        "moved": [moved_shown(desk, each, hidden) for each in movements.moved],
        "older": f"?before={place_text(older)}" if older else "",
        "newest": reverse("lot", args=[desk.owner.id, lot_id]) if text else "",
    }
    return desk.page("billing/lot.html", shown)


def to_take_back(desk: Desk, lot_id: int) -> bool:
    """Whether the reader may take something of it back."""
    return desk.may(OPERATE) and isinstance(what_can_be_taken_back(desk.counter, lot_id), Possible)
