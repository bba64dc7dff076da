"""The jobs that add cards and have removed ones forgotten: both ask the provider, outside any
transaction."""

from talktime.core.charges import Misconfigured
from talktime.core.limits import TEND_BATCH_MAX
from talktime.jobs.installed_providers import Providers
from talktime.jobs.payments import counter_of, counters_of, one_row
from talktime.operations.card_setups import STARTED, CardAnswer, note_card
from talktime.operations.counters import Counters
from talktime.operations.payment_methods import note_forgotten
from talktime.operations.sweep import Sweep, Swept
from talktime.providers.payment import PaymentProvider
from talktime.store.card_setups import CardSetup, setup_of_id, setups_due
from talktime.store.payments import methods_to_forget


def add_cards(sweep: Sweep, providers: Providers) -> Swept:
    """Do the next step of every card that is being added: a page for it, then the card."""
    counters, done, failures, after = counters_of(sweep), 0, list[str](), 0
    while not sweep.stopping():
        with sweep.connection.reading():
            due = setups_due(sweep.connection, sweep.clock_ms(), after, TEND_BATCH_MAX)
        for organisation_id, setup_id in due:
            if sweep.stopping():
                break
            with one_row(failures, f"card set-up {setup_id}"):
                _add(sweep, counters, providers, organisation_id, setup_id)
                done += 1
        if len(due) < TEND_BATCH_MAX:
            break
        after = due[-1][1]
    return Swept(done, tuple(failures))


def forget_cards(sweep: Sweep, providers: Providers) -> Swept:
    """Have the providers forget the cards that were removed: once no charge of a card is open, it
    is detached, so that nobody can charge it any more."""
    counters, done, failures, after = counters_of(sweep), 0, list[str](), 0
    while not sweep.stopping():
        with sweep.connection.reading():
            due = methods_to_forget(sweep.connection, sweep.clock_ms(), after, TEND_BATCH_MAX)
        for card in due:
            if sweep.stopping():
                break
            with one_row(failures, f"removed card {card.id}"):
                provider = providers.get(card.provider)
                if provider is None:
                    raise LookupError(f"there is no payment provider {card.provider!r}")
                trouble = provider.forget_card(card.method_ref)
                counter = counter_of(counters, card.organisation_id)
                note_forgotten(counter, card.id, trouble is None)
                done += 1
        if len(due) < TEND_BATCH_MAX:
            break
        after = due[-1].id
    return Swept(done, tuple(failures))


def _add(
    sweep: Sweep, counters: Counters, providers: Providers, organisation_id: int, setup_id: int
) -> None:
    counter = counter_of(counters, organisation_id)
    with sweep.connection.reading():
        setup = setup_of_id(sweep.connection, organisation_id, setup_id)
    if setup is None or setup.due_ms is None or setup.due_ms > counter.now_ms:
        return
    provider = providers.get(setup.provider)
    if provider is None:
        missing = f"there is no payment provider {setup.provider!r}"
        note_card(counter, setup_id, Misconfigured(missing))
        raise LookupError(missing)
    answer = _ask(provider, setup, counter.organisation.name)
    note_card(counter_of(counters, organisation_id), setup_id, answer)


def _ask(provider: PaymentProvider, setup: CardSetup, name: str) -> CardAnswer:
    if setup.state != STARTED:
        return provider.find_card(setup.setup_ref)
    return provider.begin_card(
        setup.id, setup.organisation_id, setup.customer_ref, name, setup.return_url
    )
