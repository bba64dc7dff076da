"""How the jobs of a cell do. Mirrors src/talktime/operations/job_runs.py."""

import pytest

from talktime.operations.job_runs import LATE_AFTER_MS, JobState, job_states
from talktime.store.job_runs import JobRun, keep_job_run

pytestmark = pytest.mark.layouts("sqlite", "postgres")
PERIODS_MS = {"expire_holds": 1_000, "expire_lots": 60_000}
LOTS = JobRun("expire_lots", 1_000, 5_000, 5_000, 3, "")


@pytest.fixture
def cell(store):
    return store.cell()


def states(cell, real_ms):
    with cell.reading():
        return job_states(cell, PERIODS_MS, real_ms)


def keep(cell, run):
    with cell.transaction():
        keep_job_run(cell, run)


def test_a_job_that_never_ran_is_late(cell):
    found = states(cell, 9_000)
    assert found == [
        JobState("expire_holds", 1_000, None, None),
        JobState("expire_lots", 60_000, None, None),
    ]
    assert [state.late for state in found] == [True, True]


def test_a_job_is_late_when_it_worked_a_period_and_a_minute_ago(cell):
    keep(cell, LOTS)
    in_time_ms = LOTS.ended_ms + 60_000 + LATE_AFTER_MS
    for real_ms, late in ((in_time_ms, False), (in_time_ms + 1, True)):
        state = states(cell, real_ms)[1]
        assert (state.run, state.lag_ms, state.late) == (LOTS, real_ms - 5_000, late)


def test_a_machine_whose_clock_is_behind_sees_no_lag(cell):
    keep(cell, LOTS)
    assert states(cell, 4_000)[1].lag_ms == 0


def test_a_job_of_another_version_is_listed_last(cell):
    keep(cell, LOTS._replace(job="dust"))
    assert [state.job for state in states(cell, 5_000)] == ["expire_holds", "expire_lots", "dust"]
    assert states(cell, 5_000)[2].period_ms == 0
