"""How Python is set up in the processes that serve."""

import gc
import sys
from collections.abc import Callable

THREAD_SWITCH_S = 0.0005
OBJECTS_BEFORE_COLLECTION = 50_000
OBJECTS_OF_A_BATCH_KEPT = 2_000


def collect_seldom() -> None:
    """Let the collector look at many new objects at once: the caches fill with millions that stay,
    a batch makes thousands that go at its end."""
    gc.set_threshold(OBJECTS_BEFORE_COLLECTION, 20, 100)


def keep_what_is_loaded() -> None:
    """What is loaded by now stays: the collector need not walk it again and again."""
    gc.collect()
    gc.freeze()


def switch_threads_soon() -> None:
    """A thread gives up the interpreter at each call that waits; it must not wait 5 ms to get it
    back from the event loop's."""
    sys.setswitchinterval(THREAD_SWITCH_S)


def collect_between_batches() -> Callable[[], None]:
    """Turn the collector off; returns what is to be called after each batch, when only what is kept
    is left of it. Each object kept is looked at once: to walk all of them takes as long as many
    batches do."""
    gc.disable()

    def collect() -> None:
        if gc.get_count()[0] >= OBJECTS_OF_A_BATCH_KEPT:
            gc.collect(0)

    return collect
