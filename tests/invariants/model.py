"""What the books should say: the rules once more, slow and plain, sharing no code with the core.

Holds are not numbers on lots here but entries of calls, prices are fractions, increments are
counted one by one. Only what a switch is told and what a wallet holds is compared.
"""

from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil
from typing import Any

SLICE_S, GRACE_S, LONGEST_S = 300, 60, 86_400

Told = dict[str, Any]
"""What came of a command: `decision`, and what goes with it."""


@dataclass
class ModelLot:
    """One purchase."""

    key: str
    left: int
    expires_ms: int
    order: tuple[object, ...]


@dataclass
class Request:
    """What a switch asks."""

    verb: str
    call: str
    sequence: int
    hash: int
    rate: Any = None
    used_s: int = 0
    asked_s: int = 0


@dataclass
class ModelCall:
    """One call: what it holds by lot (`holds`, in the order of holding) and what it has cost."""

    rate: Any
    state: str = "new"
    next_sequence: int = 0
    settled_by: int | None = None
    granted_s: int = 0
    reported_s: int = 0
    deadline_ms: int = 0
    answered_ms: int | None = None
    charged: int = 0
    holds: dict[str, int] = field(default_factory=dict)
    paid: dict[str, int] = field(default_factory=dict)
    answers: dict[int, int] = field(default_factory=dict)


def whole(used_s: int, rate: Any) -> int:
    """Whole increments that hold the used time."""
    if used_s <= 0:
        return 0
    billed_s: int = rate.first_increment_s
    while billed_s < used_s:
        billed_s += rate.next_increment_s
    return billed_s


def price(used_s: int, rate: Any) -> int:
    """What a call of this length costs."""
    billed_s = whole(used_s, rate)
    if billed_s == 0:
        return 0
    return int(rate.fee_micros + ceil(Fraction(rate.per_minute_micros * billed_s, 60)))


