"""Calls, and movements of money, in a reader's words; other parties' numbers masked (R78)."""

import json

from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as now_
from django.utils.translation import gettext_lazy as _

from talktime.console.billing.shown import lot_name
from talktime.console.doors import Desk, Shown
from talktime.console.said import destination_said
from talktime.console.start.shown import telephone
from talktime.core.ids import id_in
from talktime.core.masking import masked_parties
from talktime.operations.running_calls import talked_so_far
from talktime.operations.transactions import Moved
from talktime.operations.wording import duration
from talktime.store.wallet_hours import Place
from talktime.store.wallet_lines import CallLine

RUNNING, CORRECTION = "running", "correction"
MOVED: dict[str, Promise] = {
    "purchase": _("Credits bought"),
    "recharge": _("Credits bought by auto-recharge"),
    "grant": _("Credits granted"),
    "adjustment": _("Adjustment"),
    "usage": _("Call"),
    "overdraft": _("Call past its credits: owed"),
    "debt_payment": _("What was owed, paid from new credits"),
    "correction": _("Correction of a call"),
    "forfeiture": _("Credits expired"),
    "refund": _("Refund: credits taken back"),
    "chargeback": _("Payment taken back by the cardholder's bank"),
    "take_back": _("Credits taken back by the operator"),
    "reinstatement": _("Dispute won: credits given back"),
}


def hidden_digits(desk: Desk) -> int:
    """How many digits of other parties' numbers are masked in this organisation."""
    return desk.catalogue.country(desk.owner.country).masked_digits


def call_shown(desk: Desk, call: CallLine, hidden: int) -> Shown:
    """A call that runs or ran; where one that ran has a page of its own, its address."""
    caller, called = telephone(call.from_digits), telephone(call.to_digits)
    caller, called = masked_parties(call.type, caller, called, hidden)
    running = call.kind == RUNNING
    return {
        "running": running,
        "correction": call.kind == CORRECTION,
        "started": desk.wording.moment(call.started_ms),
        "user": call.display_name or call.user,
        "from": caller,
        "to": called,
        "destination": destination_said(
            _destination(call.destination) if running else call.destination
        ),
        "duration": _talked(desk, call) if running else duration(call.used_s),
        "charge": desk.money(call.charge_micros),
        "included": bool(call.pool_s),
        "after_use": desk.money(call.post_micros) if call.post_micros else None,
        "url": "" if running else call_url(desk, call.id),
    }


def _talked(desk: Desk, call: CallLine) -> str:
    """How long a running call has talked by now; empty where it is not answered yet."""
    talked_s = talked_so_far(call.answered_ms, call.granted_s, call.used_s, desk.now_ms)
    return "" if talked_s is None else duration(talked_s)


def _destination(rate: str) -> str:
    return str(json.loads(rate)[1])


def call_url(desk: Desk, usage_id: int) -> str:
    """Where a usage record's call is explained."""
    try:
        return reverse("call", args=[desk.owner.id, usage_id])
    except NoReverseMatch:
        return ""


def moved_shown(desk: Desk, moved: Moved, hidden: int) -> Shown:
    """A movement in words, with what it did to the balance."""
    transfer, call, lot = moved.transfer, moved.call, moved.lot
    balance = moved.balance_micros
    return {
        "id": transfer.id,
        "at": desk.wording.moment(transfer.at_ms),
        "what": MOVED[kind_of(moved)],
        "call": None if call is None else call_shown(desk, call, hidden),
        "lot": None if lot is None else {"id": lot.id, "name": lot_name(desk, lot)},
        "change": desk.money(moved.effect_micros),
        "gained": moved.effect_micros > 0,
        "balance": None if balance is None else desk.money(balance),
    }


def kind_of(moved: Moved) -> str:
    """Of what kind a movement is for people: a key of MOVED."""
    bought = moved.transfer.kind == "purchase" and moved.lot is not None
    by_itself = bought and moved.lot is not None and moved.lot.source == "recharge"
    return "recharge" if by_itself else moved.transfer.kind


def said(moved: Moved) -> str:
    """A movement in one line of plain text."""
    words = str(MOVED[kind_of(moved)])
    if moved.call is None:
        return words
    facts = {"what": words, "destination": destination_said(moved.call.destination)}
    return now_("%(what)s: %(destination)s") % facts


def place_text(place: Place) -> str:
    """A place among movements, as an address keeps it."""
    return f"{place.at_ms}.{place.id}"


def place_in(text: str) -> Place | None:
    """The place in an address; None where it is none.

    >>> place_in("17.4"), place_in("17"), place_in("x.y"), place_in("1.-2"), place_in("9" * 99)
    (Place(at_ms=17, id=4), None, None, None, None)
    """
    at_ms, id_ = (id_in(part) for part in text.partition(".")[::2])
    return None if at_ms is None or id_ is None else Place(at_ms, id_)
