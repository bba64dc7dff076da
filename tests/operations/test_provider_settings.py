"""Which provider takes cards, and its keys. Mirrors operations/provider_settings.py."""

import pytest

from talktime.core.refusal import Refusal
from talktime.operations.provider_settings import (
    ProviderKeys,
    ProviderShown,
    StripeKeys,
    read_provider_keys,
    remove_provider,
    set_stripe,
    show_providers,
    use_sandbox,
)
from talktime.operations.sealing import NotSealedHere, Seal
from talktime.store.provider_settings import provider_settings

pytestmark = pytest.mark.layouts("sqlite", "postgres")

NOW_MS = 1_800_000_000_000
SEAL = Seal(["the key of this installation"])
KEYS = StripeKeys("sk_test_51NeverShown", "whsec_NeverShownEither", "https://api.stripe.com")


@pytest.fixture
def control(store):
    return store.control()


def put(control, keys: StripeKeys = KEYS, now_ms: int = NOW_MS) -> ProviderShown | Refusal:
    with control.transaction():
        return set_stripe(control, SEAL, keys, actor="operator", now_ms=now_ms)


def read(control, what, *more):
    with control.reading():
        return what(control, *more)


def test_without_settings_it_is_the_sandbox(control):
    assert read(control, read_provider_keys, SEAL) == ProviderKeys("sandbox", None)
    assert read(control, show_providers) == [
        ProviderShown("sandbox", True, None, ""),
        ProviderShown("stripe", False, None, ""),
    ]


def test_keys_are_kept_sealed_and_opened_for_jobs_alone(control):
    assert put(control) == ProviderShown("stripe", True, NOW_MS, "operator")
    assert read(control, read_provider_keys, SEAL) == ProviderKeys("stripe", KEYS)
    ((_, _, sealed, *_),) = read(control, provider_settings)
    shown = repr(read(control, show_providers)) + repr(KEYS) + repr(ProviderKeys("stripe", KEYS))
    for secret in (KEYS.secret_key, KEYS.webhook_secret):
        assert secret not in sealed + shown
    with pytest.raises(NotSealedHere, match="TALKTIME_SEAL_KEY"):
        read(control, read_provider_keys, Seal(["another"]))


def test_new_keys_take_the_place_of_the_old_ones(control):
    put(control)
    new = KEYS._replace(secret_key="rk_live_2")
    put(control, new, NOW_MS + 1)
    assert read(control, read_provider_keys, SEAL) == ProviderKeys("stripe", new)
    assert len(read(control, provider_settings)) == 1


def test_one_provider_is_active_and_the_keys_of_the_other_stay(control):
    put(control)
    with control.transaction():
        use_sandbox(control, actor="operator", now_ms=NOW_MS + 1)
    assert read(control, read_provider_keys, SEAL) == ProviderKeys("sandbox", KEYS)
    put(control)
    assert read(control, read_provider_keys, SEAL) == ProviderKeys("stripe", KEYS)


def test_only_a_provider_that_is_not_in_use_is_removed(control):
    put(control)
    with control.transaction():
        assert remove_provider(control, "stripe") == Refusal(
            "provider_in_use", "new cards go to stripe"
        )
    assert read(control, read_provider_keys, SEAL) == ProviderKeys("stripe", KEYS)
    with control.transaction():
        use_sandbox(control, actor="operator", now_ms=NOW_MS)
        assert remove_provider(control, "stripe") is None
        assert remove_provider(control, "stripe") == Refusal("invalid_value", "stripe was not set")
        assert remove_provider(control, "piggy bank").code == "invalid_value"
    assert read(control, read_provider_keys, SEAL) == ProviderKeys("sandbox", None)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"secret_key": "pk_test_1"}, "Stripe's secret key must start with sk_ or rk_"),
        ({"secret_key": ""}, "Stripe's secret key must be 1 to 255 printable characters"),
        ({"secret_key": "sk_" + "x" * 253}, "Stripe's secret key must be 1 to 255"),
        ({"secret_key": "sk_a b"}, "Stripe's secret key must be without spaces"),
        ({"secret_key": "sk_a\x00"}, "Stripe's secret key must be 1 to 255 printable"),
        ({"webhook_secret": "sk_test_1"}, "the webhook secret must start with whsec_"),
        ({"webhook_secret": ""}, "the webhook secret must be 1 to 255"),
        ({"api_base": "http://api.stripe.com"}, "the address of the API must begin with https"),
        ({"api_base": "api.stripe.com"}, "the address of the API must begin with https"),
        ({"api_base": "https://me:secret@x.example"}, "the address of the API must begin with"),
        ({"api_base": "https://x.example:port"}, "the address of the API must begin with https"),
        ({"api_base": "https://x.example?a=b"}, "the address of the API must begin with https"),
        ({"api_base": ""}, "the address of the API must begin with https"),
    ],
)
def test_what_cannot_be_right_is_refused_without_being_repeated(control, change, says):
    refusal = put(control, KEYS._replace(**change))
    assert isinstance(refusal, Refusal)
    assert refusal.code == "invalid_value"
    assert refusal.detail.startswith(says)
    assert not [value for value in change.values() if value and value in refusal.detail]
    assert read(control, provider_settings) == []


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:12111", "http://[::1]:1", "https://x.example"]
)
def test_a_proxy_on_this_machine_needs_no_encryption(control, address):
    assert isinstance(put(control, KEYS._replace(api_base=address)), ProviderShown)
