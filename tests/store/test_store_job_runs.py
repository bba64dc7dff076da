"""What is kept of the jobs' runs. Mirrors src/talktime/store/job_runs.py."""

import pytest

from talktime.store.job_runs import CLOCK_SET_MS, JobRun, job_runs, keep_job_run

pytestmark = pytest.mark.layouts("sqlite", "postgres")
RUN = JobRun("expire_lots", 1_000, 1_005, 1_005, 3, "")


@pytest.fixture
def cell(store):
    return store.cell()


def keep(cell, run):
    with cell.transaction():
        keep_job_run(cell, run)


def kept(cell):
    with cell.reading():
        return job_runs(cell)


def test_a_job_has_one_row_of_its_last_run(cell):
    later = RUN._replace(began_ms=2_000, ended_ms=2_001, worked_ms=2_001, rows=0)
    other = RUN._replace(job="expire_holds")
    for run in (RUN, other, later):
        keep(cell, run)
    assert kept(cell) == [other, later]


def test_a_failure_keeps_when_the_job_last_worked(cell):
    keep(cell, RUN)
    keep(cell, RUN._replace(began_ms=2_000, ended_ms=2_001, worked_ms=None, failure="no"))
    assert kept(cell) == [JobRun("expire_lots", 2_000, 2_001, 1_005, 3, "no")]


def test_a_job_that_never_worked_has_no_such_time(cell):
    failed = RUN._replace(worked_ms=None, failure="no")
    keep(cell, failed)
    assert kept(cell) == [failed]


def test_a_runner_that_is_behind_does_not_overwrite_a_later_run(cell):
    keep(cell, RUN)
    keep(cell, RUN._replace(began_ms=999, failure="old"))
    assert kept(cell) == [RUN]


def test_after_the_clock_was_set_back_the_last_run_is_kept_again(cell):
    set_back_ms = 3_600_000
    ahead = RUN._replace(began_ms=set_back_ms + 1_000, ended_ms=set_back_ms + 1_005)
    keep(cell, ahead)
    behind_ms = ahead.began_ms - CLOCK_SET_MS
    behind = RUN._replace(began_ms=behind_ms - 1, ended_ms=behind_ms)
    for run, found in ((behind, ahead), (RUN, RUN)):
        keep(cell, run)
        assert kept(cell) == [found]


def test_a_job_that_fails_since_the_clock_was_set_back_has_not_worked_later_than_that(cell):
    keep(cell, RUN._replace(began_ms=3_600_000, ended_ms=3_600_005, worked_ms=3_600_005))
    failed = RUN._replace(worked_ms=None, failure="no")
    for more_ms in (0, 10_000):
        at_ms = failed.ended_ms + more_ms
        keep(cell, failed._replace(began_ms=at_ms, ended_ms=at_ms))
        assert [(run.ended_ms, run.worked_ms) for run in kept(cell)] == [(at_ms, failed.ended_ms)]
