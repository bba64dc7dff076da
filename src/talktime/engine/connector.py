"""A connection that comes back: opened when needed, checked, opened again after an outage.

Several threads have connections to one database; together they tell of an outage once, not once
each, and again after a while if it lasts.
"""

import threading
import time
from collections.abc import Callable

import structlog

from talktime.config import Address
from talktime.store.database import Connection, Outage
from talktime.store.version import Migrations, opened, require_version

log = structlog.get_logger(__name__)

TELL_AGAIN_SECONDS = 60
VERSION_SECONDS_MAX = 60
"""A connection that is kept longer is asked again whether its database is of this version: whoever
migrates it may have forgotten this process."""


class Outages:
    """What the log is told of one database."""

    def __init__(self, database: str) -> None:
        self.database = database
        self._lock = threading.Lock()
        self._failing: dict[object, str] = {}
        self._told: dict[str, float] = {}

    def begin(self, connector: object, reason: str) -> None:
        """A connection failed. Each reason is told once a minute."""
        with self._lock:
            self._failing[connector] = reason
            now = time.monotonic()
            told = self._told.get(reason)
            if told is None or now - told > TELL_AGAIN_SECONDS:
                self._told[reason] = now
                log.error("database away", database=self.database, reason=reason)

    def end(self, connector: object) -> None:
        """A connection works again; when the last one does, the outage is over."""
        with self._lock:
            self._failing.pop(connector, None)
            if not self._failing and self._told:
                self._told.clear()
                log.info("database back", database=self.database)


class Connector:
    """One thread's connection to one database. `reason` says why it is away, or is empty.

    `outages` is shared by the connections of one process to one database. With `sync_apart` who
    answers for a commit syncs the connection's log.
    """

    def __init__(
        self,
        database: str,
        address: Address,
        app: str,
        expected: Migrations,
        outages: Outages | None = None,
        *,
        sync_apart: bool = False,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self.reason = ""
        self.database = database
        self._outages = outages or Outages(database)
        self._address = address
        self._app = app
        self._expected = expected
        self._sync_apart = sync_apart
        self._clock_s = clock_s
        self._asked_s = 0.0
        self._connection: Connection | None = None

    def connection(self) -> Connection:
        """The open connection, or a new one, also where the server has closed that one meanwhile;
        Outage where none can be opened or the version is another."""
        if self._connection is not None and self._connection.gone():
            self.close()
        now_s = self._clock_s()
        if self._connection is None:
            self._connection = opened(
                self._address, self._app, self._expected, sync_apart=self._sync_apart
            )
            self._asked_s = now_s
        elif now_s - self._asked_s > VERSION_SECONDS_MAX and self._connection.settled():
            require_version(self._connection, self._app, self._expected)
            self._asked_s = now_s
        return self._connection

    def failed(self, outage: Outage) -> None:
        """Drop the connection: the next use opens another one."""
        self.close()
        self.reason = str(outage)
        self._outages.begin(self, self.reason)

    def worked(self) -> None:
        """The database has answered."""
        if self.reason:
            self.reason = ""
            self._outages.end(self)

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
