"""Cards and charges of the sandbox, for people."""

from typing import Any

from django.utils.translation import gettext_lazy, pgettext_lazy

from talktime.core.money import decimal_text
from talktime.core.sandbox import BEHAVIOURS, DECLINES
from talktime.operations.sandbox_charges import left_of_charge
from talktime.operations.wording import Wording
from talktime.store.sandbox import SandboxCard, SandboxCharge, SandboxDispute

CARD_STATES = {
    "waiting": gettext_lazy("waits to be entered"),
    "added": gettext_lazy("in use"),
    "failed": gettext_lazy("was not entered"),
    "forgotten": gettext_lazy("forgotten"),
}
CHARGE_STATES = {
    "succeeded": gettext_lazy("charged"),
    "declined": gettext_lazy("declined"),
    "confirming": gettext_lazy("to be confirmed"),
}
DISPUTE_STATES = {
    "open": pgettext_lazy("dispute", "open"),
    "won": pgettext_lazy("dispute", "won"),
    "lost": pgettext_lazy("dispute", "lost"),
}
TONES = {"succeeded": "good", "declined": "bad", "confirming": "warn"}


def card_shown(card: SandboxCard, names: dict[int, str]) -> dict[str, Any]:
    """A card, and what it does."""
    return {
        "id": card.id,
        "organisation": names.get(card.organisation_id, ""),
        "last4": card.last4,
        "expires": f"{card.exp_month:02}/{card.exp_year}",
        "state": CARD_STATES.get(card.state, card.state),
        "added": card.state == "added",
        "script": card.script,
        "says": BEHAVIOURS[card.script].says,
        "declines_left": card.declines_left,
    }


def charge_shown(
    charge: SandboxCharge,
    wording: Wording,
    digits: dict[int, str],
    names: dict[int, str],
    disputes: list[SandboxDispute],
) -> dict[str, Any]:
    """A charge, and what became of it."""
    left_micros = left_of_charge(charge, disputes)
    return {
        "id": charge.id,
        "organisation": names.get(charge.organisation_id, ""),
        "last4": digits.get(charge.card_id, "?"),
        "amount": wording.money(charge.amount_micros, charge.currency),
        "description": charge.description,
        "state": CHARGE_STATES[charge.state],
        "tone": TONES[charge.state],
        "why": DECLINES[charge.code].detail if charge.code else "",
        "confirming": charge.state == "confirming",
        "refunded": wording.money(charge.refunded_micros, charge.currency)
        if charge.refunded_micros
        else None,
        "left": decimal_text(left_micros) if left_micros else "",
        "disputes": [DISPUTE_STATES.get(each.state, each.state) for each in disputes],
        "open_dispute": any(each.state == "open" for each in disputes),
        "made": wording.moment(charge.created_ms),
    }
