"""Runs the timetable: a plain thread for each lane of jobs in each cell (jobs/worker.py).

All state is in the databases: a runner that starts finds what is due, several runners at once are
right, and an outage is waited out. A job that begins to fail says so in one log line, and in
another when it is over.
"""

import threading
from collections.abc import Callable, Mapping, Sequence

from talktime.clock import real_ms
from talktime.config import Settings
from talktime.core.ids import Ids
from talktime.engine.measures import JobMeasure
from talktime.jobs.timetable import TIMETABLE, Job
from talktime.jobs.worker import RETRY_S, Run, Worker
from talktime.store.version import Migrations

__all__ = ["RETRY_S", "Run", "Runner"]

CLOCK_LOOK_S = 0.05
"""How often a test clock is looked at."""


class _Bell:
    """What the workers wait at between their runs: for their time, a ring, or the end."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._rings = 0
        self._stopped = False

    def stop(self) -> None:
        """It is over, for all and for good."""
        with self._condition:
            self._stopped = True
            self._condition.notify_all()

    def ring(self) -> None:
        """Let all who wait, or are at work, run now."""
        with self._condition:
            self._rings += 1
            self._condition.notify_all()

    def stopped(self) -> bool:
        """Whether it is over."""
        return self._stopped

    def rings(self) -> int:
        """How often it rang so far."""
        return self._rings

    def wait(self, seconds: float, heard: int) -> bool:
        """Wait so long, or for a ring after those heard, or the end: whether that has come."""
        with self._condition:
            self._condition.wait_for(lambda: self._stopped or self._rings > heard, seconds)
            return self._stopped


class Runner:
    """The jobs of one process. `start` and `stop` once each, from one thread.

    `new_ids` makes a source of ids with a node drawn anew, `expected` are the versions that the
    control plane and a cell must have. `after_run` is called on the job's thread after each run.
    `ahead_ms` says how far a test clock is ahead, where there is one: when it was moved, every job
    runs at once. Periods are in real time.
    """

    def __init__(
        self,
        settings: Settings,
        clock_ms: Callable[[], int],
        new_ids: Callable[[], Ids],
        expected: Mapping[str, Migrations],
        *,
        timetable: Sequence[Job] = TIMETABLE,
        after_run: Callable[[Run], None] = lambda run: None,
        ahead_ms: Callable[[], int] | None = None,
    ) -> None:
        self._bell = _Bell()
        self._ahead_ms = ahead_ms
        self._watch = threading.Thread(target=self._watch_clock, name="test clock", daemon=True)
        self._workers = [
            Worker(lane, jobs, cell, settings, expected, (clock_ms, new_ids), self._bell, after_run)
            for cell in settings.cells
            for lane, jobs in _lanes(timetable).items()
        ]

    def start(self) -> None:
        """Begin: jobs that are due run at once."""
        for worker in self._workers:
            worker.thread.start()
        if self._ahead_ms is not None:
            self._watch.start()

    def stop(self) -> None:
        """End each job after the batch it is in, and close its connection. Blocks until then."""
        self._bell.stop()
        for thread in (self._watch, *(worker.thread for worker in self._workers)):
            if thread.is_alive():
                thread.join()

    def measures(self) -> list[JobMeasure]:
        """How each job does in each cell, for /metrics. From any thread."""
        now = real_ms()
        tasks = [task for worker in self._workers for task in worker.tasks]
        return [task.record.measure(now) for task in tasks]

    def _watch_clock(self) -> None:
        assert self._ahead_ms is not None
        seen = self._ahead_ms()
        while not self._bell.wait(CLOCK_LOOK_S, self._bell.rings()):
            ahead = self._ahead_ms()
            if ahead != seen:
                seen = ahead
                self._bell.ring()


def _lanes(timetable: Sequence[Job]) -> dict[str, list[Job]]:
    """The jobs by lane; one that names none has a lane of its own."""
    lanes: dict[str, list[Job]] = {}
    for job in timetable:
        lanes.setdefault(job.lane or job.name, []).append(job)
    return lanes
