"""Many threads of several processes at one wallet: never oversold, no deadlock, no lost update."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from talktime.core.ids import Ids
from talktime.operations.execute import execute
from tests.commands import NOW_MS, fund
from tests.invariants.crews import Worker, at_work, held_to_the_books, note
from tests.invariants.worker import YEARS_AHEAD_MS, Acknowledged, Task, job_for
from tests.stores import Store

MONEY = "SELECT SUM(balance_micros), SUM(held_micros), SUM(debt_micros) FROM wallet"
LOTS = "SELECT SUM(amount_micros), SUM(remaining_micros), SUM(held_micros) FROM lot"
CORRECTIONS = "SELECT COUNT(*) FROM usage_record WHERE kind = 'correction'"
FUNDED_MICROS = 7_000_000
PROCESSES, THREADS, CALLS = 2, 16, 25


def acknowledgements(worker: Worker) -> list[Acknowledged]:
    """All that a worker acknowledges."""
    return list(worker.lines())


@pytest.mark.layouts("postgres")
@pytest.mark.parametrize(("batch", "wallets"), [(1, 1), (4, 1), (4, 7)])
def test_32_threads_in_2_processes_never_sell_more_than_the_wallets_hold(
    store: Store, tmp_path: Path, batch: int, wallets: int
):
    """Each call stays within its first minute, so that any debt were money granted twice.

    Batches over seven wallets, in any order, do not wait for each other in a circle.
    """
    connection, next_id = store.cell(), Ids(999, lambda: NOW_MS).next
    for number in range(1, wallets + 1):
        store.add_wallet(number)
        command = fund(FUNDED_MICROS // wallets, organisation_id=number, expires_ms=YEARS_AHEAD_MS)
        with connection.transaction():
            execute(connection, [command], NOW_MS, next_id)
    crews = [
        [Task(f"C{process}-{n}", n * 5 % wallets + 1) for n in range(THREADS * CALLS)]
        for process in range(PROCESSES)
    ]
    jobs = [
        job_for(
            store.settings.cells["main"],
            tasks,
            threads=THREADS,
            batch=batch,
            first_node=100 * process,
            within_first_minute=True,
        )
        for process, tasks in enumerate(crews)
    ]
    acknowledged: dict[tuple[str, int], Acknowledged] = {}
    with at_work(jobs, tmp_path) as workers, ThreadPoolExecutor(PROCESSES) as readers:
        for lines in readers.map(acknowledgements, workers):
            for line in lines:
                note(acknowledged, line)
        assert [worker.ended() for worker in workers] == [0] * PROCESSES, workers[0].errors()
    held_to_the_books(
        connection, [t for tasks in crews for t in tasks], acknowledged, within_first_minute=True
    )
    with connection.reading():
        (balance, held, debt), (bought, left, held_of_lots) = (
            *connection.rows(MONEY),
            *connection.rows(LOTS),
        )
    assert (held, held_of_lots, debt) == (0, 0, 0)
    assert bought == FUNDED_MICROS
    assert 0 <= balance == left
    refused = [line for line in acknowledged.values() if line.status == 402]
    assert refused, "the money was meant to run out"


@pytest.mark.layouts("sqlite", "postgres")
def test_deadlines_that_pass_while_calls_go_on_are_reconciled(store: Store, tmp_path: Path):
    """Every call is closed at any moment, and charged in the end what was talked."""
    organisations = (1, 2, 3)
    for number in organisations:
        store.add_wallet(number, cell="main")
    tasks = [Task(f"F{number}", number) for number in organisations]
    tasks += [Task(f"C{n}", organisations[n % 3]) for n in range(300)]
    job = job_for(
        store.settings.cells["main"],
        tasks,
        threads=8 if store.kind == "postgres" else 2,
        batch=3,
        sweep=True,
    )
    acknowledged: dict[tuple[str, int], Acknowledged] = {}
    with at_work([job], tmp_path) as (worker,):
        for line in worker.lines():
            note(acknowledged, line)
        assert worker.ended() == 0, worker.errors()
    connection = store.cell()
    held_to_the_books(connection, tasks, acknowledged, corrected=True)
    with connection.reading():
        ((corrections,),) = connection.rows(CORRECTIONS)
    assert corrections > 10, "the deadlines were meant to pass before the settles"
