"""Writers of a store's first cell, and money for them."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

from talktime.core.books import Terms
from talktime.core.commands import CallCommand
from talktime.core.ids import Ids
from talktime.engine.connector import Outages
from talktime.engine.reply import Reply
from talktime.engine.writer import Assignment, OwnWriter
from talktime.engine.writer_process import WriterProcess
from talktime.operations.execute import execute
from tests.commands import NOW_MS, ORGANISATION, UNIT, fund
from tests.served import EXPECTED, SOURCES
from tests.stores import Store

ANSWER_S_MAX = 30
Value = TypeVar("Value")


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


class Told(Outages):
    """Keeps what it is told of the database."""

    def __init__(self, told: list[str]) -> None:
        super().__init__("cell main")
        self._news = told

    def begin(self, connector: object, reason: str) -> None:
        self._news.append(reason)

    def end(self, connector: object) -> None:
        self._news.append("back")


class Asked:
    """A writer on an event loop of its own, asked from any thread. That loop's clock is moved by
    `later` alone."""

    def __init__(self, writer: WriterProcess) -> None:
        self.writer = writer
        self._loop = asyncio.new_event_loop()
        self._now_s = 0.0
        self._loop.time = lambda: self._now_s  # type: ignore[method-assign]
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._on_the_loop(lambda: writer.start(self._loop))

    @property
    def pid(self) -> int | None:
        """The number of the process, where there is one."""
        return self._on_the_loop(lambda: self.writer.pid)

    def later(self, seconds: float) -> None:
        """Let so much time pass."""
        self._now_s += seconds

    def begin(self, commands: Sequence[CallCommand]) -> Callable[[], list[Reply]]:
        """Give it commands. What is returned waits for their replies."""
        told: Future[list[Reply]] = Future()
        self._on_the_loop(lambda: self.writer.begin(commands, NOW_MS, told.set_result))
        return partial(told.result, ANSWER_S_MAX)

    def run(self, commands: Sequence[CallCommand]) -> list[Reply]:
        """Give it commands, and wait for their replies."""
        return self.begin(commands)()

    def close(self) -> None:
        """End it, and its loop."""
        asyncio.run_coroutine_threadsafe(self.writer.close(), self._loop).result(ANSWER_S_MAX)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _on_the_loop(self, work: Callable[[], Value]) -> Value:
        done: Future[Value] = Future()
        self._loop.call_soon_threadsafe(lambda: done.set_result(work()))
        return done.result(ANSWER_S_MAX)


@contextmanager
def writer_process(store: Store, outages: Outages | None = None) -> Iterator[Asked]:
    """One in a process of its own, begun, and ended with the block."""
    asked = Asked(WriterProcess(assignment(store), outages or Outages("cell main")))
    try:
        yield asked
    finally:
        asked.close()


@contextmanager
def no_thread_to_be_had() -> Iterator[None]:
    """While this lasts the system cannot begin a thread: its stack would be larger than memory."""
    before = threading.stack_size(1 << 46)
    try:
        yield
    finally:
        threading.stack_size(before)
