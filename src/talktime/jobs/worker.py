"""One thread of the jobs: those of one lane in one cell, one after the other, on connections that
they share."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

import structlog

from talktime.clock import real_ms
from talktime.config import Settings
from talktime.core.ids import Ids
from talktime.engine.connector import Connector
from talktime.jobs.record import Record
from talktime.jobs.timetable import Job
from talktime.operations.execute import terms_of
from talktime.operations.sweep import Sweep, Swept
from talktime.store.database import Connection, Outage
from talktime.store.version import Migrations

log = structlog.get_logger(__name__)

RETRY_S = 5
"""A job that failed runs again after this, or after its period where that is shorter."""


class Run(NamedTuple):
    """One run of a job in a cell: how many rows it did, and why it failed (empty: it did not).

    `more`: it is to run again at once.
    """

    job: str
    cell: str
    rows: int
    failure: str
    more: bool = False


class Bell(Protocol):
    """What the workers wait at between their runs: for their time, a ring, or the end."""

    def stopped(self) -> bool:
        """Whether it is over."""

    def rings(self) -> int:
        """How often it rang so far."""

    def wait(self, seconds: float, heard: int) -> bool:
        """Wait so long, or for a ring after those heard, or the end: whether that has come."""


class Task:
    """One job of a worker: when it is due, and what is known of its runs."""

    def __init__(self, job: Job, cell: str, new_ids: Callable[[], Ids]) -> None:
        self.job, self.cell = job, cell
        self.due_s = time.monotonic() + job.first_s
        self.record = Record(job.name, cell, real_ms())
        self._new_ids = new_ids
        self.ids = new_ids()
        self._fault = ""

    def ran(self, swept: Swept, error: Exception | None = None) -> Run:
        """Tell of a run in the log, where there is something to tell."""
        job, fault = self.job.name, "; ".join(swept.failures)
        if fault and not self._fault:
            log.error("job fails", job=job, cell=self.cell, reason=fault, exc_info=error)
        if self._fault and not fault:
            log.info("job works again", job=job, cell=self.cell)
        if swept.rows:
            log.info("job ran", job=job, cell=self.cell, rows=swept.rows)
        if fault:
            # The one fault that is nobody's: two processes made the same id.
            self.ids = self._new_ids()
        self._fault = fault
        return Run(job, self.cell, swept.rows, fault, swept.more)

    def plan(self, run: Run) -> None:
        """When it runs next."""
        wait_s = 0.0 if run.more else self.job.period_s
        if run.failure:
            wait_s = min(self.job.period_s, RETRY_S)
        self.due_s = time.monotonic() + wait_s


class Worker:
    """The jobs of one lane in one cell, on its own thread and connections."""

    def __init__(
        self,
        lane: str,
        jobs: Sequence[Job],
        cell: str,
        settings: Settings,
        expected: Mapping[str, Migrations],
        sources: tuple[Callable[[], int], Callable[[], Ids]],
        bell: Bell,
        after_run: Callable[[Run], None],
    ) -> None:
        self._cell, self._settings, self._bell, self._after_run = cell, settings, bell, after_run
        self._clock_ms, new_ids = sources
        self._connector = Connector(
            f"cell {cell} for {lane}", settings.cells[cell], "cell", expected["cell"]
        )
        self._control = Connector(
            f"control plane for {lane} of cell {cell}",
            settings.control_plane,
            "control_plane",
            expected["control_plane"],
        )
        self._control_away: Outage | None = None
        self.tasks = [Task(job, cell, new_ids) for job in jobs]
        self.thread = threading.Thread(target=self._work, name=f"{lane} {cell}", daemon=True)

    def _work(self) -> None:
        heard = self._bell.rings()
        while not self._bell.wait(self._wait_s(), heard):
            rings = self._bell.rings()
            now_s = time.monotonic()
            for task in self.tasks:
                if self._bell.stopped():
                    break
                if task.due_s <= now_s or rings > heard:
                    began_ms = real_ms()
                    run = self._run(task)
                    self._keep(task, run, began_ms)
                    task.plan(run)
                    self._after_run(run)
            heard = rings
        self._close()

    def _wait_s(self) -> float:
        return max(0.0, min(task.due_s for task in self.tasks) - time.monotonic())

    def _close(self) -> None:
        self._connector.close()
        self._control.close()

    def _run(self, task: Task) -> Run:
        try:
            swept = self._sweep(task)
        except Outage as outage:
            self._close()
            away = self._control if outage is self._control_away else self._connector
            away.failed(outage)
            return Run(task.job.name, task.cell, 0, str(outage))
        except Exception as error:  # noqa: BLE001 - without this thread nobody watches the cell
            self._close()
            return task.ran(Swept(0, (repr(error),)), error)
        self._connector.worked()
        self._control.worked()
        return task.ran(swept)

    def _keep(self, task: Task, run: Run, began_ms: int) -> None:
        kept = task.record.ran(began_ms, real_ms(), run.rows, run.failure)
        if task.record.is_news(kept):
            try:
                task.record.keep(self._connector.connection(), kept)
            except Outage:
                return  # the next run meets it, and tells

    def _sweep(self, task: Task) -> Swept:
        return task.job.run(
            Sweep(
                self._connector.connection(),
                self._clock_ms,
                task.ids.next,
                terms_of(self._settings),
                stopping=self._bell.stopped,
                settings=self._settings,
                control=self._control_connection,
                cell=self._cell,
            )
        )

    def _control_connection(self) -> Connection:
        try:
            return self._control.connection()
        except Outage as outage:
            self._control_away = outage
            raise
