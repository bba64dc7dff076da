"""The bank of the tests as its own people and customers see it: cards, pages, charges, disputes,
and what real money moved (tests/bank.py is its door to us)."""

import hashlib
import hmac
import json
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from talktime.core.charges import Charge, Dispute, Event, ForeignRefund

PAYS, SHORT, LOST, ASKS = BEHAVIOURS = ("pays", "short", "lost", "asks")
"""What a card does: it pays; is declined softly; is refused for good; asks for its cardholder."""
SECRET = b"between the bank and the service"


class Movement(NamedTuple):
    """Real money: above zero from the cardholder to us, below zero back to them."""

    at_ms: int
    kind: str
    organisation_id: int
    charge_ref: str
    try_id: int
    amount_micros: int


@dataclass
class Card:
    """A card; `script` is what it does next, charge by charge, before its `behaviour`."""

    method_ref: str
    customer_ref: str
    behaviour: str = PAYS
    script: deque[str] = field(default_factory=deque)
    forgotten: bool = False


@dataclass
class Made:
    """A charge that was asked for: what became of it, and what went back."""

    ref: str
    charge: Charge
    state: str
    made_ms: int
    refunds: dict[str, ForeignRefund] = field(default_factory=dict)
    failed: dict[int, str] = field(default_factory=dict)
    disputes: dict[str, Dispute] = field(default_factory=dict)

    @property
    def left_micros(self) -> int:
        """What of it did not go back."""
        refunded = sum(r.amount_micros for r in self.refunds.values() if not r.failed)
        disputed = sum(d.amount_micros for d in self.disputes.values() if d.state != "won")
        return self.charge.amount_micros - refunded - disputed


@dataclass
class Page:
    """A page on which a card can be entered."""

    ref: str
    organisation_id: int
    customer_ref: str
    method_ref: str = ""
    closed: str = ""


