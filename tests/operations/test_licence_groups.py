"""Groups of users with licences. Mirrors src/talktime/operations/licence_groups.py."""

from itertools import count

import pytest

from talktime.core.licensing import LicenceGroup
from talktime.core.refusal import Refusal
from talktime.operations.csv_rows import RowErrors
from talktime.operations.licence_groups import (
    change_group,
    create_group,
    delete_group,
    find_group,
    list_groups,
    list_members,
)
from talktime.operations.user_changes import UserChange
from talktime.operations.users import UserRow, UsersWritten, find_holder, list_users, put_users
from tests.contents import cell_contents
from tests.people import CATALOGUE, CONTOSO, FABRIKAM

pytestmark = pytest.mark.layouts("sqlite", "postgres")

CREDITS = frozenset({"MCOPSTN_PAYG_1", "MCOPSTNC"})
PHONE = frozenset({"MCOEV"})


@pytest.fixture
def cell(store):
    return store.cell()


@pytest.fixture
def next_id():
    return count(100).__next__


@pytest.fixture
def create(cell, next_id):
    def create(name="sales", licences=CREDITS, organisation=CONTOSO):
        with cell.transaction():
            return create_group(
                *(cell, organisation), name=name, licences=licences, catalogue=CATALOGUE,
                next_id=next_id,
            )  # fmt: skip

    return create


@pytest.fixture
def members(cell, next_id):
    """Put users with Teams Phone of their own into a group."""

    def members(*names, group="sales"):
        rows = [
            UserRow(line, UserChange(name, licences=PHONE, groups=frozenset({group})))
            for line, name in enumerate(names, 2)
        ]
        with cell.transaction():
            written = put_users(
                *(cell, CONTOSO, rows, RowErrors()), catalogue=CATALOGUE, next_id=next_id
            )
        assert written == UsersWritten(len(names), 0, 0, False)

    return members


def change(cell, name="sales", **said):
    with cell.transaction():
        return change_group(cell, CONTOSO, name, **said, catalogue=CATALOGUE)


def delete(cell, name="sales"):
    with cell.transaction():
        return delete_group(cell, CONTOSO, name, catalogue=CATALOGUE)


def licences_of(cell):
    return {user.name: user.licences for user in list_users(cell, CONTOSO)}


def test_groups_are_made_found_and_listed_by_name(create, cell):
    sales, agents = create(), create("agents", PHONE)
    assert sales == LicenceGroup(100, 7, "sales", CREDITS)
    create(organisation=FABRIKAM)
    assert list_groups(cell, CONTOSO) == [agents, sales]
    assert find_group(cell, CONTOSO, "sales") == sales
    assert find_group(cell, CONTOSO, "Sales") == Refusal(
        "unknown_group", "Contoso has no group named 'Sales'"
    )


@pytest.mark.parametrize(
    ("said", "code", "refused"),
    [
        ({"name": ""}, "invalid_value", "the group's name must be 1 to 64"),
        ({"name": "a b"}, "invalid_value", "the group's name must be without spaces"),
        ({"name": "a;b"}, "invalid_value", "the group's name must be without semicolons"),
        ({"name": 'a"b'}, "invalid_value", "the group's name must be without semicolons, double"),
        ({"name": "a\\b"}, "invalid_value", "the group's name must be without semicolons, double"),
        ({"licences": frozenset({"E5"})}, "invalid_value", "'E5' is no licence"),
        ({"name": "there"}, "already_exists", "Contoso has a group named there"),
    ],
)
def test_a_group_that_cannot_be_is_refused_and_nothing_is_made(create, cell, said, code, refused):
    create("there")
    before = cell_contents(cell)
    refusal = create(**said)
    assert (refusal.code, refusal.detail[: len(refused)]) == (code, refused)
    assert cell_contents(cell) == before


def test_members_have_the_groups_licences_as_they_change(create, members, cell):
    create()
    members("a", "b")
    assert licences_of(cell) == {"a": PHONE | CREDITS, "b": PHONE | CREDITS}
    assert change(cell, add=frozenset({"MCOMEETADV"})).licences == CREDITS | {"MCOMEETADV"}
    assert licences_of(cell)["b"] == PHONE | CREDITS | {"MCOMEETADV"}
    change(cell, remove=CREDITS)
    assert licences_of(cell)["a"] == PHONE | {"MCOMEETADV"}
    change(cell, licences=frozenset())
    assert licences_of(cell) == {"a": PHONE, "b": PHONE}
    assert [each.user.name for each in list_members(cell, find_group(cell, CONTOSO, "sales"))] == [
        "a",
        "b",
    ]


def test_users_of_other_groups_and_organisations_stay_as_they_are(create, members, cell):
    create()
    create("presales", CREDITS)
    members("a", group="presales")
    before = cell.rows("SELECT * FROM person")
    change(cell, add=frozenset({"MCOMEETADV"}))
    assert cell.rows("SELECT * FROM person") == before


def test_a_group_that_is_deleted_leaves_its_members_their_own(create, members, cell):
    create()
    members("a")
    assert delete(cell).name == "sales"
    assert licences_of(cell) == {"a": PHONE}
    assert find_holder(cell, CONTOSO, "a").groups == frozenset()
    assert list_groups(cell, CONTOSO) == []


def test_a_change_that_one_member_cannot_have_changes_nobody(create, members, cell):
    create()
    members(*(f"desk-{n}" for n in range(3)))
    before = cell_contents(cell)
    refusal = change(cell, add=frozenset({"MCOPSTN1"}))
    assert refusal.code == "licence_not_possible"
    assert refusal.detail.startswith("desk-0: MCOPSTN1 and MCOPSTN_PAYG_1 are calling plans")
    assert cell_contents(cell) == before


def test_a_group_that_members_need_is_not_deleted(create, members, cell):
    create("phones", PHONE)
    create()
    members("a")
    with cell.transaction():
        cell.run("UPDATE person SET own_licences = '[\"MCOPSTN1\"]', groups = '[\"phones\"]'")
    before = cell_contents(cell)
    refusal = delete(cell, "phones")
    assert refusal.code == "licence_not_possible"
    assert refusal.detail.startswith("a: MCOPSTN1 (Domestic Calling Plan) needs Teams Phone")
    assert cell_contents(cell) == before


@pytest.mark.parametrize("act", [change, delete])
def test_a_group_that_is_not_there_is_refused(cell, act):
    before = cell_contents(cell)
    assert act(cell, "none") == Refusal("unknown_group", "Contoso has no group named 'none'")
    assert cell_contents(cell) == before


def test_a_change_of_nothing_writes_nothing(create, members, cell):
    group = create()
    members("a")
    before = cell_contents(cell)
    assert change(cell, add=CREDITS) == group
    assert cell_contents(cell) == before


def test_a_group_of_thousands_changes_in_one_transaction_a_page_at_a_time(create, members, cell):
    create()
    members(*(f"desk-{n:05}" for n in range(2_300)))
    seen = cell.rows("SELECT MAX(revision) FROM person")[0][0]
    change(cell, add=frozenset({"MCOMEETADV"}))
    licences = '["MCOEV","MCOMEETADV","MCOPSTNC","MCOPSTN_PAYG_1"]'
    assert cell.rows("SELECT licences, COUNT(*) FROM person GROUP BY licences") == [
        (licences, 2_300)
    ]
    assert cell.rows("SELECT MIN(revision) FROM person")[0][0] > seen
