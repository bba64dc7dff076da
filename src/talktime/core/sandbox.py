"""The words of the sandbox: how its cards behave, and how it sends its webhooks.

The sandbox is a payment provider that moves no money and misbehaves on request.
"""

from typing import NamedTuple

from talktime.core.charges import WAITING_FOR_CARDHOLDER

APPROVE, ASK, CHARGED, UNCHARGED, DOWN = (
    *("approve", "ask_cardholder", "time_out_charged", "time_out_uncharged", "down"),
)
DECLINE_SOFTLY, DECLINE_THEN_APPROVE, DECLINE_HARD = (
    *("decline_softly", "decline_then_approve", "decline_hard"),
)


class Behaviour(NamedTuple):
    """What a card with this script does, in words; its digits unless others are given."""

    says: str
    last4: str


BEHAVIOURS = {
    APPROVE: Behaviour("is charged", "4242"),
    DECLINE_SOFTLY: Behaviour("is declined: insufficient funds, which may change", "9995"),
    DECLINE_THEN_APPROVE: Behaviour("is declined softly a number of times, then charged", "0341"),
    DECLINE_HARD: Behaviour("is declined for good: it was lost", "9987"),
    ASK: Behaviour("asks for the cardholder, on a page of the sandbox", "3220"),
    CHARGED: Behaviour("is charged, but the answer does not come", "0077"),
    UNCHARGED: Behaviour("is not charged, and no answer comes", "0078"),
    DOWN: Behaviour("finds its bank down: nothing is charged or known", "0119"),
}
"""What a card may do, by its script. Another script may be given to it at any time."""

NORMAL, TWICE, LATE, OUT_OF_ORDER, NEVER = ("normal", "twice", "late", "out_of_order", "never")
WEBHOOKS = {
    NORMAL: "each at once",
    TWICE: "each twice",
    LATE: "each ten minutes late",
    OUT_OF_ORDER: "gathered for a few seconds, the newest first",
    NEVER: "none",
}
"""How the sandbox sends its webhooks."""

LATE_MS, GATHER_MS, AGAIN_MS = 10 * 60_000, 3_000, 60_000
BRAND = "Sandbox"
EXPIRES_AFTER_YEARS = 3


class Decline(NamedTuple):
    """Why a card was declined, and whether for good."""

    code: str
    detail: str
    hard: bool


DECLINES = {
    each.code: each
    for each in (
        Decline("insufficient_funds", "The card has insufficient funds.", False),
        Decline("lost_card", "The card was reported lost.", True),
        Decline("not_confirmed", "The cardholder did not confirm the payment.", False),
        Decline("cancelled", "The charge was called off.", False),
        Decline(WAITING_FOR_CARDHOLDER, "The cardholder must confirm the payment.", False),
        Decline("unknown_card", "The sandbox has no such card, or has it no more.", True),
        Decline("sandbox_off", "The sandbox is not in use here.", True),
    )
}
"""Every reason of the sandbox's for which a card is not charged."""
