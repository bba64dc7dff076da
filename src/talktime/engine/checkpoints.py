"""Moves what was written to a SQLite file from its log to its place, beside the writer.

A commit appends to the log. Where the writer itself moves the pages, whatever waits then waits for
tens of milliseconds. It still does so when this thread does not keep up: the log stays bounded.
"""

import threading

from talktime.engine.connector import Connector
from talktime.store.database import Outage

CHECKPOINT_SECONDS = 0.1


class Checkpoints:
    """One thread and one connection for one cell's file."""

    def __init__(self, name: str, connector: Connector) -> None:
        self._connector = connector
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name=f"checkpoints {name}", daemon=True)

    @property
    def reason(self) -> str:
        """Why the database is away, or empty."""
        return self._connector.reason

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def stop(self) -> None:
        """Stop, and close the connection. Blocks until that is done."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        self._connector.close()

    def _work(self) -> None:
        while not self._stop.wait(CHECKPOINT_SECONDS):
            self.move()

    def move(self) -> None:
        """Move what can be moved now."""
        try:
            self._connector.connection().checkpoint()
        except Outage as outage:
            self._connector.failed(outage)
        else:
            self._connector.worked()
