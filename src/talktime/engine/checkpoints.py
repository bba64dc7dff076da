"""Moves what was written to a SQLite file from its log to its place, beside the writer.

A commit appends to the log. Where the writer itself moves the pages, whatever waits then waits for
tens of milliseconds. It still does so once the log has CHECKPOINT_PAGES, which keeps it bounded;
little is left for it then, for this thread looks more often shortly before.

Not more often, otherwise: while pages are put on the disk a commit waits behind them, and those
that many commits change are moved once. Nor less often: the more pages, the longer it waits.
"""

import threading

from talktime.engine.connector import Connector
from talktime.store.database import Outage
from talktime.store.sqlite import CHECKPOINT_PAGES

CHECKPOINT_SECONDS = 0.25
SOON_SECONDS = 0.1
NEARLY_FULL_PAGES = CHECKPOINT_PAGES * 9 // 10


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
        wait_s = CHECKPOINT_SECONDS
        while not self._stop.wait(wait_s):
            nearly_full = self.move() >= NEARLY_FULL_PAGES
            wait_s = SOON_SECONDS if nearly_full else CHECKPOINT_SECONDS

    def move(self) -> int:
        """Move what can be moved now. Returns how many pages the log has; 0 where the database
        fails."""
        try:
            pages = self._connector.connection().checkpoint()
        except Outage as outage:
            self._connector.failed(outage)
            return 0
        self._connector.worked()
        return pages
