"""The tables of the sandbox: what its cards do, and how it sends its webhooks."""

from docs.worked import table
from talktime.core.sandbox import BEHAVIOURS, WEBHOOKS


def cards() -> str:
    """What a card does, by its script."""
    rows = [(f"`{name}`", each.says, each.last4) for name, each in BEHAVIOURS.items()]
    return table(("behaviour", "the card", "its last digits"), rows)


def webhooks() -> str:
    """How webhooks are sent."""
    rows = [(f"`{name}`", says) for name, says in WEBHOOKS.items()]
    return table(("webhooks", "sent"), rows)


TABLES = {"sandbox_cards": cards, "sandbox_webhooks": webhooks}
