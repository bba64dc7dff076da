"""Reads of cells, one of which may be away. Mirrors src/talktime/engine/reader.py."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from talktime.core.limits import READS_WAITING_MAX
from talktime.core.refusal import Refusal
from talktime.engine.connector import Connector
from talktime.engine.reader import Reader, found_in, found_in_all
from talktime.store.database import Connection, Outage
from tests.served import EXPECTED, PATIENCE_S
from tests.stores import Store

pytestmark = pytest.mark.layouts("sqlite-cells", "postgres-cells")
AWAY = Refusal("unavailable", "the database does not answer")


@pytest.fixture
def readers(store: Store) -> Iterator[list[Reader]]:
    """The reader of each cell."""
    made = [
        Reader(cell, Connector(f"cell {cell}", address, "cell", EXPECTED["cell"]))
        for cell, address in store.settings.cells.items()
    ]
    yield made
    for reader in made:
        reader.stop()


class Reading:
    """A read that each cell answers in turn: what it finds, None, or that it is away."""

    def __init__(self, *found: str | None) -> None:
        self._found = iter(found)

    def __call__(self, _: Connection) -> str | None:
        found = next(self._found)
        if found == "away":
            raise Outage("gone")
        return found


@pytest.mark.parametrize(
    ("cells", "found"),
    [
        ((None, "it", "away"), "it"),
        (("away", None, "it"), "it"),
        ((None, "away", None), AWAY),
        ((None, None, None), None),
    ],
)
def test_a_cell_that_is_away_hides_nothing_that_another_has(
    readers: list[Reader], cells: list[str | None], found: str | Refusal | None
) -> None:
    assert asyncio.run(found_in(readers, Reading(*cells))) == found


def test_of_all_cells_those_are_read_that_answer_and_nobody_waits_for_one_that_is_away(
    readers: list[Reader],
) -> None:
    cells = dict(zip(("first", "second", "third"), readers, strict=True))

    async def reading() -> None:
        assert await found_in_all(cells, lambda _: 7) == ([7, 7, 7], set())
        assert await readers[1].read(Reading("away")) == AWAY
        slow = Slow("back")
        again = asyncio.create_task(readers[1].read(slow))
        await asyncio.to_thread(slow.begun.wait)
        assert await found_in_all(cells, lambda _: 8) == ([8, 8], {"second"})
        slow.done.set()
        assert await again == "back"
        assert await found_in_all(cells, lambda _: 9) == ([9, 9, 9], set())

    asyncio.run(reading())


def test_what_waits_for_a_read_that_fails_does_not_try_it_again(readers: list[Reader]) -> None:
    async def reading() -> None:
        slow = Slow("away")
        first = asyncio.create_task(readers[0].read(slow))
        await asyncio.to_thread(slow.begun.wait)
        waiting = [asyncio.create_task(readers[0].read(lambda _: 7)) for _ in range(20)]
        await asyncio.to_thread(slow.begun.wait)  # all are in the queue
        slow.done.set()
        assert await asyncio.gather(first, *waiting) == [AWAY] * 21
        assert await readers[0].read(lambda _: 8) == 8

    asyncio.run(reading())


def test_a_cell_that_has_too_many_reads_is_not_passed_over_as_one_that_is_away(
    readers: list[Reader],
) -> None:
    cells = dict(zip(("first", "second", "third"), readers, strict=True))

    async def reading() -> None:
        slow = Slow("back")
        first = asyncio.create_task(readers[1].read(slow))
        await asyncio.to_thread(slow.begun.wait)
        more = range(READS_WAITING_MAX - 1)
        waiting = [asyncio.create_task(readers[1].read(lambda _: 7)) for _ in more]
        await asyncio.to_thread(slow.begun.wait)  # all are in the queue
        found = await found_in_all(cells, lambda _: 8)
        assert isinstance(found, Refusal)
        assert found.code == "queue_full"
        slow.done.set()
        assert await asyncio.gather(first, *waiting) == ["back", *[7] * len(more)]

    asyncio.run(reading())


class Slow:
    """A read that takes until it is told, and finds this, or that the cell is away."""

    def __init__(self, found: str) -> None:
        self._found = found
        self.begun, self.done = threading.Event(), threading.Event()

    def __call__(self, _: Connection) -> str:
        self.begun.set()
        assert self.done.wait(PATIENCE_S)
        if self._found == "away":
            raise Outage("gone")
        return self._found
