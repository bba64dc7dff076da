"""What holds for each job of the timetable, on books with some of everything."""

import threading

import pytest

from talktime.jobs.timetable import TIMETABLE
from talktime.operations.check_books import check_books
from talktime.operations.sweep import Sweep
from tests.jobs.due_work import leave_due_work
from tests.lively_books import Player

pytestmark = pytest.mark.layouts("sqlite", "postgres")
EACH = pytest.mark.parametrize("job", TIMETABLE, ids=lambda job: job.name)
RUNS_MAX = 20
NOTHING_TO_DO = {
    "prove_when_asked": "counts the rows that do not hold, and all do",
    "note_burn": "goes round all wallets without end, and counts none",
}
"""Jobs that are given nothing to do here, or count none of it, and why."""
ASKS_ANEW = ("reconcile_payments",)
"""Jobs that ask about the same each time, to find what nobody told of."""
TELLS = ("spread_notices", "send_notices")


class Runs:
    """Runs jobs on a cell of a store as a runner does, without its threads."""

    def __init__(self, store, player, node=0):
        self.store, self.clock_ms = store, player.clock_ms
        self.player = Player(store.cell(), player.now_ms, node)
        self.control = store.control()

    def until_nothing_is_left(self, job):
        """Run a job until it asks for no more; how many rows it did."""
        rows = 0
        for _ in range(RUNS_MAX):
            swept = job.run(
                Sweep(
                    self.player.connection,
                    self.clock_ms,
                    self.player.ids.next,
                    settings=self.store.settings,
                    control=lambda: self.control,
                )
            )
            assert swept.failures == ()
            rows += swept.rows
            if not swept.more:
                return rows
        raise AssertionError(f"{job.name} asks for more after {RUNS_MAX} runs")


@pytest.fixture
def player(store):
    """Lively books to which nobody has looked for a week."""
    return leave_due_work(store)


def rows_of(player):
    """What a job may change."""
    tables = (
        *("wallet", "lot", "call", "transfer", "usage_record", "meter", "outbox", "delivery"),
        *("payment", "payment_try", "payment_method", "card_setup", "refund", "document"),
        *("post_statement", "post_statement_usage", "provider_event"),
    )
    with player.connection.reading():
        return {
            table: sorted(player.connection.rows(f"SELECT * FROM {table}"), key=repr)
            for table in tables
        }


@EACH
def test_a_job_that_has_done_its_work_finds_nothing_and_changes_nothing(store, player, job):
    runs = Runs(store, player, node=1)
    done = runs.until_nothing_is_left(job)
    assert (done > 0) == (job.name not in NOTHING_TO_DO)
    before = rows_of(player)
    assert runs.until_nothing_is_left(job) == (done if job.name in ASKS_ANEW else 0)
    assert rows_of(player) == before
    assert check_books(player.connection, player.clock_ms).clean


@EACH
def test_two_runners_at_once_do_a_jobs_work_once(store, player, job):
    both = [Runs(store, player, node) for node in (1, 2)]
    ready, done, wrong = threading.Barrier(2), [], []

    def run(runs):
        try:
            ready.wait()
            done.append(runs.until_nothing_is_left(job))
        except BaseException as error:  # noqa: BLE001 - told to the test's own thread
            wrong.append(error)

    threads = [threading.Thread(target=run, args=(runs,)) for runs in both]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert check_books(player.connection, player.clock_ms).clean
    before = rows_of(player)
    assert both[0].until_nothing_is_left(job) == 0 or job.name in ASKS_ANEW
    assert rows_of(player) == before


def test_after_a_week_without_jobs_one_round_does_all_that_came_due(store, player):
    runs = Runs(store, player, node=1)
    done = {job.name: runs.until_nothing_is_left(job) for job in TIMETABLE}
    assert done["expire_holds"] == 5
    assert player.connection.rows("SELECT COUNT(*) FROM call WHERE state = 'open'") == [(0,)]
    assert check_books(player.connection, player.clock_ms).clean
    for job in TIMETABLE:  # what the jobs after these had to tell
        if job.name in TELLS:
            runs.until_nothing_is_left(job)
    again = {job.name: runs.until_nothing_is_left(job) for job in TIMETABLE}
    assert {name for name, rows in again.items() if rows} == {*ASKS_ANEW}
