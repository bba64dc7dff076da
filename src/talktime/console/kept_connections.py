"""Connections of the store that are kept from one request to the next.

A connection of its own for each page would cost PostgreSQL a process, and that process everything
it has to learn of the tables and statements: more than all the rest of the page.

Whoever wants a connection is lent one that lies idle, or a new one where none does; so there are
never more than were used at once. One that met an outage or has a transaction open is closed
instead of kept, and one whose database went away meanwhile is replaced before it is lent.

A new one is to a database of this version, or is not lent; one that is kept is asked again now and
then, for a busy page would never need a new one.
"""

import atexit
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from talktime.config import Address
from talktime.console.versions import open_ours, require_ours
from talktime.core.limits import CONSOLE_CONNECTION_IDLE_S_MAX, CONSOLE_CONNECTIONS_IDLE_MAX
from talktime.store.database import Connection


class _Kept(NamedTuple):
    """`looked_s` is when its database's version was looked at, `idle_s` since when it lies idle."""

    connection: Connection
    looked_s: float
    idle_s: float


class KeptConnections:
    """The idle connections of a process, by database: so many to each, for so many seconds. Any
    thread may ask."""

    def __init__(
        self,
        idle_max: int = CONSOLE_CONNECTIONS_IDLE_MAX,
        idle_s_max: float = CONSOLE_CONNECTION_IDLE_S_MAX,
    ) -> None:
        self._idle_max, self._idle_s_max = idle_max, idle_s_max
        self._lock = threading.Lock()
        self._idle: dict[Address, list[_Kept]] = {}

    @contextmanager
    def lent(self, address: Address) -> Iterator[Connection]:
        """A connection for one thread, until the block ends. Raises Outage where none can be
        opened, or the database is of another version."""
        taken = self._taken(address) or _Kept(open_ours(address), time.monotonic(), 0)
        connection = taken.connection
        try:
            yield connection
        finally:
            if connection.settled():
                self._keep(address, taken._replace(idle_s=time.monotonic()))
            else:
                connection.close()

    def close(self) -> None:
        """Close all that lie idle."""
        with self._lock:
            idle = [each for kept in self._idle.values() for each in kept]
            self._idle.clear()
        for each in idle:
            each.connection.close()

    def _taken(self, address: Address) -> _Kept | None:
        """The one that was used last and still answers; those that do not are closed."""
        while True:
            with self._lock:
                kept = self._idle.get(address)
                if not kept:
                    return None
                last = kept.pop()
            if not self._is_past(last.idle_s) and last.connection.answers():
                return self._looked_at(last, address)
            last.connection.close()

    def _looked_at(self, kept: _Kept, address: Address) -> _Kept:
        """The same, its version looked at again where that was long ago. Raises Outage."""
        if not self._is_past(kept.looked_s):
            return kept
        try:
            require_ours(kept.connection, address)
        except BaseException:
            kept.connection.close()
            raise
        return kept._replace(looked_s=time.monotonic())

    def _keep(self, address: Address, connection: _Kept) -> None:
        """Keep it in place of whatever has not been used for long."""
        with self._lock:
            kept = self._idle.setdefault(address, [])
            kept.append(connection)
            fresh = [each for each in kept if not self._is_past(each.idle_s)][-self._idle_max :]
            gone = kept[: len(kept) - len(fresh)]  # they lie in the order of their last use
            kept[:] = fresh
        for each in gone:
            each.connection.close()

    def _is_past(self, at_s: float) -> bool:
        return time.monotonic() - at_s > self._idle_s_max


kept_connections = KeptConnections()
atexit.register(kept_connections.close)
lent = kept_connections.lent
