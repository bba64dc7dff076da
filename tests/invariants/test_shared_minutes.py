"""Minutes that many calls share are never sold twice, and every second is paid by somebody, once.

Calls run one among the other, end early, late or never, and are corrected; the sums are the
oracle's (tests/oracle.py).
"""

from collections import defaultdict
from dataclasses import dataclass
from itertools import count
from typing import NamedTuple

from hypothesis import example, given, settings
from hypothesis import strategies as st

from talktime.core.books import Books
from talktime.core.commands import Authorize
from talktime.core.decide import decide
from talktime.core.ledger import POST_USAGE, REVENUE
from talktime.core.meters import post_usage_key, spending_key
from talktime.core.outcomes import Granted, Settled
from tests import oracle
from tests.commands import NOW_MS, expire_hold, extend, settle
from tests.oracle_facts import Called, Facts, Person, Price
from tests.oracle_office import PRICES, Office, Trial, meter_key

CREDITS = frozenset({"MCOPSTNC"})
PLAN = frozenset({"MCOEV", "MCOPSTN5"})
KINDS = {
    "a plan": Facts(licences=PLAN | CREDITS),
    "a plan without credits": Facts(licences=PLAN),
    "an international plan": Facts(licences=frozenset({"MCOEV", "MCOPSTN2"}) | CREDITS),
    "meetings": Facts(call="conf_out", licences=frozenset({"MCOMEETADV"}) | CREDITS),
}
PLACES = {
    "minutes of 60": ("+14255550123", Called("US"), "1"),
    "a fee, halves of minutes": ("+4721234567", Called("NO"), "47"),
    "steps of six seconds": ("+442079460123", Called("GB"), "44"),
}


class Step(NamedTuple):
    """One thing that happens to one of the calls."""

    what: str
    call: int
    seconds: int


class Scene(NamedTuple):
    """What the calls share: the pool's minutes, the money; whether their switch is on time: no call
    goes on past its grant, and none is lost."""

    kind: str
    place: str
    left_s: int
    balance: int | None
    model: str
    cap: int | None
    limit: int | None
    on_time: bool = False


HAPPENS = ["asks", "goes on", "is lost", "ends early", "ends", "ends late", "goes on", "asks"]
scenes = st.builds(
    Scene,
    st.sampled_from(list(KINDS)),
    st.sampled_from(list(PLACES)),
    st.integers(0, 1_000),
    st.sampled_from([10**9, 100_000, 50_000, 20_000, 0, None]),
    st.sampled_from(["prepaid", "draining"]),
    st.sampled_from([None, 50_000, 0]),
    st.sampled_from([None, None, 60_000]),
    st.booleans(),
)
steps = st.lists(
    st.builds(
        Step,
        st.sampled_from(HAPPENS),
        st.integers(0, 3),
        st.integers(0, 300) | st.just(300),
    ),
    min_size=10,
    max_size=40,
)


@dataclass
class Running:
    """One of the calls, under a name that no other has."""

    key: str
    sequence: int = 1
    granted_s: int = 0
    talked_s: int = 0
    lost: bool = False


