"""A running service for each test that asks for one."""

from collections.abc import Iterator

import pytest

from tests.served import Service, serving
from tests.stores import Store


@pytest.fixture
def service(store: Store) -> Iterator[Service]:
    """The charging API on a store, over HTTP."""
    with serving(store) as running:
        yield running