class BankDesk:
    """What the bank knows, and what its own people and customers do. `movements` is the truth."""

    def __init__(self, clock_ms: Callable[[], int]) -> None:
        self.cards: dict[str, Card] = {}
        self.charges: dict[str, Made] = {}
        self.pages: dict[int, Page] = {}
        self.movements: list[Movement] = []
        self.events: list[tuple[bytes, dict[str, str]]] = []
        self.disputes_named = "charge.dispute"
        self._clock_ms = clock_ms
        self._lock = threading.RLock()
        self._count = 0

    def issue(self, behaviour: str = PAYS, customer_ref: str = "") -> Card:
        """A new card, known to the bank and free to be charged."""
        with self._lock:
            card = Card(self._ref("card"), customer_ref or self._ref("customer"), behaviour)
            self.cards[card.method_ref] = card
            return card

    def enter_card(self, setup_id: int, behaviour: str = PAYS) -> Card:
        """Somebody enters a card on the page of this set-up."""
        with self._lock:
            page = self.pages[setup_id]
            card = self.issue(behaviour, page.customer_ref)
            page.method_ref = card.method_ref
            self._tell("page.done", setup_ref=page.ref, organisation_id=page.organisation_id)
            return card

    def close_page(self, setup_id: int, why: str = "the page was not used in time") -> None:
        """The page can be used no more."""
        self.pages[setup_id].closed = why

    def confirm(self, ref: str, *, agrees: bool = True) -> None:
        """The cardholder confirms a charge that waits, or does not."""
        with self._lock:
            made = self.charges[ref]
            if made.state == ASKS:
                self._end(made, PAYS if agrees else SHORT)

    def dispute(self, ref: str, amount_micros: int | None = None) -> str:
        """The cardholder's bank takes money back; the reference of the dispute."""
        with self._lock:
            made = self.charges[ref]
            micros = made.charge.amount_micros if amount_micros is None else amount_micros
            dispute_ref = self._ref("dispute")
            made.disputes[dispute_ref] = Dispute(dispute_ref, micros, "open")
            self._move(made, "chargeback", -micros)
            self._tell(f"{self.disputes_named}.created", made)
            return dispute_ref

    def decide(self, dispute_ref: str, *, won: bool) -> None:
        """A dispute ends: won, the money comes back to us."""
        with self._lock:
            made = next(m for m in self.charges.values() if dispute_ref in m.disputes)
            dispute = made.disputes[dispute_ref]
            made.disputes[dispute_ref] = dispute._replace(state="won" if won else "lost")
            if won:
                self._move(made, "reinstatement", dispute.amount_micros)
            self._tell(f"{self.disputes_named}.closed", made)

    def refund_at_console(self, ref: str, amount_micros: int) -> str:
        """A refund that was not asked for through us; its reference."""
        with self._lock:
            made = self.charges[ref]
            refund_ref = self._ref("refund")
            made.refunds[refund_ref] = ForeignRefund(refund_ref, None, amount_micros)
            self._move(made, "refund", -amount_micros)
            self._tell("charge.refunded", made)
            return refund_ref

    def fail_refund(self, refund_ref: str, why: str = "the account is closed") -> None:
        """A refund comes back after it was done."""
        with self._lock:
            made = next(m for m in self.charges.values() if refund_ref in m.refunds)
            refund = made.refunds[refund_ref]
            made.refunds[refund_ref] = refund._replace(failed=why)
            self._move(made, "refund_failed", refund.amount_micros)
            self._tell("refund.failed", made)

    def charged(self, try_id: int) -> list[Movement]:
        """The real charges of a try: more than one is money taken twice."""
        return [m for m in self.movements if m.kind == "charge" and m.try_id == try_id]

    def charged_twice(self) -> list[int]:
        """The tries whose money was taken twice: there must be none."""
        tries = {made.charge.try_id for made in self.charges.values()}
        return sorted(each for each in tries if len(self.charged(each)) > 1)

    def total_charged_micros(self, organisation_id: int) -> int:
        """All that was charged of an organisation, whatever went back."""
        return self._sum(organisation_id, ("charge",))

    def kept_micros(self, organisation_id: int) -> int:
        """What was charged of an organisation and did not go back."""
        return self._sum(organisation_id, None)

    def take_events(self) -> list[tuple[bytes, dict[str, str]]]:
        """The events since the last call, as (body, headers), to be posted by whoever plays."""
        with self._lock:
            events, self.events = self.events, []
            return events

    def _end(self, made: Made, state: str) -> None:
        made.state = state
        if state == PAYS:
            self._move(made, "charge", made.charge.amount_micros)
        self._tell("charge.succeeded" if state == PAYS else "charge.changed", made)

    def _ref(self, kind: str) -> str:
        self._count += 1
        return f"{kind}_{self._count}"

    def _move(self, made: Made, kind: str, micros: int) -> None:
        organisation_id, try_id = made.charge.organisation_id, made.charge.try_id
        now_ms = self._clock_ms()
        self.movements.append(Movement(now_ms, kind, organisation_id, made.ref, try_id, micros))

    def _sum(self, organisation_id: int, kinds: tuple[str, ...] | None) -> int:
        return sum(
            m.amount_micros
            for m in self.movements
            if m.organisation_id == organisation_id and (kinds is None or m.kind in kinds)
        )

    def _tell(
        self, kind: str, made: Made | None = None, setup_ref: str = "", organisation_id: int = 0
    ) -> None:
        charge_ref = made.ref if made else ""
        try_id = made.charge.try_id if made else None
        owner = made.charge.organisation_id if made else organisation_id
        event = Event(self._ref("event"), kind, charge_ref, setup_ref, try_id, owner)
        body = json.dumps(event._asdict()).encode()
        at_s = str(self._clock_ms() // 1_000)
        self.events.append((body, {"Bank-Signature": f"{at_s}.{signature(at_s, body)}"}))


def signature(at_s: str, body: bytes) -> str:
    """What proves that an event is the bank's."""
    return hmac.new(SECRET, at_s.encode() + b"." + body, hashlib.sha256).hexdigest()
