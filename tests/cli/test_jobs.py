"""`talktime jobs`. Mirrors src/talktime/cli/jobs.py."""

from talktime.clock import real_ms
from talktime.jobs.timetable import TIMETABLE
from talktime.store.job_runs import JobRun, keep_job_run


def keep(store, cell, run):
    connection = store.cell(cell)
    with connection.transaction():
        keep_job_run(connection, run)


def test_each_job_in_each_cell_is_shown_with_how_it_does(shell, store):
    now = real_ms()
    first, last = store.cells[0], store.cells[-1]
    keep(store, first, JobRun("expire_holds", now - 5, now, now, 3, ""))
    keep(store, last, JobRun("expire_lots", now - 5, now, None, 0, "the disk is full"))
    found = {(job["job"], job["cell"]): job for job in shell.json("jobs")["jobs"]}
    assert found.keys() == {(job.name, cell) for job in TIMETABLE for cell in store.cells}
    works = found["expire_holds", first]
    assert (works["period_seconds"], works["rows"], works["failure"]) == (1, 3, "")
    assert works["began_at"] <= works["ended_at"] == works["worked_at"]
    assert works["late"] is False
    assert 0 <= works["lag_seconds"] < 60
    fails = found["expire_lots", last]
    assert (fails["worked_at"], fails["lag_seconds"], fails["late"]) == (None, None, True)
    assert fails["failure"] == "the disk is full"
    never = found["forget_calls", first]
    assert (never["ended_at"], never["rows"], never["late"]) == (None, None, True)
    shown = shell("jobs")
    assert "the disk is full" in shown
    assert "never ran" in shown
    assert "works" in shown
