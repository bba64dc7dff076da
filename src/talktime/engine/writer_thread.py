"""A writer on a thread of its own, in this process."""

import asyncio
import threading
from collections.abc import Sequence
from queue import SimpleQueue

import structlog

from talktime.core.commands import CallCommand
from talktime.engine.reply import Reply, unavailable
from talktime.engine.writer import FAILED, OwnWriter, Told

log = structlog.get_logger(__name__)


class WriterThread:
    """It executes one batch after the other."""

    ahead_from = 0

    def __init__(self, writer: OwnWriter) -> None:
        self._writer = writer
        self._batches: SimpleQueue[tuple[Sequence[CallCommand], int, Told] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="writer", daemon=True)

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin; the connection is opened when it is first needed."""
        self._loop = loop
        self._thread.start()

    def begin(self, commands: Sequence[CallCommand], now_ms: int, told: Told) -> None:
        """Take a batch."""
        self._batches.put((commands, now_ms, told))

    async def close(self) -> None:
        """Let the thread end, and close the connection."""
        self._batches.put(None)
        if self._thread.is_alive():
            await asyncio.to_thread(self._thread.join)
        self._writer.close()

    def _work(self) -> None:
        for commands, now_ms, told in iter(self._batches.get, None):
            replies = self._guarded(commands, now_ms)
            try:
                self._loop.call_soon_threadsafe(told, replies)
            except RuntimeError:
                log.warning("answers lost: the event loop is closed", answers=len(replies))

    def _guarded(self, commands: Sequence[CallCommand], now_ms: int) -> list[Reply]:
        try:
            return self._writer.run(commands, now_ms)
        except Exception:
            # This thread must live: without it the cell answers nothing.
            log.exception("batch failed", commands=len(commands))
            return [unavailable(c, FAILED) for c in commands]
