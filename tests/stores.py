"""Migrated databases for tests, in every layout an installation may have.

Each layout is migrated once a session, in a process of its own; every test then gets copies.

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

from talktime.config import Settings, settings_from
from talktime.store.database import Connection, connect
from tests.databases import Cluster

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
    """Makes stores: migrates a template of each layout when first asked for, then copies it."""

    def __init__(self, folder: Path, cluster: Callable[[int], Cluster]) -> None:
        self._folder = folder
        self._cluster = cluster
        self._templates: dict[str, dict[str, str]] = {}

    def make(self, layout: str) -> Store:
        """A store of this layout, with tables and nothing in them."""
        if layout not in LAYOUTS:
            raise ValueError(f"{layout!r} is none of {LAYOUTS}")
        number = next(_numbers)
        data = self._folder / f"store_{number}"
        if layout.startswith("sqlite"):
            shutil.copytree(self._template(layout)["TALKTIME_DATA"], data)
            return Store(layout, self._environ(layout, data, []))
        data.mkdir()
        self._template(layout)
        name, template = f"store_{number}", _template_name(layout)
        servers = self._servers(layout)
        urls = [cluster.create_database(name, template) for cluster in servers]
        databases = tuple((cluster, name) for cluster in servers)
        return Store(layout, self._environ(layout, data, urls), databases)

    def drop(self, store: Store) -> None:
        """Close a store's connections and delete its databases."""
        store.close()
        for cluster, name in store.databases:
            with suppress(Exception):  # a test may have stopped its server
                cluster.drop_database(name)
        shutil.rmtree(store.settings.data, ignore_errors=True)

    def _servers(self, layout: str) -> list[Cluster]:
        return [self._cluster(number) for number in range(2 if "servers" in layout else 1)]

    def _template(self, layout: str) -> dict[str, str]:
        if layout not in self._templates:
            data = self._folder / f"template_{layout}"
            data.mkdir()
            name, urls = _template_name(layout), []
            if layout.startswith("postgres"):
                urls = [cluster.create_database(name) for cluster in self._servers(layout)]
            environ = self._environ(layout, data, urls)
            _migrate(environ)
            self._templates[layout] = environ
        return self._templates[layout]

    def _environ(self, layout: str, data: Path, urls: list[str]) -> dict[str, str]:
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


def _template_name(layout: str) -> str:
    return "template_" + layout.replace("-", "_")


def _migrate(environ: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", MIGRATE],
        env={**os.environ, **environ},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise RuntimeError(f"the template was not migrated:\n{done.stdout}{done.stderr}")
