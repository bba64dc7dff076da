"""A writer in a process of its own, so that its Python and the event loop's run side by
side.

Batches go there and their replies come back in order, over a socket pair that only these two have.
The other process ends when this one does: it reads the end of the socket, whatever happened here.
When it ends by itself, the batches that it had are answered `unavailable` (a commit may have been
its last act: the same request again tells), and the next one begins another process.
"""

import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from multiprocessing.connection import Connection

import structlog

from talktime.core.commands import CallCommand
from talktime.engine.batch_messages import Batch, Ran, decode_ran, encode, lost_in
from talktime.engine.connector import Outages
from talktime.engine.reply import Reply, unavailable
from talktime.engine.writer import AWAY, FAILED, Assignment
from talktime.store.database import BUSY_MS_MAX
from talktime.store.turns import turns_of

END_SECONDS_MAX = 10
AHEAD_FROM = {"sqlite": 8, "postgres": 24}

log = structlog.get_logger(__name__)


class WriterProcess:
    """The writer of a cell, as this process sees it. `outages` is told of the database.

    The process is given the next batch while it executes one, and need not wait for it. What a
    batch costs besides its commands says how large that should be.
    """

    def __init__(self, assignment: Assignment, outages: Outages) -> None:
        self.ahead_from = AHEAD_FROM[assignment.address.dialect]
        self._assignment = assignment
        self._outages = outages
        self._away = ""
        self._connection: Connection | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._turn: ExitStack | None = None
        # Batches are sent one after the other, and their replies read in that order.
        self._sending = threading.Lock()
        self._sent = self._heard = 0
        self._hearing = threading.Condition()

    @property
    def pid(self) -> int | None:
        """The number of the process, where there is one."""
        return self._process.pid if self._process is not None else None

    def start(self) -> None:
        """Begin the process, which is ready a moment later."""
        try:
            self._open()
        except OSError as error:
            self._drop(error)

    def begin(self, commands: Sequence[CallCommand], now_ms: int) -> Callable[[], list[Reply]]:
        """Send a batch. What is returned waits until it is committed: one reply for each command,
        in order."""
        try:
            content = encode(Batch.of(commands, now_ms))
        except (ValueError, TypeError, OverflowError) as error:
            # Now, not when it is asked for: what comes after must not overtake it.
            log.warning("batch not sent", commands=len(commands), error=repr(error))
            replies = self._one_by_one(commands, now_ms)
            return lambda: replies
        with self._sending:
            number = self._next_number()
            if number is None:
                return partial(self._locked_out, commands)
            try:
                connection = self._connection or self._open()
                connection.send_bytes(content)
            except Exception as error:  # noqa: BLE001 - whatever it was, the number must be heard
                # Half of it may have been sent: nothing more may follow it.
                self._drop(error)
                connection = None
            return partial(self._replies, number, connection, commands, now_ms)

    def run(self, commands: Sequence[CallCommand], now_ms: int) -> list[Reply]:
        """Execute a batch at this time, and commit it; one reply for each command, in order."""
        return self.begin(commands, now_ms)()

    def close(self) -> None:
        """Let the process end."""
        self._let_go()

    def _next_number(self) -> int | None:
        """The number of the batch to be sent; None where the turn to write does not come.

        A SQLite file's writers take turns in this process, and the other writes for it: from the
        first batch that it gets until it has none, or somebody waits for the turn.
        """
        path = self._assignment.address.path
        with self._hearing:
            if path is not None and turns_of(path).wanted:
                self._hearing.wait_for(lambda: self._heard == self._sent)
            if path is None or self._turn is not None:
                self._sent += 1
                return self._sent
        turn = ExitStack()
        if not turn.enter_context(turns_of(path).turn(BUSY_MS_MAX)):
            turn.close()
            return None
        self._turn = turn
        self._sent += 1
        return self._sent

    def _replies(
        self,
        number: int,
        connection: Connection | None,
        commands: Sequence[CallCommand],
        now_ms: int,
    ) -> list[Reply]:
        with self._hearing:
            self._hearing.wait_for(lambda: self._heard == number - 1)
        try:
            ran = self._hear(connection)
        except (OSError, EOFError) as error:
            ran = None
            lost = error
        finally:
            self._let_next_hear()
        if ran is None:
            self._lost(connection, lost)
            return [unavailable(command, FAILED) for command in commands]
        if len(ran.replies) == len(commands):
            for command, owner in zip(lost_in(commands), ran.owners, strict=True):
                command.organisation_id = owner
            return ran.replies
        return self._one_by_one(commands, now_ms)

    def _hear(self, connection: Connection | None) -> Ran:
        if connection is None:
            raise EOFError("the process could not be begun")
        ran = decode_ran(connection.recv_bytes())
        if ran.away != self._away:
            self._tell(ran.away)
        return ran

    def _let_next_hear(self) -> None:
        with self._hearing:
            self._heard += 1
            if self._heard == self._sent and self._turn is not None:
                self._turn.close()
                self._turn = None
            self._hearing.notify_all()

    def _one_by_one(self, commands: Sequence[CallCommand], now_ms: int) -> list[Reply]:
        """Each command of a batch that could not be read there."""
        if len(commands) > 1:
            return [reply for command in commands for reply in self.run([command], now_ms)]
        log.error("command failed", lane=self._assignment.lane, call=commands[0].call_key)
        return [unavailable(commands[0], FAILED)]

    def _locked_out(self, commands: Sequence[CallCommand]) -> list[Reply]:
        """Another writer of this process has kept the turn too long."""
        self._tell("it is locked by another writer")
        return [unavailable(command, AWAY) for command in commands]

    def _tell(self, away: str) -> None:
        self._away = away
        if away:
            self._outages.begin(self, away)
        else:
            self._outages.end(self)

    def _open(self) -> Connection:
        ours, theirs = socket.socketpair()
        connection = Connection(ours.detach())
        with theirs:
            try:
                self._process = subprocess.Popen(
                    [sys.executable, "-P", "-m", "talktime.cli.serve_writer", str(theirs.fileno())],
                    pass_fds=[theirs.fileno()],
                    stdin=subprocess.DEVNULL,
                )
            except OSError:
                connection.close()
                raise
        self._connection = connection
        connection.send(self._assignment)
        return connection

    def _lost(self, connection: Connection | None, error: BaseException) -> None:
        """The process of this connection is gone: the next batch begins another."""
        with self._sending:
            if connection is not None and connection is self._connection:
                self._drop(error)

    def _drop(self, error: BaseException) -> None:
        code = self._process.poll() if self._process is not None else None
        log.error("writer lost", lane=self._assignment.lane, error=repr(error), exit_code=code)
        if self._process is not None:
            self._process.kill()
        # Not closed: another thread may be reading from it. The last who has it closes it.
        self._connection = None
        self._let_go()

    def _let_go(self) -> None:
        connection, process = self._connection, self._process
        self._connection = self._process = None
        if connection is not None:
            connection.close()
        if process is not None:
            try:
                process.wait(END_SECONDS_MAX)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
