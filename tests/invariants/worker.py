"""A process that conducts calls against one cell until it has ended them all, or is killed.

Every answer is written to standard output after its transaction has committed, one line each: what
stands there was acknowledged. What a call asks is the same whoever conducts it, so that after a
kill another process goes on where the lines end, and asks again what was not acknowledged.

    python -m tests.invariants.worker <file of a Job, as JSON>
"""

import os
import random
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec

from talktime.config import Address
from talktime.core.commands import Command
from talktime.core.ids import NODES, Ids
from talktime.core.rating import Rate
from talktime.operations.execute import Done, execute
from talktime.store.database import Connection, Outage, connect
from talktime.store.kept import Kept
from tests.commands import (
    GERMANY,
    GERMANY_WITH_FEE,
    SIXTY_SIX,
    authorize,
    expire_hold,
    extend,
    fund,
    settle,
)

OUTAGE_PAUSE_S = 0.05
NOTHING_RUNS_PAUSE_S = 0.001
FUNDING_MICROS = 60_000_000
HOUR_MS = 3_600_000
YEARS_AHEAD_MS = 4_000_000_000_000


class Task(msgspec.Struct):
    """One call (or funding) of an organisation, and the first of its requests to send."""

    name: str
    organisation_id: int
    next: int = 0


class Job(msgspec.Struct):
    """What a process has to do: where, with how many threads, which node its ids begin at.

    `sweep`: one thread more lets deadlines pass all the while, of calls that still run.
    """

    dialect: str
    place: str
    schema: str
    tasks: list[Task]
    threads: int = 1
    batch: int = 1
    first_node: int = 0
    within_first_minute: bool = False
    sweep: bool = False


class Acknowledged(msgspec.Struct, array_like=True):
    """One line: what was asked, and the answer as it was sent."""

    name: str
    step: int
    status: int
    body: str


def job_for(address: Address, tasks: list[Task], **options: Any) -> Job:
    """A job on the cell at this address."""
    return Job(address.dialect, str(address.path or address.url), address.schema, tasks, **options)


def terms_of(task: Task) -> tuple[Rate, int]:
    """The rate and the length of a call: of its name alone.

    A minute granted, another slice and the grace may be reported, whatever was granted since.
    """
    dice = random.Random(task.name)
    return dice.choice((GERMANY, GERMANY_WITH_FEE, SIXTY_SIX)), dice.randrange(60 + 300 + 60)


def requests_of(task: Task, within_first_minute: bool) -> list[Command]:
    """All that is asked about one call, in order; a funding is one request."""
    name, me = task.name, task.organisation_id
    if name.startswith("F"):
        return [fund(FUNDING_MICROS, name, organisation_id=me, expires_ms=YEARS_AHEAD_MS)]
    rate, used_s = terms_of(task)
    if within_first_minute:
        used_s = min(used_s, 60)
    asked: list[Command] = [authorize(name, 0, rate=rate, organisation_id=me)]
    for talked_s in range(min(290, used_s), used_s, 290):
        asked.append(extend(name, len(asked), talked_s, 0, me))
    asked.append(settle(name, len(asked), used_s, None if used_s % 2 else me))
    return asked


class Conductor:
    """One thread: a connection of its own, opened again after an outage."""

    def __init__(
        self, job: Job, node: int, say: Callable[[bytes], None], running: dict[str, Task]
    ) -> None:
        path = Path(job.place) if job.dialect == "sqlite" else None
        url = "" if path else job.place
        dialect: Any = job.dialect
        self._address = Address(dialect, path=path, url=url, schema=job.schema)
        self._job = job
        self._ids = Ids(node % NODES, clock_ms)
        self._say = say
        self._running = running
        self._connection: Connection | None = None
        self._kept = Kept()
        self._pause = threading.Event()

    def conduct(self, waiting: "deque[Task]") -> None:
        """Take tasks, a batch at a time, until none is left."""
        while True:
            tasks = [task for _ in range(self._job.batch) if (task := taken(waiting))]
            if not tasks:
                break
            self._running.update({task.name: task for task in tasks})
            plans = {task.name: requests_of(task, self._job.within_first_minute) for task in tasks}
            while together := [task for task in tasks if task.next < len(plans[task.name])]:
                done = self._until_done([plans[task.name][task.next] for task in together])
                for task, each in zip(together, done, strict=True):
                    line = Acknowledged(task.name, task.next, each.status, each.body)
                    self._say(msgspec.json.encode(line) + b"\n")
                    task.next += 1
            for task in tasks:
                del self._running[task.name]
        if self._connection is not None:
            self._connection.close()

    def sweep(self, ended: threading.Event) -> None:
        """Let deadlines pass, of any running call at any time, until all calls have ended."""
        dice = random.Random(self._job.first_node)
        while not ended.is_set():
            running = list(self._running.values())
            some = dice.sample(running, min(4, len(running)))
            if not some:
                self._pause.wait(NOTHING_RUNS_PAUSE_S)
                continue
            commands = [expire_hold(task.name, task.organisation_id) for task in some]
            self._until_done([*commands], HOUR_MS)

    def _until_done(self, commands: list[Command], ahead_ms: int = 0) -> list[Done]:
        while True:
            try:
                if self._connection is None:
                    self._connection, self._kept = connect(self._address), Kept()
                at_ms = clock_ms() + ahead_ms
                with self._connection.transaction():
                    done = execute(
                        self._connection, commands, at_ms, self._ids.next, kept=self._kept
                    )
                self._kept.committed()
            except Outage:
                if self._connection is not None:
                    self._connection.close()
                    self._connection = None
                self._pause.wait(OUTAGE_PAUSE_S)
            else:
                return done


def say(line: bytes) -> None:
    """Acknowledge: one write for a line, so that lines of threads do not mix."""
    os.write(1, line)


def taken(waiting: "deque[Task]") -> Task | None:
    """The next task; None when there is none."""
    try:
        return waiting.popleft()
    except IndexError:
        return None


def clock_ms() -> int:
    """Milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


def work(job: Job, say: Callable[[bytes], None]) -> None:
    """Do the whole job; an error of any thread is raised."""
    waiting, all_ended = deque(job.tasks), threading.Event()
    with ThreadPoolExecutor(job.threads + 1) as pool:
        running: dict[str, Task] = {}
        conductors = [
            Conductor(job, job.first_node + n, say, running) for n in range(job.threads + 1)
        ]
        conducted = [pool.submit(each.conduct, waiting) for each in conductors[1:]]
        if job.sweep:
            conducted.insert(0, pool.submit(conductors[0].sweep, all_ended))
        try:
            for each in conducted[job.sweep :]:
                each.result()
        finally:
            all_ended.set()
        conducted[0].result()


if __name__ == "__main__":
    work(msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Job), say)
