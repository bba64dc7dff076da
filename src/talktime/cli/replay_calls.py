"""One call of a call file as a switch lives it: authorize, perhaps answer, extend, settle."""

from array import array
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from talktime.cli.call_file import PlannedCall
from talktime.core.money import parse_micros

CREDIT_ENDED = "credit_ended"


class Request(NamedTuple):
    """What a switch asks on one call."""

    verb: str
    body: dict[str, Any]


class LiveCall:
    """A call under way. `request` is what is asked next; None once there is nothing more to ask.

    >>> plan = PlannedCall("c1", "", "", {"to": "+4930123456"}, 400, "normal", False, 0, True)
    >>> call = LiveCall(plan, keep_time=False)
    >>> call.request.verb, call.take(200, {"decision": "granted", "granted_seconds": 300})
    ('authorize', 'granted')
    >>> call.request
    Request(verb='extend', body={'sequence': 1, 'used_seconds': 300})
    """

    __slots__ = ("_at", "charge", "code", "currency", "granted_s", "plan", "request", "used_s")

    def __init__(self, plan: PlannedCall, *, keep_time: bool) -> None:
        self.plan = plan
        self._at = plan.at if keep_time else ""
        self.granted_s = self.used_s = 0
        self.code = self.charge = self.currency = ""
        body: dict[str, Any] = {"sequence": 0, **plan.asked}
        if self._at:
            body["at"] = self._at
        self.request: Request | None = Request("authorize", body)

    def take(self, status: int, body: dict[str, Any]) -> str:
        """Take the answer to the request and go on; returns the decision, or the refusal's code."""
        assert self.request is not None
        verb, sequence = self.request.verb, self.request.body["sequence"]
        code = str(body.get("decision" if status == 200 else "code") or status)
        if verb in ("authorize", "settle"):
            self.code = code
        if verb == "settle":
            self.charge = str(body.get("charge", ""))
            self.currency = str(body.get("balance", {}).get("currency", ""))
            self.request = None
        elif status != 200:
            self.request = self._end(sequence + 1, CREDIT_ENDED) if verb != "authorize" else None
        else:
            if verb != "answer":
                self.granted_s = self.used_s + int(body["granted_seconds"])
            self.request = self._after(verb, sequence + 1, final=bool(body.get("final")))
        return code

    def _after(self, verb: str, sequence: int, *, final: bool) -> Request | None:
        plan = self.plan
        if verb == "authorize" and plan.answer:
            at = {"answered_at": self._at} if self._at else {}
            return Request("answer", {"sequence": sequence, **at})
        if plan.used_s <= self.granted_s:
            if plan.settle:
                self.used_s = plan.used_s
            return self._end(sequence, plan.cause)
        self.used_s = self.granted_s
        if final:
            return self._end(sequence, CREDIT_ENDED)
        return Request("extend", {"sequence": sequence, "used_seconds": self.used_s})

    def _end(self, sequence: int, cause: str) -> Request | None:
        if not self.plan.settle:
            return None
        body = {"sequence": sequence, "used_seconds": self.used_s, "cause": cause}
        return Request("settle", body)


@dataclass(slots=True)
class Tally:
    """What came of a replay; each connection keeps its own, the sum of all is shown."""

    calls: int = 0
    asked: int = 0
    requests: int = 0
    retried: int = 0
    repeated: int = 0
    repeats_differing: int = 0
    never_settled: int = 0
    codes: Counter[tuple[str, str]] = field(default_factory=Counter)
    settled: Counter[tuple[str, str]] = field(default_factory=Counter)
    charged_micros: Counter[tuple[str, str]] = field(default_factory=Counter)
    latencies_s: "array[float]" = field(default_factory=lambda: array("d"))

    def finish(self, call: LiveCall) -> None:
        """Count a call that has nothing more to ask."""
        self.calls += 1
        if call.charge:
            key = (call.plan.organisation, call.currency)
            self.settled[key] += 1
            self.charged_micros[key] += parse_micros(call.charge)
        elif not call.plan.settle and call.code == "granted":
            self.never_settled += 1

    def add(self, other: "Tally") -> None:
        """Add another connection's tally to this one."""
        for name in ("calls", "asked", "requests", "retried", "repeated", "repeats_differing"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.never_settled += other.never_settled
        self.codes += other.codes
        self.settled += other.settled
        # Counter's own + leaves out what is not above zero.
        self.charged_micros.update(other.charged_micros)
        self.latencies_s += other.latencies_s

    def percentile_ms(self, part: int) -> float:
        """The time within which so many of a hundred requests were answered."""
        ordered = sorted(self.latencies_s)
        if not ordered:
            return 0.0
        return ordered[min(len(ordered) * part // 100, len(ordered) - 1)] * 1000