class Stage:
    """The scene, with all of its calls."""

    def __init__(self, scene: Scene) -> None:
        to, called, prefix = PLACES[scene.place]
        self.price: Price = PRICES[prefix]
        home = called.country if scene.kind.startswith("a plan") else "US"
        colleague = Person(home, KINDS[scene.kind].licences)
        facts = KINDS[scene.kind]._replace(
            location=home,
            called=called,
            price=self.price,
            balance=scene.balance,
            model=scene.model,
            pay_as_you_go=True,
            cap=scene.cap,
            limit=scene.limit,
            others=(colleague,),
        )
        pool = oracle.pool_of(facts)
        self.used_before_s = max(pool.total_s - scene.left_s, 0) if pool else 0
        facts = facts._replace(pool_used_s=self.used_before_s)
        self.office, self.trial = Office(), Trial(facts, to)
        self.organisation, self.user = self.office.caller(facts)
        self.books: Books = self.office.books(facts)
        self.pool = meter_key(facts, pool, self.user) if pool else ""
        self.now_ms = NOW_MS
        self.calls: dict[int, Running] = {}
        self.names = count(1)
        self.on_time = scene.on_time

    def play(self, step: Step) -> None:
        """Let it happen, if the call is in a state for it; then look at what is held."""
        call = self.calls.get(step.call)
        if self.on_time and step.what in ("ends late", "is lost"):
            return
        match step.what:
            case "asks" if call is None:
                self.ask(step.call)
            case "goes on" if call is not None and not call.lost:
                self.go_on(call, step.seconds)
            case "is lost" if call is not None:
                self.lose(call)
            case "ends" if call is not None:
                self.end(step.call, min(step.seconds, call.granted_s))
            case "ends early" if call is not None:
                self.end(step.call, call.talked_s // 2)
            case "ends late" if call is not None:
                self.end(step.call, call.granted_s + step.seconds)
        for meter in self.books.meters.values():
            assert meter.used >= 0
            assert meter.held >= 0
            assert meter.total is None or meter.used + meter.held <= meter.total

    def ask(self, place: int) -> None:
        call = Running(f"C{next(self.names)}")
        command = self.office.command(self.trial, self.now_ms)
        assert isinstance(command, Authorize)
        command.call_key = call.key
        outcome = decide(self.books, command, self.now_ms)
        if isinstance(outcome, Granted):
            call.granted_s = outcome.granted_s
            self.calls[place] = call

    def go_on(self, call: Running, seconds: int) -> None:
        call.talked_s = min(call.talked_s + seconds, call.granted_s)
        self.now_ms += seconds * 1000
        command = extend(call.key, call.sequence, call.talked_s, 0, self.organisation.id)
        outcome = decide(self.books, command, self.now_ms)
        call.sequence += 1
        if isinstance(outcome, Granted):
            call.granted_s = call.talked_s + outcome.granted_s

    def lose(self, call: Running) -> None:
        """Its deadline passes; the end may be told later."""
        self.now_ms += 1_000_000
        decide(self.books, expire_hold(call.key, self.organisation.id), self.now_ms)
        call.lost = True

    def end(self, place: int, used_s: int) -> None:
        call = self.calls.pop(place)
        command = settle(call.key, call.sequence, used_s, self.organisation.id)
        outcome = decide(self.books, command, self.now_ms)
        assert isinstance(outcome, Settled)
        assert outcome.billed_s == oracle.whole(used_s, self.price)
        assert sum(part.seconds for part in outcome.paid_by) == outcome.billed_s
        assert sum(part.amount_micros for part in outcome.paid_by) == outcome.charge_micros

    def close(self) -> None:
        """End what still runs."""
        for place, call in list(self.calls.items()):
            self.end(place, call.talked_s)

    def hold_to_the_sums(self) -> None:
        """Every billed second is the pool's or is paid; every meter has what the records say."""
        billed, pool, charged, later = ({}, {}, {}, {})
        for record in self.books.usage:
            key = record.call_key
            billed[key] = billed.get(key, 0) + record.billed_s
            pool[key] = pool.get(key, 0) + record.pool_s
            charged[key] = charged.get(key, 0) + record.charge_micros
            later[key] = later.get(key, 0) + record.post_micros
        for key, billed_s in billed.items():
            assert 0 <= pool[key] <= billed_s
            assert charged[key] == oracle.cost(billed_s - pool[key], self.price)
            assert 0 <= later[key] <= charged[key]
            if pool[key] < billed_s:
                assert pool[key] in oracle.boundaries(self.price, billed_s)
        self.hold_meters(sum(pool.values()), sum(charged.values()), sum(later.values()))

    def hold_meters(self, pool_s: int, charged: int, later: int) -> None:
        """The pool's, the user's and the organisation's; and the transfers."""
        used = {key: meter.used for (_, key), meter in self.books.meters.items()}
        assert all(meter.held == 0 for meter in self.books.meters.values())
        if self.pool:
            assert used[self.pool] == self.used_before_s + pool_s
        facts = self.trial.facts
        assert used[post_usage_key(facts.month)] == later
        if self.on_time:
            assert facts.cap is None or later <= facts.cap
            assert facts.limit is None or charged <= facts.limit
            assert not [each for each in self.books.transfers if each.kind == "overdraft"]
        if facts.limit is not None:
            assert used[spending_key(facts.month, self.user.id)] == charged
        moved: dict[int, int] = defaultdict(int)
        for transfer in self.books.transfers:
            moved[transfer.debit_account] -= transfer.amount_micros
            moved[transfer.credit_account] += transfer.amount_micros
        assert moved[REVENUE] == charged
        assert -moved[POST_USAGE] == later


@settings(max_examples=500)
@given(scenes, steps)
@example(  # a late report of which credits can pay a part of an increment, and debt the rest
    Scene("a plan", "minutes of 60", 0, 100_000, "prepaid", None, None),
    [
        *(Step("asks", 0, 0), Step("asks", 2, 0), Step("is lost", 2, 0), Step("asks", 1, 0)),
        Step("ends", 2, 300),
    ],
)
def test_shared_minutes_are_never_sold_twice_and_every_second_is_paid_once(
    scene: Scene, happens: list[Step]
):
    """D7, D8, D11, R64, R65: however calls run among each other, end late, or are lost and reported
    again, seconds of the pool and paid ones are the billed ones, and parts of money the charge."""
    stage = Stage(scene)
    for step in happens:
        stage.play(step)
    stage.close()
    stage.hold_to_the_sums()
