"""Revisions in the databases. Mirrors src/talktime/store/revisions.py."""

from contextlib import suppress

import pytest

from talktime.store.numbers import insert_numbers, numbers_after, numbers_of_digits
from talktime.store.revisions import DIRECTORY, bump, lock, revisions
from tests.people import NUMBER

pytestmark = pytest.mark.layouts("sqlite", "postgres")


def pages(read, connection, seen=0):
    return [(page.rows, page.revision) for page in read(connection, seen)]


def test_a_counter_moves_only_with_its_own_rows(store):
    control = store.control()
    with control.transaction():
        insert_numbers(control, [NUMBER])
        assert bump(control, DIRECTORY) == 2
    assert revisions(control) == {"directory": 2, "keys": 0, "rates": 0, "catalogue": 1}


def test_what_was_rolled_back_was_never_there(store):
    control = store.control()
    with suppress(ZeroDivisionError), control.transaction():
        insert_numbers(control, [NUMBER])
        raise ZeroDivisionError
    assert pages(numbers_after, control) == []
    assert revisions(control)[DIRECTORY] == 0


def test_changes_are_written_and_read_in_pages_that_never_split_a_revision(store):
    control = store.control()
    numbers = [NUMBER._replace(digits=str(digits)) for digits in range(10, 18)]
    with control.transaction():
        insert_numbers(control, iter(numbers), 3)
    read = [(page.rows, page.revision) for page in numbers_after(control, 0, 5)]
    assert [(len(rows), revision) for rows, revision in read] == [(3, 1), (3, 2), (2, 3)]
    assert sorted(entry for rows, _ in read for entry in rows) == numbers
    with pytest.raises(ValueError, match="3 rows of revision 1"):
        next(numbers_after(control, 0, 3))


def test_nobody_else_writes_between_a_look_and_the_write_that_follows(store):
    one, other = store.control(), store.control()
    with one.transaction():
        lock(one, DIRECTORY)
        assert numbers_of_digits(one, ["14255550100"]) == []
        insert_numbers(one, [NUMBER])
        assert pages(numbers_after, other) == []
    with other.transaction():
        lock(other, DIRECTORY)
        assert numbers_of_digits(other, ["14255550100"]) == [NUMBER]
