"""Sums of what comes while clocks are set. Mirrors src/talktime/operations/what_to_sum.py."""

from contextlib import ExitStack
from itertools import count
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from talktime.core.catalogue import Catalogue
from talktime.core.directory import Organisation
from talktime.core.ids import first_id_at
from talktime.operations.check_books import check_books
from talktime.operations.ledger_sums import forget_ledger, sum_ledger, sums_of_months
from talktime.operations.sum_usage import forget_sums, sum_usage
from talktime.operations.sum_wallets import forget_wallets, sum_wallets
from talktime.operations.sweep import Sweep, Swept
from talktime.operations.usage_report import Asked, Reader
from talktime.operations.what_to_sum import LAG_MS
from talktime.store.unsummed import put_line
from talktime.store.usage_days import DAY_MS
from talktime.store.wallet_hours import Place, balance_before
from talktime.store.work_marks import LEDGER, USAGE_DAY, WALLET_HOUR, fence_of, lock_mark, put_mark
from tests.lively_books import START_MS, YEAR_MS, Player

pytestmark = pytest.mark.layouts("sqlite", "postgres")

JOBS = (sum_usage, sum_wallets, sum_ledger)
FORGET = (forget_sums, forget_wallets, forget_ledger)
CLOCKS, PROCESSES = range(2), range(3)
NEVER = Place(START_MS + 10 * YEAR_MS)
# Within the lag, beyond it, another day, a year.
JUMPS_S = (1, 5, 11, 61, 3_601, 86_401, 366 * 86_400)
STEPS = st.one_of(
    st.tuples(st.just("set"), st.sampled_from(CLOCKS), st.sampled_from(JUMPS_S)),
    st.tuples(st.just("set back"), st.sampled_from(CLOCKS), st.sampled_from(JUMPS_S)),
    st.tuples(st.just("right"), st.sampled_from(CLOCKS), st.just(0)),
    st.tuples(st.just("call"), st.sampled_from(PROCESSES), st.integers(1, 70)),
    st.tuples(st.just("call"), st.sampled_from(PROCESSES), st.integers(1, 70)),
    st.tuples(st.just("fund"), st.sampled_from(PROCESSES), st.integers(1, 1_000_000)),
    st.tuples(st.just("begin again"), st.sampled_from(PROCESSES), st.just(0)),
    st.tuples(st.just("sum"), st.sampled_from(CLOCKS), st.sampled_from(range(len(JOBS)))),
    st.tuples(st.just("sum"), st.sampled_from(CLOCKS), st.sampled_from(range(len(JOBS)))),
    st.tuples(st.just("forget"), st.sampled_from(CLOCKS), st.sampled_from(range(len(FORGET)))),
)
_numbers = count(1)


class Told(NamedTuple):
    """What readers are told: records, transfers, and a wallet's balance."""

    records: int
    transfers: int
    balance_micros: int


class Play:
    """Two machines whose clocks are set at will, three processes on them that book."""

    def __init__(self, store):
        self.cell, self.control = store.cell(), store.control()
        self.ahead_ms = [0 for _ in CLOCKS]
        self.right_ms = START_MS
        self.organisation_id = next(_numbers)
        self.players = [self.process(number) for number in PROCESSES]
        self.calls = count()
        self.players[0].wallet(self.organisation_id, 10**12, lasts_ms=9 * YEAR_MS)

    def process(self, number):
        return Player(self.cell, self.right_ms, node=next(_numbers) % 1024)

    def clock_ms(self, clock):
        return self.right_ms + self.ahead_ms[clock]

    def sweep(self, clock):
        ids = self.players[clock].ids
        return Sweep(
            *(self.cell, lambda: self.clock_ms(clock), ids.next),
            control=lambda: self.control,
            cell="main",
        )

    def step(self, what, which, number):
        if what in ("set", "set back", "right"):
            self.ahead_ms[which] = {"set": 1000, "set back": -1000, "right": 0}[what] * number
        elif what == "begin again":
            self.players[which] = self.process(which)
        elif what == "sum":
            JOBS[number](self.sweep(which))
        elif what == "forget":
            FORGET[number](self.cell, self.clock_ms(which))
        else:
            self.book(self.players[which], which % len(CLOCKS), what, number)

    def book(self, player, clock, what, number):
        player.now_ms = self.clock_ms(clock)
        if what == "fund":
            player.fund(self.organisation_id, number, lasts_ms=9 * YEAR_MS)
        else:
            player.call(self.organisation_id, f"call {next(self.calls)}", number)
            self.right_ms += number * 1000

    def told(self):
        owner = Organisation(
            *(self.organisation_id, "Contoso", "main", "USD", "UTC", "US", "prepaid", True, "")
        )
        day = START_MS // DAY_MS
        asked = Asked(day - 400, day + 800)
        with self.cell.snapshot():
            added = Reader(self.cell, owner, Catalogue([])).add_up(asked)
            balance = balance_before(self.cell, self.organisation_id, NEVER)
        transfers = sum(each.transfers for each in sums_of_months(self.cell))
        return Told(added.total.records, transfers, balance)

    def true(self):
        mine = [self.organisation_id]
        [(records,)] = self.cell.rows(
            "SELECT COUNT(*) FROM usage_record WHERE organisation_id = ?", mine
        )
        [(transfers,)] = self.cell.rows("SELECT COUNT(*) FROM transfer")
        [(balance,)] = self.cell.rows(
            "SELECT balance_micros FROM wallet WHERE organisation_id = ?", mine
        )
        return Told(records, transfers, balance)

    def differing(self):
        checked = check_books(self.cell, lambda: self.right_ms)
        return {finding.check for finding in checked.findings}

    def sum_all(self):
        """The jobs run with a right clock until there is nothing left."""
        self.ahead_ms = [0 for _ in CLOCKS]
        self.right_ms += LAG_MS + 1
        for job in JOBS:
            while job(self.sweep(0)) != (0, (), False):
                pass

    def waiting(self):
        """Rows that came behind, and rows that are above the sums."""
        noted = "SELECT COUNT(*) FROM unsummed"
        newer = (
            "SELECT COUNT(*) FROM usage_record WHERE id > "
            "(SELECT value FROM work_mark WHERE name = 'usage_day')"
        )
        return self.cell.rows(noted)[0][0], self.cell.rows(newer)[0][0]


