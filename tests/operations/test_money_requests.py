"""A request is done once for its key. Mirrors src/talktime/operations/money_requests.py."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from talktime.core.refusal import Refusal
from talktime.operations.money_requests import answer_once
from tests.people import NOW_MS

pytestmark = pytest.mark.layouts("sqlite", "postgres")


def test_a_second_request_of_a_key_waits_for_the_first_ones_answer_and_does_nothing(store):
    begun, go_on, acted = threading.Event(), threading.Event(), []

    def act():
        acted.append(1)
        begun.set()
        assert go_on.wait(30)
        return "done"

    def ask():
        return answer_once(store.cell(), 1, "key 1", b"asked", act, NOW_MS)

    with ThreadPoolExecutor(3) as threads:
        first = threads.submit(ask)
        assert begun.wait(30)
        others = [threads.submit(ask) for _ in range(2)]
        go_on.set()
        assert first.result() == ("done", False)
        assert [each.result() for each in others] == [("done", True)] * 2
    assert acted == [1]


def test_after_a_refusal_the_key_is_free_and_other_keys_do_not_wait(store):
    refusal = Refusal("invalid_value", "no")
    cell = store.cell()
    assert answer_once(cell, 1, "key 1", b"asked", lambda: refusal, NOW_MS) == (refusal, False)

    def act():
        return answer_once(store.cell(), 1, "key 2", b"asked", lambda: "inner", NOW_MS)[0]

    assert answer_once(cell, 1, "key 1", b"asked", act, NOW_MS) == ("inner", False)
    assert answer_once(cell, 1, "key 1", b"other", act, NOW_MS)[0].code == "idempotency_key_reused"
