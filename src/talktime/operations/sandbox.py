"""What somebody does on the sandbox's own pages: choose how cards and the sandbox behave, act as
the cardholder or their bank, look at what was charged.

Each change takes a connection to the control plane, in a transaction that the caller opens.
"""

from collections.abc import Callable

from talktime.core.ids import ID_MAX
from talktime.core.limits import PAGE_ROWS_MAX, SANDBOX_DECLINES_MAX
from talktime.core.money import decimal_text
from talktime.core.refusal import Refusal
from talktime.core.sandbox import BEHAVIOURS, DECLINE_THEN_APPROVE, WEBHOOKS
from talktime.operations.input_checks import check_one_of, first
from talktime.operations.sandbox_charges import close_charge, left_of_charge, refund_charge
from talktime.operations.sandbox_events import queue_card_event, queue_charge_event
from talktime.store.database import Connection
from talktime.store.sandbox import (
    SandboxCard,
    SandboxCharge,
    SandboxDispute,
    SandboxRefund,
    Switches,
    card_of_id,
    cards_before,
    charge_of_id,
    charges_before,
    disputes_of_charge,
    insert_dispute,
    lock_dispute,
    put_switches,
    switches,
    update_card,
    update_dispute,
)
from talktime.store.sandbox_events import SandboxEvent, events_before

LAST4_DIGITS = 4


def add_sandbox_card(
    control: Connection,
    card_id: int,
    *,
    script: str,
    declines: int = 0,
    last4: str = "",
    now_ms: int,
    next_id: Callable[[], int],
) -> SandboxCard | Refusal:
    """Enter a card on its page, with what it is to do: a key of core.sandbox.BEHAVIOURS.

    `declines`: how often it is declined before it is charged (decline_then_approve). `last4`: its
    digits; '' for those that cards with this script have. Refuses: not_in_sandbox;
    sandbox_not_possible for a page that was used; invalid_value.
    """
    card = card_of_id(control, card_id, locked=True)
    if card is None:
        return _unknown("page", card_id)
    if card.state != "waiting":
        return Refusal("sandbox_not_possible", f"the page was used: its card is {card.state}")
    refusal = _check_script(script, declines)
    if refusal is not None:
        return refusal
    if last4 and not (last4.isascii() and last4.isdecimal() and len(last4) == LAST4_DIGITS):
        return Refusal("invalid_value", f"the last digits must be {LAST4_DIGITS} digits")
    added = _with_script(card, script, declines)._replace(
        state="added", last4=last4 or BEHAVIOURS[script].last4
    )
    update_card(control, added)
    queue_card_event(control, "card.added", added, now_ms=now_ms, next_id=next_id)
    return added


def fail_sandbox_card(
    control: Connection, card_id: int, *, now_ms: int, next_id: Callable[[], int]
) -> SandboxCard | Refusal:
    """Leave a card's page without entering one. Refuses: not_in_sandbox, sandbox_not_possible."""
    card = card_of_id(control, card_id, locked=True)
    if card is None:
        return _unknown("page", card_id)
    if card.state != "waiting":
        return Refusal("sandbox_not_possible", f"the page was used: its card is {card.state}")
    failed = card._replace(state="failed")
    update_card(control, failed)
    queue_card_event(control, "card.failed", failed, now_ms=now_ms, next_id=next_id)
    return failed


def change_sandbox_card(
    control: Connection, card_id: int, *, script: str, declines: int = 0
) -> SandboxCard | Refusal:
    """Give a card another script, for charges from now on; its digits stay.

    Refuses: not_in_sandbox, invalid_value.
    """
    card = card_of_id(control, card_id, locked=True)
    if card is None:
        return _unknown("card", card_id)
    refusal = _check_script(script, declines)
    if refusal is not None:
        return refusal
    changed = _with_script(card, script, declines)
    update_card(control, changed)
    return changed


def set_sandbox(
    control: Connection, *, webhooks: str, down: bool, actor: str, now_ms: int
) -> Switches | Refusal:
    """Choose how the sandbox sends its webhooks (a key of core.sandbox.WEBHOOKS), and whether it
    answers at all. Refuses: invalid_value."""
    refusal = check_one_of("the way of the webhooks", webhooks, WEBHOOKS)
    if refusal is not None:
        return refusal
    new = Switches(webhooks, down)
    put_switches(control, new, now_ms, actor)
    return new


def sandbox_switches(control: Connection) -> Switches:
    """How the sandbox as a whole behaves now."""
    return switches(control)


def confirm_sandbox_charge(
    control: Connection,
    charge_id: int,
    *,
    confirmed: bool,
    now_ms: int,
    next_id: Callable[[], int],
) -> SandboxCharge | Refusal:
    """Act as the cardholder, who confirms a payment or does not.

    Refuses: not_in_sandbox; sandbox_not_possible for a charge that does not wait.
    """
    charge = charge_of_id(control, charge_id, locked=True)
    if charge is None:
        return _unknown("charge", charge_id)
    if charge.state != "confirming":
        return Refusal("sandbox_not_possible", f"the charge does not wait: it is {charge.state}")
    code = "" if confirmed else "not_confirmed"
    return close_charge(control, charge, code, now_ms=now_ms, next_id=next_id)


