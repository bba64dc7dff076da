"""Reads of cells, one of which may be away. Mirrors src/talktime/engine/reader.py."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

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
        slow = Slow()
        again = asyncio.create_task(readers[1].read(slow))
        await asyncio.to_thread(slow.begun.wait)
        assert await found_in_all(cells, lambda _: 8) == ([8, 8], {"second"})
        slow.done.set()
        assert await again == "back"
        assert await found_in_all(cells, lambda _: 9) == ([9, 9, 9], set())

    asyncio.run(reading())


class Slow:
    """A read that takes until it is told."""

    def __init__(self) -> None:
        self.begun, self.done = threading.Event(), threading.Event()

    def __call__(self, _: Connection) -> str:
        self.begun.set()
        assert self.done.wait(PATIENCE_S)
        return "back"
