"""The word of an operator that an invoice's money is there. It makes credits as a grant does, so it
takes a second person where the one who ordered them says it (operations/four_eyes.py). Of a
statement, which nobody of the operator's orders, one confirmed operator says it.
"""

from talktime.core.payments import INVOICED, Payment
from talktime.core.refusal import Refusal
from talktime.operations.audit import person_of
from talktime.operations.four_eyes import take, why_not_eyes
from talktime.operations.grants import Giver
from talktime.operations.purchases import confirm_receipt, find_payment
from talktime.operations.till import Counter
from talktime.store.database import Connection
from talktime.store.four_eyes import Given


def receive(
    giver: Giver, counter: Counter, payment_id: int, *, reference: str, actor: str
) -> Payment | Refusal:
    """Add the credits of an invoice whose money is there, once; again it is the same.

    Refuses: what `confirm_receipt` refuses; approval_needed for an operator whom no second one has
    confirmed, and where the same person, by whichever key, ordered more than they may give alone.
    """
    found = find_payment(counter, payment_id)
    if isinstance(found, Refusal):
        return found
    if found.state == INVOICED:
        refusal = _why_not_alone(giver, counter, found, actor)
        if refusal is not None:
            return refusal
    return confirm_receipt(counter, payment_id, reference=reference, actor=actor)


def why_not_receive(control: Connection, actor: str) -> Refusal | None:
    """Refuses approval_needed where somebody, by whichever key, is no operator whom a second one
    has confirmed: they say of no money that it is there. In a transaction of its own."""
    with control.transaction():
        return why_not_eyes(control, person_of(actor))


def _why_not_alone(giver: Giver, counter: Counter, order: Payment, actor: str) -> Refusal | None:
    """Who ordered a payment does not change, so it is looked at before the wallet is locked."""
    person = person_of(actor)
    refusal = None if giver.by_shell else why_not_receive(giver.control, actor)
    if refusal is not None:
        return refusal
    if person_of(order.actor) != person:
        return None
    given = Given(
        *(counter.next_id(), actor, order.organisation_id, f"receipt/{order.id}"),
        *(order.currency, order.amount_micros, counter.now_ms),
    )
    if take(giver.control, giver.catalogue, given, by_shell=giver.by_shell):
        return None
    detail = f"{person} ordered it: above what one person may give alone, another operator confirms"
    return Refusal("approval_needed", detail)
