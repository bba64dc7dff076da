"""Runs the timetable: a plain thread for each job in each cell.

All state is in the databases: a runner that starts finds what is due, several runners at once are
right, and an outage is waited out. A job that begins to fail says so in one log line, and in
another when it is over.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import structlog

from talktime.clock import real_ms
from talktime.config import Settings
from talktime.core.ids import Ids
from talktime.engine.connector import Connector
from talktime.engine.measures import JobMeasure
from talktime.jobs.record import Record
from talktime.jobs.timetable import TIMETABLE, Job
from talktime.operations.sweep import Sweep, Swept
from talktime.store.database import Connection, Outage
from talktime.store.version import Migrations

log = structlog.get_logger(__name__)

RETRY_S = 5
"""A job that failed runs again after this, or after its period where that is shorter."""
CLOCK_LOOK_S = 0.05
"""How often a test clock is looked at."""


class Run(NamedTuple):
    """One run of a job in a cell: how many rows it did, and why it failed (empty: it did not).

    `more`: it is to run again at once.
    """

    job: str
    cell: str
    rows: int
    failure: str
    more: bool = False


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
            _Worker(job, cell, settings, expected, (clock_ms, new_ids), self._bell, after_run)
            for cell in settings.cells
            for job in timetable
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
        return [worker.record.measure(now) for worker in self._workers]

    def _watch_clock(self) -> None:
        assert self._ahead_ms is not None
        seen = self._ahead_ms()
        while not self._bell.wait(CLOCK_LOOK_S, self._bell.rings()):
            ahead = self._ahead_ms()
            if ahead != seen:
                seen = ahead
                self._bell.ring()


class _Worker:
    """One job in one cell, on its own thread and connections."""

    def __init__(
        self,
        job: Job,
        cell: str,
        settings: Settings,
        expected: Mapping[str, Migrations],
        sources: tuple[Callable[[], int], Callable[[], Ids]],
        bell: _Bell,
        after_run: Callable[[Run], None],
    ) -> None:
        self._job, self._cell, self._settings = job, cell, settings
        self._connector = Connector(
            f"cell {cell} for {job.name}", settings.cells[cell], "cell", expected["cell"]
        )
        self._control = Connector(
            f"control plane for {job.name} of cell {cell}",
            settings.control_plane,
            "control_plane",
            expected["control_plane"],
        )
        self._control_away: Outage | None = None
        self._clock_ms, self._new_ids = sources
        self._ids = self._new_ids()
        self._bell = bell
        self._after_run = after_run
        self._fault = ""
        self.record = Record(job.name, cell, real_ms())
        self.thread = threading.Thread(target=self._work, name=f"{job.name} {cell}", daemon=True)

    def _work(self) -> None:
        wait_s, heard = self._job.first_s, self._bell.rings()
        while not self._bell.wait(wait_s, heard):
            heard = self._bell.rings()
            began_ms = real_ms()
            run = self._run()
            self._keep(run, began_ms)
            self._after_run(run)
            wait_s = self._wait_s(run)
        self._close()

    def _wait_s(self, run: Run) -> float:
        if run.failure:
            return min(self._job.period_s, RETRY_S)
        return 0 if run.more else self._job.period_s

    def _close(self) -> None:
        self._connector.close()
        self._control.close()

    def _run(self) -> Run:
        try:
            swept = self._sweep()
        except Outage as outage:
            self._close()
            away = self._control if outage is self._control_away else self._connector
            away.failed(outage)
            return Run(self._job.name, self._cell, 0, str(outage))
        except Exception as error:  # noqa: BLE001 - without this thread nobody watches the cell
            self._close()
            return self._ran(Swept(0, (repr(error),)), error)
        self._connector.worked()
        self._control.worked()
        return self._ran(swept)

    def _keep(self, run: Run, began_ms: int) -> None:
        kept = self.record.ran(began_ms, real_ms(), run.rows, run.failure)
        if self.record.is_news(kept):
            try:
                self.record.keep(self._connector.connection(), kept)
            except Outage:
                return  # the next run meets it, and tells

    def _sweep(self) -> Swept:
        return self._job.run(
            Sweep(
                self._connector.connection(),
                self._clock_ms,
                self._ids.next,
                stopping=self._bell.stopped,
                settings=self._settings,
                control=self._control_connection,
            )
        )

    def _control_connection(self) -> Connection:
        try:
            return self._control.connection()
        except Outage as outage:
            self._control_away = outage
            raise

    def _ran(self, swept: Swept, error: Exception | None = None) -> Run:
        job, cell, fault = self._job.name, self._cell, "; ".join(swept.failures)
        if fault and not self._fault:
            log.error("job fails", job=job, cell=cell, reason=fault, exc_info=error)
        if self._fault and not fault:
            log.info("job works again", job=job, cell=cell)
        if swept.rows:
            log.info("job ran", job=job, cell=cell, rows=swept.rows)
        if fault:
            # The one fault that is nobody's: two processes made the same id.
            self._ids = self._new_ids()
        self._fault = fault
        return Run(job, cell, swept.rows, fault, swept.more)
