"""A writer's process from within: commands come, are executed together with those that came at the
same time, and their replies go back (writer_process.py is the other side)."""

import os
import pickle
import select
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from queue import SimpleQueue

import msgspec
import structlog

from talktime.core.limits import BATCH_MAX
from talktime.engine.batch_messages import (
    READ_BYTES,
    Batch,
    Frames,
    Ran,
    decode_batch,
    encode,
    framed,
    lost_in,
)
from talktime.engine.connector import Outages
from talktime.engine.writer import Assignment, OwnWriter
from talktime.store.log_file import LogFile

log = structlog.get_logger(__name__)

QUICK_SECONDS = 0.001


class Unsaid(Outages):
    """The other process tells of an outage, once."""

    def begin(self, connector: object, reason: str) -> None:
        """It will be told there."""

    def end(self, connector: object) -> None:
        """It will be told there."""


class Received:
    """The messages that come over a socket."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._frames = Frames()
        self._left: list[bytes] = []
        self._poll = select.poll()
        self._poll.register(connection, select.POLLIN)

    def first(self) -> bytes | None:
        """The first one, when it has come; the others are left. None where nothing more comes."""
        found = self.some()
        self._left = found[1:]
        return found[0] if found else None

    def some(self) -> list[bytes]:
        """All that are here, once one has come; none where nothing more does."""
        found, self._left = self._left, []
        while not found or self.more:
            try:
                data = self._connection.recv(READ_BYTES)
            except OSError:
                return []
            if not data:
                return []
            found += self._frames.cut(data)
        return found

    @property
    def more(self) -> bool:
        """Whether something can be read now."""
        return bool(self._poll.poll(0))


def assigned(content: bytes) -> Assignment:
    """What this process has to do, as the other one said first."""
    assignment = pickle.loads(content)
    if not isinstance(assignment, Assignment):
        raise TypeError(f"not an assignment: {assignment!r}")
    return assignment


def serve_batches(
    received: Received, sending: "Sending", writer: OwnWriter, tidy: Callable[[], None]
) -> None:
    """Run what comes until nothing more does: together what came while the last batch was run.
    Replies go back in order, each when its batch is on the disk; meanwhile the next one is run.
    What is to be done between batches is `tidy`."""
    while contents := received.some():
        for group in grouped(map(read, contents)):
            if not group:
                sending.put(encode(Ran([])), set())
                continue
            commands = [command for batch in group for command in batch.commands()]
            lost = lost_in(commands)
            replies = writer.run(commands, group[-1].now_ms)
            owners = [command.organisation_id for command in lost]
            sending.put(encode(Ran(replies, writer.connector.reason, owners)), writer.unsynced)
            tidy()


def read(content: bytes) -> Batch | None:
    """What came; None where it cannot be read."""
    try:
        return decode_batch(content)
    except msgspec.ValidationError:
        return None


def grouped(batches: Iterable[Batch | None]) -> Iterator[list[Batch]]:
    """Those that are run together, BATCH_MAX commands at most where not one alone has more; an
    empty group for one that cannot be read."""
    group: list[Batch] = []
    size = 0
    for batch in batches:
        more = len(batch.order) if batch is not None else BATCH_MAX
        if group and size + more > BATCH_MAX:
            yield group
            group, size = [], 0
        if batch is None:
            yield []
        else:
            group.append(batch)
            size += more
    if group:
        yield group


class Sending:
    """Sends replies: at once, or when the logs that have what they tell are on the disk.

    While the disk is quick it is waited for here: that takes less than to hand over to a thread,
    which waits for the interpreter twice. Else a thread of its own does, and the next batch is run
    meanwhile. `seconds` says what time it is.
    """

    def __init__(
        self, connection: socket.socket, seconds: Callable[[], float] = time.perf_counter
    ) -> None:
        self._connection = connection
        self._seconds = seconds
        self._quick = False
        self._given = self._done = 0
        """How many the thread was given, and has sent: each written by one thread alone."""
        self._queue: SimpleQueue[tuple[bytes, set[LogFile]]] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def put(self, content: bytes, logs: set[LogFile]) -> None:
        """Send it when these are on the disk, and what was put before is sent."""
        if self._given == self._done and (self._quick or not logs):
            self._sync(logs)
            self._send([content])
            return
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="sync", daemon=True)
            self._thread.start()
        self._given += 1
        self._queue.put((content, logs))

    def _work(self) -> None:
        while True:
            waiting = [self._queue.get()]
            while not self._queue.empty():
                waiting.append(self._queue.get())
            self._sync(set[LogFile]().union(*(logs for _, logs in waiting)))
            self._send([content for content, _ in waiting])
            self._done += len(waiting)

    def _sync(self, logs: set[LogFile]) -> None:
        if not logs:
            return
        began_s = self._seconds()
        try:
            for log_file in logs:
                log_file.sync()
        except OSError as error:
            # What was executed is answered by nobody: asking again tells.
            log.critical("log not on the disk", error=repr(error))
            os._exit(1)
        self._quick = self._seconds() - began_s < QUICK_SECONDS

    def _send(self, contents: list[bytes]) -> None:
        # Where nobody reads them any more, reading ends too.
        with suppress(OSError):
            self._connection.sendall(b"".join(map(framed, contents)))