def test_sums_are_right_at_every_moment_however_clocks_are_set(store):
    @given(st.lists(STEPS, min_size=4, max_size=25))
    @settings(max_examples=40)
    def holds(steps):
        play = Play(store)
        for step in steps:
            play.step(*step)
            assert play.told() == play.true()
        assert play.differing() == set()
        play.sum_all()
        assert play.told() == play.true()
        assert play.differing() == set()
        assert play.waiting()[0] == 0

    holds()


def test_a_clock_that_was_a_year_ahead_keeps_no_sums_waiting(store):
    play = Play(store)
    play.step("set", 0, JUMPS_S[-1])
    play.step("call", 0, 61)
    play.step("fund", 2, 5)
    play.sum_all()
    assert play.waiting() == (0, 0)
    play.step("call", 1, 61)  # a process of its own, which has made no ids a year ahead
    play.step("call", 2, 61)  # one that goes on from those it has made
    assert play.waiting()[0] > 0
    assert [job(play.sweep(0)).rows for job in JOBS] == [2, 2, 2]
    assert play.waiting() == (0, 0)
    assert play.told() == play.true()
    assert play.differing() == set()


def test_rows_that_come_behind_are_told_once_an_hour(store):
    play = Play(store)
    play.step("set", 0, 86_401)
    play.step("call", 0, 1)
    play.sum_all()
    with capture_logs() as logs:
        for _ in range(3):
            play.step("call", 1, 7)
            play.sum_all()
        told = [(each["event"], each["cell"], each["sums"], each["rows"]) for each in logs]
        assert told == [("clocks differ", "main", USAGE_DAY, 1)]
        assert 86_000 < logs[0]["ahead_s"] < 86_401
        play.right_ms += 3_600_000
        play.step("call", 1, 7)
        play.sum_all()
    assert [each["event"] for each in logs] == ["clocks differ"] * 2


@pytest.mark.layouts("postgres")
def test_sums_do_not_pass_a_transaction_that_may_not_know_of_it(store):
    """A job whose clock is ahead, while a batch is open. On SQLite nobody else writes meanwhile."""
    play = Play(store)
    slow = Player(store.cell(), START_MS, node=1000)
    slow.wallet(next(_numbers), 10_000_000)
    owner_id = next(_numbers) - 1
    slow.authorize(owner_id, "slow")
    with slow.connection.transaction():
        slow.execute(slow.settling("slow", 1, 61))
        play.step("set", 0, 3_601)
        play.step("call", 0, 61)
        play.sum_all()
        assert play.waiting() == (0, 1)
    play.sum_all()
    assert play.waiting() == (0, 0)
    assert play.told() == play.true()
    assert play.differing() == set()


@pytest.mark.layouts("postgres")
def test_sums_wait_for_a_transaction_that_began_while_the_line_was_put(store):
    play = Play(store)
    slow = Player(store.cell(), START_MS, node=1000)
    owner_id = next(_numbers)
    slow.wallet(owner_id, 10_000_000)
    slow.authorize(owner_id, "slow")
    play.sum_all()
    with ExitStack() as batch:
        with play.cell.transaction():
            for name in (USAGE_DAY, WALLET_HOUR, LEDGER):
                lock_mark(play.cell, name, play.right_ms)
                put_line(play.cell, name, first_id_at(START_MS + 3_600_000), play.right_ms)
            batch.enter_context(slow.connection.transaction())
            slow.execute(slow.settling("slow", 1, 61))
        assert [job(play.sweep(0)) for job in JOBS] == [Swept(0)] * 3
    assert [job(play.sweep(0)).rows for job in JOBS] == [1, 1, 1]
    assert play.waiting() == (0, 0)
    assert play.differing() == set()


@pytest.mark.parametrize("fence", [0, 2**60])
def test_a_fence_of_another_server_is_put_anew(store, fence):
    play = Play(store)
    play.step("call", 0, 61)
    play.sum_all()
    with play.cell.transaction():
        for name in (USAGE_DAY, WALLET_HOUR, LEDGER):
            put_mark(play.cell, fence_of(name), fence, play.right_ms)
    for forget in FORGET:
        forget(play.cell, play.right_ms)
    play.sum_all()
    assert play.waiting() == (0, 0)
    assert play.differing() == set()


def test_two_jobs_at_once_add_what_came_behind_once(store):
    """The second has read what the first adds before it."""
    play = Play(store)
    play.step("set", 0, 3_601)
    play.step("call", 0, 61)
    play.sum_all()
    play.step("call", 1, 61)
    other = store.control()
    first = []

    def control():
        if not first:
            first.append(sum_usage(play.sweep(0)))
        return other

    late = sum_usage(play.sweep(0)._replace(connection=store.cell(), control=control))
    assert (first[0].rows, late.rows) == (1, 0)
    assert play.told() == play.true()
    assert play.differing() == set()
