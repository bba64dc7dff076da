"""The installation that the environment describes: its databases, its clock, its source of ids."""

import fcntl
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from talktime.cli.failures import Failure, unless_refused
from talktime.clock import follow, now_ms
from talktime.config import Address, Settings, settings_from
from talktime.console.migrations_expected import Kind, expected_migrations
from talktime.core.catalogue import Catalogue
from talktime.core.directory import Organisation
from talktime.core.ids import NODES, Ids
from talktime.operations.account_mail import MailSealed
from talktime.operations.organisations import find_organisation
from talktime.operations.sealing import Seal
from talktime.store.catalogue import load_catalogues
from talktime.store.database import Connection
from talktime.store.version import opened as of_version

DEMO_LOCK_FILE = "demo.lock"

Row = TypeVar("Row")


def installation() -> Settings:
    """The installation of this process's environment; ConfigError where that cannot be used.

    From then on this process has its time.
    """
    settings = settings_from(os.environ)
    if not settings.test_clock and demo_runs(settings.data):
        settings = replace(settings, test_clock=True)
    follow(settings)
    return settings


def demo_runs(data: Path) -> bool:
    """Whether a process serves the demo from this data folder now."""
    try:
        with open(data / DEMO_LOCK_FILE, encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        pass  # never served, or by somebody else: not this one's
    return False


def new_ids() -> Ids:
    """A source of ids for this process."""
    return Ids(secrets.randbelow(NODES), now_ms)


def sealed_mail(settings: Settings) -> MailSealed:
    """What mail about accounts is written with, now."""
    return MailSealed(Seal(settings.seal_keys()), now_ms(), new_ids().next, settings.address)


@contextmanager
def control_plane(settings: Settings) -> Iterator[Connection]:
    """A connection to the control plane, closed at the end."""
    with opened(settings.control_plane, "control_plane") as connection:
        yield connection


@contextmanager
def cell(settings: Settings, name: str) -> Iterator[Connection]:
    """A connection to the cell of this name, closed at the end."""
    address = settings.cells.get(name)
    if address is None:
        raise Failure(
            f"this installation has no cell {name!r}; name it in TALKTIME_CELLS "
            f"(now: {' '.join(settings.cells)})"
        )
    with opened(address, "cell") as connection:
        yield connection


def organisation_of(control: Connection, name: str) -> Organisation:
    """The organisation of this name, or of this id in digits; Failure where there is none."""
    with control.reading():
        return unless_refused(find_organisation(control, name.strip()))


def catalogue_of(control: Connection) -> Catalogue:
    """The catalogue in force now."""
    with control.reading():
        return load_catalogues(control).in_force(now_ms())


def all_pages(read: Callable[[Any], list[Row]], after: Any, key: Callable[[Row], Any]) -> list[Row]:
    """All rows of a list that is read a page at a time, each page after the last row's key."""
    rows: list[Row] = []
    while page := read(after):
        rows += page
        after = key(page[-1])
    return rows


@contextmanager
def opened(address: Address, kind: Kind) -> Iterator[Connection]:
    """A connection to a database that is there, and of this version: what another one wrote, or
    will read, is not known here."""
    if address.path is not None and not address.path.exists():
        raise Failure(
            f"there is no database {address.path}: run `talktime migrate` first, "
            "or point TALKTIME_DATA or DATABASE_URL to where yours is"
        )
    with closing(of_version(address, kind, expected_migrations(kind))) as connection:
        yield connection
