"""A writer on a thread of its own, in this process."""

import asyncio
import threading
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from typing import NamedTuple, Self

import structlog

from talktime.core.commands import CallCommand
from talktime.core.limits import BATCH_MAX
from talktime.engine.connector import Outages
from talktime.engine.measures import Distribution
from talktime.engine.reply import Reply, shares, unavailable
from talktime.engine.writer import BATCH_SIZES, FAILED, Assignment, OwnWriter, Told

log = structlog.get_logger(__name__)


class Begun(NamedTuple):
    """Commands that are to be executed."""

    commands: Sequence[CallCommand]
    now_ms: int
    told: Told


class WriterThread:
    """It executes together what has come while it was busy."""

    @classmethod
    def of(cls, assignment: Assignment, outages: Outages, draw_node: Callable[[], int]) -> Self:
        """One with this assignment; `draw_node` says which node its ids begin at."""
        return cls(OwnWriter(assignment, outages, draw_node))

    def __init__(self, writer: OwnWriter) -> None:
        self.sizes = Distribution(BATCH_SIZES)
        self.own = writer
        self._begun: SimpleQueue[Begun | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="writer", daemon=True)

    @property
    def away(self) -> str:
        """Why the database did not take the last batch, or empty."""
        return self.own.connector.reason

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin; the connection is opened when it is first needed."""
        self._loop = loop
        self._thread.start()

    def begin(self, commands: Sequence[CallCommand], now_ms: int, told: Told) -> None:
        """Take commands."""
        self._begun.put(Begun(commands, now_ms, told))

    async def close(self) -> None:
        """Let the thread end, and close the connection."""
        self._begun.put(None)
        if self._thread.is_alive():
            await asyncio.to_thread(self._thread.join)
        self.own.close()

    def _work(self) -> None:
        while (first := self._begun.get()) is not None:
            batch, commands = [first], [*first.commands]
            while len(commands) < BATCH_MAX and not self._begun.empty():
                more = self._begun.get()
                if more is None:
                    self._begun.put(None)
                    break
                batch.append(more)
                commands += more.commands
            replies = self._guarded(commands, batch[-1].now_ms)
            try:
                self._loop.call_soon_threadsafe(self._answered, batch, replies)
            except RuntimeError:
                log.warning("answers lost: the event loop is closed", answers=len(replies))

    def _answered(self, batch: list[Begun], replies: list[Reply]) -> None:
        self.sizes.add(len(replies))
        each = shares(replies, [len(begun.commands) for begun in batch])
        for begun, own in zip(batch, each, strict=True):
            begun.told(own)

    def _guarded(self, commands: Sequence[CallCommand], now_ms: int) -> list[Reply]:
        try:
            return self.own.run(commands, now_ms)
        except Exception:
            # This thread must live: without it the cell answers nothing.
            log.exception("batch failed", commands=len(commands))
            return [unavailable(c, FAILED) for c in commands]
