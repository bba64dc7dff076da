"""Users in the databases. Mirrors src/talktime/store/users.py."""

import pytest

from talktime.core.licensing import Holder
from talktime.store.revisions import USERS, revisions
from talktime.store.users import (
    holders_by_name,
    holders_named,
    insert_users,
    licences_counted,
    members_by_name,
    put_holders,
    user_of_id,
    users_after,
)
from tests.people import FRONT_DESK

pytestmark = pytest.mark.layouts("sqlite", "postgres")


def pages(read, connection, seen=0):
    return [(page.rows, page.revision) for page in read(connection, seen)]


def test_users_are_read_back_as_they_were_written(store):
    cell = store.cell()
    bare = FRONT_DESK._replace(id=9, name="bare", licences=frozenset(), active=False)
    with cell.transaction():
        insert_users(cell, [FRONT_DESK, bare])
    assert user_of_id(cell, 7, FRONT_DESK.id) == FRONT_DESK
    assert user_of_id(cell, 1, FRONT_DESK.id) is None
    kept = [Holder(bare, frozenset()), Holder(FRONT_DESK, FRONT_DESK.licences)]
    assert sorted(holders_named(cell, 7, ["bare", FRONT_DESK.name, "nobody"])) == kept
    assert holders_by_name(cell, 7, "", 9) == kept
    assert holders_by_name(cell, 7, "bare", 9) == kept[1:]
    assert holders_named(cell, 1, ["bare"]) == []


def test_a_users_change_is_seen_after_the_revision_before_it(store):
    cell = store.cell()
    with cell.transaction():
        insert_users(cell, [FRONT_DESK])
    changed = FRONT_DESK._replace(
        display_name="Reception", usage_location="NO", licences=frozenset({"MCOEV"}), active=False,
        policy="DialoutCPCandPSTNDomestic", spend_limit_micros=5, toll_free_dial_in=False,
    )  # fmt: skip
    holder = Holder(changed, frozenset(), frozenset({"sales"}))
    with cell.transaction():
        put_holders(cell, [holder])
    assert pages(users_after, cell, 1) == [([changed], 2)]
    assert revisions(cell)[USERS] == 2
    assert holders_named(cell, 7, [changed.name]) == [holder]


def test_members_are_those_with_exactly_the_groups_name(store):
    cell = store.cell()
    groups = {"a": ("sales",), "b": ("presales",), "c": ("sales.north", "sales"), "d": ()}
    with cell.transaction():
        put_holders(
            cell,
            [
                Holder(FRONT_DESK._replace(id=n, name=name), frozenset(), frozenset(of))
                for n, (name, of) in enumerate(groups.items())
            ],
        )
    assert [each.user.name for each in members_by_name(cell, 7, "sales", "", 9)] == ["a", "c"]
    assert [each.user.name for each in members_by_name(cell, 7, "sales", "a", 9)] == ["c"]
    assert [each.user.name for each in members_by_name(cell, 7, "sales", "", 1)] == ["a"]
    assert members_by_name(cell, 8, "sales", "", 9) == []


def test_licences_are_counted_by_their_sets(store):
    cell = store.cell()
    users = [FRONT_DESK._replace(id=n, name=str(n), active=n > 1) for n in range(3)]
    bare = FRONT_DESK._replace(id=9, name="bare", licences=frozenset())
    other = FRONT_DESK._replace(id=8, organisation_id=8)
    with cell.transaction():
        insert_users(cell, [*users, bare, other])
    counted = licences_counted(cell, 7)
    assert sorted(counted, key=lambda each: each[1]) == [(frozenset(), 1), (FRONT_DESK.licences, 3)]


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
