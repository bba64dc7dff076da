"""Statements that are not paid. Mirrors src/talktime/operations/dunning.py."""

import pytest

from talktime.core.post_usage import month_end_ms, month_start_ms
from talktime.operations.dunning import dun_statements, sync_block
from talktime.operations.post_statements import list_statements
from talktime.operations.sweep import Sweep
from talktime.store.organisations import insert_organisation, organisation_of_id
from tests.after_use import DAY_MS, AfterUse, organisation

pytestmark = pytest.mark.layouts("sqlite", "postgres")

CLOSED_MS = month_end_ms("2026-11") + DAY_MS
PAYABLE_MS = CLOSED_MS + 30 * DAY_MS
BLOCKED_MS = PAYABLE_MS + 14 * DAY_MS


class Dunned(AfterUse):
    """Organisation 7 with a statement of 0.03 USD, and the job that looks after it."""

    def __init__(self, store):
        super().__init__(store.cell())
        self.control, self.settings = store.control(), store.settings
        with self.control.transaction():
            insert_organisation(self.control, organisation(7), 0)
            insert_organisation(self.control, organisation(8), 0)
        self.use("a", 61, month_start_ms("2026-11"))
        self.close("2026-11")

    def run(self, at_ms):
        self.now_ms = at_ms
        sweep = Sweep(
            self.connection,
            self.clock_ms,
            self.ids.next,
            settings=self.settings,
            control=lambda: self.control,
        )
        return dun_statements(sweep).rows

    @property
    def state(self):
        return list_statements(self.connection, self.organisation)[0].state

    @property
    def blocked(self):
        return organisation_of_id(self.control, 7).rules.post_usage_blocked


@pytest.fixture
def dunned(store):
    return Dunned(store)


def test_a_statement_is_called_to_mind_then_overdue_then_blocked(dunned):
    """D14: each step is told once, on its moment and not before."""
    told = ["statement.closed"]
    steps = [
        (PAYABLE_MS - 7 * DAY_MS - 1, 0, "due", False, []),
        (PAYABLE_MS - 7 * DAY_MS, 0, "due", False, ["statement.due"]),
        (PAYABLE_MS - 1, 0, "due", False, []),
        (PAYABLE_MS, 1, "overdue", False, ["statement.overdue"]),
        (BLOCKED_MS - 1, 0, "overdue", False, []),
        (BLOCKED_MS, 1, "blocked", True, ["statement.blocked"]),
        (BLOCKED_MS + 90 * DAY_MS, 0, "blocked", True, []),
    ]
    for at_ms, moved, state, blocked, more in steps:
        assert dunned.run(at_ms) == moved
        assert (dunned.state, dunned.blocked) == (state, blocked)
        told += more
        assert dunned.notices() == told
    assert not organisation_of_id(dunned.control, 8).rules.post_usage_blocked
    assert dunned.books_hold()


def test_after_downtime_only_the_last_step_is_told(dunned):
    assert dunned.run(BLOCKED_MS) == 1
    assert (dunned.state, dunned.blocked) == ("blocked", True)
    assert dunned.notices() == ["statement.closed", "statement.blocked"]


def test_a_payment_ends_it(dunned):
    dunned.run(BLOCKED_MS)
    dunned.pay("2026-11", 10_000, "part")
    assert sync_block(dunned.control, dunned.connection, 7) is True
    dunned.pay("2026-11", 20_000, "rest")
    assert sync_block(dunned.control, dunned.connection, 7) is False
    assert (dunned.state, dunned.blocked) == ("paid", False)
    assert dunned.run(BLOCKED_MS + DAY_MS) == 0
    assert dunned.notices()[-1] == "statement.paid"


def test_a_block_that_was_not_lifted_is_lifted_by_the_job(dunned):
    """As after a crash between the cell and the control plane."""
    dunned.run(BLOCKED_MS)
    dunned.pay("2026-11", 30_000)
    assert dunned.blocked
    dunned.run(BLOCKED_MS + 1)
    assert not dunned.blocked


def test_what_a_clock_that_was_ahead_has_made_overdue_or_blocked_is_so_no_more(dunned):
    """It is so again when its time has come."""
    dunned.run(BLOCKED_MS + 60 * DAY_MS)
    steps = [
        (PAYABLE_MS - 20 * DAY_MS, "due", False),
        (PAYABLE_MS - 1, "due", False),
        (PAYABLE_MS, "overdue", False),
        (BLOCKED_MS, "blocked", True),
        (BLOCKED_MS + DAY_MS, "blocked", True),
        (BLOCKED_MS - 1, "overdue", False),
        (BLOCKED_MS + 1, "blocked", True),
    ]
    for at_ms, state, blocked in steps:
        dunned.run(at_ms)
        assert (dunned.state, dunned.blocked) == (state, blocked)
    assert dunned.notices() == [
        f"statement.{kind}" for kind in ("closed", "blocked", "due", "overdue")
    ]
    assert dunned.books_hold()


def test_one_statement_of_two_that_is_paid_keeps_the_block(dunned):
    dunned.use("b", 61, month_start_ms("2026-12"))
    dunned.close("2026-12")
    dunned.run(BLOCKED_MS + 31 * DAY_MS)
    dunned.pay("2026-11", 30_000)
    assert sync_block(dunned.control, dunned.connection, 7) is True


def test_a_statement_that_is_paid_in_time_is_never_dunned(dunned):
    dunned.pay("2026-11", 30_000)
    assert dunned.run(BLOCKED_MS) == 0
    assert dunned.notices() == ["statement.closed", "statement.paid"]
    assert not dunned.blocked
