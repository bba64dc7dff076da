"""Organisations, numbers and users in the databases. Mirrors src/talktime/store/directory.py."""

from contextlib import suppress

import pytest

from talktime.core.directory import NumberEntry, Organisation, User
from talktime.store.directory import (
    DIRECTORY,
    USERS,
    bump,
    insert_numbers,
    insert_organisation,
    insert_users,
    insert_wallet,
    lock,
    numbers_after,
    numbers_of_digits,
    numbers_of_organisation,
    organisation_named,
    organisation_of_id,
    organisations_after,
    organisations_by_name,
    revisions,
    update_number,
    update_organisation,
    update_user,
    user_of_id,
    users_after,
    users_by_name,
    users_named,
)

pytestmark = pytest.mark.layouts("sqlite", "postgres")

ODD_TEXT = 'Côte "d\'Or" \\ {東京}, null'
CONTOSO = Organisation(
    2**62, ODD_TEXT, "main", "USD", "Europe/Oslo", "NO", "prepaid", True, "standard"
)
FRONT_DESK = User(
    *(2**62 + 1, CONTOSO.id, "front-desk@contoso.example", ODD_TEXT, "US"),
    *(frozenset({"MCOPSTNC", "MCOEV"}), "person", True),
)
NUMBER = NumberEntry("14255550100", CONTOSO.id, FRONT_DESK.id, "user")


def pages(read, connection, seen=0):
    return [(page.rows, page.revision) for page in read(connection, seen)]


def test_an_organisation_is_read_back_as_it_was_written(store):
    control = store.control()
    with control.transaction():
        insert_organisation(control, CONTOSO, 5)
    assert organisation_of_id(control, CONTOSO.id) == CONTOSO
    assert organisation_named(control, ODD_TEXT) == CONTOSO
    assert pages(organisations_after, control) == [([CONTOSO], 1)]
    assert organisation_of_id(control, 1) is None
    assert organisation_named(control, "contoso") is None


def test_an_organisations_change_is_seen_after_the_revision_before_it(store):
    control = store.control()
    with control.transaction():
        insert_organisation(control, CONTOSO, 5)
    changed = CONTOSO._replace(active=False, rate_card="winter")
    with control.transaction():
        update_organisation(control, changed)
    assert pages(organisations_after, control, 1) == [([changed], 2)]
    assert pages(organisations_after, control, 2) == []
    assert revisions(control)[DIRECTORY] == 2


def test_organisations_are_listed_by_name_a_page_at_a_time(store):
    control = store.control()
    with control.transaction():
        for number, name in enumerate(("b", "c", "a"), 1):
            insert_organisation(control, CONTOSO._replace(id=number, name=name), 5)
    assert [each.name for each in organisations_by_name(control, "", 2)] == ["a", "b"]
    assert [each.name for each in organisations_by_name(control, "b", 2)] == ["c"]


def test_numbers_are_read_back_as_they_were_written(store):
    control = store.control()
    service = NumberEntry("18005550199", CONTOSO.id, None, "toll_free")
    with control.transaction():
        insert_numbers(control, [NUMBER, service])
    asked = ["18005550199", "14255550100", "1"]
    assert sorted(numbers_of_digits(control, asked)) == [NUMBER, service]
    assert numbers_of_organisation(control, CONTOSO.id, "", 9) == [NUMBER, service]
    assert numbers_of_organisation(control, CONTOSO.id, "14255550100", 9) == [service]
    assert numbers_of_organisation(control, 1, "", 9) == []


def test_a_number_out_of_use_is_seen_as_such(store):
    control = store.control()
    with control.transaction():
        insert_numbers(control, [NUMBER])
    with control.transaction():
        update_number(control, NUMBER._replace(active=False, user_id=None))
    assert pages(numbers_after, control, 1) == [
        ([NumberEntry("14255550100", CONTOSO.id, None, "user", False)], 2)
    ]


def test_users_are_read_back_as_they_were_written(store):
    cell = store.cell()
    bare = FRONT_DESK._replace(id=9, name="bare", licences=frozenset(), active=False)
    with cell.transaction():
        insert_users(cell, [FRONT_DESK, bare])
    assert user_of_id(cell, CONTOSO.id, FRONT_DESK.id) == FRONT_DESK
    assert user_of_id(cell, 1, FRONT_DESK.id) is None
    assert sorted(users_named(cell, CONTOSO.id, ["bare", FRONT_DESK.name, "nobody"])) == [
        bare,
        FRONT_DESK,
    ]
    assert users_by_name(cell, CONTOSO.id, "", 9) == [bare, FRONT_DESK]
    assert users_by_name(cell, CONTOSO.id, "bare", 9) == [FRONT_DESK]
    assert users_named(cell, 1, ["bare"]) == []


def test_a_users_change_is_seen_after_the_revision_before_it(store):
    cell = store.cell()
    with cell.transaction():
        insert_users(cell, [FRONT_DESK])
    changed = FRONT_DESK._replace(
        display_name="Reception", usage_location="NO", licences=frozenset(), active=False
    )
    with cell.transaction():
        update_user(cell, changed)
    assert pages(users_after, cell, 1) == [([changed], 2)]
    assert revisions(cell) == {USERS: 2}


def test_a_counter_moves_only_with_its_own_rows(store):
    control = store.control()
    with control.transaction():
        insert_numbers(control, [NUMBER])
        assert bump(control, DIRECTORY) == 2
    assert revisions(control) == {"directory": 2, "keys": 0, "rates": 0, "catalogue": 0}


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


def test_what_repeats_is_kept_once(store):
    cell = store.cell()
    users = [FRONT_DESK._replace(id=number, name=str(number)) for number in (1, 2)]
    with cell.transaction():
        insert_users(cell, users)
    [(read, _)] = pages(users_after, cell)
    first, second = read
    assert first.organisation_id is second.organisation_id
    assert first.licences is second.licences
    assert first.usage_location is second.usage_location
    assert first.kind is second.kind


def test_a_new_wallet_is_empty(store):
    cell = store.cell()
    with cell.transaction():
        insert_wallet(cell, 7, "NOK")
    assert cell.rows("SELECT * FROM wallet") == [(7, "NOK", 0, 0, 0, None)]
