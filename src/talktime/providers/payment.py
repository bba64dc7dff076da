"""The one protocol of all payment providers. What it speaks of is in `core/charges.py`.

Calls block, for seconds at worst, and so are made outside transactions. What can be expected of a
network and of a card is an answer, never an exception. Amounts are micros; one that is no whole
number of what the provider counts in raises ValueError before anything is sent.
"""

from collections.abc import Mapping
from typing import Protocol

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


class PaymentProvider(Protocol):
    """Charges cards. Any of its answers may also be Unknown or Misconfigured, which say that the
    provider could not be asked: what is true then stays as it was. `parallel` says that several
    threads may ask it at once."""

    name: str
    parallel: bool

    def charge(self, charge: Charge) -> Outcome:
        """Charge a card, once for each `try_id`, however often and from where it is called.

        The same id with another body is a bug, and is never charged.
        """

    def find_charge(self, charge: Charge, ref: str) -> Outcome | Absent:
        """What became of a charge: by its reference, or ('') by its try's id. Never charges.

        Absent only where the provider says so; a request of ours that is still under way may come
        to it later.
        """

    def cancel_charge(self, ref: str) -> Outcome | Absent:
        """Call off a charge that waits for the cardholder: Declined with the code `cancelled`, or
        what became of it before."""

    def begin_card(
        self, setup_id: int, organisation_id: int, customer_ref: str, name: str, return_url: str
    ) -> CardPage | Failed | Unknown | Misconfigured:
        """A page on which a card can be entered for later charges, once for each `setup_id`.

        A `customer_ref` of '' makes the organisation known to the provider, under its name.
        """

    def find_card(self, setup_ref: str) -> CardAdded | Waiting | Failed | Unknown | Misconfigured:
        """What became of a card's page."""

    def forget_card(self, method_ref: str) -> Unknown | Misconfigured | None:
        """Let a card not be charged any more; None also where the provider knows it no more."""

    def refund(
        self, refund_id: int, charge_ref: str, amount_micros: int, currency: str
    ) -> Refunded | RefundFailed | Unknown | Misconfigured:
        """Give back money of a charge, once for each `refund_id`."""

    def find_refund(
        self, refund_id: int, charge_ref: str
    ) -> Refunded | RefundFailed | Absent | Unknown | Misconfigured:
        """What became of a refund. Never refunds."""

    def disputes(self, charge_ref: str) -> list[Dispute] | Unknown | Misconfigured:
        """Money that the cardholder's bank took back of a charge."""

    def refunds(self, charge_ref: str) -> list[ForeignRefund] | Unknown | Misconfigured:
        """All refunds of a charge, at the provider's own console too, and those that failed."""

    def read_event(
        self, body: bytes, headers: Mapping[str, str], now_s: int
    ) -> Event | BadSignature:
        """What a webhook says, if it is the provider's and signed in the last minutes.

        `now_s`: seconds since the epoch by the real clock, which the provider signs with.
        """
