"""What is asked of a payment provider, and what it can answer: values alone.

Whoever asks is in `jobs/`, who answers in `providers/`; what follows from an answer is decided here
in the core. Amounts are micros of the currency; references are the provider's own ids, '' where
there is none yet.
"""

from typing import NamedTuple

WAITING_FOR_CARDHOLDER = "authentication_required"


class Charge(NamedTuple):
    """One charge of a card: `try_id` is its idempotency key at the provider, for good.

    `person_present`: the cardholder is at the page and can be asked; `return_url` is where they
    come back to then.
    """

    try_id: int
    organisation_id: int
    amount_micros: int
    currency: str
    customer_ref: str
    method_ref: str
    description: str
    person_present: bool = False
    return_url: str = ""


class Succeeded(NamedTuple):
    """The money is charged; once, however often it was asked."""

    ref: str


class Declined(NamedTuple):
    """Nothing was charged, and nothing will be. `hard`: this card will not do, later neither.

    `code` is the provider's reason in one word, `detail` for people. `ref` is '' where the provider
    keeps nothing about it.
    """

    ref: str
    code: str
    detail: str
    hard: bool


class NeedsCardholder(NamedTuple):
    """Nothing is charged yet: the cardholder must confirm at `url`. '': there is no page for it,
    since nobody was present; this charge will not succeed."""

    ref: str
    url: str


class Unknown(NamedTuple):
    """Whether anything was done is not known: a timeout, a lost connection, an error of the
    provider's. It may have been, and may still be. `in_use`: the same request is under way there
    now, and will have its answer soon."""

    detail: str
    in_use: bool = False


class Misconfigured(NamedTuple):
    """The provider does not take our requests: a wrong key, a right that is missing, a request it
    cannot read. The operator must act.

    This request did nothing; an earlier one with the same id may have. So it is no "no": what is
    asked stays open, and is asked again when the operator has acted. `detail` holds no secret.
    """

    detail: str


class Absent(NamedTuple):
    """The provider was asked and knows of no such thing."""


Outcome = Succeeded | Declined | NeedsCardholder | Unknown | Misconfigured


class CardPage(NamedTuple):
    """A page of the provider's, at `url`, on which a card can be entered; `setup_ref` names what
    comes of it."""

    customer_ref: str
    setup_ref: str
    url: str


class CardAdded(NamedTuple):
    """A card that can be charged by its `method_ref`; the rest may be shown."""

    method_ref: str
    brand: str
    last4: str
    exp_year: int | None
    exp_month: int | None


class Waiting(NamedTuple):
    """Nobody has entered a card yet."""


class Failed(NamedTuple):
    """No card will come of it, and why."""

    detail: str


class Refunded(NamedTuple):
    """The money goes back; once, however often it was asked."""

    ref: str


class RefundFailed(NamedTuple):
    """Nothing goes back, and why."""

    detail: str


class Dispute(NamedTuple):
    """The cardholder's bank took money back. `state`: open, won (it came back to us), lost."""

    ref: str
    amount_micros: int
    state: str


class ForeignRefund(NamedTuple):
    """A refund as the provider has it; `refund_id` None: made at the provider's own console.
    `failed` says why nothing went back, or came back to us; '' while it stands."""

    ref: str
    refund_id: int | None
    amount_micros: int
    failed: str = ""


class Event(NamedTuple):
    """A hint that something happened: what is true is asked of the provider.

    `ref` is the same however often the event is sent. Of the rest there is what the provider says:
    the charge, or the card's set-up, and our own ids of them.
    """

    ref: str
    kind: str
    charge_ref: str
    setup_ref: str
    try_id: int | None
    organisation_id: int | None


class BadSignature(NamedTuple):
    """Not from the provider, or too old: nothing of it is used. `detail` says why."""

    detail: str
