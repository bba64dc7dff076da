"""The threads that run the timetable. Mirrors src/talktime/jobs/runner.py."""

import queue
import shutil
import threading
from contextlib import contextmanager

import pytest
from structlog.testing import capture_logs

from talktime.console.migrations_expected import expected_migrations
from talktime.core.ids import Ids
from talktime.jobs.runner import Run, Runner
from talktime.jobs.timetable import TIMETABLE, Job
from talktime.operations.check_books import check_books
from talktime.operations.expire_holds import expire_holds
from talktime.operations.sweep import Swept
from talktime.store.job_runs import job_runs
from tests.lively_books import DAY_MS, START_MS, Player
from tests.stores import Stores

WAIT_S = 60
HOLDS = (Job("expire_holds", 0.01, expire_holds),)
OFTEN = tuple(job._replace(period_s=0.01) for job in TIMETABLE)
EXPECTED = {app: expected_migrations(app) for app in ("control_plane", "cell")}
BOTH = pytest.mark.layouts("sqlite", "postgres")


class Running:
    """A runner on a store, by the player's clock, and the runs it made."""

    def __init__(self, store, player, timetable=HOLDS, node=9, expected=None, **more):
        self.runs = queue.Queue()
        self.runner = Runner(
            store.settings,
            player.clock_ms,
            lambda: Ids(node, player.clock_ms),
            EXPECTED | ({} if expected is None else {"cell": expected}),
            timetable=timetable,
            after_run=self.runs.put,
            **more,
        )

    def next_run(self, wanted):
        """The next run of which this is true."""
        while True:
            run = self.runs.get(timeout=WAIT_S)
            if wanted(run):
                return run

    def rows_until(self, rows):
        """Wait until so many rows were done."""
        while rows > 0:
            rows -= self.next_run(lambda run: run.rows).rows
        assert rows == 0


@contextmanager
def started(*running):
    for each in running:
        each.runner.start()
    try:
        yield
    finally:
        for each in running:
            each.runner.stop()


def open_calls(player):
    return player.connection.rows("SELECT COUNT(*) FROM call WHERE state = 'open'")[0][0]


def is_clean(player):
    return check_books(player.connection, player.clock_ms).clean


def idle(run):
    return run == Run("expire_holds", run.cell, 0, "")


def test_calls_in_every_cell_expire_without_any_switch(store):
    players = [Player(store.cell(name), node=at) for at, name in enumerate(store.cells)]
    for organisation_id, player in enumerate(players, 1):
        player.wallet(organisation_id, 1_000_000)
        player.authorize(organisation_id, "a")
    running = Running(store, players[0])
    with started(running):
        running.next_run(idle)
        assert [open_calls(player) for player in players] == [1] * len(players)
        players[0].wait(360)
        running.rows_until(len(players))
    for player in players:
        player.now_ms = players[0].now_ms
        assert open_calls(player) == 0
        assert is_clean(player)


@BOTH
def test_what_came_due_while_nothing_ran_is_done_after_the_start(store):
    player = Player(store.cell())
    player.wallet(1, 1_000_000, lasts_ms=DAY_MS)
    player.call(1, "old", 60)
    player.authorize(1, "a")
    first = Running(store, player, OFTEN)
    with started(first):
        first.next_run(idle)
    player.now_ms += 10 * DAY_MS
    second = Running(store, player, OFTEN)
    done = []
    with started(second):
        while not everything_was_done(done):
            done.append(second.next_run(lambda run: True))
    rows = player.connection.rows("SELECT balance_micros, held_micros FROM wallet")
    assert rows == [(0, 0)]
    assert player.connection.rows("SELECT state FROM call") == [("expired",)]
    assert is_clean(player)


def everything_was_done(runs):
    """Hold expired, old call forgotten, and the lot looked at by a run that began after that."""
    jobs = [run.job for run in runs if run.rows or run.job == "expire_lots"]
    if "expire_holds" not in jobs or "forget_calls" not in jobs:
        return False
    return jobs[jobs.index("expire_holds") :].count("expire_lots") >= 2