class ModelWallet:
    """One organisation: its lots, its calls, its debt."""

    def __init__(self) -> None:
        self.lots: dict[str, ModelLot] = {}
        self.calls: dict[str, ModelCall] = {}
        self.debt = 0

    def held(self, key: str) -> int:
        """What running calls hold of a lot."""
        return sum(call.holds.get(key, 0) for call in self.calls.values())

    def free(self, now_ms: int) -> dict[str, int]:
        """What each unexpired lot has free, in the order of consumption."""
        lots = sorted(self.lots.values(), key=lambda lot: lot.order)
        return {lot.key: lot.left - self.held(lot.key) for lot in lots if lot.expires_ms > now_ms}

    def available(self, now_ms: int) -> int:
        """What a new hold may take."""
        return sum(self.free(now_ms).values()) - self.debt

    def balance(self) -> int:
        """All that is left, less the debt."""
        return sum(lot.left for lot in self.lots.values()) - self.debt

    def held_in_all(self) -> int:
        """What running calls hold."""
        return sum(self.held(key) for key in self.lots)

    # Money in and out

    def fund(
        self,
        key: str,
        micros: int,
        expires_ms: int,
        now_ms: int,
        first: int = 0,
        gift: bool = False,
    ) -> None:
        """A new lot in its place in the order of consumption; the debt is paid first."""
        order = (first, expires_ms, not gift, now_ms, len(self.lots))
        self.lots[key] = ModelLot(key, micros, expires_ms, order)
        self.pay_debt(now_ms)

    def pay_debt(self, now_ms: int) -> None:
        """Whatever is free pays the debt."""
        for key, free in self.free(now_ms).items():
            paid = min(free, self.debt)
            self.lots[key].left -= paid
            self.debt -= paid

    def spend(self, call: ModelCall, micros: int, now_ms: int) -> None:
        """Spend on a call: what it holds first, then what is free, then debt."""
        sources = list(call.holds.items())
        call.holds = {}
        sources += self.free(now_ms).items()
        for key, share in sources:
            free = self.lots[key].left - self.held(key)
            taken = min(share, micros, free)
            if taken > 0:
                self.lots[key].left -= taken
                call.paid[key] = call.paid.get(key, 0) + taken
                micros -= taken
        self.debt += micros

    def give_back(self, call: ModelCall, micros: int, now_ms: int) -> None:
        """Undo what was charged too much: the debt it made, then its lots, the last first."""
        made_debt = call.charged - sum(call.paid.values())
        forgiven = min(micros, made_debt, self.debt)
        self.debt -= forgiven
        micros -= forgiven
        for key in reversed(list(call.paid)):
            back = min(call.paid[key], micros)
            call.paid[key] -= back
            micros -= back
            self.lots[key].left += back
            repaid = min(back, self.debt)
            self.lots[key].left -= repaid
            self.debt -= repaid
        if micros:
            self.fund(f"refund {len(self.lots)}", micros, now_ms + 365 * 86_400_000, now_ms)

    def expire_lots(self, now_ms: int) -> int:
        """Forfeit what has expired and is not held."""
        lost = 0
        for lot in self.lots.values():
            if lot.expires_ms <= now_ms:
                lost += lot.left - self.held(lot.key)
                lot.left = self.held(lot.key)
        return lost

    # Calls

    def grant(self, call: ModelCall, used_s: int, asked_s: int, now_ms: int) -> Told:
        """Talk on, until what the money pays."""
        rate = call.rate
        held = sum(call.holds.values())
        budget = held + max(self.available(now_ms), 0)
        until_s = min(whole(used_s + min(asked_s or SLICE_S, SLICE_S), rate), LONGEST_S)
        while until_s > 0 and price(until_s, rate) > budget:
            until_s -= rate.next_increment_s
            if until_s < rate.first_increment_s:
                until_s = 0
        until_s = max(until_s, call.granted_s)
        if until_s <= used_s:
            funded = "insufficient_credit" if self.lots else "no_tenant_credit_capability"
            return {"decision": funded}
        more = price(until_s, rate) - held
        for key, free in self.free(now_ms).items():
            taken = min(free, more)
            if taken > 0:
                call.holds[key] = call.holds.get(key, 0) + taken
                more -= taken
        assert more <= 0, "the model granted more than there is"
        call.granted_s = until_s
        call.deadline_ms = max(call.deadline_ms, now_ms + (until_s - used_s + GRACE_S) * 1000)
        return {
            "decision": "granted",
            "granted_s": until_s - used_s,
            "final": price(until_s + 1, rate) > budget,
            "until_ms": call.deadline_ms,
            "available": self.available(now_ms),
        }

    def settle(self, call: ModelCall, used_s: int, now_ms: int) -> Told:
        """The end of a call, or the late report of one that its deadline has ended."""
        if call.state == "refused":
            call.state, used_s = "released", 0
        elif call.state == "expired":
            cost = price(used_s, call.rate)
            if cost > call.charged:
                self.spend(call, cost - call.charged, now_ms)
            elif cost < call.charged:
                self.give_back(call, call.charged - cost, now_ms)
                self.pay_debt(now_ms)
            call.charged, call.reported_s = cost, used_s
            call.state = "settled" if cost else "released"
        else:
            self.close(call, used_s, now_ms)
            call.state = "settled" if call.charged else "released"
        return {
            "decision": "settled",
            "charge": call.charged,
            "billed_s": whole(used_s, call.rate),
            "debt": call.charged - sum(call.paid.values()),
            "available": self.available(now_ms),
        }

    def close(self, call: ModelCall, used_s: int, now_ms: int) -> None:
        """Charge the call and free the rest, which pays what debt there is."""
        call.charged, call.reported_s = price(used_s, call.rate), used_s
        self.spend(call, call.charged, now_ms)
        self.pay_debt(now_ms)

    def ask(self, request: "Request", now_ms: int) -> Told:
        """One request of a switch: duplicates and order first, then the call itself."""
        call = self.calls.get(request.call)
        if call is None:
            if request.verb != "authorize":
                return {"decision": "nothing" if request.verb == "settle" else "unknown_call"}
            if request.sequence:
                return {"decision": "sequence_skipped"}
            call = self.calls[request.call] = ModelCall(request.rate)
        told = self.told_before(call, request)
        if told is not None:
            return told
        if not self.can_have_been_talked(call, request):
            return {"decision": "used_seconds_out_of_range"}
        told = self.apply(call, request, now_ms)
        call.answers[request.sequence] = request.hash
        call.next_sequence = max(call.next_sequence, request.sequence + 1)
        return {**told, "kept": True}

    def can_have_been_talked(self, call: ModelCall, request: "Request") -> bool:
        """Whether a switch can mean the seconds it reports."""
        if request.verb not in ("extend", "settle") or call.state == "refused":
            return True
        longest_s = LONGEST_S if price(LONGEST_S, call.rate) == 0 else call.granted_s
        return request.used_s - longest_s <= SLICE_S + GRACE_S

    def told_before(self, call: ModelCall, request: "Request") -> Told | None:
        """A replay, or a refusal that the order of requests alone decides."""
        hash_before = call.answers.get(request.sequence)
        if hash_before is not None:
            same = hash_before == request.hash
            return (
                {"decision": "replay", "of": request.sequence}
                if same
                else {"decision": "sequence_reused"}
            )
        if call.settled_by is not None:
            if request.verb == "settle":
                return {"decision": "replay", "of": call.settled_by}
            return {"decision": "call_settled"}
        if request.verb == "settle":
            return None
        if call.state == "expired":
            return {"decision": "call_settled"}
        if request.sequence != call.next_sequence:
            return {"decision": "sequence_skipped"}
        if request.verb == "authorize":
            return {"decision": "call_already_authorized"} if call.state == "open" else None
        return {"decision": "call_not_granted"} if call.state == "refused" else None

    def apply(self, call: ModelCall, request: "Request", now_ms: int) -> Told:
        """A request whose turn it is."""
        if request.verb == "settle":
            call.settled_by = request.sequence
            return self.settle(call, request.used_s, now_ms)
        if request.verb == "answer":
            if call.answered_ms is None:
                call.answered_ms = now_ms
            until_ms = now_ms + (call.granted_s + GRACE_S) * 1000
            call.deadline_ms = max(call.deadline_ms, until_ms)
            return {"decision": "noted", "until_ms": call.deadline_ms}
        if request.verb == "authorize":
            call.rate, call.state = request.rate, "open"
            call.deadline_ms = max(call.deadline_ms, now_ms)
            told = self.grant(call, 0, request.asked_s, now_ms)
            if told["decision"] != "granted":
                call.state = "refused"
            return told
        call.reported_s = max(call.reported_s, request.used_s)
        return self.grant(call, request.used_s, request.asked_s, now_ms)

    def deadline(self, name: str, now_ms: int) -> bool:
        """Close the call if it runs and its deadline has passed; says whether it did."""
        call = self.calls.get(name)
        if call is None or call.state != "open" or call.deadline_ms > now_ms:
            return False
        self.close(call, call.reported_s, now_ms)
        call.state = "expired"
        return True
