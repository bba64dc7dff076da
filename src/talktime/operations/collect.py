"""What of a payment is to be asked of its provider, and what its answer comes to.

Nothing here talks to a provider: a job does, between `next_step` and `note_answer`, outside any
transaction. If it dies in between, the next run begins with the same step, and the provider knows
the try by its id.
"""

from typing import NamedTuple

from talktime.core.charges import Absent, Charge, Outcome
from talktime.core.limits import CARD_CONFIRM_MS_MAX
from talktime.core.payments import (
    CONFIRMING,
    DECLINED,
    INVOICED,
    RECHARGE,
    SENDING,
    SUCCEEDED,
    PaymentTry,
    Till,
)
from talktime.core.recharging import SEND_AGAIN_MS_MAX
from talktime.operations.purchases import invoice_due
from talktime.operations.till import Counter, open_till
from talktime.store.payments import load_till, method_of_id

SEND, ASK, GIVE_UP = "send", "ask", "give_up"


class Step(NamedTuple):
    """The next thing to ask a provider: `send` the charge, `ask` what became of it, or `give_up`
    one that waits for its cardholder (take it back, then ask)."""

    verb: str
    payment_id: int
    provider: str
    charge: Charge
    ref: str


def next_step(
    counter: Counter, payment_id: int, return_url: str, *, claimed_ms: int = 0
) -> Step | None:
    """What is to be asked of a provider for this payment now; None where that is nothing. Who has
    claimed it until `claimed_ms` is asked to say so.

    A recharge whose time has come to be tried again is moved on first, in its own transaction; an
    invoice whose money has not come is called to mind, or given up.
    """
    cell, organisation_id = counter.cell, counter.organisation.id
    with cell.reading():
        till = load_till(cell, organisation_id, counter.now_ms, [payment_id])
    payment = till.payments.get(payment_id)
    if payment is None or payment.due_ms is None or payment.due_ms > (claimed_ms or counter.now_ms):
        return None
    if payment.state == INVOICED:
        invoice_due(counter, payment_id)
        return None
    if payment.state == DECLINED:
        with open_till(counter, [payment_id]) as collector:
            payment = collector.till.payments[payment_id]
            if payment.state == DECLINED:
                collector.due(payment)
            till = collector.till
    try_ = till.open_try(payment)
    return None if try_ is None else step_of_try(counter, till, payment_id, try_, return_url)


def ask_again(counter: Counter, payment_id: int, provider: str) -> list[Step]:
    """What to ask a provider about the tries of a payment that are over and did not pay, when it
    says that something happened to one of them."""
    cell = counter.cell
    with cell.reading():
        till = load_till(cell, counter.organisation.id, counter.now_ms, [payment_id])
    return [
        step_of_try(counter, till, payment_id, try_, "")
        for try_ in till.tries.get(payment_id, ())
        if try_.provider == provider and try_.closed_ms is not None and try_.state != SUCCEEDED
    ]


def step_of_try(
    counter: Counter, till: Till, payment_id: int, try_: PaymentTry, return_url: str
) -> Step:
    """What the next step of a try would ask."""
    payment = till.payments[payment_id]
    method = till.method(try_.method_id)
    if method is None:
        with counter.cell.reading():
            method = method_of_id(counter.cell, try_.organisation_id, try_.method_id)
    if method is None:
        raise ValueError(f"try {try_.id} is of a method that is not there: {try_.method_id}")
    age_ms, verb = counter.now_ms - try_.created_ms, ASK
    if try_.state == SENDING and age_ms < SEND_AGAIN_MS_MAX:
        verb = SEND  # for the first time or again: the provider knows the key, or has not seen it
    elif try_.state == CONFIRMING and age_ms >= CARD_CONFIRM_MS_MAX:
        verb = GIVE_UP
    charge = Charge(
        try_.id,
        try_.organisation_id,
        try_.amount_micros,
        payment.currency,
        method.customer_ref,
        method.method_ref,
        "Communications credits",
        person_present=payment.kind != RECHARGE,
        return_url=return_url,
    )
    return Step(verb, payment_id, try_.provider, charge, try_.provider_ref)


def note_answer(counter: Counter, step: Step, outcome: Outcome | Absent) -> None:
    """Write down what the provider said: credits, a decline, a question to ask later.

    Its own transaction, in which the lot, the invoice and the notice come in too; done twice, it
    changes nothing the second time.
    """
    with open_till(counter, [step.payment_id]) as collector:
        payment = collector.till.payments[step.payment_id]
        for try_ in collector.till.tries[step.payment_id]:
            if try_.id == step.charge.try_id:
                collector.answered(payment, try_, outcome)
                return
