"""A pretended Stripe, and our provider that talks to it with the real library."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from talktime.core.charges import Charge
from talktime.core.ids import EPOCH_MS, made_ms
from talktime.providers.payment_stripe import StripeProvider
from tests.providers.stripe_server import SECRET_KEY, WEBHOOK_SECRET, Stripe, running_stripe

TRY_ID = 41_000_000_000_000_005
NOW_MS = made_ms(TRY_ID) + 1_000
assert NOW_MS > EPOCH_MS


@pytest.fixture
def stripe_() -> Iterator[Stripe]:
    """A pretended Stripe with a customer, `cus_1`."""
    with running_stripe() as running:
        running.account.do("POST", "customers", {"name": "Contoso"})
        yield running


@pytest.fixture
def new_provider(stripe_: Stripe) -> Iterator[Callable[..., StripeProvider]]:
    """Makes our provider: `secret_key=`, `now_ms=`, `answer_s=`."""
    made: list[StripeProvider] = []

    def new(
        secret_key: str = SECRET_KEY, now_ms: int = NOW_MS, answer_s: float = 30
    ) -> StripeProvider:
        provider = StripeProvider(
            *(secret_key, WEBHOOK_SECRET, lambda: now_ms), api_base=stripe_.url, answer_s=answer_s
        )
        made.append(provider)
        return provider

    yield new
    for provider in made:
        provider.close()


@pytest.fixture
def provider(new_provider: Callable[..., StripeProvider]) -> StripeProvider:
    """Our provider."""
    return new_provider()


def a_charge(method_ref: str = "pm_card_visa", **changes: Any) -> Charge:
    """A charge of 12.34 USD without anybody present."""
    charge = Charge(TRY_ID, 7, 12_340_000, "USD", "cus_1", method_ref, "Communications Credits")
    return charge._replace(**changes)
