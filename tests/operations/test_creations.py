"""What has an idempotency key is made once. Mirrors src/talktime/operations/creations.py."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from talktime.core.refusal import Refusal
from talktime.operations.creations import make_once
from talktime.operations.idempotency import request_hash
from talktime.operations.money_requests import KEPT_MS
from tests.people import NOW_MS

pytestmark = pytest.mark.layouts("sqlite", "postgres")
MADE = {"key_id": "7", "key": "tt_secret"}


def made(control, asked=b"asked", act=MADE.copy, **other):
    facts = {"key": "key 1", "owner": 1, "at_ms": NOW_MS, "seals": ("s",), **other}
    with control.transaction():
        return make_once(
            *(control, facts["owner"], facts["key"], asked, act),
            secret="key", seal_keys=facts["seals"], now_ms=facts["at_ms"],
        )  # fmt: skip


def code(done):
    return done[0].code


def kept(control):
    with control.reading():
        return control.rows("SELECT owner_id, body_hash, answer FROM creation ORDER BY owner_id")


def test_the_same_again_is_answered_the_same_without_its_secret(store):
    control, acted = store.control(), []

    def act():
        acted.append(1)
        return dict(MADE)

    assert made(control, act=act) == (MADE, False)
    assert made(control, act=act) == ({"key_id": "7", "key": None}, True)
    assert acted == [1]
    assert code(made(control, b"other", act)) == "idempotency_key_reused"
    assert made(control, b"other", act, owner=0) == (MADE, False)
    assert acted == [1, 1]


def test_nothing_that_is_kept_tells_a_secret_or_lets_it_be_guessed(store):
    control = store.control()
    made(control, b'{"secret": "a guess"}')
    [(_, body_hash, answer)] = kept(control)
    assert "tt_secret" not in answer
    assert body_hash != request_hash(b'{"secret": "a guess"}')
    assert body_hash == request_hash("s", b'{"secret": "a guess"}')


def test_a_request_is_known_again_after_the_installations_key_was_changed(store):
    control = store.control()
    made(control)
    assert made(control, seals=("new", "s"))[1]
    assert code(made(control, seals=("new",))) == "idempotency_key_reused"


def test_a_refusal_and_a_failure_leave_the_key_free(store):
    control = store.control()
    refusal = Refusal("already_exists", "no")
    assert made(control, act=lambda: refusal) == (refusal, False)
    with pytest.raises(ZeroDivisionError):
        made(control, act=lambda: {"key": 1 // 0})
    assert kept(control) == []
    assert made(control, b"other") == (MADE, False)


@pytest.mark.parametrize("key", ["", " a", "a\nb", "k" * 201])
def test_what_is_no_key_is_refused(store, key):
    control = store.control()
    assert code(made(control, key=key)) == "invalid_value"
    assert kept(control) == []


def test_a_key_is_known_for_thirty_days(store):
    control = store.control()
    made(control)
    assert made(control, at_ms=NOW_MS + KEPT_MS)[1]
    assert made(control, at_ms=NOW_MS + KEPT_MS + 1) == (MADE, False)
    assert len(kept(control)) == 1


def test_of_many_at_once_one_is_made(store):
    acted = []

    def act():
        acted.append(1)
        return dict(MADE)

    def ask():
        return made(store.control(), act=act)[1]

    with ThreadPoolExecutor(4) as threads:
        replayed = [each.result() for each in [threads.submit(ask) for _ in range(4)]]
    assert sorted(replayed) == [False, True, True, True]
    assert acted == [1]
