"""A writer in a process of its own, so that its Python and the event loop's run side by
side.

One batch at a time goes there and its replies come back, over a socket pair that only these two
have. The other process ends when this one does: it reads the end of the socket, whatever happened
here. When it ends by itself, the batch that it had is answered `unavailable` (a commit may have
been its last act: the same request again tells), and the next one begins another process.
"""

import socket
import subprocess
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from multiprocessing.connection import Connection

import msgspec
import structlog

from talktime.core.commands import Answer, Authorize, CallCommand, Extend, Refund, Settle
from talktime.engine.connector import Connector, Outages
from talktime.engine.reply import Reply, unavailable
from talktime.engine.writer import AWAY, FAILED, Assignment, Writer
from talktime.store.database import BUSY_MS_MAX
from talktime.store.turns import turns_of

END_SECONDS_MAX = 10

log = structlog.get_logger(__name__)


class Batch(msgspec.Struct, array_like=True):
    """What goes there: the commands by their kind, and in `order` the kind of each."""

    now_ms: int
    order: list[int] = []
    authorizes: list[Authorize] = []
    answers: list[Answer] = []
    extends: list[Extend] = []
    settles: list[Settle] = []
    refunds: list[Refund] = []

    @classmethod
    def of(cls, commands: Sequence[CallCommand], now_ms: int) -> "Batch":
        """These commands."""
        batch = cls(now_ms)
        lists = batch._lists()
        for command in commands:
            kind = KINDS[type(command)]
            batch.order.append(kind)
            lists[kind].append(command)
        return batch

    def commands(self) -> list[CallCommand]:
        """The commands, in their order."""
        each = [iter(commands) for commands in self._lists()]
        return [next(each[kind]) for kind in self.order]

    def _lists(self) -> tuple[list[CallCommand], ...]:
        return (self.authorizes, self.answers, self.extends, self.settles, self.refunds)  # type: ignore[return-value]


KINDS = {kind: number for number, kind in enumerate((Authorize, Answer, Extend, Settle, Refund))}


class Ran(msgspec.Struct, array_like=True):
    """What comes back: a reply for each command; why the database is away, or ''; whose calls those
    are whose commands did not say it. No replies: what came could not be read."""

    replies: list[Reply]
    away: str = ""
    owners: list[int | None] = []


_encode = msgspec.msgpack.Encoder().encode
_decode_batch = msgspec.msgpack.Decoder(Batch).decode
_decode_ran = msgspec.msgpack.Decoder(Ran).decode


class WriterProcess:
    """The writer of a cell, as this process sees it. `outages` is told of the database."""

    apart = True

    def __init__(self, assignment: Assignment, outages: Outages) -> None:
        self._assignment = assignment
        self._outages = outages
        self._away = ""
        self._connection: Connection | None = None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The number of the process, where there is one."""
        return self._process.pid if self._process is not None else None

    def start(self) -> None:
        """Begin the process, which is ready a moment later."""
        try:
            self._begin()
        except OSError as error:
            self._lost(error)

    def run(self, commands: Sequence[CallCommand], now_ms: int) -> list[Reply]:
        """Execute a batch at this time, and commit it; one reply for each command, in order."""
        try:
            content = _encode(Batch.of(commands, now_ms))
            with self._turn() as held:
                ran = self._ask(content) if held else self._locked_out(commands)
            if ran.away != self._away:
                self._tell(ran.away)
        except (OSError, EOFError) as error:
            self._lost(error)
            return [unavailable(command, FAILED) for command in commands]
        except (ValueError, TypeError, OverflowError) as error:
            ran = Ran([])
            log.warning("batch not sent", commands=len(commands), error=repr(error))
        if len(ran.replies) == len(commands):
            for command, owner in zip(_lost(commands), ran.owners, strict=False):
                command.organisation_id = owner
            return ran.replies
        if len(commands) == 1:
            lane, call = self._assignment.lane, commands[0].call_key
            log.error("command failed", lane=lane, call=call)
            return [unavailable(commands[0], FAILED)]
        return [reply for command in commands for reply in self.run([command], now_ms)]

    def close(self) -> None:
        """Let the process end."""
        self._let_go()

    def _turn(self) -> AbstractContextManager[bool]:
        """A SQLite file's writers take turns in this process, and the other writes for it."""
        path = self._assignment.address.path
        return nullcontext(True) if path is None else turns_of(path).turn(BUSY_MS_MAX)

    def _ask(self, content: bytes) -> Ran:
        if self._connection is None:
            self._begin()
        connection = self._connection
        assert connection is not None
        connection.send_bytes(content)
        return _decode_ran(connection.recv_bytes())

    def _locked_out(self, commands: Sequence[CallCommand]) -> Ran:
        """Another writer of this process has kept the turn too long."""
        replies = [unavailable(command, AWAY) for command in commands]
        return Ran(replies, "it is locked by another writer")

    def _tell(self, away: str) -> None:
        self._away = away
        if away:
            self._outages.begin(self, away)
        else:
            self._outages.end(self)

    def _begin(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._connection = Connection(ours.detach())
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "talktime.cli.serve_writer", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
            )
        self._connection.send(self._assignment)

    def _lost(self, error: BaseException) -> None:
        code = self._process.poll() if self._process is not None else None
        log.error("writer lost", lane=self._assignment.lane, error=repr(error), exit_code=code)
        if self._process is not None:
            self._process.kill()
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


class Unsaid(Outages):
    """The other process tells of an outage, once."""

    def begin(self, connector: object, reason: str) -> None:
        """It will be told there."""

    def end(self, connector: object) -> None:
        """It will be told there."""


def assigned(connection: Connection) -> Assignment:
    """What this process has to do, as the other one said first."""
    assignment = connection.recv()
    if not isinstance(assignment, Assignment):
        raise TypeError(f"not an assignment: {assignment!r}")
    return assignment


def serve_batches(connection: Connection, writer: Writer, connector: Connector) -> None:
    """Run what comes until nothing more does."""
    while True:
        try:
            content = connection.recv_bytes()
        except EOFError:
            return
        try:
            batch = _decode_batch(content)
        except msgspec.ValidationError:
            ran = Ran([])
        else:
            commands = batch.commands()
            lost = _lost(commands)
            replies = writer.run(commands, batch.now_ms)
            ran = Ran(replies, connector.reason, [command.organisation_id for command in lost])
        try:
            connection.send_bytes(_encode(ran))
        except OSError:
            return


def _lost(commands: Sequence[CallCommand]) -> list[CallCommand]:
    """Those that do not say whose call it is: the cell does."""
    return [command for command in commands if command.organisation_id is None]
