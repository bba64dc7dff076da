"""One cell's queue and its one writer.

There is no timer: a batch is whatever arrived while the last one committed. Answers are handed back
to the event loop after the commit, all of a batch in one call. Everything below runs on the
writer's thread, synchronously; only `put` and `submit` are called from the loop.

A batch that the database could not take is answered `unavailable`, and the next one opens a new
connection. A batch that failed for another reason is taken apart: each command runs alone, so that
one bad command cannot fail its neighbours.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

import structlog

from talktime.core.books import Terms
from talktime.core.commands import CallCommand
from talktime.core.ids import Ids
from talktime.core.limits import BATCH_MAX
from talktime.core.outcomes import Refused
from talktime.core.refusal import Refusal
from talktime.engine.connector import Connector
from talktime.engine.measures import Distribution
from talktime.operations.execute import Done, execute
from talktime.operations.render import problem
from talktime.store.database import Outage

log = structlog.get_logger(__name__)

BATCH_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


Tell = Callable[[list[Done]], None]
"""Who is told what came of the commands of one request, on the event loop's thread."""


class Waiting(NamedTuple):
    """The commands of one request, in order, and who waits for what comes of them."""

    commands: Sequence[CallCommand]
    tell: Tell


class Sources(NamedTuple):
    """Where a lane gets the time (ms since the epoch) and the node of its ids from."""

    clock_ms: Callable[[], int]
    draw_node: Callable[[], int]


def refused(refusal: Refusal, call_key: str | None = None, sequence: int | None = None) -> Done:
    """A refusal as what came of a command that never reached the books."""
    return Done(Refused(refusal, call_key, sequence), *problem(refusal, call_key, sequence))


def unavailable(command: CallCommand, detail: str) -> Done:
    """The answer to a command that could not be decided."""
    return refused(Refusal("unavailable", detail), command.call_key, command.sequence)


class Lane:
    """The queue, the writer's thread and the connection of one cell."""

    def __init__(
        self, name: str, connector: Connector, terms: Terms, sources: Sources, queue_max: int
    ) -> None:
        self.name = name
        self.sizes = Distribution(BATCH_SIZES)
        self.connector = connector
        self._terms = terms
        self._sources = sources
        self._queue_max = queue_max
        self._ids = Ids(sources.draw_node(), sources.clock_ms)
        self._queue: deque[Waiting] = deque()
        self._depth = 0
        self._idle = False
        self._waking = False
        self._stopping = False
        self._lock = threading.Lock()
        self._wake = threading.Condition(self._lock)
        self._thread = threading.Thread(target=self._work, name=f"lane {name}", daemon=True)

    @property
    def depth(self) -> int:
        """How many commands wait."""
        return self._depth

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to work; answers go to this event loop."""
        self._loop = loop
        self._thread.start()

    def put(self, commands: Sequence[CallCommand], tell: Tell) -> None:
        """Queue one request's commands, together and in order; a full queue refuses them all.

        An idle writer is woken once the loop has read what else has arrived: one batch, not two.
        """
        with self._lock:
            if self._stopping:
                done = [unavailable(c, "the service is stopping") for c in commands]
            elif self._depth and self._depth + len(commands) > self._queue_max:
                done = [self._full(c) for c in commands]
            else:
                self._queue.append(Waiting(commands, tell))
                self._depth += len(commands)
                if self._idle and not self._waking:
                    self._waking = True
                    self._loop.call_soon(self._wake_writer)
                return
        tell(done)

    def submit(self, commands: Sequence[CallCommand]) -> "asyncio.Future[list[Done]]":
        """As `put`, for who awaits the answers."""
        answered: asyncio.Future[list[Done]] = self._loop.create_future()

        def tell(done: list[Done]) -> None:
            if not answered.done():
                answered.set_result(done)

        self.put(commands, tell)
        return answered

    def stop(self) -> None:
        """Take nothing more, answer what was taken, then close. Blocks until that is done."""
        with self._lock:
            self._stopping = True
            self._wake.notify()
        if self._thread.is_alive():
            self._thread.join()

    def _wake_writer(self) -> None:
        with self._lock:
            self._waking = False
            self._wake.notify()

    def _full(self, command: CallCommand) -> Done:
        refusal = Refusal("queue_full", f"{self._depth} requests are waiting for their turn")
        return refused(refusal, command.call_key, command.sequence)

    def _work(self) -> None:
        while batch := self._next_batch():
            commands = [command for waiting in batch for command in waiting.commands]
            self.sizes.add(len(commands))
            try:
                done = self._run(commands)
            except Exception:
                # This thread must live: without it the cell answers nothing.
                log.exception("batch failed", lane=self.name, commands=len(commands))
                done = [unavailable(c, "the service's log says why") for c in commands]
            try:
                self._loop.call_soon_threadsafe(_hand_back, batch, done)
            except RuntimeError:
                log.warning(
                    "answers lost: the event loop is closed", lane=self.name, answers=len(done)
                )
        self.connector.close()

    def _next_batch(self) -> list[Waiting]:
        batch: list[Waiting] = []
        with self._lock:
            while not self._queue and not self._stopping:
                self._idle = True
                self._wake.wait()
            self._idle = False
            size = 0
            while self._queue and (not batch or size + len(self._queue[0].commands) <= BATCH_MAX):
                batch.append(self._queue.popleft())
                size += len(batch[-1].commands)
            self._depth -= size
        return batch

    def _run(self, commands: Sequence[CallCommand]) -> list[Done]:
        try:
            return self._execute(commands)
        except Outage as outage:
            self.connector.failed(outage)
            return [unavailable(c, "the database does not answer") for c in commands]
        except Exception as error:  # noqa: BLE001 - whatever it was, the neighbours go on
            if len(commands) > 1:
                log.warning(
                    "batch taken apart", lane=self.name, commands=len(commands), error=repr(error)
                )
            # The one failure that is nobody's fault: two processes made the same id.
            self._ids.use_node(self._sources.draw_node())
            return [self._run_alone(command) for command in commands]

    def _execute(self, commands: Sequence[CallCommand]) -> list[Done]:
        connection = self.connector.connection()
        with connection.transaction():
            done = execute(
                connection, commands, self._sources.clock_ms(), self._ids.next, self._terms
            )
        self.connector.worked()
        return done

    def _run_alone(self, command: CallCommand) -> Done:
        try:
            return self._execute([command])[0]
        except Outage as outage:
            self.connector.failed(outage)
            return unavailable(command, "the database does not answer")
        except Exception:
            log.exception(
                "command failed",
                lane=self.name,
                command=type(command).__name__,
                call=command.call_key,
            )
            return unavailable(command, "this request failed; the service's log says why")


def _hand_back(batch: list[Waiting], done: list[Done]) -> None:
    start = 0
    for commands, tell in batch:
        end = start + len(commands)
        try:
            tell(done[start:end])
        except Exception:
            # The others of the batch wait for their answers too.
            log.exception("request failed", commands=len(commands))
        start = end
