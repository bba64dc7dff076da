"""Throw-away installations to measure: migrated, with wallets that never run dry."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psycopg

from talktime.config import Settings, settings_from
from talktime.core.commands import Fund
from talktime.core.ids import Ids
from talktime.operations.execute import execute
from talktime.store.database import Connection, connect
from talktime.store.organisations import insert_wallet
from tests.databases import running_cluster

TALKTIME = str(Path(sys.executable).with_name("talktime"))
PLENTY_MICROS = 10**14
YEAR_MS = 365 * 86_400_000
CHUNK = 1_000


def clock_ms() -> int:
    """The time, in milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


class Installation(NamedTuple):
    """Where it is, and the environment that says so to `talktime`."""

    settings: Settings
    environment: dict[str, str]


@contextmanager
def installation(kind: str) -> Iterator[Installation]:
    """A migrated installation on `sqlite`, or on a PostgreSQL server of its own with fsync on."""
    with tempfile.TemporaryDirectory(prefix="talktime-bench-") as folder:
        if kind == "sqlite":
            yield _migrated({"TALKTIME_DATA": folder})
            return
        with running_cluster(fsync=True, settings=SERVER_SETTINGS) as cluster:
            grow_log(cluster.url())
            url = cluster.create_database("bench")
            yield _migrated({"TALKTIME_DATA": folder, "DATABASE_URL": url})


SERVER_SETTINGS = {
    "shared_buffers": "512MB",
    "min_wal_size": "1GB",
    "max_wal_size": "4GB",
    "autovacuum_naptime": "1min",
}
LOG_FILES = 64


def grow_log(url: str) -> None:
    """Let the server have files for a GiB of its log, as one that has run for a while: a new server
    makes each of them, 16 MiB of zeros, while somebody waits for a commit."""
    with psycopg.connect(url, autocommit=True) as administrator:
        for _ in range(LOG_FILES):
            administrator.execute("SELECT pg_logical_emit_message(false, 'bench', '')")
            administrator.execute("SELECT pg_switch_wal()")
        administrator.execute("CHECKPOINT")


def _migrated(environment: dict[str, str]) -> Installation:
    # In a process of its own: Django is set up once a process, and this one measures several
    # installations.
    subprocess.run(
        [TALKTIME, "migrate"],
        env={**os.environ, **environment},
        check=True,
        capture_output=True,
    )
    return Installation(settings_from(environment), environment)


def add_wallets(connection: Connection, organisation_ids: list[int]) -> None:
    """A wallet with plenty of money for each of these organisations."""
    ids = Ids(0, clock_ms)
    for start in range(0, len(organisation_ids), CHUNK):
        chunk = organisation_ids[start : start + CHUNK]
        with connection.transaction():
            for organisation_id in chunk:
                insert_wallet(connection, organisation_id, "USD")
        funds = [
            Fund(o, "bench", 0, "purchase", PLENTY_MICROS, clock_ms() + YEAR_MS, "bench", "bench")
            for o in chunk
        ]
        with connection.transaction():
            execute(connection, funds, clock_ms(), ids.next)


def cell(settings: Settings) -> Connection:
    """A connection to the one cell."""
    return connect(settings.cells["main"])
