"""The jobs that tend wallets and collect payments. Alone they talk to payment providers, and never
inside a transaction."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager

import structlog

from talktime.core.charges import Absent, Declined, NeedsCardholder, Outcome, Unknown
from talktime.core.documents import Seller
from talktime.core.limits import TEND_BATCH_MAX
from talktime.jobs.installed_providers import Providers
from talktime.operations.collect import ASK, GIVE_UP, Step, next_step, note_answer
from talktime.operations.counters import Counters
from talktime.operations.invoices import UNNAMED
from talktime.operations.sweep import Sweep, Swept
from talktime.operations.till import Counter, open_till
from talktime.providers.payment import PaymentProvider
from talktime.store.database import Outage
from talktime.store.payments import (
    claim_payment,
    payments_due,
    wallets_asking,
    wallets_to_recharge,
)

log = structlog.get_logger(__name__)

THREADS = 8
CLAIMED_MS = 60_000
"""Longer than a provider takes to answer."""
BUSY_S_MAX = 60
"""A run begins nothing more after this."""
LOOK_S = 0.25
"""How often a run that waits for a provider looks for what came due."""


def tend_wallets(sweep: Sweep) -> Swept:
    """Look at the wallets that ask for it: tell of levels crossed, begin recharges (D1, D2, D4)."""
    return _tend(sweep, lambda after: wallets_asking(sweep.connection, after, TEND_BATCH_MAX))


def recheck_recharges(sweep: Sweep) -> Swept:
    """Test again the triggers of those who are below them with nothing on its way: what a cap, a
    pause between attempts or an expired lot kept back (D2)."""

    def page(after: int) -> list[int]:
        return wallets_to_recharge(sweep.connection, sweep.clock_ms(), after, TEND_BATCH_MAX)

    return _tend(sweep, page)


def collect_payments(sweep: Sweep, providers: Providers) -> Swept:
    """Do the next step of every payment that is due: charge, ask, try again, give up.

    A few are asked about at once, and what comes due meanwhile is begun too, so that one that hangs
    keeps nobody waiting. When a provider has not answered, nothing more is begun in this run.
    """
    return _Collection(sweep, providers).run()


class _Collection:
    """One run of the job. Its own thread alone touches databases: others ask providers.

    A payment is claimed before its provider is asked: for the time of the claim it is nobody
    else's, so that of several processes one sends its charge. If this one dies, it is due again
    when the claim ends.
    """

    def __init__(self, sweep: Sweep, providers: Providers) -> None:
        self._sweep, self._providers = sweep, providers
        self._counters = counters_of(sweep)
        self._failures, self._done, self._silent = list[str](), 0, False
        self._begun, self._asked = set[int](), dict[Future[Outcome | Absent], tuple[int, Step]]()

    def run(self) -> Swept:
        """Until nothing is due, or on its way."""
        due, until = self._due(), time.monotonic() + BUSY_S_MAX
        if not due:
            return Swept(0)
        with ThreadPoolExecutor(THREADS, "provider") as pool:
            while due or self._asked:
                for organisation_id, payment_id in due:
                    if self._stopped(until) or len(self._asked) == THREADS:
                        break
                    self._begun.add(payment_id)
                    with one_row(self._failures, f"payment {payment_id}"):
                        self._begin(pool, organisation_id, payment_id)
                ended, _ = wait(self._asked, LOOK_S, FIRST_COMPLETED)
                for future in ended:
                    owner, step = self._asked.pop(future)
                    with one_row(self._failures, f"payment {step.payment_id}"):
                        self._write(owner, step, future.result())
                due = [] if self._stopped(until) else self._due()
        return Swept(self._done, tuple(self._failures))

    def _stopped(self, until: float) -> bool:
        return self._sweep.stopping() or self._silent or time.monotonic() > until

    def _due(self) -> list[tuple[int, int]]:
        """What is due now and was not begun in this run."""
        rows_max = TEND_BATCH_MAX + len(self._begun)
        with self._sweep.connection.reading():
            found = payments_due(self._sweep.connection, self._sweep.clock_ms(), 0, rows_max)
        return [each for each in found if each[1] not in self._begun]

    def _begin(self, pool: ThreadPoolExecutor, organisation_id: int, payment_id: int) -> None:
        counter = counter_of(self._counters, organisation_id)
        claimed_ms = counter.now_ms + CLAIMED_MS
        with counter.cell.transaction():
            if not claim_payment(
                counter.cell, organisation_id, payment_id, counter.now_ms, claimed_ms
            ):
                return  # another process has it
        url = return_url(self._sweep, organisation_id)
        step = next_step(counter, payment_id, url, claimed_ms=claimed_ms)
        if step is None:
            return
        provider = self._providers.get(step.provider)
        if provider is None:
            raise LookupError(f"there is no payment provider {step.provider!r} any more")
        if provider.parallel:
            self._asked[pool.submit(_ask, provider, step)] = organisation_id, step
        else:
            self._write(organisation_id, step, _ask(provider, step))

    def _write(self, organisation_id: int, step: Step, outcome: Outcome | Absent) -> None:
        if isinstance(outcome, Unknown) and not outcome.in_use:
            self._silent = True
        note_answer(counter_of(self._counters, organisation_id), step, outcome)
        self._done += 1
        log.info(
            "provider answered",
            payment=step.payment_id,
            attempt=step.charge.try_id,
            asked=step.verb,
            outcome=type(outcome).__name__,
        )


def _ask(provider: PaymentProvider, step: Step) -> Outcome | Absent:
    if step.verb == GIVE_UP:
        return provider.cancel_charge(step.ref)
    if step.verb == ASK:
        outcome = provider.find_charge(step.charge, step.ref)
    else:
        outcome = provider.charge(step.charge)
    if isinstance(outcome, NeedsCardholder) and not step.charge.person_present:
        # Nobody is there to confirm: called off first, so that nobody can later.
        called_off = provider.cancel_charge(outcome.ref)
        if not isinstance(called_off, Absent | Declined):
            return called_off
    return outcome


def return_url(sweep: Sweep, organisation_id: int) -> str:
    """Where a cardholder comes back to from a page of the provider's."""
    base = sweep.settings.address if sweep.settings is not None else ""
    return f"{base}/organisations/{organisation_id}/credits/"


