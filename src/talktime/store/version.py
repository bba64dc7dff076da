"""Whether a database is of the version that this code was written for."""

from collections.abc import Set

from talktime.config import Address
from talktime.store.database import Connection, Outage, connect

APPLIED = "SELECT app, name FROM django_migrations WHERE app = ?"

Migrations = Set[tuple[str, str]]
"""(app, name) of each migration."""


class OtherVersion(Outage):
    """The database is of another version than this code; the message says what to do."""


def opened(
    address: Address, app: str, expected: Migrations, *, sync_apart: bool = False
) -> Connection:
    """As `connect`, to a database of the expected migrations. Raises Outage."""
    connection = connect(address, sync_apart=sync_apart)
    try:
        require_version(connection, app, expected)
    except BaseException:
        connection.close()
        raise
    return connection


def require_version(connection: Connection, app: str, expected: Migrations) -> None:
    """Raise OtherVersion, saying what to do, unless exactly the expected migrations of `app` are
    there."""
    with connection.reading():
        applied = {(row[0], row[1]) for row in connection.rows(APPLIED, (app,))}
    require_applied(applied, expected)


def require_applied(applied: Migrations, expected: Migrations) -> None:
    """Raise OtherVersion unless these are the expected migrations."""
    missing, newer = sorted(expected - applied), sorted(applied - expected)
    if newer:
        raise OtherVersion(
            f"the database is of a newer version than this program (it has {newer[-1][1]}): "
            "start the newer program"
        )
    if missing:
        raise OtherVersion(f"the database lacks migration {missing[0][1]}: run `talktime migrate`")
