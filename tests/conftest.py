"""Fixtures for all tests: throw-away databases."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count

import pytest

from tests.databases import Cluster, running_cluster

_database_numbers = count(1)


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[Cluster]:
    """The PostgreSQL server that ordinary tests share."""
    with running_cluster() as cluster:
        yield cluster


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

        def create(**options: object) -> Cluster:
            return running.enter_context(running_cluster(**options))

        yield create


@pytest.fixture(params=["sqlite", "postgres"])
def database_kind(request: pytest.FixtureRequest) -> str:
    """Runs the test once for each kind of database."""
    kind: str = request.param
    return kind
