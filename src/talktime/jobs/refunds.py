"""The job that asks payment providers to refund, outside any transaction, and never twice."""

import structlog

from talktime.core.limits import TEND_BATCH_MAX
from talktime.core.refunding import FAILED
from talktime.jobs.installed_providers import Providers
from talktime.jobs.payments import counter_of, counters_of, one_row
from talktime.jobs.provider_events import ask_money_back
from talktime.operations.counters import Counters
from talktime.operations.refunds import ASK, next_refund_step, note_refund
from talktime.operations.sweep import Sweep, Swept
from talktime.store.refunds import refunds_due

log = structlog.get_logger(__name__)


def refund_payments(sweep: Sweep, providers: Providers) -> Swept:
    """Do the next step of every refund that is due: send it, or ask what became of it (D15)."""
    counters, done, failures, after = counters_of(sweep), 0, list[str](), 0
    while not sweep.stopping():
        with sweep.connection.reading():
            due = refunds_due(sweep.connection, sweep.clock_ms(), after, TEND_BATCH_MAX)
        for organisation_id, refund_id in due:
            if sweep.stopping():
                break
            with one_row(failures, f"refund {refund_id}"):
                done += _refund(counters, providers, organisation_id, refund_id)
        if len(due) < TEND_BATCH_MAX:
            break
        after = due[-1][1]
    return Swept(done, tuple(failures))


def _refund(counters: Counters, providers: Providers, organisation_id: int, refund_id: int) -> int:
    step = next_refund_step(counter_of(counters, organisation_id), refund_id)
    if step is None:
        return 0
    provider = providers.get(step.provider)
    if provider is None:
        raise LookupError(f"there is no payment provider {step.provider!r} any more")
    if step.verb == ASK:
        outcome = provider.find_refund(refund_id, step.charge_ref)
    else:
        outcome = provider.refund(refund_id, step.charge_ref, step.amount_micros, step.currency)
    counter = counter_of(counters, organisation_id)
    refund = note_refund(counter, step.payment_id, refund_id, outcome)
    log.info("provider answered", refund=refund_id, asked=step.verb, outcome=type(outcome).__name__)
    if refund is not None and refund.state == FAILED:
        # A dispute of all that was paid had no room while the refund seemed to be under way.
        ask_money_back(counter, provider, step.payment_id, step.charge_ref)
    return 1
