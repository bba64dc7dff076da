"""A migrated control plane to import rate cards into, and published-layout files to import."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from talktime.config import Address, settings_from
from talktime.console.migrate import migrate
from talktime.store.database import PostgresConnection, SqliteConnection, connect

PUBLISHED_HEADER = "Destination Name,Destination Type,Country,Prefix,Price / min"

next_id = count(1).__next__


def migrated_control_plane(folder: Path, postgres_url: str = "") -> Address:
    """Migrate a control plane: SQLite files in the folder, or schemas in a fresh database."""
    settings = settings_from({"TALKTIME_DATA": str(folder), "DATABASE_URL": postgres_url})
    migrate(settings)
    return settings.control_plane


@contextmanager
def connected(address: Address) -> Iterator[PostgresConnection | SqliteConnection]:
    """A connection, closed at the end."""
    connection = connect(address)
    try:
        yield connection
    finally:
        connection.close()


def published_file(prices: dict[str, str]) -> bytes:
    """A file in the published layout, with a price for each prefix."""
    rows = [f"Place {prefix},mixed,DE,{prefix},{price}" for prefix, price in prices.items()]
    return "\r\n".join([PUBLISHED_HEADER, *rows, ""]).encode()
