"""Killed at any moment, started again: nothing acknowledged is lost, nothing is charged twice."""

import random
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.databases import Cluster
from tests.invariants.crews import Worker, at_work, held_to_the_books, left_of, note
from tests.invariants.worker import Acknowledged, Task, job_for
from tests.stores import Store, Stores

THREADS = {"sqlite": 3, "postgres": 8}
KILLS, KILLED_AFTER_LINES = 4, (1, 120)

Told = dict[tuple[str, int], Acknowledged]


def tasks_of(organisations: Sequence[int], calls: int) -> list[Task]:
    """Fundings first, which are soon used up; then calls of all organisations, and more money."""
    tasks = [Task(f"F{number}", number) for number in organisations]
    tasks += [Task(f"C{n}", organisations[n % len(organisations)]) for n in range(calls)]
    tasks += [Task(f"F{number}-late", number) for number in organisations]
    return tasks


def note_until(worker: Worker, told: Told, lines: int) -> None:
    """Read what a worker acknowledges; kill it after so many lines, then read what is left."""
    for read, line in enumerate(worker.lines(), start=1):
        note(told, line)
        if read == lines:
            worker.kill()


@pytest.mark.layouts("sqlite", "postgres")
@pytest.mark.parametrize("seed", [1, 2])
def test_a_killed_process_loses_and_doubles_nothing(store: Store, tmp_path: Path, seed: int):
    dice, told = random.Random(seed), Told()
    organisations = (1, 2, 3)
    for number in organisations:
        store.add_wallet(number, cell="main")
    tasks = tasks_of(organisations, calls=300)
    ended = []
    for life in range(KILLS + 1):
        job = job_for(
            store.settings.cells["main"],
            left_of(tasks, told),
            threads=THREADS[store.kind],
            batch=dice.choice((1, 3)),
            first_node=10 * life,
        )
        lines = dice.randint(*KILLED_AFTER_LINES) if life < KILLS else 10**9
        with at_work([job], tmp_path, life) as (worker,):
            note_until(worker, told, lines)
            ended.append(worker.ended())
    assert ended == [-9] * KILLS + [0]
    held_to_the_books(store.cell(), tasks, told)


@pytest.mark.parametrize("seed", [1])
def test_a_killed_database_server_loses_and_doubles_nothing(
    new_cluster: Callable[..., Cluster], tmp_path: Path, seed: int
):
    """The callers meet the outage, ask again until the server is back, and are charged once."""
    cluster, dice, told = new_cluster(), random.Random(seed), Told()
    store = Stores(tmp_path, lambda _: cluster).make("postgres")
    organisations = (1, 2, 3)
    for number in organisations:
        store.add_wallet(number)
    tasks = tasks_of(organisations, calls=400)
    job = job_for(store.settings.cells["main"], tasks, threads=8, batch=2)
    kill_at, killed = dice.randint(*KILLED_AFTER_LINES), 0
    with at_work([job], tmp_path) as (worker,):
        for read, line in enumerate(worker.lines(), start=1):
            note(told, line)
            if read >= kill_at and killed < KILLS:
                cluster.kill()
                cluster.start()
                killed += 1
                kill_at = read + dice.randint(*KILLED_AFTER_LINES)
        assert worker.ended() == 0, worker.errors()
    assert killed == KILLS
    held_to_the_books(store.cell(), tasks, told)
    store.close()
