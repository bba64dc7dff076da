"""Which payment provider takes cards, and its keys: sealed when they are set, never shown again.

Without any settings it is the sandbox. Each change takes a connection to the control plane, in a
transaction that the caller opens.
"""

import json
from typing import NamedTuple
from urllib.parse import urlsplit

from talktime.config import LOOPBACK_HOSTS
from talktime.core.limits import ACTOR_TEXT_MAX, PROVIDER_SECRET_TEXT_MAX
from talktime.core.refusal import Refusal
from talktime.operations.audit import note
from talktime.operations.input_checks import check_one_of, check_text, check_word, first
from talktime.operations.sealing import Seal
from talktime.store.database import Connection
from talktime.store.provider_settings import (
    ProviderSetting,
    delete_setting,
    provider_settings,
    put_active_setting,
)

SANDBOX, STRIPE = "sandbox", "stripe"
PROVIDERS = (SANDBOX, STRIPE)
API_BASE = "https://api.stripe.com"
KEY_STARTS = ("sk_", "rk_")
WEBHOOK_SECRET_START = "whsec_"


class StripeKeys(NamedTuple):
    """What is needed to talk to one account at Stripe."""

    secret_key: str
    webhook_secret: str
    api_base: str

    def __repr__(self) -> str:
        return f"StripeKeys(api_base={self.api_base!r})"


class ProviderShown(NamedTuple):
    """What may be shown of a provider's settings: that there are any, when and by whom they were
    set, and whether new cards go there."""

    name: str
    active: bool
    changed_ms: int | None
    changed_by: str


class ProviderKeys(NamedTuple):
    """What jobs need: which provider takes new cards, and the keys of those that have any."""

    active: str
    stripe: StripeKeys | None


def set_stripe(
    control: Connection,
    seal: Seal,
    keys: StripeKeys,
    *,
    actor: str,
    now_ms: int,
) -> ProviderShown | Refusal:
    """Keep Stripe's keys, and let new cards go there. Refuses: invalid_value, without repeating
    what was given."""
    refusal = first(_check_keys(keys), check_text("the actor", actor, ACTOR_TEXT_MAX))
    if refusal is not None:
        return refusal
    sealed = seal.seal(json.dumps(keys._asdict()))
    return _activate(control, STRIPE, sealed, actor, now_ms)


def use_sandbox(control: Connection, *, actor: str, now_ms: int) -> ProviderShown | Refusal:
    """Let new cards go to the sandbox, which moves no money. Keys of others stay.

    Refuses: invalid_value.
    """
    refusal = check_text("the actor", actor, ACTOR_TEXT_MAX)
    if refusal is not None:
        return refusal
    return _activate(control, SANDBOX, "", actor, now_ms)


def remove_provider(control: Connection, name: str) -> Refusal | None:
    """Forget a provider's keys: its payments can be asked about no more.

    Refuses: invalid_value for an unknown name, or one that was not set; provider_in_use for the one
    that new cards go to.
    """
    refusal = check_one_of("the provider", name, PROVIDERS)
    if refusal is not None:
        return refusal
    found = {each.name: each for each in provider_settings(control, locked=True)}
    if name not in found:
        return Refusal("invalid_value", f"{name} was not set")
    if found[name].active:
        return Refusal("provider_in_use", f"new cards go to {name}")
    delete_setting(control, name)
    note(control, None, "provider.removed", name, always=True)
    return None


def show_providers(control: Connection) -> list[ProviderShown]:
    """All providers, the sandbox too; never a key."""
    found = {each.name: each for each in provider_settings(control)}
    active = _active(found)
    return [
        ProviderShown(
            name,
            name == active,
            found[name].changed_ms if name in found else None,
            found[name].changed_by if name in found else "",
        )
        for name in PROVIDERS
    ]


def active_provider(control: Connection) -> str:
    """The provider that new cards go to."""
    return _active({each.name: each for each in provider_settings(control)})


def read_provider_keys(control: Connection, seal: Seal) -> ProviderKeys:
    """The keys, opened. Raises NotSealedHere where this installation cannot open them."""
    found = {each.name: each for each in provider_settings(control)}
    stripe = found.get(STRIPE)
    keys = None if stripe is None else StripeKeys(**json.loads(seal.opened(stripe.sealed)))
    return ProviderKeys(_active(found), keys)


def _active(found: dict[str, ProviderSetting]) -> str:
    return next((name for name, each in found.items() if each.active), SANDBOX)


def _activate(
    control: Connection, name: str, sealed: str, actor: str, now_ms: int
) -> ProviderShown:
    before = {
        "active": _active({each.name: each for each in provider_settings(control, locked=True)})
    }
    note(control, None, "provider.set", name, before=before, after={"active": name}, always=True)
    put_active_setting(control, ProviderSetting(name, True, sealed, now_ms, actor))
    return ProviderShown(name, True, now_ms, actor)


def _check_keys(keys: StripeKeys) -> Refusal | None:
    starts = None
    if not keys.secret_key.startswith(KEY_STARTS):
        starts = Refusal("invalid_value", "Stripe's secret key must start with sk_ or rk_")
    elif not keys.webhook_secret.startswith(WEBHOOK_SECRET_START):
        starts = Refusal("invalid_value", "the webhook secret must start with whsec_")
    return first(
        check_word("Stripe's secret key", keys.secret_key, PROVIDER_SECRET_TEXT_MAX),
        check_word("the webhook secret", keys.webhook_secret, PROVIDER_SECRET_TEXT_MAX),
        starts,
        _check_address(keys.api_base),
    )


def _check_address(text: str) -> Refusal | None:
    try:
        parts = urlsplit(text)
        good = (
            bool(parts.hostname) and (parts.port or 1) > 0 and not (parts.query or parts.fragment)
        )
    except ValueError:
        good = False
    local = good and (parts.hostname in LOOPBACK_HOSTS or parts.hostname == "::1")
    if (
        good
        and not parts.username
        and (parts.scheme == "https" or (parts.scheme == "http" and local))
    ):
        return check_word("the address", text, PROVIDER_SECRET_TEXT_MAX)
    return Refusal(
        "invalid_value",
        "the address of the API must begin with https:// (http:// for this machine alone)",
    )
