"""Migrated databases for tests, in every layout an installation may have.

Each layout is migrated once, in a process of its own, for all processes that share the tests; every
test then gets copies.

    sqlite            a file for the control plane, one for the cell
    sqlite-cells      the same with three cells
    postgres          one database: a schema for the control plane, one for the cell
    postgres-cells    the same with three cells
    postgres-servers  control plane and one cell on one server, two cells on another
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from talktime.config import Settings, settings_from
from talktime.store.database import Connection, connect
from tests.databases import Cluster, running_cluster
from tests.shared_folder import made_once

THREE_CELLS = ("main", "north", "south")
LAYOUTS = ("sqlite", "sqlite-cells", "postgres", "postgres-cells", "postgres-servers")
ONE_CELL_LAYOUTS = ("sqlite", "postgres")

MIGRATE = (
    "import os; from talktime.config import settings_from; "
    "from talktime.console.migrate import migrate; migrate(settings_from(os.environ))"
)
ADD_WALLET = (
    "INSERT INTO wallet "
    "(organisation_id, currency, balance_micros, held_micros, debt_micros, version) "
    "VALUES (?, ?, 0, 0, 0, 0)"
)

_numbers = count(1)


@dataclass
class Store:
    """The databases of one installation, with tables and nothing in them.

    `environ` is the same installation for a process of its own (`talktime serve`).
    """

    layout: str
    environ: dict[str, str]
    databases: tuple[tuple[Cluster, str], ...] = ()
    _open: list[Connection] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.settings: Settings = settings_from(self.environ)

    @property
    def kind(self) -> str:
        """`sqlite` or `postgres`."""
        return self.layout.partition("-")[0]

    @property
    def cells(self) -> tuple[str, ...]:
        """The names of its cells."""
        return tuple(self.settings.cells)

    def cell_of(self, organisation_id: int) -> str:
        """A cell for an organisation: with several cells, neighbours land in different ones."""
        return self.cells[organisation_id % len(self.cells)]

    def control(self) -> Connection:
        """A new connection to the control plane, closed when the test ends."""
        return self._kept(connect(self.settings.control_plane))

    def cell(self, name: str = "main") -> Connection:
        """A new connection to a cell, closed when the test ends."""
        return self._kept(connect(self.settings.cells[name]))

    def home(self, organisation_id: int) -> Connection:
        """A new connection to the cell of an organisation (`cell_of`)."""
        return self.cell(self.cell_of(organisation_id))

    def add_wallet(
        self, organisation_id: int, currency: str = "USD", cell: str | None = None
    ) -> str:
        """Put an empty wallet into a cell (by default `cell_of`) and return the cell's name."""
        name = self.cell_of(organisation_id) if cell is None else cell
        connection = connect(self.settings.cells[name])
        try:
            with connection.transaction():
                connection.run(ADD_WALLET, [organisation_id, currency])
        finally:
            connection.close()
        return name

    def close(self) -> None:
        """Close every connection that was handed out."""
        for connection in self._open:
            with suppress(Exception):
                connection.close()
        self._open.clear()

    def _kept(self, connection: Connection) -> Connection:
        self._open.append(connection)
        return connection


class Stores:
    """Makes stores: copies of a template of each layout. `cluster` gives the first server and the
    second, which began with `migrated_server`."""

    def __init__(self, folder: Path, cluster: Callable[[int], Cluster]) -> None:
        self._folder = folder
        self._cluster = cluster

    def make(self, layout: str) -> Store:
        """A store of this layout, with tables and nothing in them."""
        if layout not in LAYOUTS:
            raise ValueError(f"{layout!r} is none of {LAYOUTS}")
        number = next(_numbers)
        data = self._folder / f"store_{number}"
        if layout.startswith("sqlite"):
            shutil.copytree(migrated_files(layout), data)
            return Store(layout, _environ(layout, data, []))
        data.mkdir()
        name = f"store_{number}"
        servers = [self._cluster(number) for number in range(servers_of(layout))]
        urls = [cluster.create_database(name, template_name(layout)) for cluster in servers]
        databases = tuple((cluster, name) for cluster in servers)
        return Store(layout, _environ(layout, data, urls), databases)

    def drop(self, store: Store) -> None:
        """Close a store's connections and delete its databases."""
        store.close()
        for cluster, name in store.databases:
            with suppress(Exception):  # a test may have stopped its server
                cluster.drop_database(name)
        shutil.rmtree(store.settings.data, ignore_errors=True)


def migrated_files(layout: str) -> Path:
    """A migrated folder of an SQLite layout, to copy."""
    return made_once(f"migrated_{layout}", lambda data: migrate(_environ(layout, data, [])))


def migrated_server(number: int) -> Path:
    """The data of the first server (0) or the second: a migrated database of each layout that has
    a part on it is in it, for each store to copy (`template_name`)."""
    return made_once("migrated_servers", _migrate_servers) / str(number)


def _migrate_servers(folder: Path) -> None:
    with running_cluster() as first, running_cluster() as second, TemporaryDirectory() as data:
        for layout in (each for each in LAYOUTS if each.startswith("postgres")):
            servers = (first, second)[: servers_of(layout)]
            urls = [server.create_database(template_name(layout)) for server in servers]
            migrate(_environ(layout, Path(data), urls))
        for number, server in enumerate((first, second)):
            server.keep_data(folder / str(number))


def servers_of(layout: str) -> int:
    """How many servers it has."""
    return 2 if "servers" in layout else 1


def _environ(layout: str, data: Path, urls: list[str]) -> dict[str, str]:
    cells = THREE_CELLS if layout not in ONE_CELL_LAYOUTS else THREE_CELLS[:1]
    first, *others = cells
    if len(urls) > 1:
        others = [f"{name}={urls[1]}" for name in others]
    return {
        "TALKTIME_DATA": str(data),
        "DATABASE_URL": urls[0] if urls else "",
        "TALKTIME_CELLS": " ".join([first, *others]),
        "TALKTIME_WRITERS": "2",
        "TALKTIME_SECRET_KEY": "for tests alone, and long enough to be taken",
    }


def template_name(layout: str) -> str:
    """The database that is copied."""
    return "template_" + layout.replace("-", "_")


def migrate(environ: dict[str, str]) -> None:
    """Migrate an installation, in a process of its own, which has to set Django up."""
    done = subprocess.run(
        [sys.executable, "-c", MIGRATE],
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"the template was not migrated:\n{done.stdout}{done.stderr}")
