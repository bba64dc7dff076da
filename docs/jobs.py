"""The page of the jobs: what the service does by itself, from its timetable."""

from talktime.jobs.timetable import TIMETABLE


def page() -> str:
    """Every job, how often it runs, what it does."""
    rows = [(job.name, f"{job.period_s:,g} s", job.about) for job in TIMETABLE]
    lines = "\n".join(f"| `{name}` | {every} | {about} |" for name, every, about in rows)
    return f"""# Jobs

<!-- Written by `make docs` from jobs/timetable.py. Change that, not this page. -->

What the service does by itself. Each job runs in every cell, in every process that has the jobs, so
long after the end of its last run; at once again when a page was full. What there is to do is in
the databases: several runners at once are right, and after a stop all that came due meanwhile is
done. Periods are in real time; what is due is told by the service's clock, which [may be
moved](../howto/move-time-forward.md) outside production.

| job | every | what it does |
| --- | --- | --- |
{lines}

How they do: `talktime jobs`, and [/metrics](../howto/watch.md).
"""
