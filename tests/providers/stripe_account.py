"""An account at a pretended Stripe: what it holds, and what each request does to it.

It keeps Stripe's contract on what Talktime uses, and refuses parameters that it does not know.
"""

import itertools
from typing import Any

MAGIC_CARDS: dict[str, tuple[str, str]] = {
    # payment method: Stripe's code, the bank's code
    "pm_card_chargeDeclined": ("card_declined", "generic_decline"),
    "pm_card_visa_chargeDeclinedInsufficientFunds": ("card_declined", "insufficient_funds"),
    "pm_card_visa_chargeDeclinedLostCard": ("card_declined", "lost_card"),
    "pm_card_visa_chargeDeclinedStolenCard": ("card_declined", "stolen_card"),
    "pm_card_chargeDeclinedFraudulent": ("card_declined", "fraudulent"),
    "pm_card_visa_chargeDeclinedVelocityLimitExceeded": (
        *("card_declined", "card_velocity_exceeded"),
    ),
    "pm_card_chargeDeclinedExpiredCard": ("expired_card", ""),
    "pm_card_chargeDeclinedIncorrectCvc": ("incorrect_cvc", ""),
    "pm_card_chargeDeclinedProcessingError": ("processing_error", ""),
}
GOOD_CARDS = ("pm_card_visa", "pm_card_mastercard")
ASKING_CARD = "pm_card_authenticationRequired"

TAKEN = {
    "customers": {"name", "metadata"},
    "payment_intents": {
        *("amount", "currency", "customer", "payment_method", "payment_method_types", "confirm"),
        *("description", "metadata", "off_session", "return_url"),
    },
    "checkout/sessions": {
        *("mode", "customer", "payment_method_types", "client_reference_id", "success_url"),
        *("cancel_url", "metadata", "setup_intent_data"),
    },
    "refunds": {"payment_intent", "amount", "metadata"},
}


