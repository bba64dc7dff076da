"""What is known of a job's runs: in memory for /metrics, in table `job_run` for everybody."""

import structlog

from talktime.core.limits import ANSWER_TEXT_MAX
from talktime.engine.measures import JobMeasure
from talktime.store.database import Connection, Outage
from talktime.store.job_runs import JobRun, keep_job_run

log = structlog.get_logger(__name__)

KEEP_EVERY_MS = 10_000
"""A job that runs more often, and does nothing and fails at nothing, is written down so often."""


class Record:
    """One worker's. Written by its thread alone, read by any. Times are of the machine's clock."""

    def __init__(self, job: str, cell: str, began_ms: int) -> None:
        self._job, self._cell = job, cell
        self._since_ms = began_ms
        self._worked_ms: int | None = None
        self._failures = 0
        self._kept: JobRun | None = None

    def measure(self, real_ms: int) -> JobMeasure:
        """How the job does now; its lag is counted from the start where it has not worked yet."""
        since_ms = self._since_ms if self._worked_ms is None else self._worked_ms
        lag_ms = max(0, real_ms - since_ms)
        return JobMeasure(self._job, self._cell, self._worked_ms, lag_ms, self._failures)

    def ran(self, began_ms: int, ended_ms: int, rows: int, failure: str) -> JobRun:
        """Count a run."""
        if failure:
            self._failures += 1
            if self._worked_ms is not None:  # not ahead: the clock may have been set back since
                self._worked_ms = min(self._worked_ms, ended_ms)
        else:
            self._worked_ms = ended_ms
        worked_ms = None if failure else ended_ms
        return JobRun(self._job, began_ms, ended_ms, worked_ms, rows, failure[:ANSWER_TEXT_MAX])

    def is_news(self, run: JobRun) -> bool:
        """Whether a run is to be written down: it did something, a failure began or ended, or the
        last that was is some time ago, or ahead: then the clock was set back."""
        kept = self._kept
        return (
            kept is None
            or run.rows > 0
            or bool(run.failure) != bool(kept.failure)
            or abs(run.ended_ms - kept.ended_ms) >= KEEP_EVERY_MS
        )

    def keep(self, connection: Connection, run: JobRun) -> None:
        """Write a run down. Where that fails the job goes on: it has done its work."""
        try:
            with connection.transaction():
                keep_job_run(connection, run)
        except Outage:
            return  # the next run meets it, and tells
        except Exception as error:  # noqa: BLE001 - without this thread nobody watches the cell
            log.error("job run not written", job=run.job, cell=self._cell, reason=repr(error))
            return
        self._kept = run
