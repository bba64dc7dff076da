"""Runs the timetable: a plain thread for each job in each cell.

All state is in the databases: a runner that starts finds what is due, several runners at once are
right, and an outage is waited out. A job that begins to fail says so in one log line, and in
another when it is over.
"""

import threading
from collections.abc import Callable, Sequence
from typing import NamedTuple

import structlog

from talktime.config import Settings
from talktime.core.ids import Ids
from talktime.engine.connector import Connector
from talktime.jobs.timetable import TIMETABLE, Job
from talktime.operations.sweep import Sweep, Swept
from talktime.store.database import Outage
from talktime.store.version import Migrations

log = structlog.get_logger(__name__)

RETRY_S = 5
"""A job that failed runs again after this, or after its period where that is shorter."""


class Run(NamedTuple):
    """One run of a job in a cell: how many rows it did, and why it failed (empty: it did not)."""

    job: str
    cell: str
    rows: int
    failure: str


class Runner:
    """The jobs of one process. `start` and `stop` once each, from one thread.

    `new_ids` makes a source of ids with a node drawn anew, `expected` is the version that a cell
    must have. `after_run` is called on the job's thread after each run.
    """

    def __init__(
        self,
        settings: Settings,
        clock_ms: Callable[[], int],
        new_ids: Callable[[], Ids],
        expected: Migrations,
        *,
        timetable: Sequence[Job] = TIMETABLE,
        after_run: Callable[[Run], None] = lambda run: None,
    ) -> None:
        self._stop = threading.Event()
        self._workers = [
            _Worker(
                job,
                cell,
                Connector(f"cell {cell} for {job.name}", address, "cell", expected),
                (clock_ms, new_ids),
                self._stop,
                after_run,
            )
            for cell, address in settings.cells.items()
            for job in timetable
        ]

    def start(self) -> None:
        """Begin: jobs that are due run at once."""
        for worker in self._workers:
            worker.thread.start()

    def stop(self) -> None:
        """End each job after the batch it is in, and close its connection. Blocks until then."""
        self._stop.set()
        for worker in self._workers:
            if worker.thread.is_alive():
                worker.thread.join()


class _Worker:
    """One job in one cell, on its own thread and connection."""

    def __init__(
        self,
        job: Job,
        cell: str,
        connector: Connector,
        sources: tuple[Callable[[], int], Callable[[], Ids]],
        stop: threading.Event,
        after_run: Callable[[Run], None],
    ) -> None:
        self._job, self._cell, self._connector = job, cell, connector
        self._clock_ms, self._new_ids = sources
        self._ids = self._new_ids()
        self._stop = stop
        self._after_run = after_run
        self._fault = ""
        self.thread = threading.Thread(target=self._work, name=f"{job.name} {cell}", daemon=True)

    def _work(self) -> None:
        wait_s = self._job.first_s
        while not self._stop.wait(wait_s):
            run = self._run()
            self._after_run(run)
            wait_s = min(self._job.period_s, RETRY_S) if run.failure else self._job.period_s
        self._connector.close()

    def _run(self) -> Run:
        try:
            swept = self._sweep()
        except Outage as outage:
            self._connector.failed(outage)
            return Run(self._job.name, self._cell, 0, str(outage))
        except Exception as error:  # noqa: BLE001 - without this thread nobody watches the cell
            self._connector.close()
            return self._ran(Swept(0, (repr(error),)), error)
        self._connector.worked()
        return self._ran(swept)

    def _sweep(self) -> Swept:
        connection = self._connector.connection()
        return self._job.run(
            Sweep(connection, self._clock_ms, self._ids.next, stopping=self._stop.is_set)
        )

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
        return Run(job, cell, swept.rows, fault)
