"""The addresses of an installation in Django's words, and Django set up for them."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import quote

import django

from talktime.clock import follow
from talktime.config import (
    CONTROL_PLANE_ALIAS,
    Address,
    Settings,
    cell_alias,
    settings_from,
)
from talktime.core.limits import CONSOLE_CONNECTION_IDLE_S_MAX

SQLITE_OPTIONS = {
    "timeout": 5,  # seconds to wait for another writer
    "transaction_mode": "IMMEDIATE",
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL",
}
CONNECT_TIMEOUT_S = 5
SETTINGS_MODULE = "talktime.console.settings"

_chosen: list[Settings] = []  # what `set_up` was last given; empty while the environment decides


def current() -> Settings:
    """The installation Django serves in this process."""
    return _chosen[-1] if _chosen else settings_from(os.environ)


def set_up(settings: Settings) -> None:
    """Make Django ready in this process, its aliases pointing at these databases.

    May be called again with other settings: connections to the former databases are closed.
    """
    _chosen[:] = [settings]
    follow(settings)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", SETTINGS_MODULE)
    django.setup()
    from django.db import connections

    wanted = connections.configure_settings(databases_for(settings))
    if connections.settings == wanted:
        return
    let_go()
    for connection in connections.all(initialized_only=True):
        connection.close()
        del connections[connection.alias]
    connections.settings.clear()
    connections.settings.update(wanted)


def let_go() -> None:
    """Close the connections that are kept from one request to the next."""
    from talktime.console.kept_connections import kept_connections
    from talktime.console.kept_threads import kept_threads

    kept_connections.close()
    kept_threads.close()


def addresses(settings: Settings) -> dict[str, Address]:
    """Where the databases are, by Django's aliases."""
    cells = {cell_alias(name): address for name, address in settings.cells.items()}
    return {CONTROL_PLANE_ALIAS: settings.control_plane, **cells}


def databases_for(settings: Settings) -> dict[str, dict[str, Any]]:
    """Django's DATABASES: `default` is the control plane, `cell_<name>` each cell."""
    return {alias: database_at(address) for alias, address in addresses(settings).items()}


def existing_file(path: Path) -> str:
    """The file as a URI that opens it only where it is: a lost database is not made anew, empty."""
    return f"file:{quote(str(path.absolute()))}?mode=rw"


def database_at(address: Address) -> dict[str, Any]:
    if address.path is not None:
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": existing_file(address.path),
            "OPTIONS": dict(SQLITE_OPTIONS),
        }
    from psycopg.conninfo import conninfo_to_dict

    options: dict[str, Any] = dict(conninfo_to_dict(address.url))
    own_options = options.get("options") or ""
    options["options"] = f"{own_options} -c search_path={address.schema}".strip()
    options.setdefault("connect_timeout", CONNECT_TIMEOUT_S)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": options.pop("dbname", ""),
        "USER": options.pop("user", ""),
        "PASSWORD": options.pop("password", ""),
        "HOST": options.pop("host", ""),
        "PORT": str(options.pop("port", "")),
        "OPTIONS": options,
        # For as long as its thread is kept (console/kept_threads.py), and looked at before it is
        # used again.
        "CONN_MAX_AGE": CONSOLE_CONNECTION_IDLE_S_MAX,
        "CONN_HEALTH_CHECKS": True,
    }
