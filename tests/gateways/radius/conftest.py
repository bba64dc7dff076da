"""A running RADIUS service with one client."""

from collections.abc import Iterator

import pytest

from tests.gateways.radius.nas import Nas, RadiusService, add_client, radius_service
from tests.served import seeded
from tests.stores import Store


@pytest.fixture
def radius(store: Store) -> Iterator[RadiusService]:
    """The service, with a client at 127.0.0.1."""
    demo = seeded(store)
    add_client(store, "nas-1", "127.0.0.1")
    with radius_service(store, demo) as service:
        yield service


@pytest.fixture
def nas(radius: RadiusService) -> Nas:
    """The client at 127.0.0.1."""
    return Nas(radius)
