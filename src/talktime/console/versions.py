"""Whether a database that the console uses is of this program's version."""

from talktime.config import Address
from talktime.console.databases import current
from talktime.console.migrations_expected import Kind, expected_migrations
from talktime.store.database import Connection
from talktime.store.version import opened, require_version


def kind_of(address: Address) -> Kind:
    """What is to be in the database at this address."""
    return "control_plane" if address == current().control_plane else "cell"


def require_ours(connection: Connection, address: Address) -> None:
    """Raise OtherVersion, saying what to do, where a database is of another version; Outage where
    it does not say."""
    kind = kind_of(address)
    require_version(connection, kind, expected_migrations(kind))


def open_ours(address: Address) -> Connection:
    """A new connection, to a database of this version. Raises Outage."""
    kind = kind_of(address)
    return opened(address, kind, expected_migrations(kind))
