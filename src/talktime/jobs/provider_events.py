"""The jobs that read what payment providers say happened, ask them what is true, and act on it."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, closing

import structlog

from talktime.core.charges import BadSignature, Misconfigured, Unknown
from talktime.core.limits import ANSWER_TEXT_MAX, PAYMENT_EVENT_TRIES_MAX, TEND_BATCH_MAX
from talktime.jobs.installed_providers import Providers
from talktime.jobs.payments import counter_of, counters_of, one_row
from talktime.operations.collect import ask_again, note_answer
from talktime.operations.disputes import note_dispute, note_foreign_refund
from talktime.operations.provider_events import forget_payment_events, keep_event
from talktime.operations.sweep import Sweep, Swept
from talktime.operations.till import Counter
from talktime.providers.payment import PaymentProvider
from talktime.store.database import Connection, connect
from talktime.store.event_inbox import Posted, claim_posted, delete_posted, posted_due
from talktime.store.payments import charged_since
from talktime.store.provider_events import Heard, events_due, set_event, try_of_charge

log = structlog.get_logger(__name__)

CLAIMED_MS = 60_000
"""Another job reads an event when the one that took it is gone for so long."""
RECONCILED_MS = 120 * 86_400_000
"""Cardholders can dispute a charge for about as long."""
FIRST_WAIT_MS, LAST_WAIT_MS = 60_000, 6 * 3_600_000
ABOUT_MONEY_BACK = ("charge.", "refund.", "dispute.")


def read_payment_events(sweep: Sweep, providers: Providers) -> Swept:
    """Read what was posted: its signature, then whose it is. Runs in every cell; whichever takes an
    event puts it into the cell that it belongs to. What is not signed is dropped."""
    if sweep.control is None:
        raise ValueError("this job needs the control plane")
    control, done, failures = sweep.control(), 0, list[str]()
    with ExitStack() as opened:
        cells = _Cells(sweep, opened)
        with control.reading():
            due = posted_due(control, sweep.clock_ms(), TEND_BATCH_MAX)
        for posted in due:
            if sweep.stopping():
                break
            with control.transaction():
                taken = claim_posted(control, posted, sweep.clock_ms() + CLAIMED_MS)
            if not taken:
                continue
            with one_row(failures, f"event {posted.id}"):
                _read(sweep, cells, providers, posted)
                with control.transaction():
                    delete_posted(control, posted.id)
                done += 1
    return Swept(done, tuple(failures), more=done == TEND_BATCH_MAX)


def settle_payment_events(sweep: Sweep, providers: Providers) -> Swept:
    """Act on the events of this cell: ask what is true of the charge, and write it down."""
    counters, done, failures, after = counters_of(sweep), 0, list[str](), 0
    while not sweep.stopping():
        with sweep.connection.reading():
            due = events_due(sweep.connection, sweep.clock_ms(), after, TEND_BATCH_MAX)
        for heard in due:
            if sweep.stopping():
                break
            with one_row(failures, f"event {heard.id}"):
                counter = counter_of(counters, heard.organisation_id)
                _close(sweep, heard, _settle(sweep.connection, counter, providers, heard))
                done += 1
        if len(due) < TEND_BATCH_MAX:
            break
        after = due[-1].id
    return Swept(done, tuple(failures))


def reconcile_payments(sweep: Sweep, providers: Providers) -> Swept:
    """Ask what went back of the charges of the last months: disputes and refunds whose events never
    came. Counts the charges asked about; a provider that does not answer is asked the next day."""
    counters, done, failures, after = counters_of(sweep), 0, list[str](), 0
    since_ms = sweep.clock_ms() - RECONCILED_MS
    while not sweep.stopping():
        with sweep.connection.reading():
            page = charged_since(sweep.connection, since_ms, after, TEND_BATCH_MAX)
        for each in page:
            provider = providers.get(each.provider)
            if sweep.stopping() or provider is None:
                break
            with one_row(failures, f"charge {each.provider_ref}"):
                counter = counter_of(counters, each.organisation_id)
                ask_money_back(counter, provider, each.payment_id, each.provider_ref)
                done += 1
        if len(page) < TEND_BATCH_MAX:
            break
        after = page[-1].id
    return Swept(done, tuple(failures))


def forget_events(sweep: Sweep) -> Swept:
    """Delete events that were acted on a month ago."""
    return Swept(forget_payment_events(sweep.connection, sweep.clock_ms()))


class _Cells:
    """All cells, opened when they are reached and closed with `opened`; the job's own connection
    where there is one cell."""

    def __init__(self, sweep: Sweep, opened: ExitStack) -> None:
        self._sweep, self._opened = sweep, opened
        self._connections: dict[str, Connection] = {}

    def __iter__(self) -> Iterator[Connection]:
        settings = self._sweep.settings
        if settings is None or len(settings.cells) == 1:
            yield self._sweep.connection
            return
        for name, address in settings.cells.items():
            if name not in self._connections:
                connection = self._opened.enter_context(closing(connect(address)))
                self._connections[name] = connection
            yield self._connections[name]


def _read(sweep: Sweep, cells: _Cells, providers: Providers, posted: Posted) -> None:
    provider = providers.get(posted.provider)
    if provider is None:
        log.warning("event of an unknown provider dropped", provider=posted.provider)
        return
    headers = json.loads(posted.headers)
    event = provider.read_event(posted.body.encode(), headers, posted.received_ms // 1_000)
    if isinstance(event, BadSignature):
        log.warning("event dropped", provider=posted.provider, reason=event.detail)
        return
    owner = keep_event(
        cells, posted.provider, event, now_ms=sweep.clock_ms(), next_id=sweep.next_id
    )
    if owner is None:
        log.info(
            "event about nothing of ours",
            provider=posted.provider,
            kind=event.kind,
            reference=event.ref,
        )


def _settle(
    cell: Connection, counter: Counter, providers: Providers, heard: Heard
) -> Unknown | Misconfigured | None:
    """Ask and write down; what kept the provider from answering, None where it answered."""
    provider = providers.get(heard.provider)
    if provider is None:
        return Misconfigured(f"there is no payment provider {heard.provider!r} any more")
    for step in ask_again(counter, heard.payment_id, heard.provider):
        outcome = provider.find_charge(step.charge, step.ref)
        if isinstance(outcome, Unknown | Misconfigured):
            return outcome
        note_answer(counter, step, outcome)
    with cell.reading():
        owner = try_of_charge(cell, heard.provider, heard.object_ref)
    # A try that is open does not know its charge yet: whoever asks about it next will.
    if owner is not None and heard.kind.startswith(ABOUT_MONEY_BACK):
        return ask_money_back(counter, provider, owner.payment_id, heard.object_ref)
    return None


def ask_money_back(
    counter: Counter, provider: PaymentProvider, payment_id: int, charge_ref: str
) -> Unknown | Misconfigured | None:
    """Ask what went back of a charge, and write down what is new: disputes, refunds made at the
    provider's own console, refunds that were done or have failed since."""
    made = provider.refunds(charge_ref)
    if not isinstance(made, list):
        return made
    disputes = provider.disputes(charge_ref)
    if not isinstance(disputes, list):
        return disputes
    for each in sorted(made, key=lambda each: not each.failed):  # first what makes room for others
        note_foreign_refund(counter, payment_id, each)
    for dispute in disputes:
        note_dispute(counter, payment_id, dispute)
    return None


def _close(sweep: Sweep, heard: Heard, trouble: Unknown | Misconfigured | None) -> None:
    due_ms, detail = None, ""
    if trouble is not None:
        heard = heard._replace(tries=heard.tries + 1)
        detail = trouble.detail[:ANSWER_TEXT_MAX]
        if heard.tries < PAYMENT_EVENT_TRIES_MAX:
            wait_ms = min(FIRST_WAIT_MS * 2 ** min(heard.tries - 1, 10), LAST_WAIT_MS)
            due_ms = sweep.clock_ms() + wait_ms
        else:
            log.error("event given up", event=heard.id, provider=heard.provider, reason=detail)
    with sweep.connection.transaction():
        set_event(sweep.connection, heard, detail, due_ms)
