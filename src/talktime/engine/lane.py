"""The queue of one of a cell's writers, on the event loop.

There is no timer: a batch is what arrived while the last one was executed. A writer that runs
beside the event loop is given a second batch where enough commands wait for that, and, where it is
the cell's only one, the half of twice as many: while one half is executed, the loop answers the
other.
Answers are handed back after the commit, all of a batch in one go; what waits is begun before that.
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
from talktime.engine.reply import Reply, refused, unavailable
from talktime.engine.writer import FAILED, Writer

log = structlog.get_logger(__name__)

BATCH_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
AT_ONCE_MAX = 2
"""How many batches a writer has at most."""


Tell = Callable[[list[Reply]], None]
"""Who is told what came of the commands of one request."""


class Waiting(NamedTuple):
    """The commands of one request, in order, and who waits for what comes of them."""

    commands: Sequence[CallCommand]
    tell: Tell


class Lane:
    """A queue, and the writer that is given what waits in it. `alone`: whether it is the cell's
    only one. All of it is called on the event loop's thread."""

    def __init__(
        self,
        name: str,
        writer: Writer,
        clock_ms: Callable[[], int],
        queue_max: int,
        *,
        alone: bool = True,
    ) -> None:
        self.name = name
        self.writer = writer
        self.sizes = Distribution(BATCH_SIZES)
        self.depth = 0
        """How many commands wait."""
        self._clock_ms = clock_ms
        self._queue_max = queue_max
        self._alone = alone
        self._queue: deque[Waiting] = deque()
        self._under_way = 0
        self._soon = False
        self._stopping = False
        self._ended = asyncio.Event()

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to work on this loop."""
        self._loop = loop
        self.writer.start(loop)

    def put(self, commands: Sequence[CallCommand], tell: Tell) -> None:
        """Queue one request's commands, together and in order; a full queue refuses them all.

        They are given to the writer once the loop has read what else has arrived: one batch, not
        two.
        """
        if self._stopping:
            tell([unavailable(c, "the service is stopping") for c in commands])
        elif self.depth and self.depth + len(commands) > self._queue_max:
            tell([self._full(c) for c in commands])
        else:
            self._queue.append(Waiting(commands, tell))
            self.depth += len(commands)
            if not self._soon and self._enough():
                self._soon = True
                self._loop.call_soon(self._work)

    def submit(self, commands: Sequence[CallCommand]) -> "asyncio.Future[list[Reply]]":
        """As `put`, for who awaits the answers."""
        answered: asyncio.Future[list[Reply]] = self._loop.create_future()

        def tell(replies: list[Reply]) -> None:
            if not answered.done():
                answered.set_result(replies)

        self.put(commands, tell)
        return answered

    async def stop(self) -> None:
        """Take nothing more, answer what was taken, then close."""
        self._stopping = True
        if self._queue or self._under_way:
            await self._ended.wait()
        await self.writer.close()

    def _full(self, command: CallCommand) -> Reply:
        refusal = Refusal("queue_full", f"{self.depth} requests are waiting for their turn")
        return refused(refusal, command.call_key, command.sequence)

    def _work(self) -> None:
        self._soon = False
        while self._queue and self._enough():
            batch = self._next_batch()
            commands = [command for waiting in batch for command in waiting.commands]
            self.sizes.add(len(commands))
            self._under_way += 1
            tell = partial(self._answered, batch)
            try:
                self.writer.begin(commands, self._clock_ms(), tell)
            except Exception:
                # The others wait: without this lane the cell answers nothing.
                log.exception("batch failed", lane=self.name, commands=len(commands))
                self._loop.call_soon(tell, [unavailable(c, FAILED) for c in commands])

    def _next_batch(self) -> list[Waiting]:
        batch: list[Waiting] = []
        ahead_from = self.writer.ahead_from
        halved = self._alone and ahead_from and self.depth >= 2 * ahead_from
        size, most = 0, min(self.depth // 2 if halved else self.depth, BATCH_MAX)
        while self._queue and (not batch or size + len(self._queue[0].commands) <= most):
            batch.append(self._queue.popleft())
            size += len(batch[-1].commands)
        self.depth -= size
        return batch

    def _enough(self) -> bool:
        """Whether what waits should be a batch now."""
        if not self._under_way:
            return True
        ahead_from = self.writer.ahead_from
        return 0 < ahead_from <= self.depth and self._under_way < AT_ONCE_MAX

    def _answered(self, batch: list[Waiting], replies: list[Reply]) -> None:
        self._under_way -= 1
        self._work()
        start = 0
        for commands, tell in batch:
            end = start + len(commands)
            try:
                tell(replies[start:end])
            except Exception:
                # The others of the batch wait for their answers too.
                log.exception("request failed", commands=len(commands))
            start = end
        if self._stopping and not (self._queue or self._under_way):
            self._ended.set()
