"""Whatever happens in whatever order, the books are what a small plain model says (model.py).

hypothesis draws histories: fundings, calls, duplicates, numbers out of order, deadlines, expiries,
clocks that step, commands alone and in batches, connections lost between batches.
"""

import os
from collections.abc import Iterator
from copy import copy
from itertools import count
from typing import Any, NamedTuple

import msgspec
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from talktime.core.commands import Answer, Authorize, Command, Extend, Settle
from talktime.core.outcomes import Funded, HoldExpired, LotsExpired
from talktime.core.rating import Rate
from talktime.operations.execute import Done, execute
from talktime.operations.render import utc_text
from talktime.store.kept import Kept
from tests.books_check import faults
from tests.commands import (
    FREE,
    GERMANY,
    GERMANY_WITH_FEE,
    NOW_MS,
    SIXTY_SIX,
    answer,
    authorize,
    expire_hold,
    expire_lots,
    extend,
    fund,
    settle,
)
from tests.invariants.model import ModelCall, ModelWallet, Request, Told
from tests.kept_check import differences
from tests.stores import Store

RATES = (
    GERMANY,
    GERMANY_WITH_FEE,
    SIXTY_SIX,
    FREE,
    Rate("39", "Italy", 10_001, 7, 1, 1),
    Rate("1900", "Hotline", 0, 30_000, 30, 7),
)
LINES = (0, 1, 2)
MOSTLY = {"refused": "authorize", "expired": "settle"}
LOT_LIVES_S = (100, 700, 5_000, 10**8)
LOTS = "SELECT idempotency_key, remaining_micros, held_micros FROM lot WHERE organisation_id = ?"
WALLET = "SELECT balance_micros, held_micros, debt_micros FROM wallet WHERE organisation_id = ?"
CALL = (
    "SELECT call_key, state, charged_micros, held_micros, reported_s, deadline_ms FROM call "
    "WHERE organisation_id = ?"
)


class Turn(NamedTuple):
    """What happens next on a line; the time used is counted from what was granted."""

    line: int
    verb: str
    rate: Rate = GERMANY
    more_s: int = 0
    asked_s: int = 0


lines = st.sampled_from(LINES)
turns = st.builds(
    Turn,
    lines,
    st.sampled_from(("extend", "extend", "extend", "settle", "settle", "answer")),
    st.sampled_from(RATES),
    # Well before the grant's end, just at it, a switch's timer too late, much too late, more than
    # can have been talked.
    st.sampled_from((-300, -61, -1, 0, 1, 2, 61, 360, 361, 400)),
    st.sampled_from((0, 0, 1, 100, 9_999)),
)
fundings = st.tuples(
    st.sampled_from((1, 15_000, 40_000, 75_000, 99_999, 300_000)),
    st.sampled_from(LOT_LIVES_S),
    st.sampled_from((0, 0, -1)),
    st.booleans(),
)


