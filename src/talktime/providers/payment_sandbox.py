"""The sandbox: the payment provider that is built in, moves no money, and misbehaves on request.

It behaves like a service outside: what it has done stays done, whatever becomes of the caller's
transaction, for it commits on a connection of its own.
"""

from collections.abc import Callable, Mapping
from typing import TypeVar

from talktime.core.charges import (
    WAITING_FOR_CARDHOLDER,
    Absent,
    BadSignature,
    CardAdded,
    CardPage,
    Charge,
    Declined,
    Dispute,
    Event,
    Failed,
    ForeignRefund,
    NeedsCardholder,
    Outcome,
    Refunded,
    RefundFailed,
    Succeeded,
    Unknown,
    Waiting,
)
from talktime.core.sandbox import BRAND, DECLINES, DOWN
from talktime.operations.sandbox_charges import (
    CARD_REF,
    CHARGE_REF,
    DISPUTE_REF,
    REFUND_REF,
    SETUP_REF,
    begin_sandbox_card,
    card_for_charge,
    charge_card,
    close_charge,
    forget_sandbox_card,
    id_of_ref,
    locked_charge,
    refund_charge,
)
from talktime.operations.sandbox_events import read_sandbox_event
from talktime.store.database import Connection, Outage
from talktime.store.sandbox import (
    SandboxCharge,
    card_of_id,
    charge_of_try,
    disputes_of_charge,
    refund_of_id,
    refunds_of_charge,
    switches,
)

CARDS_PATH, CHARGES_PATH = "/sandbox/cards/", "/sandbox/charges/"
Value = TypeVar("Value")
SILENCE = Unknown("the sandbox did not answer")


