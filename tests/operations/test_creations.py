"""What has an idempotency key is made once. Mirrors src/talktime/operations/creations.py."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from talktime.core.refusal import Refusal
from talktime.operations.creations import make_once
from talktime.operations.idempotency import request_hash
from talktime.operations.money_requests import KEPT_MS
from talktime.store.creations import Creations
from tests.people import NOW_MS

pytestmark = pytest.mark.layouts("sqlite", "postgres")
MADE = {"key_id": "7", "key": "tt_secret"}
OWNER, OTHER = 1, 2


class Place:
    """Where things are made: the control plane, or a cell with two wallets."""

    def __init__(self, store, name):
        self.store, self.in_cell = store, name == "cell"
        if self.in_cell:
            for owner in (OWNER, OTHER):
                store.add_wallet(owner, cell="main")

    def connection(self):
        return self.store.cell() if self.in_cell else self.store.control()

    def made(self, asked=b"asked", act=MADE.copy, **other):
        """Ask for it once, on a connection of its own."""
        facts = {"key": "key 1", "owner": OWNER, "at_ms": NOW_MS, "seals": ("s",), **other}
        connection = self.connection()
        with connection.transaction():
            return make_once(
                *(Creations(connection, facts["owner"], self.in_cell), facts["key"], asked, act),
                secret="key", seal_keys=facts["seals"], now_ms=facts["at_ms"],
            )  # fmt: skip

    def kept(self):
        """The hash and the answer of all that is kept."""
        return self.connection().rows("SELECT body_hash, answer FROM creation ORDER BY asked_ms")


@pytest.fixture(params=["control plane", "cell"])
def place(store, request):
    return Place(store, request.param)


def code(done):
    return done[0].code


def test_the_same_again_is_answered_the_same_without_its_secret(place):
    acted = []

    def act():
        acted.append(1)
        return dict(MADE)

    assert place.made(act=act) == (MADE, False)
    assert place.made(act=act) == ({"key_id": "7", "key": None}, True)
    assert acted == [1]
    assert code(place.made(b"other", act)) == "idempotency_key_reused"
    assert place.made(b"other", act, owner=OTHER) == (MADE, False)
    assert acted == [1, 1]


def test_nothing_that_is_kept_tells_a_secret_or_lets_it_be_guessed(place):
    place.made(b'{"secret": "a guess"}')
    [(body_hash, answer)] = place.kept()
    assert "tt_secret" not in answer
    assert body_hash != request_hash(b'{"secret": "a guess"}')
    assert body_hash == request_hash("s", b'{"secret": "a guess"}')


def test_a_request_is_known_again_after_the_installations_key_was_changed(place):
    place.made()
    assert place.made(seals=("new", "s"))[1]
    assert code(place.made(seals=("new",))) == "idempotency_key_reused"


def test_a_refusal_and_a_failure_leave_the_key_free(place):
    refusal = Refusal("already_exists", "no")
    assert place.made(act=lambda: refusal) == (refusal, False)
    with pytest.raises(ZeroDivisionError):
        place.made(act=lambda: {"key": 1 // 0})
    assert place.kept() == []
    assert place.made(b"other") == (MADE, False)


@pytest.mark.parametrize("key", ["", " a", "a\nb", "k" * 201])
def test_what_is_no_key_is_refused(place, key):
    assert code(place.made(key=key)) == "invalid_value"
    assert place.kept() == []


def test_a_key_is_known_for_thirty_days(place):
    place.made()
    assert place.made(at_ms=NOW_MS + KEPT_MS)[1]
    assert place.made(at_ms=NOW_MS + KEPT_MS + 1) == (MADE, False)
    assert len(place.kept()) == 1


def test_of_many_at_once_one_is_made(place):
    acted = []

    def act():
        acted.append(1)
        return dict(MADE)

    def ask():
        return place.made(act=act)[1]

    with ThreadPoolExecutor(4) as threads:
        replayed = [each.result() for each in [threads.submit(ask) for _ in range(4)]]
    assert sorted(replayed) == [False, True, True, True]
    assert acted == [1]