@BOTH
def test_two_runners_at_once_expire_every_call_once(store):
    player = Player(store.cell())
    player.wallet(1, 1_000_000_000)
    player.wallet(2, 1_000_000_000)
    calls = 700
    player.do(*(player.authorizing(1 + number % 2, f"c{number}") for number in range(calls)))
    player.wait(360)
    one, other = Running(store, player, node=8), Running(store, player, node=9)
    with started(one, other):
        done = sum(running.next_run(lambda run: True).rows for running in (one, other))
        done += sum(running.next_run(lambda run: True).rows for running in (one, other))
    assert done == calls
    assert open_calls(player) == 0
    assert player.connection.rows("SELECT COUNT(*) FROM usage_record") == [(calls,)]
    assert is_clean(player)


def outage_events(logs):
    """What was said of the database, repetitions with another reason left out."""
    events = [line["event"] for line in logs if line["event"].startswith("database")]
    return [event for at, event in enumerate(events) if at == 0 or event != events[at - 1]]


@pytest.mark.layouts("sqlite")
def test_a_file_that_was_away_is_swept_when_it_is_back(store, tmp_path):
    player = Player(store.cell())
    player.wallet(1, 1_000_000)
    player.authorize(1, "a")
    player.connection.close()
    path = store.settings.cells["main"].path
    running = Running(store, player)
    with capture_logs() as logs, started(running):
        running.next_run(idle)
        shutil.move(path, tmp_path / "away")
        running.next_run(lambda run: run.failure)
        running.next_run(lambda run: run.failure)
        player.wait(360)
        shutil.move(tmp_path / "away", path)
        running.rows_until(1)
    assert outage_events(logs) == ["database away", "database back"]
    player.connection = store.cell()
    assert is_clean(player)


def test_a_server_that_was_away_is_swept_when_it_is_back(new_cluster, tmp_path):
    cluster = new_cluster()
    stores = Stores(tmp_path, lambda number: cluster)
    store = stores.make("postgres")
    player = Player(store.cell())
    player.wallet(1, 1_000_000)
    player.authorize(1, "a")
    player.connection.close()
    running = Running(store, player)
    with capture_logs() as logs, started(running):
        running.next_run(idle)
        cluster.kill()
        running.next_run(lambda run: run.failure)
        running.next_run(lambda run: run.failure)
        player.wait(360)
        cluster.start()
        running.rows_until(1)
    assert outage_events(logs) == ["database away", "database back"]
    player.connection = store.cell()
    assert is_clean(player)
    stores.drop(store)


@BOTH
def test_a_cell_of_another_version_is_left_alone(store):
    player = Player(store.cell())
    player.wallet(1, 1_000_000)
    player.authorize(1, "a")
    player.wait(360)
    newer = expected_migrations("cell") | {("cell", "9999_later")}
    running = Running(store, player, expected=newer)
    with started(running):
        failure = running.next_run(lambda run: run.failure).failure
    assert failure == "the database lacks migration 9999_later: run `talktime migrate`"
    assert open_calls(player) == 1


@pytest.mark.layouts("sqlite")
def test_a_job_that_fails_says_so_once_and_once_more_when_it_works(store):
    outcomes = iter(["no", "no", "no", Swept(0), Swept(3, ("row 7 is odd",)), Swept(0)])

    def work(sweep):
        outcome = next(outcomes, Swept(0))
        if outcome == "no":
            raise LookupError("what was looked for")
        return outcome

    player = Player(store.cell())
    running = Running(store, player, (Job("work", 0.001, work),))
    with capture_logs() as logs, started(running):
        runs = [running.next_run(lambda run: True) for _ in range(6)]
    assert [run.failure for run in runs] == [
        *["LookupError('what was looked for')"] * 3, "", "row 7 is odd", ""
    ]  # fmt: skip
    assert [run.rows for run in runs] == [0, 0, 0, 0, 3, 0]
    assert [(line["event"], line.get("reason")) for line in logs] == [
        ("job fails", "LookupError('what was looked for')"),
        ("job works again", None),
        ("job fails", "row 7 is odd"),
        ("job ran", None),
        ("job works again", None),
    ]


@BOTH
def test_a_job_that_filled_a_page_runs_again_at_once(store):
    pages = iter([Swept(256, more=True), Swept(256, more=True), Swept(3)])
    hourly = (Job("work", 3_600, lambda sweep: next(pages)),)
    running = Running(store, Player(store.cell()), hourly)
    with started(running):
        runs = [running.next_run(lambda run: True) for _ in range(3)]
    assert [(run.rows, run.more) for run in runs] == [(256, True), (256, True), (3, False)]


