"""The programs that these tests start: where they are, free ports, waiting for what they do."""

import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

from tests.loopback import family_of

PATIENCE_S = 20.0
LOOK_AGAIN_S = 0.02
PATH = os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"])
PACKAGES = {
    "kamailio": "kamailio kamailio-utils-modules kamailio-extra-modules kamailio-ims-modules",
    "sipp": "sip-tester",
    "freeDiameterd": "freediameter",
}
ROOT = 0


def missing() -> str:
    """The packages whose programs are missing, as apt-get takes them."""
    return " ".join(PACKAGES[name] for name in PACKAGES if not shutil.which(name, path=PATH))


def left_out() -> str:
    """Why the tests with real switches cannot run here: who may not install packages goes without.

    Empty where they run; where the administrator runs tests without the packages, they fail.
    """
    packages = missing()
    installs = os.geteuid() == ROOT and shutil.which("apt-get")
    if not packages or installs:
        return ""
    return f"tests/switches is left out: as root, apt-get install {packages}"


def program(name: str) -> str:
    """Where a program is; it may stand where only the administrator looks."""
    found = shutil.which(name, path=PATH)
    assert found, f"{name} is missing: apt-get install {PACKAGES[name]}"
    return found


def free_port(kind: int = socket.SOCK_DGRAM, host: str = "127.0.0.1") -> int:
    """A port of a host of this machine that nobody listens on."""
    with socket.socket(family_of(host), kind) as found:
        found.bind((host, 0))
        port: int = found.getsockname()[1]
        return port


def taken(host: str, port: int) -> bool:
    """Whether somebody listens on this UDP port."""
    with socket.socket(family_of(host), socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((host, port))
        except OSError:
            return True
    return False


def wait_until(condition: Callable[[], object], what: str, patience_s: float = PATIENCE_S) -> None:
    """Look until it is so; AssertionError when it is not so in time."""
    never, overdue = threading.Event(), time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < overdue, f"not within {patience_s:g} s: {what}"
        never.wait(LOOK_AGAIN_S)


class Program:
    """A process with its children in a group of its own; what it says goes to a file."""

    def __init__(self, folder: Path, name: str, *arguments: str) -> None:
        self._said = folder / f"{name}.{free_port()}.said"
        with self._said.open("wb") as said:
            self._process = subprocess.Popen(
                [program(name), *arguments],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def said(self) -> str:
        """All that it has said."""
        return self._said.read_text(errors="replace")

    def wait(self, patience_s: float = PATIENCE_S) -> int:
        """Wait until it has ended by itself; its exit code."""
        return self._process.wait(patience_s)

    def stop(self) -> None:
        """Ask it to end; where it does not, end it."""
        if self.running:
            self._process.terminate()
            try:
                self.wait(5)
            except subprocess.TimeoutExpired:
                self.kill()

    def kill(self) -> None:
        """End it and its children at once, as a loss of power does."""
        os.killpg(self._process.pid, signal.SIGKILL)
        self.wait()
