"""The payment providers of an installation, as its settings choose them."""

from collections.abc import Callable
from typing import NamedTuple

from talktime.config import Settings
from talktime.operations.provider_settings import SANDBOX, STRIPE, read_provider_keys
from talktime.operations.sandbox_events import webhook_secret
from talktime.operations.sealing import Seal
from talktime.providers.payment import PaymentProvider
from talktime.providers.payment_sandbox import SandboxProvider
from talktime.store.database import Connection


class Chosen(NamedTuple):
    """The providers by name: those that were used once stay, for what they have charged. New cards
    go to the `active` one."""

    active: str
    providers: dict[str, PaymentProvider]


def chosen_providers(
    settings: Settings,
    control: Callable[[], Connection],
    clock_ms: Callable[[], int],
    next_id: Callable[[], int],
) -> Chosen:
    """Make the providers by what is set now. Raises NotSealedHere, and Outage.

    `control` gives a connection to the control plane with no transaction open; the sandbox goes on
    using it. `clock_ms` and `next_id` are the process's.
    """
    connection = control()
    with connection.reading():
        keys = read_provider_keys(connection, Seal(settings.seal_keys()))
    sandbox = SandboxProvider(
        *(control, clock_ms, next_id),
        webhook_secret=sandbox_secret(settings),
        pages_url=settings.public_url,
        charging=keys.active == SANDBOX and settings.test_clock,
    )
    providers: dict[str, PaymentProvider] = {SANDBOX: sandbox}
    if keys.stripe is not None:
        # The library is large, and of use to those alone who have an account.
        from talktime.providers.payment_stripe import StripeProvider

        providers[STRIPE] = StripeProvider(
            keys.stripe.secret_key,
            keys.stripe.webhook_secret,
            clock_ms,
            api_base=keys.stripe.api_base,
        )
    return Chosen(keys.active, providers)


def sandbox_secret(settings: Settings) -> str:
    """What the sandbox of this installation signs its webhooks with."""
    return webhook_secret(settings.seal_keys()[0])