class Answer(Exception):
    """A request ends with this: a status and an error."""

    def __init__(self, status: int, kind: str, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error": {"type": kind, "message": message, **more}}


def invalid(message: str, status: int = 400, **more: Any) -> Answer:
    """An invalid request."""
    return Answer(status, "invalid_request_error", message, **more)


def missing(what: str, named: str, param: str = "id") -> Answer:
    """No such thing."""
    message = f"No such {what}: '{named}'"
    return invalid(message, 404, code="resource_missing", param=param)


class Account:
    """All that the pretended Stripe keeps, by id."""

    def __init__(self) -> None:
        self.customers: dict[str, dict[str, Any]] = {}
        self.intents: dict[str, dict[str, Any]] = {}
        self.sessions: dict[str, dict[str, Any]] = {}
        self.setups: dict[str, dict[str, Any]] = {}
        self.cards: dict[str, dict[str, Any]] = {}
        self.refunds: dict[str, dict[str, Any]] = {}
        self.disputes: dict[str, dict[str, Any]] = {}
        self._numbers = itertools.count(1)

    def new_id(self, prefix: str) -> str:
        return f"{prefix}_{next(self._numbers)}"

    def charged(self) -> int:
        """All money charged, in minor units."""
        return sum(each["amount_received"] for each in self.intents.values())

    def do(self, method: str, path: str, params: dict[str, Any]) -> dict[str, Any]:
        """One request: what it answers; Answer where it is refused."""
        match method, path.split("/"):
            case "POST", ["customers"]:
                return self._new(self.customers, "cus", self._taken(path, params))
            case "POST", ["payment_intents"]:
                return self._charge(self._taken(path, params))
            case "GET", ["payment_intents"]:
                return self._page(self.intents, params, "customer")
            case "GET", ["payment_intents", named]:
                return self._found(self.intents, "payment_intent", named)
            case "POST", ["payment_intents", named, "cancel"]:
                return self._cancel(self._found(self.intents, "payment_intent", named))
            case "POST", ["checkout", "sessions"]:
                return self._session(self._taken(path, params))
            case "GET", ["checkout", "sessions", named]:
                return self._expanded(self._found(self.sessions, "checkout.session", named), params)
            case "POST", ["payment_methods", named, "detach"]:
                return self._detach(self._found(self.cards, "PaymentMethod", named))
            case "POST", ["refunds"]:
                return self._refund(self._taken(path, params))
            case "GET", ["refunds"]:
                return self._page(self.refunds, params, "payment_intent")
            case "GET", ["disputes"]:
                return self._page(self.disputes, params, "payment_intent")
        raise invalid(f"Unrecognized request URL ({method}: /v1/{path})", 404)

    def _taken(self, path: str, params: dict[str, Any]) -> dict[str, Any]:
        for name in params:
            if name not in TAKEN[path]:
                message = f"Received unknown parameter: {name}"
                raise invalid(message, code="parameter_unknown", param=name)
        return params

    def _new(self, kept: dict[str, Any], prefix: str, fields: dict[str, Any]) -> dict[str, Any]:
        made = {"id": self.new_id(prefix), "metadata": {}, **fields}
        kept[made["id"]] = made
        return made

    def _found(self, kept: dict[str, Any], what: str, named: str) -> dict[str, Any]:
        if named not in kept:
            raise missing(what, named)
        found: dict[str, Any] = kept[named]
        return found

    def _page(self, kept: dict[str, Any], params: dict[str, Any], by: str) -> dict[str, Any]:
        wanted = params.get(by, "")
        if by == "customer" and wanted not in self.customers:
            raise missing("customer", wanted, "customer")
        rows = [each for each in reversed(kept.values()) if each[by] == wanted]
        after = params.get("starting_after")
        if after:
            rows = rows[[each["id"] for each in rows].index(after) + 1 :]
        limit = int(params.get("limit", 10))
        if not 1 <= limit <= 100:
            raise invalid("Invalid integer: limit", param="limit")
        return {
            "object": "list",
            "url": f"/v1/{ {'customer': 'payment_intents'}.get(by, self._name_of(kept)) }",
            "has_more": len(rows) > limit,
            "data": rows[:limit],
        }

    def _name_of(self, kept: dict[str, Any]) -> str:
        return "refunds" if kept is self.refunds else "disputes"

    def _charge(self, params: dict[str, Any]) -> dict[str, Any]:
        method, off_session = params["payment_method"], params.get("off_session") == "true"
        amount = int(params["amount"])
        if params["customer"] not in self.customers:
            raise missing("customer", params["customer"], "customer")
        if method not in (*MAGIC_CARDS, *GOOD_CARDS, ASKING_CARD, *self.cards):
            raise missing("PaymentMethod", method, "payment_method")
        if amount < 1 or (params["currency"] in ("usd", "eur") and amount < 50):
            raise invalid("Amount must be at least $0.50 usd", code="amount_too_small")
        if off_session == bool(params.get("return_url")):
            raise invalid("Give a return_url, or off_session.", param="return_url")
        intent = self._new(
            self.intents,
            "pi",
            {
                **{each: params[each] for each in ("currency", "customer", "description")},
                "object": "payment_intent",
                "metadata": params.get("metadata", {}),
                "amount": amount,
                "amount_received": 0,
                "status": "requires_payment_method",
                "last_payment_error": None,
                "next_action": None,
            },
        )
        if method in MAGIC_CARDS:
            raise self._declined(intent, *MAGIC_CARDS[method])
        if method == ASKING_CARD and off_session:
            raise self._declined(intent, "authentication_required", "authentication_required")
        if method == ASKING_CARD:
            url = f"https://hooks.stripe.example/redirect/{intent['id']}"
            redirect = {"url": url, "return_url": params["return_url"]}
            intent["status"] = "requires_action"
            intent["next_action"] = {"type": "redirect_to_url", "redirect_to_url": redirect}
            return intent
        return self.succeed(intent["id"])

    def _declined(self, intent: dict[str, Any], code: str, decline_code: str) -> Answer:
        said = {"type": "card_error", "code": code, "message": f"Your card: {code}."}
        if decline_code:
            said["decline_code"] = decline_code
        intent["last_payment_error"] = said
        more = {name: value for name, value in said.items() if name not in ("type", "message")}
        return Answer(402, "card_error", said["message"], payment_intent=dict(intent), **more)

    def succeed(self, ref: str) -> dict[str, Any]:
        """The cardholder confirmed, or needed not."""
        intent = self.intents[ref]
        intent.update(status="succeeded", amount_received=intent["amount"], next_action=None)
        return intent

    def fail(self, ref: str) -> None:
        """The cardholder could not confirm."""
        self._declined(self.intents[ref], "payment_intent_authentication_failure", "")
        self.intents[ref].update(status="requires_payment_method", next_action=None)

    def _cancel(self, intent: dict[str, Any]) -> dict[str, Any]:
        if intent["status"] in ("succeeded", "canceled"):
            message = f"You cannot cancel this PaymentIntent: its status is {intent['status']}."
            raise invalid(message, code="payment_intent_unexpected_state")
        intent.update(status="canceled", next_action=None)
        return intent

    def _session(self, params: dict[str, Any]) -> dict[str, Any]:
        if params["customer"] not in self.customers:
            raise missing("customer", params["customer"], "customer")
        setup = self._new(
            self.setups,
            "seti",
            {"status": "requires_payment_method", "payment_method": None},
        )
        session = self._new(
            self.sessions,
            "cs",
            {
                "object": "checkout.session",
                "status": "open",
                "metadata": params["metadata"],
                "setup_intent": setup["id"],
                "customer": params["customer"],
            },
        )
        session["url"] = f"https://checkout.stripe.example/c/{session['id']}"
        return session

    def complete(self, session_ref: str, **card: Any) -> str:
        """Somebody entered a card on the page; its id."""
        session = self.sessions[session_ref]
        fields = {"customer": session["customer"], "card": card}
        method: str = self._new(self.cards, "pm", fields)["id"]
        self.setups[session["setup_intent"]].update(status="succeeded", payment_method=method)
        session["status"] = "complete"
        return method

    def _expanded(self, session: dict[str, Any], params: dict[str, Any]) -> dict[str, Any]:
        if list(params.get("expand", {}).values()) != ["setup_intent.payment_method"]:
            return session
        setup = dict(self.setups[session["setup_intent"]])
        setup["payment_method"] = self.cards.get(setup["payment_method"])
        return {**session, "setup_intent": setup}

    def _detach(self, card: dict[str, Any]) -> dict[str, Any]:
        if card["customer"] is None:
            raise invalid("The payment method you provided is not attached to a customer.")
        card["customer"] = None
        return card

    def _refund(self, params: dict[str, Any]) -> dict[str, Any]:
        intent = self._found(self.intents, "payment_intent", params["payment_intent"])
        amount = int(params["amount"])
        given = sum(
            each["amount"]
            for each in self.refunds.values()
            if each["payment_intent"] == intent["id"] and each["status"] == "succeeded"
        )
        if given == intent["amount_received"]:
            raise invalid(
                f"{intent['id']} has already been refunded", code="charge_already_refunded"
            )
        if given + amount > intent["amount_received"]:
            raise invalid("Refund amount is greater than unrefunded amount", param="amount")
        return self.refund(intent["id"], amount, params["metadata"])

    def refund(
        self, ref: str, amount: int, metadata: dict[str, str], status: str = "succeeded"
    ) -> dict[str, Any]:
        """A refund, made by a request or in the dashboard."""
        fields = {
            "payment_intent": ref,
            "amount": amount,
            "currency": self.intents[ref]["currency"],
            "status": status,
            "metadata": metadata,
        }
        return self._new(self.refunds, "re", fields)

    def dispute(self, ref: str, status: str) -> str:
        """The cardholder's bank takes the money back, or asks; the dispute's id."""
        fields = {
            "payment_intent": ref,
            "amount": self.intents[ref]["amount"],
            "currency": self.intents[ref]["currency"],
            "status": status,
        }
        named: str = self._new(self.disputes, "dp", fields)["id"]
        return named
