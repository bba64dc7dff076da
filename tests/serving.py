"""A real `talktime serve` in a process of its own, as an operator starts it."""

import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx

from tests.plain_http import plain_client

READY = "Talktime is ready: "
PATIENCE_S = 60
COMMAND = Path(sys.executable).with_name("talktime")


class Serving:
    """The process: its address, what it said, how it ended. `under` is a command that runs it."""

    def __init__(
        self, environ: Mapping[str, str], *arguments: str, under: Sequence[str] = ()
    ) -> None:
        self.said: deque[str] = deque(maxlen=200)
        self.logged: deque[str] = deque(maxlen=200)
        self.url = ""
        self._ready = threading.Event()
        self._process = subprocess.Popen(
            [*under, str(COMMAND), "serve", "--port", "0", *arguments],
            env=clean_environ(environ),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self._readers = [
            threading.Thread(target=self._read_said, daemon=True),
            threading.Thread(target=self._read_logged, daemon=True),
        ]
        for reader in self._readers:
            reader.start()

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    def writers(self) -> list[int]:
        """The numbers of the processes that write for it, the first cell's first."""
        found = []
        for entry in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):
                _, rest = entry.read_text().rsplit(") ", 1)
                if int(rest.split()[1]) == self.pid:
                    found.append(int(entry.parent.name))
        return sorted(found)

    def wait_until_ready(self) -> None:
        """Wait for the line that says where it listens."""
        self._ready.wait(PATIENCE_S)
        assert self.url, f"not ready:\n{self.words()}"

    def client(self, key: str = "") -> httpx.Client:
        """A client of the service, with a switch's key where one is given."""
        headers = {"authorization": f"Bearer {key}"} if key else {}
        return plain_client(self.url, headers, PATIENCE_S)

    def stop(self, with_signal: int = signal.SIGINT) -> int:
        """Stop it as Ctrl-C does, and return its exit code."""
        if self._process.poll() is None:
            self._process.send_signal(with_signal)
        return self.wait()

    def wait(self) -> int:
        """Wait until it has ended by itself; its exit code."""
        code = self._process.wait(PATIENCE_S)
        for reader in self._readers:
            reader.join(PATIENCE_S)
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._process.stdout.close()
        self._process.stderr.close()
        return code

    def words(self) -> str:
        """All that it said and logged."""
        return "".join([*self.said, *self.logged])

    def end(self) -> None:
        """Make sure that it is gone, whatever the test did."""
        if self._process.poll() is None:
            self._process.kill()
            self.wait()

    def _read_said(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.said.append(line)
            if line.startswith(READY):
                self.url = line.removeprefix(READY).strip().rstrip("/")
                self._ready.set()
        self._ready.set()

    def _read_logged(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            self.logged.append(line)


def clean_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """This process's environment, with the installation that is meant and no other."""
    own = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("TALKTIME_") and name not in ("DATABASE_URL", "HOST", "PORT")
    }
    return {**own, **environ}


@contextmanager
def serving(
    environ: Mapping[str, str], *arguments: str, under: Sequence[str] = ()
) -> Iterator[Serving]:
    """A service that is ready; gone at the end of the block, however it ends."""
    process = Serving(environ, *arguments, under=under)
    try:
        process.wait_until_ready()
        yield process
    finally:
        process.end()
