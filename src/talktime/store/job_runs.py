"""How each job of a cell last ran: a row for each, whichever runner wrote it last."""

from typing import NamedTuple

from talktime.store.database import Connection

CLOCK_SET_MS = 60_000
"""No runner is so far behind another: where the run that is kept began so long after this one's
end, a clock was set back."""
KEEP_JOB_RUN = f"""
INSERT INTO job_run (job, began_ms, ended_ms, worked_ms, rows, failure)
VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (job) DO UPDATE SET
    began_ms = excluded.began_ms, ended_ms = excluded.ended_ms,
    worked_ms = COALESCE(excluded.worked_ms, CASE
        WHEN job_run.worked_ms > excluded.ended_ms THEN excluded.ended_ms
        ELSE job_run.worked_ms END),
    rows = excluded.rows, failure = excluded.failure
WHERE excluded.began_ms >= job_run.began_ms
    OR excluded.ended_ms < job_run.began_ms - {CLOCK_SET_MS}
"""
JOB_RUNS = """
SELECT job, began_ms, ended_ms, worked_ms, rows, failure FROM job_run ORDER BY job
"""


class JobRun(NamedTuple):
    """One run of a job. `worked_ms`: when the last run without a failure ended; None: never."""

    job: str
    began_ms: int
    ended_ms: int
    worked_ms: int | None
    rows: int
    failure: str


def keep_job_run(connection: Connection, run: JobRun) -> None:
    """Keep this run as the job's last, unless a later one is kept already; one of a clock that
    was set back since is none, and of a job that fails since then it has worked until then."""
    connection.run(KEEP_JOB_RUN, run)


def job_runs(connection: Connection) -> list[JobRun]:
    """The last run of each job of the cell."""
    return [JobRun(*row) for row in connection.rows(JOB_RUNS)]
