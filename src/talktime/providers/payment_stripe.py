"""Stripe: PaymentIntents for charges, Checkout's hosted page for cards.

The library never tries again by itself: what is to be asked again, and when, is decided where the
payment is kept. Each request that does something carries an idempotency key of ours, so that it is
done once. Stripe forgets such keys after a day; what may be older is looked for first.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import stripe

from talktime import __version__
from talktime.core.charges import (
    Absent,
    BadSignature,
    CardAdded,
    CardPage,
    Charge,
    Dispute,
    Event,
    Failed,
    ForeignRefund,
    Misconfigured,
    Outcome,
    Refunded,
    RefundFailed,
    Unknown,
    Waiting,
)
from talktime.core.currencies import micros_of_stripe, stripe_amount
from talktime.core.ids import id_in, made_ms
from talktime.operations.provider_settings import API_BASE
from talktime.providers.stripe_answers import (
    OF_THE_CARD,
    outcome_of,
    refused_charge,
    trouble,
    without_secrets,
)
from talktime.providers.stripe_events import read_event

API_VERSION = "2026-10-28.endive"
"""The version of Stripe's API whose answers are read here; Stripe keeps it for us."""
CONNECT_S, ANSWER_S = 5, 30
LOOK_FIRST_AFTER_MS = 12 * 3_600_000
"""Far within the day for which Stripe knows an idempotency key."""
PAGE_ROWS = 100
ROWS_LOOKED_AT_MAX = 10_000

TRY, REFUND, ORGANISATION, SETUP = (
    *("talktime_try", "talktime_refund", "talktime_organisation", "talktime_setup"),
)
"""Names in the metadata of what we make at Stripe."""
REFUND_ENDED = ("failed", "canceled")
DISPUTES_DECIDED = ("won", "lost")
NO_MONEY_MOVED = ("warning_", "prevented")


class _Http(stripe.RequestsClient):
    """The library's client, which says who we are without the library's global state."""

    def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        post_data: Any = None,
        **options: Any,
    ) -> tuple[Any, int, Mapping[str, str]]:
        named = dict(headers or {})
        named["User-Agent"] = f"{named.get('User-Agent', '')} Talktime/{__version__}".strip()
        return super().request(method, url, named, post_data, **options)


