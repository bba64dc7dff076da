"""Writers of one SQLite file take turns.

SQLite lets whoever asks at the right moment write next, and who waits asks only now and then: one
thread that writes without a pause keeps the others out for seconds. Within a process they queue
here instead; between processes SQLite's own waiting stays.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_turns: dict[Path, "Turns"] = {}


class Turns:
    """Who waits goes before who has just written."""

    def __init__(self) -> None:
        # Who wants to write waits at the desk, and only one at a time: the others, and whoever
        # comes back from writing, wait at the door behind it.
        self._door = threading.Lock()
        self._desk = threading.Lock()

    @property
    def wanted(self) -> bool:
        """Whether somebody waits at the desk."""
        return self._door.locked()

    @contextmanager
    def turn(self, wait_ms: int) -> Iterator[bool]:
        """Hold the turn to write; False where it did not come within `wait_ms`."""
        held = self.take(wait_ms)
        try:
            yield held
        finally:
            if held:
                self.give_back()

    def take(self, wait_ms: int) -> bool:
        """Take the turn; False where it did not come within `wait_ms`. Any thread may give it
        back."""
        if not self._door.acquire(timeout=wait_ms / 1000):
            return False
        try:
            return self._desk.acquire(timeout=wait_ms / 1000)
        finally:
            self._door.release()

    def give_back(self) -> None:
        """Let the next one write."""
        self._desk.release()


def turns_of(path: Path) -> Turns:
    """The turns of a file, the same for all of this process."""
    return _turns.setdefault(path.absolute(), Turns())
