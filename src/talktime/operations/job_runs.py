"""How the jobs of a cell do: when each last ran, when it last worked, whether that is too long."""

from collections.abc import Mapping
from typing import NamedTuple

from talktime.store.database import Connection
from talktime.store.job_runs import JobRun, job_runs

DAY_MS = 86_400_000
PERIODS_MS = {
    "expire_holds": 1_000,
    "tend_wallets": 250,
    "end_calls": 2_000,
    "expire_lots": 60_000,
    "recheck_recharges": 60_000,
    "collect_payments": 250,
    "add_cards": 250,
    "forget_cards": 60_000,
    "refund_payments": 500,
    "post_sandbox_events": 500,
    "read_payment_events": 500,
    "settle_payment_events": 500,
    "spread_notices": 500,
    "send_notices": 500,
    "move_wallets": 60_000,
    "dun_statements": 600_000,
    "close_months": 3_600_000,
    "warn_of_expiry": 3_600_000,
    "reconcile_payments": DAY_MS,
    "forget_calls": 3_600_000,
    "forget_payment_events": 3_600_000,
    "send_account_mail": 500,
    "sum_usage": 5_000,
    "sum_wallets": 10_000,
    "sum_ledger": 15_000,
    "note_burn": 3_600_000,
    "prove_when_asked": 5_000,
}
"""How long after the end of its last run each job runs again (jobs/timetable.py), here for whoever
looks at them."""

LATE_AFTER_MS = 60_000
"""So long after its time a job may be: a frequent one tells of itself every ten seconds alone."""


class JobState(NamedTuple):
    """A job of a cell. `lag_ms`: how long ago it last worked; None where it never did."""

    job: str
    period_ms: int
    run: JobRun | None
    lag_ms: int | None

    @property
    def late(self) -> bool:
        """Whether it should have worked again by now, or never has."""
        return self.lag_ms is None or self.lag_ms > self.period_ms + LATE_AFTER_MS


def job_states(
    connection: Connection, periods_ms: Mapping[str, int], real_ms: int
) -> list[JobState]:
    """Every job of `periods_ms`, in that order, then those that only the cell knows (period 0).

    `real_ms` is the time by the machine's clock: jobs run by that, whatever a test clock shows.
    """
    kept = {run.job: run for run in job_runs(connection)}
    states = []
    for job in (*periods_ms, *(job for job in kept if job not in periods_ms)):
        run = kept.get(job)
        worked_ms = run.worked_ms if run else None
        lag_ms = None if worked_ms is None else max(0, real_ms - worked_ms)
        states.append(JobState(job, periods_ms.get(job, 0), run, lag_ms))
    return states
