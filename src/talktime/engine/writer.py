"""A writer of a cell: a batch of commands in, their replies out, each batch one transaction.

A batch that the database could not take is answered `unavailable`, and the next one opens a new
connection. A batch that failed for another reason is taken apart: each command runs alone, so that
one bad command cannot fail its neighbours.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

import structlog

from talktime.config import Address
from talktime.core.books import Terms
from talktime.core.commands import CallCommand
from talktime.core.ids import Ids
from talktime.core.limits import KEPT_ORGANISATIONS_MAX, KEPT_ROWS_MAX
from talktime.engine.connector import Connector, Outages
from talktime.engine.measures import Distribution
from talktime.engine.reply import DECIDED, Reply, reply_of, unavailable
from talktime.operations.execute import execute
from talktime.store.database import Connection, Outage
from talktime.store.kept import Kept
from talktime.store.log_file import LogFile
from talktime.store.version import Migrations

log = structlog.get_logger(__name__)

AWAY = "the database does not answer"
BATCH_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
FAILED = "this request failed; the service's log says why"


Told = Callable[[list[Reply]], None]
"""Who is told what came of some commands: a reply for each, in order."""


class Writer(Protocol):
    """What a lane needs of a writer, all of it on the event loop's thread. `sizes`: how many
    commands its batches had."""

    sizes: Distribution

    @property
    def away(self) -> str:
        """Why the database did not take the last batch, or empty."""

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """About to be needed; never fails."""

    def begin(self, commands: Sequence[CallCommand], now_ms: int, told: Told) -> None:
        """Take commands, to execute them at this time or a later one's, with others if it is busy
        now. Once that is committed, and not before this returns, `told` is called on the loop."""

    async def close(self) -> None:
        """No more will be begun, and all are answered; never fails."""


class Assignment(NamedTuple):
    """Which cell a writer writes, where that is, which migrations it must have, on which terms;
    which of the cell's writers it is, and of how many."""

    cell: str
    address: Address
    expected: Migrations
    terms: Terms
    number: int = 1
    writers: int = 1

    @property
    def lane(self) -> str:
        """What the writer's lane is called."""
        return lane_name(self.cell, self.number)


def lane_name(cell: str, number: int) -> str:
    """What a lane is called: `main 1`."""
    return f"{cell} {number}"


class OwnWriter:
    """What executes batches, on the calling thread. `draw_node` says which node its ids begin at.

    With `sync_apart`, who asks for a batch answers once the logs that are `unsynced` then are
    synced.
    """

    def __init__(
        self,
        assignment: Assignment,
        outages: Outages,
        draw_node: Callable[[], int],
        *,
        sync_apart: bool = False,
    ) -> None:
        cell, address, expected, self._terms, _, self._writers = assignment
        self.connector = Connector(
            f"cell {cell}", address, "cell", expected, outages, sync_apart=sync_apart
        )
        self.unsynced: set[LogFile] = set()
        self._name = assignment.lane
        self._draw_node = draw_node
        self._now_ms = 0
        self._kept = self._nothing_kept()
        self._kept_for: Connection | None = None
        self._ids = Ids(draw_node(), lambda: self._now_ms)

    def run(self, commands: Sequence[CallCommand], now_ms: int) -> list[Reply]:
        """Execute a batch at this time, and commit it; one reply for each command, in order."""
        self._now_ms, self.unsynced = now_ms, set()
        try:
            return self._execute(commands)
        except Outage as outage:
            self.connector.failed(outage)
            return [unavailable(command, AWAY) for command in commands]
        except Exception as error:  # noqa: BLE001 - whatever it was, the neighbours go on
            if len(commands) > 1:
                log.warning(
                    "batch taken apart", lane=self._name, commands=len(commands), error=repr(error)
                )
            # The one failure that is nobody's fault: two processes made the same id.
            self._ids.use_node(self._draw_node())
            return [self._run_alone(command) for command in commands]

    def close(self) -> None:
        """Close the connection."""
        self.connector.close()

    def _nothing_kept(self) -> Kept:
        # Each writer has organisations of its own: together they keep as much as one alone.
        return Kept(KEPT_ORGANISATIONS_MAX // self._writers, KEPT_ROWS_MAX // self._writers)

    def _execute(self, commands: Sequence[CallCommand]) -> list[Reply]:
        connection = self.connector.connection()
        if connection is not self._kept_for:
            self._kept_for, self._kept = connection, self._nothing_kept()
        with connection.transaction():
            done = execute(
                connection, commands, self._now_ms, self._ids.next, self._terms, self._kept
            )
        self._kept.committed()
        if connection.log is not None:
            self.unsynced.add(connection.log)
        replies = [reply_of(each) for each in done]
        # On a full disk can be answered what writes nothing: that mends no outage.
        if not self.connector.reason or any(each.kind == DECIDED for each in replies):
            self.connector.worked()
        return replies

    def _run_alone(self, command: CallCommand) -> Reply:
        try:
            return self._execute([command])[0]
        except Outage as outage:
            self.connector.failed(outage)
            return unavailable(command, AWAY)
        except Exception:
            log.exception(
                "command failed",
                lane=self._name,
                command=type(command).__name__,
                call=command.call_key,
            )
            return unavailable(command, FAILED)
