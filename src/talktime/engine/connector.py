"""A connection that comes back: opened when needed, checked, opened again after an outage.

An outage is logged once, when it begins (or its reason changes), and once when it is over.
"""

import structlog

from talktime.config import Address
from talktime.store.database import Connection, Outage, connect
from talktime.store.version import Migrations, require_version

log = structlog.get_logger(__name__)


class Connector:
    """One thread's connection to one database. `reason` says why it is away, or is empty."""

    def __init__(self, name: str, address: Address, app: str, expected: Migrations) -> None:
        self.name = name
        self.reason = ""
        self._address = address
        self._app = app
        self._expected = expected
        self._connection: Connection | None = None

    def connection(self) -> Connection:
        """The open connection, or a new one; Outage where that fails or the version is another."""
        if self._connection is None:
            connection = connect(self._address)
            try:
                require_version(connection, self._app, self._expected)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection

    def failed(self, outage: Outage) -> None:
        """Drop the connection: the next use opens another one."""
        self.close()
        reason = str(outage)
        if reason != self.reason:
            self.reason = reason
            log.error("database away", database=self.name, reason=reason)

    def worked(self) -> None:
        """The database has answered."""
        if self.reason:
            self.reason = ""
            log.info("database back", database=self.name)

    def close(self) -> None:
        """Close the connection, if there is one."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
