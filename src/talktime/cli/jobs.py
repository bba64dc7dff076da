"""`talktime jobs`: what the service does by itself, and whether it does."""

from typing import Any

from rich.text import Text

from talktime.cli.installation import cell, installation
from talktime.cli.output import Json, moment, show, table
from talktime.clock import real_ms
from talktime.operations.job_runs import JobState, job_states


def jobs_command(json: Json = False) -> None:
    """Show each job in each cell: when it last ran, whether it worked, and how long ago."""
    from talktime.jobs.timetable import TIMETABLE

    settings = installation()
    periods_ms = {job.name: round(job.period_s * 1000) for job in TIMETABLE}
    found: list[tuple[str, JobState]] = []
    for name in settings.cells:
        with cell(settings, name) as connection, connection.reading():
            found += [(name, state) for state in job_states(connection, periods_ms, real_ms())]
    rows = [
        (
            state.job,
            name,
            seconds(state.period_ms),
            moment(state.run.began_ms) if state.run else None,
            seconds(state.lag_ms),
            state.run.rows if state.run else None,
            condition(state),
        )
        for name, state in found
    ]
    columns = ("Job", "Cell", "Every", "Last run", "Worked ago", "Rows", "")
    shown = table(columns, rows, title="Jobs", right=("Every", "Worked ago", "Rows"))
    show(json, {"jobs": [document(name, state) for name, state in found]}, shown)


def document(cell_name: str, state: JobState) -> dict[str, Any]:
    """A job for programs."""
    run = state.run
    return {
        "job": state.job,
        "cell": cell_name,
        "period_seconds": state.period_ms / 1000,
        "began_at": moment(run.began_ms if run else None),
        "ended_at": moment(run.ended_ms if run else None),
        "worked_at": moment(run.worked_ms if run else None),
        "lag_seconds": None if state.lag_ms is None else state.lag_ms / 1000,
        "late": state.late,
        "rows": run.rows if run else None,
        "failure": run.failure if run else "",
    }


def condition(state: JobState) -> Text | str:
    """What a person should know of it."""
    if state.run is None:
        return Text("never ran", style="yellow")
    if state.run.failure:
        return Text(state.run.failure, style="red")
    return Text("late", style="yellow") if state.late else "works"


def seconds(ms: int | None) -> str | None:
    """A span in seconds.

    >>> seconds(250), seconds(60_000), seconds(None)
    ('0.25 s', '60 s', None)
    """
    return None if ms is None else f"{ms / 1000:,g} s"
