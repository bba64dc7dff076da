"""The directory of organisations, numbers and users, kept as the databases have it.

Organisations and numbers come from the control plane, users from the cell of their organisation.
Only what changed since the last look is read.
"""

from collections.abc import Iterable

from talktime.core.directory import Directory
from talktime.store.database import Connection
from talktime.store.numbers import numbers_after
from talktime.store.organisations import organisations_after
from talktime.store.revisions import DIRECTORY, USERS, revisions
from talktime.store.users import users_after


class DirectoryCache:
    """One `directory` for look-ups; each part of it is refreshed by one thread alone."""

    def __init__(self, cells: Iterable[str]) -> None:
        self.directory = Directory()
        self._control_seen = -1
        self._organisations_seen = 0
        self._numbers_seen = 0
        self._users_seen = dict.fromkeys(cells, 0)
        self._counters_seen = dict.fromkeys(cells, -1)

    @property
    def missing(self) -> list[str]:
        """The parts that have not been read yet."""
        parts = [] if self._control_seen >= 0 else ["organisations and numbers"]
        return parts + [f"users of cell {name}" for name, n in self._counters_seen.items() if n < 0]

    def refresh(self, control: Connection) -> bool:
        """Read the organisations and numbers that changed; whether there were any."""
        counter = revisions(control)[DIRECTORY]
        if counter == self._control_seen:
            return False
        for organisations in organisations_after(control, self._organisations_seen):
            self.directory.apply(organisations=organisations.rows)
            self._organisations_seen = organisations.revision
        for numbers in numbers_after(control, self._numbers_seen):
            self.directory.apply(numbers=numbers.rows)
            self._numbers_seen = numbers.revision
        self._control_seen = counter
        return True

    def refresh_users(self, cell: str, connection: Connection) -> bool:
        """Read the users of a cell that changed; whether there were any."""
        counter = revisions(connection)[USERS]
        if counter == self._counters_seen[cell]:
            return False
        for users in users_after(connection, self._users_seen[cell]):
            self.directory.apply(users=users.rows)
            self._users_seen[cell] = users.revision
        self._counters_seen[cell] = counter
        return True
