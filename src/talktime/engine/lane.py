"""The queue of one of a cell's writers, on the event loop.

There is no timer: a batch is what arrived while the last one was executed. A writer that has
nothing to do is given what arrives at once; one that is busy, once the loop has read all that is
there, and it executes together what it was given meanwhile. So that little is lost with a writer,
it is given so much at a time; the rest waits here.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import structlog

from talktime.core.commands import CallCommand
from talktime.core.limits import BATCH_MAX
from talktime.core.refusal import Refusal
from talktime.engine.measures import Distribution
from talktime.engine.reply import Reply, refused, shares, unavailable
from talktime.engine.writer import FAILED, Told, Writer

log = structlog.get_logger(__name__)

GIVEN_MAX = 2 * BATCH_MAX
"""How many commands a writer has at most: a batch that it executes, and the next one."""
AWAY_SECONDS = 10
"""So long a batch that the database did not take keeps the lane from being ready. Not until one is
taken: who sends nothing to a process that is not ready would never see it ready again."""


class Waiting(NamedTuple):
    """The commands of one request, in order, and who waits for what comes of them."""

    commands: Sequence[CallCommand]
    told: Told


class Lane:
    """A queue, and the writer that is given what waits in it. All of it is called on the event
    loop's thread."""

    def __init__(
        self,
        name: str,
        writer: Writer,
        clock_ms: Callable[[], int],
        queue_max: int,
    ) -> None:
        self.name = name
        self.writer = writer
        self.depth = 0
        """How many commands wait for their answers."""
        self._clock_ms = clock_ms
        self._queue_max = queue_max
        self._queue: deque[Waiting] = deque()
        self._given = 0
        self._soon = False
        self._away_s: float | None = None
        self._stopping = False
        self._ended = asyncio.Event()

    @property
    def sizes(self) -> Distribution:
        """How many commands the batches had."""
        return self.writer.sizes

    @property
    def away(self) -> str:
        """Why the database took none of the last commands, a moment ago; or empty."""
        if self._away_s is None or self._loop.time() - self._away_s > AWAY_SECONDS:
            return ""
        return self.writer.away

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to work on this loop."""
        self._loop = loop
        self.writer.start(loop)

    def put(self, commands: Sequence[CallCommand], told: Told) -> None:
        """Queue one request's commands, together and in order; a full queue refuses them all."""
        if self._stopping:
            told([unavailable(c, "the service is stopping") for c in commands])
        elif self.depth and self.depth + len(commands) > self._queue_max:
            told([self._full(c) for c in commands])
        else:
            self._queue.append(Waiting(commands, told))
            self.depth += len(commands)
            if not self._given:
                self._give()
            elif not self._soon:
                self._soon = True
                self._loop.call_soon(self._give)

    def submit(self, commands: Sequence[CallCommand]) -> "asyncio.Future[list[Reply]]":
        """As `put`, for who awaits the answers."""
        answered: asyncio.Future[list[Reply]] = self._loop.create_future()

        def told(replies: list[Reply]) -> None:
            if not answered.done():
                answered.set_result(replies)

        self.put(commands, told)
        return answered

    async def stop(self) -> None:
        """Take nothing more, answer what was taken, then close."""
        self._stopping = True
        if self.depth:
            await self._ended.wait()
        await self.writer.close()

    def _full(self, command: CallCommand) -> Reply:
        refusal = Refusal("queue_full", f"{self.depth} requests are waiting for their turn")
        return refused(refusal, command.call_key, command.sequence)

    def _give(self) -> None:
        self._soon = False
        while batch := self._next_batch():
            commands = [command for waiting in batch for command in waiting.commands]
            self._given += len(commands)
            told = partial(self._answered, batch)
            try:
                self.writer.begin(commands, self._clock_ms(), told)
            except Exception:
                # The others wait: without this lane the cell answers nothing.
                log.exception("batch failed", lane=self.name, commands=len(commands))
                self._loop.call_soon(told, [unavailable(c, FAILED) for c in commands])

    def _next_batch(self) -> list[Waiting]:
        batch: list[Waiting] = []
        size, most = 0, min(GIVEN_MAX - self._given, BATCH_MAX)
        while self._queue:
            more = len(self._queue[0].commands)
            if size + more > most and (batch or self._given):
                break
            batch.append(self._queue.popleft())
            size += more
        return batch

    def _answered(self, batch: list[Waiting], replies: list[Reply]) -> None:
        self._given -= len(replies)
        self.depth -= len(replies)
        if not self.writer.away:
            self._away_s = None
        elif any(reply.code == "unavailable" for reply in replies):
            self._away_s = self._loop.time()
        self._give()
        each = shares(replies, [len(waiting.commands) for waiting in batch])
        for (commands, told), own in zip(batch, each, strict=True):
            try:
                told(own)
            except Exception:
                # The others of the batch wait for their answers too.
                log.exception("request failed", commands=len(commands))
        if self._stopping and not self.depth:
            self._ended.set()
