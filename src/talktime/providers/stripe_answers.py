"""What Stripe's answers mean: which declines are for good, which errors leave it open whether money
was charged, and what of them may be told. No text of ours ever holds a key.

Sources: Stripe, "Decline codes", "Error codes", "Error handling", "The PaymentIntents object".
"""

import re
from collections.abc import Mapping
from typing import Any

import stripe

from talktime.core.charges import (
    WAITING_FOR_CARDHOLDER,
    Declined,
    Misconfigured,
    NeedsCardholder,
    Outcome,
    Succeeded,
    Unknown,
)
from talktime.core.limits import DETAIL_TEXT_MAX

HARD_DECLINES = frozenset(
    (
        # The card is gone, or not what it seems.
        *("lost_card", "stolen_card", "pickup_card", "restricted_card", "expired_card"),
        *("fraudulent", "merchant_blacklist", "security_violation"),
        *("invalid_account", "incorrect_number", "invalid_number", "invalid_cvc", "incorrect_cvc"),
        *("invalid_expiry_month", "invalid_expiry_year", "new_account_information_available"),
        # It will not do for this, ever.
        *("card_not_supported", "currency_not_supported", "transaction_not_allowed"),
        *("service_not_allowed", "not_permitted", "testmode_decline", "live_mode_test_card"),
        # The cardholder or the bank said so for good.
        *("do_not_try_again", "stop_payment_order", "no_action_taken"),
        *("revocation_of_authorization", "revocation_of_all_authorizations"),
    )
)
"""Declines after which this card is not tried again. All others are soft, those too that are not
known here: insufficient_funds, generic_decline, do_not_honor, try_again_later, processing_error,
issuer_not_available, card_velocity_exceeded, call_issuer ..."""

OF_THE_CARD = ("payment_method", "customer")
"""Parameters that name what the cardholder brought: where one is wrong, the card is (removed at
Stripe, or another's), not our installation."""
OF_THE_AMOUNT = frozenset(("amount_too_small", "amount_too_large"))

_SECRET = re.compile(r"\b(sk|rk|whsec)_[\w*]+|\b\w+_secret_\w+")


def without_secrets(text: str) -> str:
    """A text of Stripe's as it may be kept and shown: no key, whole or starred, in one line."""
    return _SECRET.sub("(a key)", " ".join(text.split()))[:DETAIL_TEXT_MAX]


def trouble(error: stripe.StripeError) -> Unknown | Misconfigured:
    """What an error means that says nothing about the card."""
    said = without_secrets(str(error.user_message or ""))
    match error:
        case stripe.AuthenticationError():
            return Misconfigured("Stripe does not accept the secret key (401)")
        case stripe.PermissionError():
            return Misconfigured(f"Stripe does not allow this to the secret key (403): {said}")
        case stripe.IdempotencyError():
            # What was asked first with this key may have been done.
            return Unknown(f"Stripe has another request under the same key: {said}")
        case stripe.InvalidRequestError():
            return Misconfigured(f"Stripe cannot take the request ({error.http_status}): {said}")
        case stripe.RateLimitError():
            return Unknown("Stripe takes no more requests at the moment (429)")
        case stripe.APIConnectionError():
            cause = type(error.__cause__ or error.__context__ or error).__name__
            return Unknown(f"Stripe did not answer ({cause})")
    status = error.http_status or "nothing that can be read"
    # 409: another request of this key, or for the same object, is under way.
    return Unknown(f"Stripe answered {status}: {said}", in_use=error.http_status == 409)


def refused_charge(error: stripe.CardError | stripe.InvalidRequestError) -> Outcome:
    """What an error means that came instead of a charge."""
    said = _error_of(error)
    if isinstance(error, stripe.CardError):
        intent = said.get("payment_intent")
        return declined(str(intent["id"]) if isinstance(intent, dict) else "", said)
    param, code = str(said.get("param") or ""), str(said.get("code") or "")
    if param.startswith(OF_THE_CARD) or code.startswith("payment_method_"):
        detail = without_secrets(str(error.user_message or "Stripe does not know this card"))
        return Declined("", code or "unknown_card", detail, hard=True)
    if code in OF_THE_AMOUNT:
        return Declined("", code, without_secrets(str(error.user_message or "")), hard=True)
    return trouble(error)


def declined(ref: str, said: Mapping[str, Any]) -> Declined | NeedsCardholder:
    """A decline by what an error object says: `decline_code` is the bank's, `code` Stripe's."""
    code = str(said.get("decline_code") or said.get("code") or "generic_decline")
    if WAITING_FOR_CARDHOLDER in (code, said.get("code")):
        return NeedsCardholder(ref, "")
    detail = without_secrets(str(said.get("message") or "The card was declined."))
    hard = code in HARD_DECLINES or said.get("code") in HARD_DECLINES
    return Declined(ref, code, detail, hard)


def outcome_of(intent: Mapping[str, Any]) -> Outcome:
    """What a PaymentIntent, as a dict, says about its charge."""
    ref, status = str(intent["id"]), str(intent.get("status"))
    match status:
        case "succeeded":
            return Succeeded(ref)
        case "requires_action":
            action = intent.get("next_action") or {}
            redirect = action.get("redirect_to_url") or {}
            return NeedsCardholder(ref, str(redirect.get("url") or ""))
        case "requires_payment_method" if intent.get("last_payment_error"):
            return declined(ref, intent["last_payment_error"])
        case "canceled":
            return Declined(ref, "cancelled", "The charge was called off.", hard=False)
    return Unknown(f"Stripe's charge is {status.replace('_', ' ')}")


def _error_of(error: stripe.StripeError) -> dict[str, Any]:
    body = error.json_body
    said = body.get("error") if isinstance(body, dict) else None
    return said if isinstance(said, dict) else {}
