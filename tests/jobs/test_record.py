"""What is known of a job's runs. Mirrors src/talktime/jobs/record.py."""

import pytest
from structlog.testing import capture_logs

from talktime.engine.measures import JobMeasure
from talktime.jobs.record import KEEP_EVERY_MS, Record
from talktime.store.job_runs import JobRun, job_runs

BOTH = pytest.mark.layouts("sqlite", "postgres")


def kept_after(store, *runs):
    """Which of these runs (end, rows, failure) were news, and were written down."""
    record, cell, news = Record("work", "main", 0), store.cell(), []
    for ended_ms, rows, failure in runs:
        run = record.ran(ended_ms, ended_ms, rows, failure)
        news.append(record.is_news(run))
        if news[-1]:
            record.keep(cell, run)
            with cell.reading():
                assert job_runs(cell)[0][1:3] == (ended_ms, ended_ms)
    return news


@BOTH
def test_a_frequent_job_is_written_down_every_ten_seconds(store):
    runs = [(at_ms, 0, "") for at_ms in (1, 1_000, 10_000, 1 + KEEP_EVERY_MS, 15_000)]
    assert kept_after(store, *runs) == [True, False, False, True, False]


@BOTH
def test_after_the_clock_was_set_back_a_job_is_written_down_as_before(store):
    hour_ms = 3_600_000
    runs = [(hour_ms + at_ms, 0, "") for at_ms in (1, 1_000)]
    back = [(at_ms, 0, "") for at_ms in (2_000, 3_000, 2_000 + KEEP_EVERY_MS)]
    assert kept_after(store, *runs, *back) == [True, False, True, False, True]


@BOTH
def test_a_run_that_did_something_and_the_begin_and_end_of_a_failure_are_written_at_once(store):
    runs = [(1, 0, ""), (2, 5, ""), (3, 0, ""), (4, 0, "no"), (5, 0, "no"), (6, 0, ""), (7, 0, "")]
    assert kept_after(store, *runs) == [True, True, False, True, False, True, False]


def test_a_job_is_measured_from_its_last_success_or_from_the_start():
    record = Record("work", "main", 1_000)
    assert record.measure(3_000) == JobMeasure("work", "main", None, 2_000, 0)
    record.ran(3_000, 3_500, 0, "no")
    assert record.measure(4_000) == JobMeasure("work", "main", None, 3_000, 1)
    record.ran(5_000, 5_500, 0, "")
    assert record.measure(6_000) == JobMeasure("work", "main", 5_500, 500, 1)


def test_a_job_that_fails_since_the_clock_was_set_back_lags():
    record = Record("work", "main", 0)
    record.ran(3_600_000, 3_600_000, 0, "")
    record.ran(5_000, 5_000, 0, "no")
    record.ran(6_000, 6_000, 0, "no")
    assert record.measure(9_000) == JobMeasure("work", "main", 5_000, 4_000, 2)


def test_a_long_failure_is_cut_to_what_the_table_holds():
    assert Record("work", "main", 0).ran(1, 2, 0, "x" * 600) == JobRun(
        "work", 1, 2, None, 0, "x" * 500
    )


@BOTH
def test_a_run_that_cannot_be_written_down_is_told_and_harms_nothing(store):
    record, cell = Record("work", "main", 0), store.cell()
    with capture_logs() as logs:
        record.keep(cell, record.ran(1, 2, 2**70, ""))
    assert [line["event"] for line in logs] == ["job run not written"]
    with cell.reading():
        assert job_runs(cell) == []
