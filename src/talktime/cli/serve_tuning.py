"""How Python is set up in the processes that serve."""

import gc
import sys

THREAD_SWITCH_S = 0.0005
OBJECTS_BEFORE_COLLECTION = 50_000


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
