"""The jobs that tend wallets and collect payments. Alone they talk to payment providers, and never
inside a transaction."""

from collections.abc import Callable, Iterator
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
from talktime.store.payments import payments_due, wallets_asking, wallets_to_recharge

log = structlog.get_logger(__name__)


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

    A provider that does not answer is not asked again in this run: other jobs have their turn.
    """
    counters, done, failures, after = counters_of(sweep), 0, list[str](), 0
    answering = _Answering(providers)
    while not sweep.stopping():
        with sweep.connection.reading():
            due = payments_due(sweep.connection, sweep.clock_ms(), after, TEND_BATCH_MAX)
        for organisation_id, payment_id in due:
            if sweep.stopping():
                break
            with one_row(failures, f"payment {payment_id}"):
                done += _collect(sweep, counters, answering, organisation_id, payment_id)
        if len(due) < TEND_BATCH_MAX:
            break
        after = due[-1][1]
    return Swept(done, tuple(failures))


class _Answering:
    """The providers of one run, but for those that have not answered in it."""

    def __init__(self, providers: Providers) -> None:
        self._providers = providers
        self.silent = set[str]()

    def provider(self, name: str) -> PaymentProvider | None:
        """The provider of this name; None where it does not answer. Raises LookupError."""
        if name in self.silent:
            return None
        found = self._providers.get(name)
        if found is None:
            raise LookupError(f"there is no payment provider {name!r} any more")
        return found


def _collect(
    sweep: Sweep,
    counters: Counters,
    answering: "_Answering",
    organisation_id: int,
    payment_id: int,
) -> int:
    counter = counter_of(sweep, counters, organisation_id)
    step = next_step(counter, payment_id, return_url(sweep, organisation_id))
    if step is None:
        return 0
    provider = answering.provider(step.provider)
    if provider is None:
        return 0
    outcome = _ask(provider, step)
    if isinstance(outcome, Unknown):
        answering.silent.add(step.provider)
    note_answer(counter_of(sweep, counters, organisation_id), step, outcome)
    log.info(
        "provider answered",
        payment=payment_id,
        attempt=step.charge.try_id,
        asked=step.verb,
        outcome=type(outcome).__name__,
    )
    return 1


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
                with open_till(counter_of(sweep, counters, organisation_id)):
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


def counter_of(sweep: Sweep, counters: Counters, organisation_id: int) -> Counter:
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
