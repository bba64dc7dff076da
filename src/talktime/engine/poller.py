"""Caches that follow their databases: a thread looks at the revision counters twice a second."""

import threading
from collections.abc import Callable, Sequence
from typing import NamedTuple

import structlog

from talktime.engine.connector import Connector
from talktime.store.database import Connection, Outage

log = structlog.get_logger(__name__)

POLL_SECONDS = 0.5
UNREADABLE = "what was read could not be understood"


class Follow(NamedTuple):
    """What one database is asked for: each reads what changed and says whether anything did."""

    connector: Connector
    refreshes: Sequence[Callable[[Connection], bool]]


class Poller:
    """One thread that refreshes caches in turn. A database that is away is asked again."""

    def __init__(
        self, name: str, follows: Sequence[Follow], refreshed: threading.Condition
    ) -> None:
        self._follows = follows
        self._refreshed = refreshed
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name=f"poller {name}", daemon=True)

    @property
    def away(self) -> dict[str, str]:
        """The databases that did not answer the last time, with the reason."""
        return {
            f.connector.database: f.connector.reason for f in self._follows if f.connector.reason
        }

    def start(self) -> None:
        """Look for the first time, then begin to follow."""
        self.poll()
        self._thread.start()

    def stop(self) -> None:
        """Stop following and close the connections. Blocks until that is done."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        for follow in self._follows:
            follow.connector.close()

    def _work(self) -> None:
        while not self._stop.wait(POLL_SECONDS):
            self.poll()

    def poll(self) -> None:
        """Look at every database once."""
        changed = False
        for follow in self._follows:
            changed |= self._ask(follow)
        if changed:
            with self._refreshed:
                self._refreshed.notify_all()

    def _ask(self, follow: Follow) -> bool:
        changed = bool(follow.connector.reason)
        try:
            connection = follow.connector.connection()
            for refresh in follow.refreshes:
                with connection.reading():
                    changed |= refresh(connection)
        except Outage as outage:
            known = follow.connector.reason
            follow.connector.failed(outage)
            return known != follow.connector.reason
        except Exception:
            # A row that cannot be read must not end the following of all others.
            if follow.connector.reason != UNREADABLE:
                log.exception("cache not refreshed", database=follow.connector.database)
            follow.connector.failed(Outage(UNREADABLE))
            return False
        follow.connector.worked()
        return changed