def refund_at_the_sandbox(
    control: Connection,
    charge_id: int,
    *,
    amount_micros: int,
    now_ms: int,
    next_id: Callable[[], int],
) -> SandboxRefund | Refusal:
    """Give money back at the sandbox's own console, behind our back.

    Refuses: not_in_sandbox; sandbox_not_possible for more than is left.
    """
    charge = charge_of_id(control, charge_id, locked=True)
    if charge is None:
        return _unknown("charge", charge_id)
    made = refund_charge(control, charge, amount_micros, None, now_ms=now_ms, next_id=next_id)
    if made is None:
        left = decimal_text(left_of_charge(charge, disputes_of_charge(control, charge.id)))
        return Refusal("sandbox_not_possible", f"{left} {charge.currency} are left of the charge")
    return made


def open_sandbox_dispute(
    control: Connection,
    charge_id: int,
    *,
    now_ms: int,
    next_id: Callable[[], int],
) -> SandboxDispute | Refusal:
    """Act as the cardholder's bank, which takes back what is left of a charge.

    Refuses: not_in_sandbox; sandbox_not_possible where nothing is left, or it is disputed already.
    """
    charge = charge_of_id(control, charge_id, locked=True)
    if charge is None:
        return _unknown("charge", charge_id)
    left_micros = charge.amount_micros - charge.refunded_micros
    if charge.state != "succeeded" or left_micros == 0:
        return Refusal("sandbox_not_possible", "nothing is left of the charge")
    if any(each.state != "won" for each in disputes_of_charge(control, charge_id)):
        return Refusal("sandbox_not_possible", "the charge is disputed already")
    made = SandboxDispute(next_id(), charge_id, left_micros, "open", now_ms)
    insert_dispute(control, made)
    queue_charge_event(control, "dispute.opened", charge, now_ms=now_ms, next_id=next_id)
    return made


def decide_sandbox_dispute(
    control: Connection,
    dispute_id: int,
    *,
    won: bool,
    now_ms: int,
    next_id: Callable[[], int],
) -> SandboxDispute | Refusal:
    """Act as the card network: we win, and the money comes back to us, or we lose.

    Refuses: not_in_sandbox; sandbox_not_possible for one that was decided.
    """
    dispute = lock_dispute(control, dispute_id)
    charge = None if dispute is None else charge_of_id(control, dispute.charge_id)
    if dispute is None or charge is None:
        return _unknown("dispute", dispute_id)
    if dispute.state != "open":
        return Refusal("sandbox_not_possible", f"the dispute is {dispute.state} already")
    decided = dispute._replace(state="won" if won else "lost")
    update_dispute(control, decided)
    queue_charge_event(control, f"dispute.{decided.state}", charge, now_ms=now_ms, next_id=next_id)
    return decided


def find_sandbox_card(control: Connection, card_id: int) -> SandboxCard | Refusal:
    """The card, or the page for one, of this id. Refuses: not_in_sandbox."""
    return card_of_id(control, card_id) or _unknown("card", card_id)


def find_sandbox_charge(control: Connection, charge_id: int) -> SandboxCharge | Refusal:
    """The charge of this id. Refuses: not_in_sandbox."""
    return charge_of_id(control, charge_id) or _unknown("charge", charge_id)


def list_sandbox_cards(
    control: Connection, *, before: int = ID_MAX, limit: int = PAGE_ROWS_MAX
) -> list[SandboxCard]:
    """Cards, newest first, a page at most; `before` is the last id of the page before."""
    return cards_before(control, before, min(limit, PAGE_ROWS_MAX))


def list_sandbox_charges(
    control: Connection, *, before: int = ID_MAX, limit: int = PAGE_ROWS_MAX
) -> list[SandboxCharge]:
    """Charges, newest first, a page at most; `before` is the last id of the page before."""
    return charges_before(control, before, min(limit, PAGE_ROWS_MAX))


def list_sandbox_disputes(control: Connection, charge_id: int) -> list[SandboxDispute]:
    """A charge's disputes, oldest first."""
    return disputes_of_charge(control, charge_id)


def list_sandbox_events(
    control: Connection, *, before: int = ID_MAX, limit: int = PAGE_ROWS_MAX
) -> list[SandboxEvent]:
    """Webhooks, sent and not, newest first, a page at most."""
    return events_before(control, before, min(limit, PAGE_ROWS_MAX))


def _with_script(card: SandboxCard, script: str, declines: int) -> SandboxCard:
    left = declines if script == DECLINE_THEN_APPROVE else 0
    return card._replace(script=script, declines_left=left)


def _check_script(script: str, declines: int) -> Refusal | None:
    least = 1 if script == DECLINE_THEN_APPROVE else 0
    words = f"the number of declines must be {least} to {SANDBOX_DECLINES_MAX}, not {declines}"
    possible = least <= declines <= SANDBOX_DECLINES_MAX
    return first(
        check_one_of("what the card does", script, BEHAVIOURS),
        None if possible else Refusal("invalid_value", words),
    )


def _unknown(what: str, id_: int) -> Refusal:
    return Refusal("not_in_sandbox", f"the sandbox has no {what} {id_}")