@BOTH
def test_a_job_is_given_the_installation_and_one_lasting_connection_to_the_control_plane(store):
    seen = []

    def work(sweep):
        seen.append((sweep.settings, sweep.control(), sweep.control()))
        return Swept(sweep.control().rows("SELECT COUNT(*) FROM organisation")[0][0], more=True)

    running = Running(store, Player(store.cell()), (Job("work", 3_600, work),))
    with started(running):
        organisations = [running.next_run(lambda run: True).rows for _ in range(2)]
    assert organisations == [0, 0]
    settings, connection, again = seen[0]
    assert settings == store.settings
    assert connection is again
    assert seen[1] == seen[0]


@pytest.mark.layouts("sqlite")
def test_a_control_plane_that_was_away_is_opened_anew_when_it_is_back(store, tmp_path):
    def work(sweep):
        return Swept(len(sweep.control().rows("SELECT name FROM revision")) and 1)

    running = Running(store, Player(store.cell()), (Job("work", 0.01, work),))
    path = store.settings.control_plane.path
    shutil.move(path, tmp_path / "away")
    with capture_logs() as logs, started(running):
        failure = running.next_run(lambda run: run.failure).failure
        shutil.move(tmp_path / "away", path)
        assert running.next_run(lambda run: not run.failure).rows == 1
    assert "control.sqlite3" in failure
    assert [line["database"] for line in logs if line["event"].startswith("database")] == [
        "control plane for work of cell main"
    ] * 2


@BOTH
def test_a_runner_writes_down_how_its_jobs_do_and_measures_them(store):
    player = Player(store.cell())
    player.wallet(1, 1_000_000)
    outcomes = iter([Swept(0), Swept(7), Swept(0, ("row 7 is odd",))])
    job = Job("work", 0.001, lambda sweep: next(outcomes, Swept(0, ("row 7 is odd",))))
    running = Running(store, player, (job,))
    with started(running):
        running.next_run(lambda run: run.rows == 7)
        running.next_run(lambda run: run.failure)
    with player.connection.reading():
        [kept] = job_runs(player.connection)
    assert (kept.job, kept.rows, kept.failure) == ("work", 0, "row 7 is odd")
    assert kept.worked_ms is not None
    assert kept.worked_ms <= kept.began_ms <= kept.ended_ms
    [measure] = running.runner.measures()
    assert (measure.job, measure.cell, measure.worked_ms) == ("work", "main", kept.worked_ms)
    assert measure.failures >= 1
    assert measure.lag_ms >= 0


@BOTH
def test_every_job_runs_at_once_when_a_test_clock_was_moved(store):
    player = Player(store.cell())
    player.wallet(1, 1_000_000)
    player.authorize(1, "a")
    hourly = tuple(job._replace(period_s=3_600, first_s=0) for job in TIMETABLE)
    running = Running(store, player, hourly, ahead_ms=lambda: player.now_ms - START_MS)
    with started(running):
        for _ in hourly:
            running.next_run(lambda run: True)
        player.now_ms += 30 * DAY_MS
        # Other jobs may have something to do, too.
        assert running.next_run(lambda run: run.rows and run.job == "expire_holds").rows == 1
    assert open_calls(player) == 0
    assert is_clean(player)


@BOTH
def test_a_runner_stops_at_once_between_runs(store):
    player = Player(store.cell())
    hourly = tuple(job._replace(period_s=3_600, first_s=0) for job in TIMETABLE)
    running = Running(store, player, hourly)
    with started(running):
        for _ in hourly:
            running.next_run(lambda run: True)
    names = {thread.name for thread in threading.enumerate()}
    assert not names & {f"{job.lane} main" for job in hourly}


@pytest.mark.layouts("sqlite")
def test_a_runner_that_was_never_started_can_be_stopped(store):
    Running(store, Player(store.cell())).runner.stop()


def test_a_job_is_told_in_which_cell_it_works(store):
    told = queue.Queue()

    def tell(sweep):
        told.put(sweep.cell)
        return Swept(0)

    running = Running(store, Player(store.cell()), (Job("tell", 0.01, tell),))
    with started(running):
        for name in store.cells:
            running.next_run(lambda run, name=name: run.cell == name)
    assert {told.get() for _ in range(told.qsize())} == set(store.cells)
