"""The socket to a writer's process, which is begun for it and ends with it: it reads the end of the
socket, whatever happened here."""

import asyncio
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from talktime.engine.batch_messages import READ_BYTES, Frames, framed
from talktime.stops import STOPS

END_SECONDS_MAX = 10


@contextmanager
def deaf_to_stops() -> Iterator[None]:
    """What is begun in this block never hears what ends a service: who sends it to this process
    and to its children means that this one is to stop, when all is answered."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Link:
    """A process and the socket pair that only these two have. On the event loop's thread.

    `heard` is told each message that comes, `lost` why none will come any more. OSError where the
    process cannot be begun.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        heard: Callable[[bytes], None],
        lost: Callable[[BaseException], None],
    ) -> None:
        self._loop = loop
        self._heard = heard
        self._lost = lost
        self._frames = Frames()
        self._unsent = b""
        self._socket, theirs = socket.socketpair()
        self._socket.setblocking(False)
        number = theirs.fileno()
        with theirs, deaf_to_stops():
            try:
                self.process = subprocess.Popen(
                    [sys.executable, "-P", "-m", "talktime.cli.serve_writer", str(number)],
                    pass_fds=[number],
                    stdin=subprocess.DEVNULL,
                )
            except OSError:
                self._socket.close()
                raise
        loop.add_reader(self._socket, self._read)

    def send(self, contents: Sequence[bytes]) -> None:
        """Send messages; never waits. OSError where they cannot come."""
        data = b"".join(map(framed, contents))
        if self._unsent:
            self._unsent += data
            return
        sent = self._send(data)
        if sent < len(data):
            self._unsent = data[sent:]
            self._loop.add_writer(self._socket, self._send_rest)

    def close(self) -> None:
        """Let the process end."""
        if self._socket.fileno() >= 0:
            self._loop.remove_reader(self._socket)
            self._loop.remove_writer(self._socket)
            self._socket.close()

    def ended(self) -> None:
        """Return when the process has ended. From another thread: it may take a while."""
        try:
            self.process.wait(END_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def kill(self, ended: Callable[[int | None], None]) -> None:
        """End the process now, whatever it does. `ended` is told its exit code, from another
        thread; or None where the system has no thread to give."""
        self.close()
        self.process.kill()

        def wait() -> None:
            ended(self.process.wait())

        try:
            threading.Thread(target=wait, name="writer's end", daemon=True).start()
        except RuntimeError:
            ended(None)

    def _send(self, data: bytes) -> int:
        try:
            return self._socket.send(data)
        except BlockingIOError:
            return 0

    def _send_rest(self) -> None:
        try:
            self._unsent = self._unsent[self._send(self._unsent) :]
        except OSError as error:
            self._lost(error)
            return
        if not self._unsent:
            self._loop.remove_writer(self._socket)

    def _read(self) -> None:
        try:
            received = self._socket.recv(READ_BYTES)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._lost(error)
            return
        if not received:
            self._lost(EOFError("the process has ended"))
            return
        for content in self._frames.cut(received):
            if self._socket.fileno() >= 0:
                self._heard(content)
