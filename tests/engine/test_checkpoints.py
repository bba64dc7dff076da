"""The log of a SQLite file. Mirrors src/talktime/engine/checkpoints.py."""

import pytest

from talktime.core.ids import Ids
from talktime.engine.checkpoints import Checkpoints
from talktime.engine.connector import Connector
from talktime.operations.execute import execute
from tests.commands import NOW_MS, ORGANISATION, UNIT, fund
from tests.served import EXPECTED
from tests.stores import Store


def checkpoints_of(store: Store) -> Checkpoints:
    """Those of the store's first cell, not started."""
    connector = Connector("cell main", store.settings.cells["main"], "cell", EXPECTED["cell"])
    return Checkpoints("main", connector)


@pytest.mark.layouts("sqlite")
def test_what_was_committed_is_moved_to_its_place_beside_the_writer(store: Store) -> None:
    store.add_wallet(ORGANISATION, cell="main")
    writer = store.cell("main")
    with writer.transaction():
        execute(writer, [fund(1_000 * UNIT)], NOW_MS, Ids(0, lambda: NOW_MS).next)
    path = store.settings.cells["main"].path
    assert path is not None
    before = path.read_bytes()
    checkpoints = checkpoints_of(store)
    checkpoints.move()
    assert path.read_bytes() != before
    checkpoints.stop()
    assert writer.rows("SELECT remaining_micros FROM lot") == [(1_000 * UNIT,)]


@pytest.mark.layouts("sqlite")
def test_a_file_that_is_away_is_an_outage_until_it_is_back(store: Store) -> None:
    path = store.settings.cells["main"].path
    assert path is not None
    checkpoints = checkpoints_of(store)
    checkpoints.move()
    away = path.with_name("away")
    path.rename(away)
    checkpoints.move()
    assert "was removed" in checkpoints.reason
    away.rename(path)
    checkpoints.move()
    assert checkpoints.reason == ""
    checkpoints.stop()
