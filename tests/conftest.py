"""Fixtures for all tests: throw-away databases, empty and migrated."""

import gc
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import settings

from tests import loopback
from tests.databases import Cluster, roomy_memory, running_cluster
from tests.running_order import in_running_order
from tests.shared_folder import shared_folder
from tests.stores import LAYOUTS, Store, Stores, migrated_server
from tests.switches.programs import left_out

_database_numbers = count(1)

# The same examples at every run; `--hypothesis-profile=explore` looks for new ones.
settings.register_profile("same", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, derandomize=False, print_blob=True)
settings.load_profile("same")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--layouts",
        default=",".join(LAYOUTS),
        help=f"run tests that take `store` with these alone (comma separated; all: {LAYOUTS})",
    )
    parser.addoption(
        "--seed",
        default=None,
        help="play this one history of tests/invariants/test_money_in.py, test_sandbox_money_in.py",
    )


def pytest_runtest_setup() -> None:
    # Set where tests run side by side: what is printed would be as narrow as a terminal.
    os.environ.pop("COLUMNS", None)


def pytest_configure(config: pytest.Config) -> None:
    if roomy_memory() and "TMPDIR" not in os.environ:
        # Also for the processes that tests start. None of them then waits for a disk at a commit.
        os.environ["TMPDIR"] = str(roomy_memory())
        tempfile.tempdir = None
    shared_folder()  # before others are started that are to share it
    config.addinivalue_line("markers", "layouts(*names): the layouts in which `store` comes")


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    with_programs = collection_path.parent.name == "switches" and bool(left_out())
    return True if with_programs and collection_path.name.startswith("test_") else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):  # one of several processes
        order = in_running_order([item.nodeid.partition("::")[0] for item in items])
        items[:] = [items[number] for number in order]


def pytest_collection_finish() -> None:
    """Half a million objects stay from here on: the garbage collector need not walk them again."""
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for why in filter(None, (left_out(), loopback.left_out())):
        terminalreporter.write_line(why, yellow=True)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "store" in metafunc.fixturenames:
        mark = metafunc.definition.get_closest_marker("layouts")
        chosen = metafunc.config.getoption("--layouts").split(",")
        layouts = [name for name in (mark.args if mark else LAYOUTS) if name in chosen]
        metafunc.parametrize("store", layouts, indirect=True)


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[Cluster]:
    """The PostgreSQL server that ordinary tests share."""
    with running_cluster(data=migrated_server(0)) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def stores(request: pytest.FixtureRequest) -> Iterator[Stores]:
    """Makes stores of any layout: `stores.make("postgres")`; servers start when first needed."""
    with ExitStack() as running:
        others: dict[int, Cluster] = {}

        def cluster(number: int) -> Cluster:
            if number == 0:
                shared: Cluster = request.getfixturevalue("postgres_cluster")
                return shared
            if number not in others:
                others[number] = running.enter_context(
                    running_cluster(data=migrated_server(number))
                )
            return others[number]

        folder = TemporaryDirectory(prefix="talktime-stores-", dir=roomy_memory())
        yield Stores(Path(running.enter_context(folder)), cluster)


@pytest.fixture
def store(request: pytest.FixtureRequest, stores: Stores) -> Iterator[Store]:
    """A migrated installation with nothing in it: the test runs once for each layout.

    `@pytest.mark.layouts("sqlite", "postgres")` leaves the other layouts out.
    """
    made = stores.make(request.param)
    yield made
    stores.drop(made)


@pytest.fixture(scope="session")
def postgres_url(postgres_cluster: Cluster) -> str:
    """The shared server's own database `postgres`: for administration, not for tables."""
    return postgres_cluster.url()


@pytest.fixture
def new_database(postgres_cluster: Cluster) -> Iterator[Callable[..., str]]:
    """Call it for the address of a fresh database; `template=` names one to copy."""
    names: list[str] = []

    def create(template: str = "template0") -> str:
        name = f"test_{next(_database_numbers)}"
        names.append(name)
        return postgres_cluster.create_database(name, template)

    yield create
    for name in names:
        postgres_cluster.drop_database(name)


@pytest.fixture
def new_cluster() -> Iterator[Callable[..., Cluster]]:
    """Call it for a server of the test's own (`fsync=`, `settings=`): to stop, kill, or pair."""
    with ExitStack() as running:

        def create(**options: Any) -> Cluster:
            return running.enter_context(running_cluster(data=migrated_server(0), **options))

        yield create


@pytest.fixture(params=["sqlite", "postgres"])
def database_kind(request: pytest.FixtureRequest) -> str:
    """Runs the test once for each kind of database."""
    kind: str = request.param
    return kind