class SandboxProvider:
    """The sandbox of one installation.

    `connect` gives a connection to the control plane with no transaction open on it; whoever gave
    it closes it. `next_id` makes ids that are new there. `pages_url` is where the console is, up
    to its paths. Where `charging` is off (another provider is in use), nothing more is charged.
    """

    name = "sandbox"
    parallel = False  # its connection is the asking thread's

    def __init__(
        self,
        connect: Callable[[], Connection],
        clock_ms: Callable[[], int],
        next_id: Callable[[], int],
        *,
        webhook_secret: str,
        pages_url: str = "",
        charging: bool = True,
    ) -> None:
        self._connect = connect
        self._clock_ms = clock_ms
        self._next_id = next_id
        self._webhook_secret = webhook_secret
        self._pages_url = pages_url
        self._charging = charging

    def __repr__(self) -> str:
        return "SandboxProvider()"

    def charge(self, charge: Charge) -> Outcome:
        """Charge a card as its script says. Raises OtherBody for a try with another body."""
        if charge.amount_micros <= 0:
            raise ValueError(f"nothing to charge: {charge.amount_micros} micros")
        return self._answered(lambda control: self._charge(control, charge))

    def _charge(self, control: Connection, charge: Charge) -> Outcome:
        if not self._charging and charge_of_try(control, charge.try_id) is None:
            return _declined("", "sandbox_off")
        card = card_for_charge(control, charge.method_ref)
        if card is None:
            return _declined("", "unknown_card")
        if card.script == DOWN:
            return SILENCE
        asked = charge_card(control, card, charge, now_ms=self._clock_ms(), next_id=self._next_id)
        if asked.charge is None or not asked.answered:
            return SILENCE
        return self._outcome(asked.charge)

    def find_charge(self, charge: Charge, ref: str) -> Outcome | Absent:
        """What became of a try."""
        return self._answered(lambda control: self._find_charge(control, charge))

    def _find_charge(self, control: Connection, charge: Charge) -> Outcome | Absent:
        card = card_of_id(control, id_of_ref(charge.method_ref, CARD_REF))
        if card is not None and card.script == DOWN:
            return SILENCE
        found = charge_of_try(control, charge.try_id)
        return Absent() if found is None else self._outcome(found)

    def cancel_charge(self, ref: str) -> Outcome | Absent:
        """Call off a charge that waits; what it is where it does not."""
        return self._answered(lambda control: self._cancel_charge(control, ref))

    def _cancel_charge(self, control: Connection, ref: str) -> Outcome | Absent:
        charge = locked_charge(control, ref)
        if charge is None:
            return Absent()
        closed = close_charge(
            control, charge, "cancelled", now_ms=self._clock_ms(), next_id=self._next_id
        )
        return self._outcome(closed)

    def begin_card(
        self, setup_id: int, organisation_id: int, customer_ref: str, name: str, return_url: str
    ) -> CardPage | Failed | Unknown:
        """A page of the console's on which a card with a script is chosen."""
        return self._answered(
            lambda control: self._begin_card(
                control, setup_id, organisation_id, customer_ref, name, return_url
            )
        )

    def _begin_card(
        self,
        control: Connection,
        setup_id: int,
        organisation_id: int,
        customer_ref: str,
        name: str,
        return_url: str,
    ) -> CardPage:
        card = begin_sandbox_card(
            control,
            setup_id=setup_id,
            organisation_id=organisation_id,
            customer_ref=customer_ref or f"sbx_customer_{organisation_id}",
            name=name,
            return_url=return_url,
            now_ms=self._clock_ms(),
            next_id=self._next_id,
        )
        url = f"{self._pages_url}{CARDS_PATH}{card.id}/"
        return CardPage(card.customer_ref, f"{SETUP_REF}{card.id}", url)

    def find_card(self, setup_ref: str) -> CardAdded | Waiting | Failed | Unknown:
        """What became of a card's page."""
        return self._answered(lambda control: self._find_card(control, setup_ref))

    def _find_card(self, control: Connection, setup_ref: str) -> CardAdded | Waiting | Failed:
        card = card_of_id(control, id_of_ref(setup_ref, SETUP_REF))
        if card is None:
            return Failed("the sandbox has no such page")
        if card.state == "waiting":
            return Waiting()
        if card.state == "failed":
            return Failed("the card was not added")
        return CardAdded(f"{CARD_REF}{card.id}", BRAND, card.last4, card.exp_year, card.exp_month)

    def forget_card(self, method_ref: str) -> Unknown | None:
        """Let a card be charged no more."""
        return self._answered(lambda control: forget_sandbox_card(control, method_ref))

    def refund(
        self, refund_id: int, charge_ref: str, amount_micros: int, currency: str
    ) -> Refunded | RefundFailed | Unknown:
        """Refund a part of a charge, or all. Raises OtherBody for a refund with another body."""
        return self._answered(
            lambda control: self._refund(control, refund_id, charge_ref, amount_micros, currency)
        )

    def _refund(
        self,
        control: Connection,
        refund_id: int,
        charge_ref: str,
        amount_micros: int,
        currency: str,
    ) -> Refunded | RefundFailed:
        charge = locked_charge(control, charge_ref)
        if charge is None or charge.currency != currency:
            return RefundFailed("the sandbox has no such charge")
        made = refund_charge(
            *(control, charge, amount_micros, refund_id),
            now_ms=self._clock_ms(),
            next_id=self._next_id,
        )
        if made is None:
            return RefundFailed("that is more than is left of the charge")
        return Refunded(f"{REFUND_REF}{made.id}")

    def find_refund(
        self, refund_id: int, charge_ref: str
    ) -> Refunded | RefundFailed | Absent | Unknown:
        """What became of a refund."""
        return self._answered(lambda control: self._find_refund(control, refund_id))

    def _find_refund(self, control: Connection, refund_id: int) -> Refunded | Absent:
        found = refund_of_id(control, refund_id)
        return Absent() if found is None else Refunded(f"{REFUND_REF}{found.id}")

    def disputes(self, charge_ref: str) -> list[Dispute] | Unknown:
        """Disputes of a charge, oldest first."""
        charge_id = id_of_ref(charge_ref, CHARGE_REF)
        return self._answered(
            lambda control: [
                Dispute(f"{DISPUTE_REF}{each.id}", each.amount_micros, each.state)
                for each in disputes_of_charge(control, charge_id)
            ]
        )

    def refunds(self, charge_ref: str) -> list[ForeignRefund] | Unknown:
        """All refunds of a charge, oldest first."""
        charge_id = id_of_ref(charge_ref, CHARGE_REF)
        return self._answered(
            lambda control: [
                ForeignRefund(f"{REFUND_REF}{each.id}", each.refund_id, each.amount_micros)
                for each in refunds_of_charge(control, charge_id)
            ]
        )

    def read_event(
        self, body: bytes, headers: Mapping[str, str], now_s: int
    ) -> Event | BadSignature:
        """A webhook's event, by the signature of Standard Webhooks."""
        return read_sandbox_event(body, headers, self._webhook_secret, now_s=now_s)

    def _answered(self, work: Callable[[Connection], Value]) -> Value | Unknown:
        """What the work gives, committed; Unknown where the sandbox is down, or its database is."""
        try:
            control = self._connect()
            with control.transaction():
                return SILENCE if switches(control).down else work(control)
        except Outage:
            return SILENCE

    def _outcome(self, charge: SandboxCharge) -> Outcome:
        ref = f"{CHARGE_REF}{charge.id}"
        if charge.state == "succeeded":
            return Succeeded(ref)
        if charge.state == "confirming":
            return NeedsCardholder(ref, f"{self._pages_url}{CHARGES_PATH}{charge.id}/")
        if charge.code == WAITING_FOR_CARDHOLDER:
            return NeedsCardholder(ref, "")
        return _declined(ref, charge.code)


def _declined(ref: str, code: str) -> Declined:
    return Declined(ref, *DECLINES[code])
