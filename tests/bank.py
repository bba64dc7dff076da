"""An outside payment system for tests, in memory: cards that behave as told, and faults of the way.

It is honest as a provider is: the same id is charged once however often it is asked, keys are
forgotten after a day, refunds and disputes happen at its own console, every change is told by a
signed event. `movements` is the truth about real money, for whoever proves our books against it.

    down               nothing gets through: Unknown
    time_out_before    so often (0 to 1) a request is lost on its way: nothing is done, Unknown
    time_out_after     so often its answer is lost: it is done, Unknown
    arrive_late        so often it is answered Unknown at once, and done `late_ms` later

Chance comes from the `random` it is given, time from `clock_ms`: a run can be repeated.
"""

import hmac
import json
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from random import Random
from typing import TypeVar

from talktime.core.charges import (
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
    Misconfigured,
    NeedsCardholder,
    Outcome,
    Refunded,
    RefundFailed,
    Succeeded,
    Unknown,
    Waiting,
)
from tests.bank_desk import ASKS, BankDesk, Made, Page, signature

KEYS_KEPT_MS = 24 * 3_600_000
SIGNED_S_MAX = 300

Value = TypeVar("Value")


class Bank(BankDesk):
    """A payment provider of nobody's, and its console. May be used by several threads at once."""

    def __init__(self, clock_ms: Callable[[], int], random: Random, name: str = "bank") -> None:
        super().__init__(clock_ms)
        self.name = name
        self.parallel = False  # so that a run can be repeated
        self.down = self.misconfigured = self.refunds_fail = False
        self.time_out_before = self.time_out_after = self.arrive_late = 0.0
        self.late_ms = 30_000
        self.asked: list[str] = []
        self._random = random
        self._late: list[tuple[int, Callable[[], object]]] = []

    # The protocol (talktime.providers.payment.PaymentProvider).

    def charge(self, charge: Charge) -> Outcome:
        """Charge the card, once for this try."""
        return self._through("charge", lambda: self._charge(charge))

    def find_charge(self, charge: Charge, ref: str) -> Outcome | Absent:
        """What became of it."""
        return self._through("find_charge", lambda: self._find(charge.try_id, ref), reads=True)

    def cancel_charge(self, ref: str) -> Outcome | Absent:
        """Call it off where it waits for its cardholder."""
        return self._through("cancel_charge", lambda: self._cancel(ref))

    def begin_card(
        self, setup_id: int, organisation_id: int, customer_ref: str, name: str, return_url: str
    ) -> CardPage | Failed | Unknown | Misconfigured:
        """A page, once for this set-up."""

        def begin() -> CardPage:
            page = self.pages.get(setup_id)
            if page is None:
                customer = customer_ref or self._ref("customer")
                page = self.pages[setup_id] = Page(self._ref("page"), organisation_id, customer)
            return CardPage(page.customer_ref, page.ref, f"https://bank.example/{page.ref}")

        return self._through("begin_card", begin)

    def find_card(self, setup_ref: str) -> CardAdded | Waiting | Failed | Unknown | Misconfigured:
        """The card that was entered."""

        def find() -> CardAdded | Waiting | Failed:
            page = next((p for p in self.pages.values() if p.ref == setup_ref), None)
            if page is None:
                return Failed("there is no such page")
            if page.closed:
                return Failed(page.closed)
            if not page.method_ref:
                return Waiting()
            return CardAdded(page.method_ref, "Visa", "4242", 2031, 4)

        return self._through("find_card", find, reads=True)

    def forget_card(self, method_ref: str) -> Unknown | Misconfigured | None:
        """Charge it no more."""

        def forget() -> None:
            if method_ref in self.cards:
                self.cards[method_ref].forgotten = True

        return self._through("forget_card", forget)

    def refund(
        self, refund_id: int, charge_ref: str, amount_micros: int, currency: str
    ) -> Refunded | RefundFailed | Unknown | Misconfigured:
        """Give money back, once for this refund."""
        return self._through("refund", lambda: self._refund(refund_id, charge_ref, amount_micros))

    def find_refund(
        self, refund_id: int, charge_ref: str
    ) -> Refunded | RefundFailed | Absent | Unknown | Misconfigured:
        """What became of a refund."""
        return self._through(
            "find_refund", lambda: self._find_refund(refund_id, charge_ref), reads=True
        )

    def disputes(self, charge_ref: str) -> list[Dispute] | Unknown | Misconfigured:
        """Of this charge."""
        return self._through("disputes", lambda: [*self._disputes_of(charge_ref)], reads=True)

    def refunds(self, charge_ref: str) -> list[ForeignRefund] | Unknown | Misconfigured:
        """Of this charge."""

        def refunds() -> list[ForeignRefund]:
            made = self.charges.get(charge_ref)
            return [*made.refunds.values()] if made else []

        return self._through("refunds", refunds, reads=True)

    def read_event(
        self, body: bytes, headers: Mapping[str, str], now_s: int
    ) -> Event | BadSignature:
        """Whether it is ours, and what it says."""
        signed = {key.lower(): value for key, value in headers.items()}.get("bank-signature", "")
        at_s, _, sent = signed.partition(".")
        if not at_s.isdecimal() or not hmac.compare_digest(signature(at_s, body), sent):
            return BadSignature("the signature does not fit")
        if now_s - int(at_s) > SIGNED_S_MAX:
            return BadSignature("it was signed long ago")
        return Event(**json.loads(body))

    # How it works.

    def _through(
        self, what: str, do: Callable[[], Value], *, reads: bool = False
    ) -> Value | Unknown | Misconfigured:
        with self._lock:
            self.asked.append(what)
            self._arrive()
            if self.down:
                return Unknown("the bank did not answer")
            if self.misconfigured:
                return Misconfigured("the bank does not take the key")
            if self._by_chance(self.time_out_before):
                return Unknown("the bank did not answer in time")
            if not reads and self._by_chance(self.arrive_late):
                self._late.append((self._clock_ms() + self.late_ms, do))
                return Unknown("the bank did not answer in time")
            value = do()
            if self._by_chance(self.time_out_after):
                return Unknown("the bank did not answer in time")
            return value

    def _by_chance(self, probability: float) -> bool:
        return probability > 0 and self._random.random() < probability

    def _arrive(self) -> None:
        """What was late comes to be done at its own time, whenever the next request comes."""
        clock_ms, now_ms = self._clock_ms, self._clock_ms()
        due = sorted((late for late in self._late if late[0] <= now_ms), key=lambda late: late[0])
        self._late = [late for late in self._late if late[0] > now_ms]
        for at_ms, do in due:
            self._clock_ms = partial(int, at_ms)
            do()
        self._clock_ms = clock_ms

    def _charge(self, charge: Charge) -> Outcome:
        made = self._of_try(charge.try_id)
        if made is not None and self._clock_ms() - made.made_ms < KEYS_KEPT_MS:
            if made.charge[:6] != charge[:6]:
                raise AssertionError(f"try {charge.try_id} was another charge before")
            return self._outcome(made)
        card = self.cards.get(charge.method_ref)
        if card is None or card.forgotten or card.customer_ref != charge.customer_ref:
            return Declined("", "unknown_card", "There is no such card", hard=True)
        made = Made(self._ref("charge"), charge, "new", self._clock_ms())
        self.charges[made.ref] = made
        self._end(made, card.script.popleft() if card.script else card.behaviour)
        return self._outcome(made)

    def _outcome(self, made: Made) -> Outcome:
        match made.state:
            case "pays":
                return Succeeded(made.ref)
            case "short":
                return Declined(made.ref, "insufficient_funds", "Not enough money", hard=False)
            case "lost":
                return Declined(made.ref, "lost_card", "The card was lost", hard=True)
            case "cancelled":
                return Declined(made.ref, "cancelled", "The charge was called off", hard=False)
        present = made.charge.person_present
        return NeedsCardholder(made.ref, f"https://bank.example/{made.ref}" if present else "")

    def _find(self, try_id: int, ref: str) -> Outcome | Absent:
        made = self.charges.get(ref) if ref else self._of_try(try_id)
        return Absent() if made is None else self._outcome(made)

    def _cancel(self, ref: str) -> Outcome | Absent:
        made = self.charges.get(ref)
        if made is None:
            return Absent()
        if made.state == ASKS:
            self._end(made, "cancelled")
        return self._outcome(made)

    def _refund(
        self, refund_id: int, charge_ref: str, amount_micros: int
    ) -> Refunded | RefundFailed:
        known = self._find_refund(refund_id, charge_ref)
        if not isinstance(known, Absent):
            return known
        made = self.charges[charge_ref]
        if self.refunds_fail or amount_micros > made.left_micros:
            made.failed[refund_id] = "the bank cannot refund this"
            return RefundFailed(made.failed[refund_id])
        ref = self._ref("refund")
        made.refunds[ref] = ForeignRefund(ref, refund_id, amount_micros)
        self._move(made, "refund", -amount_micros)
        self._tell("charge.refunded", made)
        return Refunded(ref)

    def _find_refund(self, refund_id: int, charge_ref: str) -> Refunded | RefundFailed | Absent:
        made = self.charges.get(charge_ref)
        for refund in made.refunds.values() if made else ():
            if refund.refund_id == refund_id:
                return RefundFailed(refund.failed) if refund.failed else Refunded(refund.ref)
        if made and refund_id in made.failed:
            return RefundFailed(made.failed[refund_id])
        return Absent()

    def _disputes_of(self, charge_ref: str) -> Iterable[Dispute]:
        made = self.charges.get(charge_ref)
        return made.disputes.values() if made else ()

    def _of_try(self, try_id: int) -> Made | None:
        return next((m for m in reversed(self.charges.values()) if m.charge.try_id == try_id), None)
