"""The catalogue in an engine's memory. Mirrors src/talktime/engine/catalogue_cache.py."""

from functools import partial
from itertools import count

import pytest

from talktime.core.catalogue import Country, Entry
from talktime.engine.catalogue_cache import CatalogueCache
from talktime.engine.engine import Engine
from talktime.operations.catalogue import CatalogueReport, Writing, import_entries
from talktime.operations.catalogue_file import in_order
from talktime.operations.catalogue_seed import seed_entries
from talktime.store.database import Connection
from tests.served import clock_ms, serving
from tests.stores import Store

next_id = count(1_001).__next__
FAR_MS = 4_000_000_000_000


def plan(control: Connection, masked_digits: int) -> None:
    entry = Entry("country", "IS", FAR_MS, Country("IS", masked_digits=masked_digits))
    with control.transaction():
        report = import_entries(control, [entry], Writing(clock_ms(), next_id))
    assert isinstance(report, CatalogueReport)


def masked_in_iceland(engine: Engine) -> int:
    return engine.catalogue.catalogues.in_force(FAR_MS).country("IS").masked_digits


def follows(engine: Engine) -> bool:
    return masked_in_iceland(engine) == 4


@pytest.mark.layouts("sqlite", "postgres")
def test_the_catalogue_is_missing_until_it_is_read_and_read_when_it_changed(store: Store) -> None:
    control, cache = store.control(), CatalogueCache()
    assert cache.missing == ["catalogue"]
    assert cache.catalogues.entries == ()
    assert cache.refresh(control)
    assert cache.missing == []
    assert in_order(cache.catalogues.entries) == seed_entries()
    read = cache.catalogues
    assert not cache.refresh(control)
    assert cache.catalogues is read
    plan(control, 2)
    assert cache.refresh(control)
    assert cache.catalogues.in_force(FAR_MS).country("IS").masked_digits == 2
    assert read.in_force(FAR_MS).country("IS").masked_digits == 0
    plan(control, 3)
    assert cache.refresh(control)
    assert cache.catalogues.in_force(FAR_MS).country("IS").masked_digits == 3


@pytest.mark.layouts("sqlite", "postgres")
def test_every_engine_follows_a_change_of_the_catalogue(store: Store) -> None:
    with serving(store) as first, serving(store) as second:
        both = [first, second]
        assert [service.engine.not_ready() for service in both] == [{}, {}]
        plan(store.control(), 4)
        # Each wakes whoever waits for its own caches: the other may have been the later one.
        for service in both:
            assert service.until(partial(follows, service.engine))
