"""The log beside a SQLite file. Mirrors src/talktime/store/log_file.py."""

import os
from pathlib import Path

import pytest

from talktime.store.database import connect
from talktime.store.log_file import LogFile
from tests.stores import Store


def on_the_disk(log: LogFile) -> tuple[int, int]:
    """Which file a log is."""
    found = os.fstat(log._descriptor)
    return found.st_dev, found.st_ino


@pytest.mark.layouts("sqlite")
def test_it_is_the_file_that_the_connection_writes_as_long_as_that_is_open(store: Store) -> None:
    """Also after the whole of it was moved, and it begins at its beginning again."""
    address = store.settings.cells["main"]
    assert address.path is not None
    connection = connect(address, sync_apart=True)
    log = connection.log
    assert log is not None
    for number in range(1, 4):
        with connection.transaction():
            connection.run(
                "INSERT INTO wallet (organisation_id, currency, balance_micros, held_micros, "
                "debt_micros, version) VALUES (?, 'USD', 0, 0, 0, 0)",
                [number],
            )
        log.sync()
        wal = Path(f"{address.path}-wal").stat()
        assert (wal.st_dev, wal.st_ino) == on_the_disk(log)
        assert connection.rows("PRAGMA wal_checkpoint(TRUNCATE)") == [(0, 0, 0)]
    connection.close()
    log.sync()


@pytest.mark.layouts("sqlite", "postgres")
def test_others_have_each_commit_on_the_disk_before_it_returns(store: Store) -> None:
    connection = store.cell()
    assert connection.log is None
    if store.kind == "sqlite":
        assert connection.rows("PRAGMA synchronous") == [(2,)]
        apart = connect(store.settings.cells["main"], sync_apart=True)
        assert apart.rows("PRAGMA synchronous") == [(1,)]
        apart.close()