def _tend(sweep: Sweep, page: Callable[[int], list[int]]) -> Swept:
    counters, done, failures, after = counters_of(sweep), 0, list[str](), 0
    while not sweep.stopping():
        with sweep.connection.reading():
            organisation_ids = page(after)
        for organisation_id in organisation_ids:
            if sweep.stopping():
                break
            with one_row(failures, f"wallet of organisation {organisation_id}"):
                with open_till(counter_of(counters, organisation_id)):
                    pass  # whoever opens a till leaves the wallet tended
                done += 1
        if len(organisation_ids) < TEND_BATCH_MAX:
            break
        after = organisation_ids[-1]
    return Swept(done, tuple(failures))


def counters_of(sweep: Sweep) -> Counters:
    """The counters of this run's cell."""
    if sweep.control is None:
        raise ValueError("this job needs the control plane")
    seller = UNNAMED if sweep.settings is None else Seller(*sweep.settings.seller)
    return Counters(sweep.control, sweep.connection, sweep.clock_ms, sweep.next_id, seller)


def counter_of(counters: Counters, organisation_id: int) -> Counter:
    """The counter of an organisation. Raises LookupError."""
    counter = counters.of_id(organisation_id)
    if counter is None:
        raise LookupError(f"the control plane has no organisation {organisation_id}")
    return counter


@contextmanager
def one_row(failures: list[str], what: str) -> Iterator[None]:
    """One row that cannot be worked on stops no other; an outage stops all."""
    try:
        yield
    except Outage:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it was, the other rows are done
        failures.append(f"{what}: {error!r}")
