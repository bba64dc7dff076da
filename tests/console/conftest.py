"""Migrated installations for the console's tests: copies, as stores are (tests/stores.py)."""

import shutil
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest
from django.test import Client, override_settings

from talktime.config import Settings, settings_from
from talktime.console.databases import let_go, set_up
from tests.databases import Cluster
from tests.stores import migrated_files, template_name

SECRET_KEY = "a key for tests, long enough for it"
_copies = count(1)


def settings_in(folder: Path, url: str = "", **environ: str) -> Settings:
    """Settings of an installation that is all within this folder, or this PostgreSQL database."""
    return settings_from(
        {
            "TALKTIME_DATA": str(folder),
            "DATABASE_URL": url,
            "TALKTIME_SECRET_KEY": SECRET_KEY,
            **environ,
        }
    )


def migrated_in(folder: Path) -> Settings:
    """An installation of SQLite files in this folder, migrated, that Django is set up for."""
    shutil.copytree(migrated_files("sqlite"), folder, dirs_exist_ok=True)
    settings = settings_in(folder)
    set_up(settings)
    return settings


# Django's models can be imported only once it is set up; nothing is read or made by that.
set_up(settings_in(Path("nowhere")))


@pytest.fixture(scope="session", autouse=True)
def passwords_hashed_quickly() -> Iterator[None]:
    """The real hash takes a third of a second on purpose."""
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield


@pytest.fixture(autouse=True)
def nobody_has_tried_to_sign_in() -> None:
    """What another test has failed at is not held against this one."""
    from talktime.console.people.sign_in import attempts

    attempts.forget()


@pytest.fixture
def installation(
    database_kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Settings]:
    """A migrated, empty installation with one cell, that Django is set up for."""
    if database_kind == "sqlite":
        settings = migrated_in(tmp_path)
    else:
        new_database: Callable[..., str] = request.getfixturevalue("new_database")
        settings = settings_in(tmp_path, new_database(template=template_name("postgres")))
        set_up(settings)
    yield settings
    close_connections()


@pytest.fixture
def admin(installation: Settings) -> Client:
    """The browser of the owner of an organisation that has a wallet, signed in."""
    from talktime.console.accounts import create_admin
    from talktime.console.cell.models import Wallet
    from talktime.console.control_plane.models import Organisation
    from tests.console.rows import insert
    from tests.console.test_pages import EMAIL, PASSWORD, browser, sign_in

    insert(Organisation)
    insert(Wallet)
    create_admin(EMAIL, PASSWORD, 1)
    client = browser()
    sign_in(client)
    return client


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def shared_installation(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    """The same for all tests of a module, once for each kind."""
    folder = tmp_path_factory.mktemp("shared")
    if request.param == "sqlite":
        yield migrated_in(folder)
        close_connections()
        return
    cluster: Cluster = request.getfixturevalue("postgres_cluster")
    name = f"shared_{next(_copies)}"
    settings = settings_in(folder, cluster.create_database(name, template_name("postgres")))
    set_up(settings)
    yield settings
    close_connections()
    cluster.drop_database(name)


@pytest.fixture
def connections_closed() -> Iterator[None]:
    """For a test that sets Django up itself."""
    yield
    close_connections()


def close_connections() -> None:
    from django.db import connections

    let_go()
    connections.close_all()
