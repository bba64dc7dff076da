"""Writers of one SQLite file. Mirrors src/talktime/store/turns.py."""

import threading
from pathlib import Path

import pytest

from talktime.store.database import Outage
from talktime.store.turns import Turns, turns_of
from tests.stores import ADD_WALLET

LONG_MS = 60_000


def test_who_waits_writes_before_who_has_just_written():
    turns = Turns()
    written, waiting = [], threading.Event()

    def write():
        waiting.set()
        with turns.turn(LONG_MS) as held:
            assert held
            written.append("who waited")

    with turns.turn(LONG_MS):
        other = threading.Thread(target=write)
        other.start()
        waiting.wait()
        while not turns.wanted:
            waiting.wait()
        written.append("first")
    with turns.turn(LONG_MS):
        written.append("first again")
    other.join()
    assert written == ["first", "who waited", "first again"]


def test_a_turn_that_does_not_come_is_not_held():
    turns = Turns()
    with turns.turn(1) as first, turns.turn(1) as second:
        assert (first, second) == (True, False)
    with turns.turn(1) as third:
        assert third


def test_a_file_has_the_same_turns_by_any_name():
    assert turns_of(Path("a.sqlite3")) is turns_of(Path.cwd() / "a.sqlite3")
    assert turns_of(Path("a.sqlite3")) is not turns_of(Path("b.sqlite3"))


def fail_after_writing(connection):
    connection.run(ADD_WALLET, [1, "USD"])
    raise ZeroDivisionError


@pytest.mark.layouts("sqlite")
def test_a_transaction_that_fails_gives_its_turn_back(store):
    one, other = store.cell(), store.cell()
    with pytest.raises(ZeroDivisionError), one.transaction():
        fail_after_writing(one)
    with other.transaction():
        other.run(ADD_WALLET, [2, "USD"])
    assert one.rows("SELECT organisation_id FROM wallet") == [(2,)]


@pytest.mark.layouts("sqlite")
def test_a_second_writer_within_a_writer_is_told_that_the_file_is_locked(store):
    one, other = store.cell(), store.cell()
    with (
        one.transaction(),
        pytest.raises(Outage, match=r"cell_main\.sqlite3 is locked by another writer"),
        other.transaction(),
    ):
        other.run(ADD_WALLET, [2, "USD"])
