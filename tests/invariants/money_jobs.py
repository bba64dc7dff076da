"""The jobs that run in the histories of money coming in, and the post that lies between them."""

from collections.abc import Callable
from random import Random
from typing import Any

from talktime.jobs.cards import add_cards, forget_cards
from talktime.jobs.payments import collect_payments, recheck_recharges, tend_wallets
from talktime.jobs.provider_events import read_payment_events, settle_payment_events
from talktime.jobs.refunds import refund_payments
from talktime.operations.commerce_models import move_wallets
from talktime.operations.expire_lots import expire_lots
from talktime.operations.provider_events import receive_event
from talktime.operations.sweep import Sweep, Swept

Jobs = tuple[Callable[[Sweep, Any], Swept], ...]


def alone(job: Callable[[Sweep], Swept]) -> Callable[[Sweep, Any], Swept]:
    """A job that asks no provider, called as those that do."""
    return lambda sweep, providers: job(sweep)


def post_events(sweep: Sweep, providers: Any) -> Swept:
    """The bank posts what it has to tell: some of it twice, in any order, some of it never."""
    [(provider, bank)], control = providers.items(), sweep.control
    assert control is not None
    events = bank.take_events()
    random = Random(len(events) + sweep.clock_ms())
    events += [each for each in events if random.random() < 0.2]
    random.shuffle(events)
    for body, headers in events:
        if random.random() < 0.7:
            receive_event(
                control(),
                provider,
                body,
                headers,
                received_ms=sweep.clock_ms(),
                next_id=sweep.next_id,
            )
    return Swept(len(events))


BEFORE_EVENTS: Jobs = (
    alone(expire_lots),
    alone(tend_wallets),
    alone(recheck_recharges),
    alone(move_wallets),
    collect_payments,
    add_cards,
    forget_cards,
    refund_payments,
)
AFTER_EVENTS: Jobs = (read_payment_events, settle_payment_events)