class Histories(RuleBasedStateMachine):
    """One wallet of one cell, and its model. Three lines: on each, one call follows the other.

    The model hears each command when it is drawn, the database when the batch is executed.
    """

    store: Store
    organisations: Iterator[int]
    next_id: Any

    def __init__(self) -> None:
        super().__init__()
        self.organisation_id = next(self.organisations)
        self.store.add_wallet(self.organisation_id, cell="main")
        self.connection, self.elsewhere = self.store.cell(), self.store.cell()
        self.kept = Kept()
        self.model = ModelWallet()
        self.now_ms = NOW_MS
        self.batch: list[tuple[Command, Told]] = []
        self.sent: list[tuple[Command, Request]] = []
        self.told: dict[tuple[str, int], Done] = {}
        self.calls_on = [0 for _ in LINES]

    # What may be asked

    @initialize(drawn=st.lists(fundings, max_size=3))
    def begin(self, drawn: list[tuple[int, int, int, bool]]) -> None:
        for each in drawn:
            self.fund(each)

    @rule(drawn=fundings)
    def some_money(self, drawn: tuple[int, int, int, bool]) -> None:
        self.fund(drawn)

    @rule(turns=st.lists(turns, min_size=1, max_size=8))
    def talk(self, turns: list[Turn]) -> None:
        """What switches ask in good order: calls are set up, go on, and end."""
        for turn in turns:
            call = self.call_on(turn.line)
            if call is None or call.settled_by is not None:
                self.calls_on[turn.line] += 1
                self.ask("authorize", turn, 0)
            else:
                verb = MOSTLY.get(call.state, turn.verb) if turn.more_s else turn.verb
                self.ask(verb, turn, call.next_sequence + 2 * (turn.more_s == 400))

    @rule(
        verb=st.sampled_from(("authorize", "extend", "answer", "settle")),
        line=lines,
        number=st.integers(0, 5),
        used=st.sampled_from((0, 60, 61)),
    )
    def ask_out_of_turn(self, verb: str, line: int, number: int, used: int) -> None:
        granted_s = call.granted_s if (call := self.call_on(line)) else 0
        self.ask(verb, Turn(line, verb, GERMANY, used - granted_s), number)

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def ask_again(self, data: st.DataObject) -> None:
        command, request = data.draw(st.sampled_from(self.sent))
        self.batch.append((copy(command), self.model.ask(request, self.now_ms)))

    # When it is

    @rule(step_s=st.sampled_from((-30, 1, 61, 300)))
    def time_passes(self, step_s: int) -> None:
        self.go_to(self.now_ms + step_s * 1000)

    @rule(line=lines, by_ms=st.sampled_from((-1, 0, 0, 1, 60_000)))
    def a_deadline_passes(self, line: int, by_ms: int) -> None:
        if call := self.call_on(line):
            self.go_to(call.deadline_ms + by_ms)
            name = self.name(line)
            closed = {"decision": "closed", "closed": self.model.deadline(name, self.now_ms)}
            self.batch.append((expire_hold(name, self.organisation_id), closed))

    @precondition(lambda self: self.model.lots)
    @rule(data=st.data(), by_ms=st.sampled_from((-1, 0, 0, 1)), job_runs=st.booleans())
    def a_lot_expires(self, data: st.DataObject, by_ms: int, job_runs: bool) -> None:
        lot = data.draw(st.sampled_from(list(self.model.lots.values())))
        self.go_to(min(lot.expires_ms, self.now_ms + 10**9) + by_ms)
        if job_runs:
            lost = {"decision": "forfeited", "micros": self.model.expire_lots(self.now_ms)}
            self.batch.append((expire_lots(self.organisation_id), lost))

    # When it is executed

    @rule(elsewhere=st.booleans())
    def execute(self, elsewhere: bool = False) -> None:
        """Here, or where nothing is known of the books."""
        if not self.batch:
            return
        commands = [command for command, _ in self.batch]
        kept = Kept() if elsewhere else self.kept
        connection = self.elsewhere if elsewhere else self.connection
        with connection.transaction():
            done = execute(connection, commands, self.now_ms, self.next_id, kept=kept)
        kept.committed()
        for (command, told), each in zip(self.batch, done, strict=True):
            self.compare(command, told, each)
        self.batch.clear()
        self.compare_books()

    @rule()
    def the_connection_is_lost(self) -> None:
        self.connection.close()
        self.connection, self.kept = self.store.cell(), Kept()

    def teardown(self) -> None:
        self.execute()
        self.connection.close()
        self.elsewhere.close()

    # How it is asked

    def go_to(self, at_ms: int) -> None:
        """What was asked so far was asked before."""
        self.execute()
        self.now_ms = at_ms

    def fund(self, drawn: tuple[int, int, int, bool]) -> None:
        """Ask for a lot."""
        micros, lasts_s, first, gift = drawn
        key, expires_ms = f"F{len(self.model.lots)}", self.now_ms + lasts_s * 1000
        command = fund(
            micros,
            key,
            expires_ms=expires_ms,
            organisation_id=self.organisation_id,
            priority=first,
            promotional=gift,
        )
        self.model.fund(key, micros, expires_ms, self.now_ms, first, gift)
        self.batch.append(
            (command, {"decision": "funded", "available": self.model.available(self.now_ms)})
        )

    def ask(self, verb: str, turn: Turn, number: int) -> None:
        """One request, to the model now and to the books with the batch."""
        name, me = self.name(turn.line), self.organisation_id
        call = self.call_on(turn.line)
        used_s = max((call.granted_s if call else 0) + turn.more_s, 0)
        owner = me if used_s % 2 else None  # a switch does not say whose call it is
        command: Authorize | Extend | Answer | Settle
        match verb:
            case "authorize":
                command = authorize(
                    name, number, rate=turn.rate, requested_s=turn.asked_s, organisation_id=me
                )
            case "extend":
                command = extend(name, number, used_s, turn.asked_s, owner)
            case "answer":
                command = answer(name, number)
                command.organisation_id = me
            case _:
                command = settle(name, number, used_s, owner)
        request = Request(verb, name, number, command.body_hash, turn.rate, used_s, turn.asked_s)
        self.sent.append((copy(command), request))
        self.batch.append((command, self.model.ask(request, self.now_ms)))

    def name(self, line: int) -> str:
        """The call on the line, by a key that no other history has."""
        return f"line {line} call {self.calls_on[line]} @{self.organisation_id}"

    def call_on(self, line: int) -> ModelCall | None:
        """What the model knows of the call on the line."""
        return self.model.calls.get(self.name(line))

    # Comparing

    def compare(self, command: Command, told: Told, done: Done) -> None:
        """What was told, and what the model had told."""
        match done.outcome:
            case Funded():
                assert told == {
                    "decision": "funded",
                    "available": done.outcome.available_micros,
                }
            case HoldExpired():
                assert told == {"decision": "closed", "closed": done.outcome.closed}
            case LotsExpired():
                lost = sum(micros for _, micros in done.outcome.forfeited)
                assert told == {"decision": "forfeited", "micros": lost}
            case _:
                assert isinstance(command, Authorize | Extend | Answer | Settle)
                self.compare_call(command, told, done)

    def compare_call(
        self, command: Authorize | Extend | Answer | Settle, told: Told, done: Done
    ) -> None:
        """A repeated request gets the first answer's bytes, any other its own."""
        assert done.replayed == (told["decision"] == "replay")
        if done.replayed:
            first = self.told[command.call_key, told["of"]]
            assert (done.status, done.body) == (first.status, first.body)
            return
        self.compare_body(told, msgspec.json.decode(done.body), done.status)
        if told.get("kept"):
            self.told[command.call_key, command.sequence] = done

    def compare_body(self, told: Told, body: dict[str, Any], status: int) -> None:
        """The answer as it was sent."""
        decision = told["decision"]
        if decision == "nothing":
            assert (status, body["decision"], body["charge"]) == (200, "settled", "0")
            return
        if status != 200:
            assert body["code"] == decision
            return
        assert body["decision"] == decision
        shown = {
            "granted_s": body.get("granted_seconds"),
            "final": body.get("final"),
            "billed_s": body.get("billed_seconds"),
            "charge": micros(body.get("charge")),
            "debt": sum(
                micros(part["amount"]) or 0
                for part in body.get("paid_by", ())
                if part["source"] == "debt"
            ),
            "available": micros(body.get("balance", {}).get("available")),
        }
        for name, value in told.items():
            if name == "until_ms":
                assert body["valid_until"] == utc_text(value)
            elif name not in ("decision", "kept"):
                assert shown[name] == value, name

    def compare_books(self) -> None:
        """The rows, and what the model says they are."""
        me = [self.organisation_id]
        with self.connection.reading():
            wallet, lots, calls = self.connection.rows_of_all(
                [(WALLET, me), (LOTS, me), (CALL, me)]
            )
        assert wallet == [(self.model.balance(), self.model.held_in_all(), self.model.debt)]
        bought = {key: (left, held) for key, left, held in lots if key.startswith("F")}
        assert bought == {
            key: (lot.left, self.model.held(key))
            for key, lot in self.model.lots.items()
            if key.startswith("F")
        }
        assert {row[0]: row[1:] for row in calls} == {
            key: (
                *(call.state, call.charged, sum(call.holds.values())),
                *(call.reported_s, call.deadline_ms),
            )
            for key, call in self.model.calls.items()
        }
        assert faults(self.connection, self.organisation_id) == []
        assert differences(self.kept, self.connection) == []


def micros(text: str | None) -> int | None:
    """Read a decimal number as micros, without the core's help."""
    if text is None:
        return None
    units, _, decimals = text.lstrip("-").partition(".")
    value = int(units) * 1_000_000 + int(decimals.ljust(6, "0"))
    return -value if text.startswith("-") else value


# TALKTIME_TEST_TIMES=20 with --hypothesis-profile=explore: twenty times as many, new ones.
EXAMPLES = {"sqlite": 200, "postgres": 25}


@pytest.mark.layouts("sqlite", "postgres")
def test_any_history_leaves_the_books_that_the_model_says(store: Store):
    class Here(Histories):
        organisations = count(1)
        next_id = staticmethod(count(1001).__next__)

    Here.store = store
    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=EXAMPLES[store.kind] * int(os.environ.get("TALKTIME_TEST_TIMES", "1")),
            stateful_step_count=50,
        ),
    )