class StripeProvider:
    """One account at Stripe. May be used by several threads at once.

    `clock_ms` tells how old what is asked is; a clock that is wrong costs a request, no money.
    """

    name = "stripe"
    parallel = True

    def __init__(
        self,
        secret_key: str,
        webhook_secret: str,
        clock_ms: Callable[[], int],
        *,
        api_base: str = API_BASE,
        answer_s: float = ANSWER_S,
    ) -> None:
        self._webhook_secret = webhook_secret
        self._clock_ms = clock_ms
        self._http = _Http(timeout=(CONNECT_S, answer_s))
        self._api = stripe.StripeClient(
            secret_key,
            stripe_version=API_VERSION,
            base_addresses={"api": api_base},
            max_network_retries=0,
            http_client=self._http,
        ).v1

    def __repr__(self) -> str:
        return "StripeProvider()"

    def close(self) -> None:
        """Close this thread's connection."""
        self._http.close()  # type: ignore[no-untyped-call]

    def charge(self, charge: Charge) -> Outcome:
        """Make and confirm a PaymentIntent with the try's id as idempotency key."""
        params: Any = {
            "amount": stripe_amount(charge.amount_micros, charge.currency),
            "currency": charge.currency.lower(),
            "customer": charge.customer_ref,
            "payment_method": charge.method_ref,
            "payment_method_types": ["card"],
            "confirm": True,
            "description": charge.description,
            "metadata": {
                TRY: str(charge.try_id),
                ORGANISATION: str(charge.organisation_id),
            },
        }
        if charge.person_present:
            params["return_url"] = charge.return_url
        else:
            params["off_session"] = True
        if self._is_old(charge.try_id):
            found = self.find_charge(charge, "")
            if not isinstance(found, Absent):
                return found
        options: Any = {"idempotency_key": str(charge.try_id)}
        try:
            made = self._api.payment_intents.create(params, options)
        except (stripe.CardError, stripe.InvalidRequestError) as error:
            return refused_charge(error)
        except stripe.StripeError as error:
            return trouble(error)
        return outcome_of(made.to_dict())

    def find_charge(self, charge: Charge, ref: str) -> Outcome | Absent:
        """The PaymentIntent of this reference, or the one of the customer's that names the try.

        All of the customer's are looked at, newest first: to leave out old ones by their date would
        call a charge absent when our clock is ahead.
        """
        try:
            if ref:
                return outcome_of(self._api.payment_intents.retrieve(ref).to_dict())
            for intent in self._newest(
                self._api.payment_intents.list, {"customer": charge.customer_ref}
            ):
                if intent.get("metadata", {}).get(TRY) == str(charge.try_id):
                    return outcome_of(intent)
        except _TooMany:
            return Unknown("the customer has too many charges at Stripe to look through")
        except stripe.StripeError as error:
            return Absent() if _is_missing(error) else trouble(error)
        return Absent()

    def cancel_charge(self, ref: str) -> Outcome | Absent:
        """Cancel the PaymentIntent; what it is where it cannot be cancelled any more."""
        try:
            return outcome_of(self._api.payment_intents.cancel(ref).to_dict())
        except stripe.InvalidRequestError as error:
            if _is_missing(error):
                return Absent()
            if error.code != "payment_intent_unexpected_state":
                return trouble(error)
        except stripe.StripeError as error:
            return trouble(error)
        try:
            return outcome_of(self._api.payment_intents.retrieve(ref).to_dict())
        except stripe.StripeError as error:
            return trouble(error)

    def begin_card(
        self, setup_id: int, organisation_id: int, customer_ref: str, name: str, return_url: str
    ) -> CardPage | Failed | Unknown | Misconfigured:
        """A session of Checkout in the mode `setup`, for the customer made before or now."""
        ours = {ORGANISATION: str(organisation_id), SETUP: str(setup_id)}
        try:
            if not customer_ref:
                made = self._api.customers.create(
                    {"name": name, "metadata": {ORGANISATION: str(organisation_id)}},
                    {"idempotency_key": f"customer-{setup_id}"},
                )
                customer_ref = made.id
            params: Any = {
                "mode": "setup",
                "customer": customer_ref,
                "payment_method_types": ["card"],
                "client_reference_id": str(setup_id),
                "success_url": return_url,
                "cancel_url": return_url,
                "metadata": ours,
                "setup_intent_data": {"metadata": ours},
            }
            options: Any = {"idempotency_key": f"setup-{setup_id}"}
            session = self._api.checkout.sessions.create(params, options)
        except stripe.InvalidRequestError as error:
            if str(error.param or "").startswith(OF_THE_CARD):
                return Failed(without_secrets(str(error.user_message or "")))
            return trouble(error)
        except stripe.StripeError as error:
            return trouble(error)
        return CardPage(customer_ref, session.id, session.url or "")

    def find_card(self, setup_ref: str) -> CardAdded | Waiting | Failed | Unknown | Misconfigured:
        """The card that Checkout's session has saved."""
        expanded: Any = {"expand": ["setup_intent.payment_method"]}
        try:
            session = self._api.checkout.sessions.retrieve(setup_ref, expanded).to_dict()
        except stripe.StripeError as error:
            return Failed("Stripe has no such page") if _is_missing(error) else trouble(error)
        if session["status"] == "expired":
            return Failed("the page to enter a card was not used in time")
        intent = session.get("setup_intent")
        if session["status"] != "complete" or not isinstance(intent, dict):
            return Waiting()
        if intent["status"] == "canceled":
            return Failed("the card was not added")
        method = intent.get("payment_method")
        if intent["status"] != "succeeded" or not isinstance(method, dict):
            return Waiting()
        card = method.get("card") or {}
        return CardAdded(
            method["id"],
            str(card.get("display_brand") or card.get("brand") or "card"),
            str(card.get("last4") or ""),
            card.get("exp_year"),
            card.get("exp_month"),
        )

    def forget_card(self, method_ref: str) -> Unknown | Misconfigured | None:
        """Detach the PaymentMethod from its customer: it can be charged by nobody then."""
        try:
            self._api.payment_methods.detach(method_ref)
        except stripe.InvalidRequestError as error:
            gone = _is_missing(error) or "not attached" in str(error.user_message or "")
            return None if gone else trouble(error)
        except stripe.StripeError as error:
            return trouble(error)
        return None

    def refund(
        self, refund_id: int, charge_ref: str, amount_micros: int, currency: str
    ) -> Refunded | RefundFailed | Unknown | Misconfigured:
        """Refund a part of the PaymentIntent, or all."""
        amount = stripe_amount(amount_micros, currency)
        if self._is_old(refund_id):
            found = self.find_refund(refund_id, charge_ref)
            if not isinstance(found, Absent):
                return found
        try:
            made = self._api.refunds.create(
                {
                    "payment_intent": charge_ref,
                    "amount": amount,
                    "metadata": {REFUND: str(refund_id)},
                },
                {"idempotency_key": f"refund-{refund_id}"},
            )
        except stripe.InvalidRequestError as error:
            return RefundFailed(without_secrets(str(error.user_message or "")))
        except stripe.StripeError as error:
            return trouble(error)
        return _refund_of(made.to_dict())

    def find_refund(
        self, refund_id: int, charge_ref: str
    ) -> Refunded | RefundFailed | Absent | Unknown | Misconfigured:
        """The refund of the PaymentIntent that names ours."""
        made = self._all(self._api.refunds.list, charge_ref)
        if not isinstance(made, list):
            return made
        for each in made:
            if (each.get("metadata") or {}).get(REFUND) == str(refund_id):
                return _refund_of(each)
        return Absent()

    def disputes(self, charge_ref: str) -> list[Dispute] | Unknown | Misconfigured:
        """Disputes of the PaymentIntent that took money: no inquiries."""
        found = self._all(self._api.disputes.list, charge_ref)
        if not isinstance(found, list):
            return found
        return [
            Dispute(
                each["id"],
                micros_of_stripe(each["amount"], each["currency"].upper()),
                each["status"] if each["status"] in DISPUTES_DECIDED else "open",
            )
            for each in found
            if not each["status"].startswith(NO_MONEY_MOVED)
        ]

    def refunds(self, charge_ref: str) -> list[ForeignRefund] | Unknown | Misconfigured:
        """Refunds of the PaymentIntent, also those that failed."""
        found = self._all(self._api.refunds.list, charge_ref)
        if not isinstance(found, list):
            return found
        return [
            ForeignRefund(
                each["id"],
                id_in((each.get("metadata") or {}).get(REFUND) or ""),
                micros_of_stripe(each["amount"], each["currency"].upper()),
                _failure_of(each),
            )
            for each in found
        ]

    def read_event(
        self, body: bytes, headers: Mapping[str, str], now_s: int
    ) -> Event | BadSignature:
        """A webhook's event, by Stripe's signature."""
        return read_event(body, headers, self._webhook_secret, now_s)

    def _is_old(self, id_: int) -> bool:
        return self._clock_ms() - made_ms(id_) > LOOK_FIRST_AFTER_MS

    def _all(
        self, listed: Callable[[Any], Any], charge_ref: str
    ) -> list[dict[str, Any]] | Unknown | Misconfigured:
        try:
            return list(self._newest(listed, {"payment_intent": charge_ref}))
        except _TooMany:
            return Unknown("the charge has too much at Stripe to look through")
        except stripe.StripeError as error:
            return [] if _is_missing(error) else trouble(error)

    def _newest(self, listed: Callable[[Any], Any], by: dict[str, str]) -> Iterator[dict[str, Any]]:
        """All of a list, a page after the other."""
        rows = listed({**by, "limit": PAGE_ROWS}).auto_paging_iter()
        for number, each in enumerate(rows):
            if number >= ROWS_LOOKED_AT_MAX:
                raise _TooMany
            yield each.to_dict()


class _TooMany(Exception):
    """More than is looked at: nothing can be called absent."""


def _is_missing(error: stripe.StripeError) -> bool:
    return error.http_status == 404 and error.code == "resource_missing"


def _refund_of(made: Mapping[str, Any]) -> Refunded | RefundFailed:
    why = _failure_of(made)
    return RefundFailed(why) if why else Refunded(made["id"])


def _failure_of(made: Mapping[str, Any]) -> str:
    if made["status"] not in REFUND_ENDED:
        return ""
    return str(made.get("failure_reason") or made["status"]).replace("_", " ")
