"""What the sandbox does when it is asked: it charges its cards as their scripts say.

These are the sandbox's own decisions, each in a transaction of its own on the control plane that
the caller opens. Amounts are micros. A `None` in place of a row: there is no such thing.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import NamedTuple

from talktime.core.charges import WAITING_FOR_CARDHOLDER, Charge
from talktime.core.ids import id_in
from talktime.core.sandbox import (
    APPROVE,
    ASK,
    BEHAVIOURS,
    CHARGED,
    DECLINE_HARD,
    DECLINE_SOFTLY,
    DECLINE_THEN_APPROVE,
    EXPIRES_AFTER_YEARS,
    UNCHARGED,
)
from talktime.operations.sandbox_events import queue_charge_event
from talktime.store.database import Connection
from talktime.store.sandbox import (
    SandboxCard,
    SandboxCharge,
    SandboxDispute,
    SandboxRefund,
    card_of_id,
    card_of_setup,
    charge_of_id,
    charge_of_try,
    disputes_of_charge,
    insert_card,
    insert_charge,
    insert_refund,
    refund_of_id,
    update_card,
    update_charge,
)

SETUP_REF, CARD_REF, CHARGE_REF, REFUND_REF, DISPUTE_REF = (
    *("sbx_setup_", "sbx_card_", "sbx_charge_", "sbx_refund_", "sbx_dispute_"),
)
DECEMBER = 12


class OtherBody(ValueError):
    """The same id was used for another request: a bug of whoever asks. Nothing was done."""


class Asked(NamedTuple):
    """What became of a request to charge (None: it got lost on its way, and the sandbox knows
    nothing of it), and whether its answer arrives."""

    charge: SandboxCharge | None
    answered: bool


def id_of_ref(ref: str, prefix: str) -> int:
    """The id in a reference of the sandbox's; 0, which is no id, in any other text.

    >>> id_of_ref("sbx_card_17", "sbx_card_"), id_of_ref("pm_1", "sbx_card_")
    (17, 0)
    """
    return (id_in(ref.removeprefix(prefix)) or 0) if ref.startswith(prefix) else 0


def card_for_charge(control: Connection, method_ref: str) -> SandboxCard | None:
    """The card of this reference that can be charged, locked."""
    card = card_of_id(control, id_of_ref(method_ref, CARD_REF), locked=True)
    return card if card is not None and card.state == "added" else None


def charge_card(
    control: Connection,
    card: SandboxCard,
    asked: Charge,
    *,
    now_ms: int,
    next_id: Callable[[], int],
) -> Asked:
    """Charge a locked card once for each `try_id`, as its script says at the first request.

    Raises OtherBody for a try that was asked with another body.
    """
    known = charge_of_try(control, asked.try_id)
    if known is not None:
        same = (
            *(known.organisation_id, known.card_id, known.amount_micros),
            *(known.currency, known.description),
        )
        if same != (
            *(asked.organisation_id, card.id, asked.amount_micros),
            *(asked.currency, asked.description),
        ):
            raise OtherBody(f"try {asked.try_id} was asked with another body")
        return Asked(known, answered=True)
    if card.script == UNCHARGED:
        return Asked(None, answered=False)
    state, code = _decided(card, asked.person_present)
    if card.script == DECLINE_THEN_APPROVE and state == "declined":
        update_card(control, card._replace(declines_left=card.declines_left - 1))
    charge = SandboxCharge(
        id=next_id(),
        try_id=asked.try_id,
        organisation_id=asked.organisation_id,
        card_id=card.id,
        amount_micros=asked.amount_micros,
        currency=asked.currency,
        description=asked.description,
        return_url=asked.return_url,
        state=state,
        code=code,
        refunded_micros=0,
        created_ms=now_ms,
    )
    insert_charge(control, charge)
    queue_charge_event(control, f"charge.{state}", charge, now_ms=now_ms, next_id=next_id)
    return Asked(charge, answered=card.script != CHARGED)


def _decided(card: SandboxCard, person_present: bool) -> tuple[str, str]:
    """State and code of a new charge."""
    if card.script == DECLINE_HARD:
        return "declined", "lost_card"
    if card.script == DECLINE_SOFTLY or (
        card.script == DECLINE_THEN_APPROVE and card.declines_left > 0
    ):
        return "declined", "insufficient_funds"
    if card.script == ASK:
        return ("confirming", "") if person_present else ("declined", WAITING_FOR_CARDHOLDER)
    return "succeeded", ""


def close_charge(
    control: Connection,
    charge: SandboxCharge,
    code: str,
    *,
    now_ms: int,
    next_id: Callable[[], int],
) -> SandboxCharge:
    """End a locked charge that waits for the cardholder: charged ('') or declined with a code. One
    that does not wait stays as it is."""
    if charge.state != "confirming":
        return charge
    closed = charge._replace(state="declined" if code else "succeeded", code=code)
    update_charge(control, closed)
    queue_charge_event(control, f"charge.{closed.state}", closed, now_ms=now_ms, next_id=next_id)
    return closed


def locked_charge(control: Connection, ref: str) -> SandboxCharge | None:
    """The charge of this reference, locked until the transaction ends."""
    return charge_of_id(control, id_of_ref(ref, CHARGE_REF), locked=True)


def begin_sandbox_card(
    control: Connection,
    *,
    setup_id: int,
    organisation_id: int,
    customer_ref: str,
    name: str,
    return_url: str,
    now_ms: int,
    next_id: Callable[[], int],
) -> SandboxCard:
    """A page for a card to be added, once for each set-up of ours."""
    known = card_of_setup(control, setup_id)
    if known is not None:
        return known
    year = datetime.fromtimestamp(now_ms // 1000, UTC).year + EXPIRES_AFTER_YEARS
    card = SandboxCard(
        *(next_id(), setup_id, organisation_id, customer_ref, name, return_url, "waiting"),
        *(APPROVE, 0, BEHAVIOURS[APPROVE].last4, year, DECEMBER, now_ms),
    )
    insert_card(control, card)
    return card_of_setup(control, setup_id) or card


def forget_sandbox_card(control: Connection, method_ref: str) -> None:
    """Let a card be charged no more; one that is not there is forgotten already."""
    card = card_of_id(control, id_of_ref(method_ref, CARD_REF), locked=True)
    if card is not None:
        update_card(control, card._replace(state="forgotten"))


def left_of_charge(charge: SandboxCharge, disputes: list[SandboxDispute]) -> int:
    """The micros of a charge that did not go back: not refunded, in no dispute but a won one."""
    if charge.state != "succeeded":
        return 0
    disputed_micros = sum(each.amount_micros for each in disputes if each.state != "won")
    return charge.amount_micros - charge.refunded_micros - disputed_micros


def refund_charge(
    control: Connection,
    charge: SandboxCharge,
    amount_micros: int,
    refund_id: int | None,
    *,
    now_ms: int,
    next_id: Callable[[], int],
) -> SandboxRefund | None:
    """Refund of a locked charge, once for each `refund_id` (None: at the sandbox's own console);
    None where that is more than is left of it: what a dispute took is not refunded too.

    Raises OtherBody for a refund that was asked with another body.
    """
    if refund_id is not None:
        known = refund_of_id(control, refund_id)
        if known is not None:
            if (known.charge_id, known.amount_micros) != (charge.id, amount_micros):
                raise OtherBody(f"refund {refund_id} was asked with another body")
            return known
    disputes = disputes_of_charge(control, charge.id)
    if not 0 < amount_micros <= left_of_charge(charge, disputes):
        return None
    made = SandboxRefund(next_id(), refund_id, charge.id, amount_micros, now_ms)
    insert_refund(control, made)
    refunded = charge._replace(refunded_micros=charge.refunded_micros + amount_micros)
    update_charge(control, refunded)
    queue_charge_event(control, "charge.refunded", refunded, now_ms=now_ms, next_id=next_id)
    return made
