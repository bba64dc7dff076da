"""How Python is set up. Mirrors src/talktime/cli/serve_tuning.py."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from talktime.cli.serve_tuning import OBJECTS_OF_A_BATCH_KEPT, collect_between_batches


@pytest.fixture
def collector() -> Iterator[None]:
    """The collector as it was, afterwards."""
    gc.collect()
    yield
    gc.enable()


class Node:
    """What may refer to itself."""


def test_a_writer_collects_what_is_new_once_there_is_enough_of_it(collector: None) -> None:
    collect = collect_between_batches()
    assert not gc.isenabled()
    lost = Node()
    lost.itself = lost  # type: ignore[attr-defined]
    gone = weakref.ref(lost)
    del lost
    collect()
    assert gone() is not None
    kept = [Node() for _ in range(OBJECTS_OF_A_BATCH_KEPT)]
    collect()
    assert gone() is None
    assert gc.get_count()[0] < OBJECTS_OF_A_BATCH_KEPT
    assert len(kept) == OBJECTS_OF_A_BATCH_KEPT
