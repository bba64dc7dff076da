"""Runs workers (worker.py), kills them, and holds what they acknowledged to the books."""

import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from talktime.core.calls import OPEN, REFUSED
from talktime.core.rating import billed_seconds, price_micros
from talktime.store.database import Connection
from tests.books_check import proven
from tests.invariants.worker import Acknowledged, Job, Task, requests_of, terms_of

ROOT = Path(__file__).parents[2]
ANSWERS = (
    "SELECT c.call_key, a.sequence, a.status, a.body FROM answer a JOIN call c ON c.id = a.call_id"
)
CHARGES = "SELECT call_key, state, charged_micros FROM call"
RECORDS = "SELECT call_key, COUNT(*), SUM(charge_micros) FROM usage_record GROUP BY call_key"
FUNDED = "SELECT idempotency_key, COUNT(*) FROM lot GROUP BY idempotency_key"
BY_ORDER_ALONE = (409, 410)
"""Refusals that keep nothing: out of order, or after the call's end."""
GRANTED = '"decision":"granted"'


class Worker:
    """One process at work."""

    def __init__(self, job: Job, folder: Path, number: int) -> None:
        path = folder / f"job_{number}.json"
        path.write_bytes(msgspec.json.encode(job))
        self._errors = (folder / f"errors_{number}").open("w+")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.invariants.worker", str(path)],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._errors,
        )

    def lines(self) -> Iterator[Acknowledged]:
        """What it acknowledges, until it ends; a line that a kill has cut off is none."""
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.endswith(b"\n"):
                yield msgspec.json.decode(line, type=Acknowledged)

    def kill(self) -> None:
        """End it at once, wherever it is."""
        self._process.send_signal(signal.SIGKILL)

    def ended(self) -> int:
        """Its exit code, once it has ended."""
        code = self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()
        return code

    def errors(self) -> str:
        """What it wrote to standard error."""
        self._errors.seek(0)
        return self._errors.read()

    def close(self) -> None:
        """Make sure it is gone."""
        self.kill()
        self.ended()
        self._errors.close()


@contextmanager
def at_work(jobs: Sequence[Job], folder: Path, first: int = 0) -> Iterator[list[Worker]]:
    """Processes at work, gone at the end of the block."""
    workers = [Worker(job, folder, first + n) for n, job in enumerate(jobs)]
    try:
        yield workers
    finally:
        for worker in workers:
            worker.close()


def note(acknowledged: dict[tuple[str, int], Acknowledged], line: Acknowledged) -> None:
    """Remember a line; the same request was never acknowledged twice with two answers."""
    before = acknowledged.setdefault((line.name, line.step), line)
    assert before == line


def left_of(tasks: Iterable[Task], acknowledged: Iterable[tuple[str, int]]) -> list[Task]:
    """The tasks again, each from its first request that was not acknowledged."""
    steps: dict[str, int] = {}
    for name, step in acknowledged:
        steps[name] = max(steps.get(name, 0), step + 1)
    return [Task(task.name, task.organisation_id, steps.get(task.name, 0)) for task in tasks]


def held_to_the_books(
    connection: Connection,
    tasks: Sequence[Task],
    acknowledged: dict[tuple[str, int], Acknowledged],
    *,
    within_first_minute: bool = False,
    corrected: bool = False,
) -> None:
    """Every answer stands in the books as it was given; every call was charged its price, once
    (or, where deadlines passed, at its deadline, and `corrected`)."""
    proven(connection)
    with connection.reading():
        answers = {row[:2]: row[2:] for row in connection.rows(ANSWERS)}
        charges = {row[0]: row[1:] for row in connection.rows(CHARGES)}
        records = {row[0]: row[1:] for row in connection.rows(RECORDS)}
        funded: dict[str, int] = {row[0]: row[1] for row in connection.rows(FUNDED)}
    for task in tasks:
        steps = len(requests_of(task, within_first_minute))
        said = [acknowledged[task.name, step] for step in range(steps)]
        if task.name.startswith("F"):
            assert funded[task.name] == 1
            continue
        for line in said:
            if (task.name, line.step) in answers:
                assert answers[task.name, line.step] == (line.status, line.body)
            else:
                assert line.status in BY_ORDER_ALONE, f"an answer is lost: {line}"
        granted = GRANTED in said[0].body
        rate, used_s = terms_of(task)
        used_s = min(used_s, 60) if within_first_minute else used_s
        price = price_micros(billed_seconds(used_s, rate), rate) if granted else 0
        state, charged_micros = charges[task.name]
        assert state not in (OPEN, REFUSED)
        assert charged_micros == price
        recorded, sum_micros = records.get(task.name, (0, 0))
        assert sum_micros == price
        assert recorded in ((1, 2) if corrected else (1,)) if granted else recorded == 0
