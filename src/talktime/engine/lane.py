"""The queue of one of a cell's writers, and the threads that take from it.

There is no timer: a batch is what arrived while the last one was executed. A writer that runs
beside the event loop is given a second batch where enough commands wait for that, and, where it is
the cell's only one, the half of twice as many: while one half is executed, the loop answers the
other.
Answers are handed back to the event loop after the commit, all of a batch in one call. The lane's
threads, one for each batch that its writer may have, do nothing but wait for it (writer.py,
writer_process.py). Only `put` and `submit` are called from the loop.
"""

import asyncio
import threading
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


Tell = Callable[[list[Reply]], None]
"""Who is told what came of the commands of one request, on the event loop's thread."""


class Waiting(NamedTuple):
    """The commands of one request, in order, and who waits for what comes of them."""

    commands: Sequence[CallCommand]
    tell: Tell


class Lane:
    """A queue, and the threads on which its writer is asked. `alone`: whether it is the cell's only
    one."""

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
        self._clock_ms = clock_ms
        self._queue_max = queue_max
        self._alone = alone
        self._queue: deque[Waiting] = deque()
        self._depth = 0
        self._under_way = 0
        self._idle = False
        self._waking = False
        self._stopping = False
        self._lock = threading.Lock()
        self._wake = threading.Condition(self._lock)
        self._taking = threading.Lock()
        self._threads = [
            threading.Thread(target=self._work, name=f"lane {name}", daemon=True)
            for _ in range(2 if writer.ahead_from else 1)
        ]

    @property
    def depth(self) -> int:
        """How many commands wait."""
        return self._depth

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to work; answers go to this event loop."""
        self._loop = loop
        self.writer.start()
        for thread in self._threads:
            thread.start()

    def put(self, commands: Sequence[CallCommand], tell: Tell) -> None:
        """Queue one request's commands, together and in order; a full queue refuses them all.

        An idle writer is woken once the loop has read what else has arrived: one batch, not two.
        """
        with self._lock:
            if self._stopping:
                replies = [unavailable(c, "the service is stopping") for c in commands]
            elif self._depth and self._depth + len(commands) > self._queue_max:
                replies = [self._full(c) for c in commands]
            else:
                self._queue.append(Waiting(commands, tell))
                self._depth += len(commands)
                if self._idle and not self._waking and self._enough():
                    self._waking = True
                    self._loop.call_soon(self._wake_writer)
                return
        tell(replies)

    def submit(self, commands: Sequence[CallCommand]) -> "asyncio.Future[list[Reply]]":
        """As `put`, for who awaits the answers."""
        answered: asyncio.Future[list[Reply]] = self._loop.create_future()

        def tell(replies: list[Reply]) -> None:
            if not answered.done():
                answered.set_result(replies)

        self.put(commands, tell)
        return answered

    def stop(self) -> None:
        """Take nothing more, answer what was taken, then close. Blocks until that is done."""
        with self._lock:
            self._stopping = True
            self._wake.notify()
        for thread in self._threads:
            if thread.is_alive():
                thread.join()
        self.writer.close()

    def _wake_writer(self) -> None:
        with self._lock:
            self._waking = False
            self._wake.notify()

    def _full(self, command: CallCommand) -> Reply:
        refusal = Refusal("queue_full", f"{self._depth} requests are waiting for their turn")
        return refused(refusal, command.call_key, command.sequence)

    def _work(self) -> None:
        while True:
            # In the order in which they were taken the writer gets them.
            with self._taking:
                batch = self._next_batch()
                if not batch:
                    return
                commands = [command for waiting in batch for command in waiting.commands]
                self.sizes.add(len(commands))
                wait = self._begin(commands)
            replies = self._guarded(wait, commands)
            with self._lock:
                self._under_way -= 1
                self._wake.notify()
            try:
                self._loop.call_soon_threadsafe(_hand_back, batch, replies)
            except RuntimeError:
                log.warning(
                    "answers lost: the event loop is closed", lane=self.name, answers=len(replies)
                )

    def _begin(self, commands: list[CallCommand]) -> Callable[[], list[Reply]]:
        try:
            return self.writer.begin(commands, self._clock_ms())
        except Exception as error:  # noqa: BLE001 - it is raised again where it is guarded
            return partial(_fail, error)

    def _guarded(self, wait: Callable[[], list[Reply]], commands: list[CallCommand]) -> list[Reply]:
        try:
            return wait()
        except Exception:
            # This thread must live: without it the cell answers nothing.
            log.exception("batch failed", lane=self.name, commands=len(commands))
            return [unavailable(c, FAILED) for c in commands]

    def _next_batch(self) -> list[Waiting]:
        batch: list[Waiting] = []
        with self._lock:
            while not (self._stopping or (self._queue and self._enough())):
                self._idle = True
                self._wake.wait()
            self._idle = False
            ahead_from = self.writer.ahead_from
            halved = self._alone and ahead_from and self._depth >= 2 * ahead_from
            size, most = 0, min(self._depth // 2 if halved else self._depth, BATCH_MAX)
            while self._queue and (not batch or size + len(self._queue[0].commands) <= most):
                batch.append(self._queue.popleft())
                size += len(batch[-1].commands)
            self._depth -= size
            self._under_way += bool(batch)
        return batch

    def _enough(self) -> bool:
        """Whether what waits should be a batch now."""
        return not self._under_way or self._depth >= self.writer.ahead_from


def _fail(error: Exception) -> list[Reply]:
    raise error


def _hand_back(batch: list[Waiting], replies: list[Reply]) -> None:
    start = 0
    for commands, tell in batch:
        end = start + len(commands)
        try:
            tell(replies[start:end])
        except Exception:
            # The others of the batch wait for their answers too.
            log.exception("request failed", commands=len(commands))
        start = end
