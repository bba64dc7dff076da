"""Writers of a store's first cell, and money for them."""

from collections.abc import Iterator
from contextlib import contextmanager

from talktime.core.books import Terms
from talktime.core.ids import Ids
from talktime.engine.connector import Outages
from talktime.engine.writer import Assignment, OwnWriter
from talktime.engine.writer_process import WriterProcess
from talktime.operations.execute import execute
from tests.commands import NOW_MS, ORGANISATION, UNIT, fund
from tests.served import EXPECTED, SOURCES
from tests.stores import Store


def fill(store: Store) -> None:
    """A wallet with money in the store's first cell."""
    store.add_wallet(ORGANISATION, cell="main")
    cell = store.cell("main")
    with cell.transaction():
        execute(cell, [fund(1_000 * UNIT)], NOW_MS, Ids(0, lambda: NOW_MS).next)


def assignment(store: Store) -> Assignment:
    """What a writer of the store's first cell has to know."""
    return Assignment("main", store.settings.cells["main"], EXPECTED["cell"], Terms())


def own_writer(store: Store) -> OwnWriter:
    """One on the thread that asks it."""
    return OwnWriter(assignment(store), Outages("cell main"), SOURCES.draw_node)


@contextmanager
def writer_process(store: Store) -> Iterator[WriterProcess]:
    """One in a process of its own, begun, and ended with the block."""
    writer = WriterProcess(assignment(store), Outages("cell main"))
    writer.start()
    try:
        yield writer
    finally:
        writer.close()
