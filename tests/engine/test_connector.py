"""A connection that comes back. Mirrors src/talktime/engine/connector.py."""

import pytest

from talktime.engine.connector import VERSION_SECONDS_MAX, Connector
from talktime.store.version import OtherVersion
from tests.served import EXPECTED

pytestmark = pytest.mark.layouts("sqlite", "postgres")

LATER = (
    "INSERT INTO django_migrations (app, name, applied) "
    "VALUES ('cell', '9999_later', '2026-11-22 10:00:00')"
)
FORGET = "DELETE FROM django_migrations WHERE name = '9999_later'"


def run(store, statement):
    cell = store.cell()
    with cell.transaction():
        cell.run(statement)


def test_a_kept_connection_is_asked_again_whether_its_database_is_of_this_version(store):
    now_s = 1_000.0
    address = store.settings.cells["main"]
    connector = Connector("cell main", address, "cell", EXPECTED["cell"], clock_s=lambda: now_s)
    try:
        first = connector.connection()
        run(store, LATER)
        now_s += VERSION_SECONDS_MAX
        assert connector.connection() is first
        now_s += 1
        with first.transaction():
            first.rows("SELECT 1")
            assert connector.connection() is first, "within a transaction it is not asked"
        for _ in range(2):
            with pytest.raises(OtherVersion, match="newer version") as outage:
                connector.connection()
            connector.failed(outage.value)
        run(store, FORGET)
        assert connector.connection() is not first
    finally:
        connector.close()
