"""Users of an organisation. Mirrors src/talktime/operations/users.py and user_changes.py."""

from itertools import count

import pytest

from talktime.core.directory import User
from talktime.core.licensing import Holder
from talktime.core.refusal import Refusal
from talktime.operations.csv_rows import BadFile, RowError, RowErrors
from talktime.operations.licence_groups import create_group
from talktime.operations.user_changes import NO_LIMIT, UserChange
from talktime.operations.users import (
    UserRow,
    UsersWritten,
    change_user,
    create_user,
    find_holder,
    find_user,
    list_holders,
    list_users,
    put_users,
)
from tests.contents import cell_contents
from tests.people import CATALOGUE, CONTOSO, FABRIKAM, PAYS_AS_IT_GOES

pytestmark = pytest.mark.layouts("sqlite", "postgres")

DESK = "front-desk@contoso.example"
MANY = frozenset(f"LICENCE_{number}" for number in range(200))
IN_ORDER = {"name": DESK, "display_name": "Front desk", "licences": PAYS_AS_IT_GOES}


@pytest.fixture
def cell(store):
    return store.cell()


@pytest.fixture
def next_id():
    return count(100).__next__


@pytest.fixture
def create(cell, next_id):
    """Make a user that is in order but for what is said."""

    def create(organisation=CONTOSO, **said):
        new = UserChange(**(IN_ORDER | said))
        with cell.transaction():
            return create_user(cell, organisation, new, catalogue=CATALOGUE, next_id=next_id)

    return create


@pytest.fixture
def group(cell, next_id):
    """Make a group of these licences."""

    def group(name, licences, organisation=CONTOSO):
        with cell.transaction():
            return create_group(
                cell,
                organisation,
                name=name,
                licences=frozenset(licences.split()),
                catalogue=CATALOGUE,
                next_id=next_id,
            )

    return group


@pytest.fixture
def put(cell, next_id):
    """Write many users; row by row from line 2 on."""

    def put(*changes, dry_run=False, organisation=CONTOSO, errors=None):
        rows = [UserRow(line, change) for line, change in enumerate(changes, 2)]
        with cell.transaction():
            return put_users(
                cell,
                organisation,
                rows,
                errors or RowErrors(),
                catalogue=CATALOGUE,
                next_id=next_id,
                dry_run=dry_run,
            )

    return put


def change(cell, name=DESK, organisation=CONTOSO, **said):
    with cell.transaction():
        return change_user(cell, organisation, UserChange(name, **said), catalogue=CATALOGUE)


def test_a_new_user_is_active_and_found_by_the_sign_in_name(create, cell):
    user = create(name="Front-Desk@Contoso.example")
    assert user == User(*(100, 7, DESK, "Front desk", "US"), *(PAYS_AS_IT_GOES, "person", True))
    assert find_user(cell, CONTOSO, "FRONT-DESK@contoso.example") == user
    assert find_holder(cell, CONTOSO, DESK) == Holder(user, PAYS_AS_IT_GOES)


def test_what_is_not_said_of_a_new_user_comes_from_the_organisation(cell, next_id):
    norway = CONTOSO._replace(country="NO")
    with cell.transaction():
        made = create_user(cell, norway, UserChange("a"), catalogue=CATALOGUE, next_id=next_id)
    assert made == User(100, 7, "a", "a", "NO", frozenset(), "person", True)


@pytest.mark.parametrize(
    ("said", "code", "refused"),
    [
        ({"name": ""}, "invalid_value", "the user's name must be 1 to 128"),
        ({"name": "front desk"}, "invalid_value", "the user's name must be without spaces"),
        ({"name": "a" * 129}, "invalid_value", "the user's name must be 1 to 128"),
        ({"display_name": "Front\tdesk"}, "invalid_value", "the display name must be 1 to 128"),
        ({"usage_location": "USA"}, "invalid_value", "the usage location must be"),
        ({"licences": frozenset({"E5"})}, "invalid_value", "'E5' is no licence"),
        ({"licences": MANY}, "invalid_value", "the licences of one user take 2,000 characters"),
        ({"kind": "robot"}, "invalid_value", "the kind must be one of person, resource_account"),
        ({"policy": "Free"}, "invalid_value", "'Free' is no dial-out policy"),
        ({"spend_limit_micros": -2}, "invalid_value", "the spend limit must be from 0"),
        ({"groups": frozenset({"sales"})}, "unknown_group", "Contoso has no group named 'sales'"),
        ({"licences": frozenset({"MCOPSTNC"})}, "licence_not_possible", "MCOPSTNC (Communicat"),
        ({"usage_location": "NO"}, "licence_not_possible", "MCOPSTN_PAYG_1 (Pay-As-You-Go"),
        ({"kind": "resource_account", "usage_location": "ZW"}, "licence_not_possible", "MCOPSTN"),
    ],
)
def test_a_user_that_cannot_be_is_refused_and_nothing_is_made(create, cell, said, code, refused):
    before = cell_contents(cell)
    refusal = create(**said)
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.detail[: len(refused)]) == (code, refused)
    assert cell_contents(cell) == before


def test_a_name_in_use_is_refused_however_it_is_typed(create, cell):
    create()
    before = cell_contents(cell)
    assert create(name="FRONT-DESK@contoso.example") == Refusal(
        "already_exists", "Contoso has a user named front-desk@contoso.example"
    )
    assert cell_contents(cell) == before


def test_another_organisation_may_have_a_user_of_the_same_name(create, cell):
    create()
    other = create(FABRIKAM)
    assert isinstance(other, User)
    assert find_user(cell, FABRIKAM, DESK) == other


def test_a_user_is_changed_and_the_rest_stays(create, cell):
    user = create()
    changed = change(cell, licences=frozenset(), active=False)
    assert changed == user._replace(licences=frozenset(), active=False)
    assert find_user(cell, CONTOSO, DESK) == changed
    more = {
        "display_name": "Reception",
        "usage_location": "NO",
        "policy": "DialoutCPCandPSTNDomestic",
        "spend_limit_micros": 25_000_000,
        "toll_free_dial_in": False,
    }
    assert change(cell, **more) == changed._replace(**more)
    assert cell.rows("SELECT revision FROM person") == [(3,)]
    freed = change(cell, spend_limit_micros=NO_LIMIT, policy="")
    assert (freed.spend_limit_micros, freed.policy) == (None, "")


def test_a_licence_is_given_beside_the_others_and_taken_again(create, cell):
    create()
    added = change(cell, add=frozenset({"MCOMEETADV"}))
    assert added.licences == PAYS_AS_IT_GOES | {"MCOMEETADV"}
    taken = change(cell, remove=frozenset({"MCOPSTN_PAYG_1", "MCOEV"}))
    assert taken.licences == {"MCOMEETADV", "MCOPSTNC"}
    assert find_holder(cell, CONTOSO, DESK).own_licences == {"MCOMEETADV", "MCOPSTNC"}


def test_a_change_that_changes_nothing_writes_nothing(create, cell):
    user = create()
    before = cell_contents(cell)
    assert change(cell, active=True, add=frozenset({"MCOEV"})) == user
    assert cell_contents(cell) == before


@pytest.mark.parametrize(
    ("said", "code", "refused"),
    [
        ({"name": "nobody"}, "unknown_user", "Contoso has no user named 'nobody'"),
        ({"name": "a\0b"}, "unknown_user", r"Contoso has no user named 'a\x00b'"),
        ({"organisation": FABRIKAM}, "unknown_user", "Fabrikam has no user named 'front-desk@"),
        ({"add": frozenset({"E5"})}, "invalid_value", "'E5' is no licence"),
        ({"add": frozenset({"MCOPSTN1"})}, "licence_not_possible", "MCOPSTN1 and MCOPSTN_PAYG_1 "),
        ({"remove": frozenset({"MCOEV"})}, "licence_not_possible", "MCOPSTNC (Communications"),
        ({"usage_location": "NO"}, "licence_not_possible", "MCOPSTN_PAYG_1 (Pay-As-You-Go"),
        ({"display_name": ""}, "invalid_value", "the display name must be"),
        ({"usage_location": "XX"}, "invalid_value", "the usage location must be"),
        ({"kind": "resource_account"}, "invalid_value", f"{DESK} is a person and stays one"),
        ({"join": frozenset({"x"})}, "unknown_group", "Contoso has no group named 'x'"),
    ],
)
def test_a_change_that_is_refused_changes_nothing(create, cell, said, code, refused):
    create()
    before = cell_contents(cell)
    refusal = change(cell, **(said | {"active": False}))
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.detail[: len(refused)]) == (code, refused)
    assert cell_contents(cell) == before


def test_what_the_catalogue_has_no_more_stays_until_the_licences_change(create, cell):
    create()
    with cell.transaction():
        cell.run(
            "UPDATE person SET licences = '[\"OLD\"]', own_licences = '[\"OLD\"]', policy = 'Old'"
        )
    same = {"licences": frozenset({"OLD"}), "policy": "Old"}
    assert change(cell, display_name="Reception", **same).licences == {"OLD"}
    assert change(cell, add=frozenset({"MCOEV"})).code == "invalid_value"
    assert change(cell, licences=frozenset({"MCOEV"})).licences == {"MCOEV"}


def test_a_groups_licences_count_beside_a_users_own(create, group, cell):
    create(licences=frozenset({"MCOEV"}))
    group("sales", "MCOPSTN_PAYG_1 MCOPSTNC")
    joined = change(cell, join=frozenset({"sales"}))
    assert joined.licences == PAYS_AS_IT_GOES
    holder = find_holder(cell, CONTOSO, DESK)
    assert (holder.own_licences, holder.groups) == ({"MCOEV"}, {"sales"})
    refusal = change(cell, remove=frozenset({"MCOPSTNC"}))
    detail = "MCOPSTNC comes with the group sales; take the user out of it"
    assert refusal == Refusal("invalid_value", detail)
    left = change(cell, leave=frozenset({"sales"}))
    assert left.licences == {"MCOEV"}
    assert find_holder(cell, CONTOSO, DESK).groups == frozenset()


def test_a_group_that_a_user_cannot_be_in_is_refused_and_nothing_changes(create, group, cell):
    create()
    group("plans", "MCOPSTN1")
    before = cell_contents(cell)
    refusal = change(cell, join=frozenset({"plans"}))
    assert refusal.code == "licence_not_possible"
    assert cell_contents(cell) == before


def test_users_are_listed_by_name(create, cell):
    for name in ("b", "c", "a"):
        create(name=name)
    create(FABRIKAM, name="d")
    assert [user.name for user in list_users(cell, CONTOSO)] == ["a", "b", "c"]
    assert [user.name for user in list_users(cell, CONTOSO, after="a", limit=1)] == ["b"]
    assert [each.user.name for each in list_holders(cell, CONTOSO, after="b")] == ["c"]


def test_many_users_are_made_and_changed_by_name(create, put, cell):
    user = create()
    written = put(
        UserChange("FRONT-desk@contoso.example", add=frozenset({"MCOMEETADV"})),
        UserChange("boardroom", display_name="Boardroom Oslo", usage_location="NO"),
        UserChange("lobby", licences=PAYS_AS_IT_GOES, spend_limit_micros=5_000_000),
    )
    assert written == UsersWritten(2, 1, 0, False)
    boardroom, desk, lobby = list_users(cell, CONTOSO)
    assert desk == user._replace(licences=PAYS_AS_IT_GOES | {"MCOMEETADV"})
    assert (boardroom.display_name, boardroom.usage_location) == ("Boardroom Oslo", "NO")
    assert (lobby.licences, lobby.spend_limit_micros) == (PAYS_AS_IT_GOES, 5_000_000)


def test_the_same_users_again_change_nothing(put, cell):
    changes = [UserChange(str(n), licences=PAYS_AS_IT_GOES) for n in range(3)]
    assert put(*changes) == UsersWritten(3, 0, 0, False)
    before = cell_contents(cell)
    assert put(*changes) == UsersWritten(0, 0, 3, False)
    assert cell_contents(cell) == before


def test_a_dry_run_tells_and_writes_nothing(create, put, cell):
    create()
    before = cell_contents(cell)
    written = put(UserChange(DESK, active=False), UserChange("new"), dry_run=True)
    assert written == UsersWritten(1, 1, 0, True)
    assert cell_contents(cell) == before


def test_one_bad_row_keeps_all_out_and_each_is_named_by_line_and_reason(create, put, cell):
    create()
    before = cell_contents(cell)
    errors = RowErrors()
    errors.add(9, "active: 'maybe' is neither yes nor no")
    bad = put(
        UserChange("good"),
        UserChange("GOOD"),
        UserChange(DESK, kind="resource_account"),
        UserChange("lobby", licences=frozenset({"MCOPSTNC"})),
        UserChange("a b"),
        errors=errors,
    )
    assert isinstance(bad, BadFile)
    assert bad.count == 5
    assert bad.errors[0] == RowError(3, "name: good stands already on line 2")
    assert bad.errors[1] == RowError(4, f"{DESK} is a person and stays one; make a new user")
    assert bad.errors[2].reason.startswith("MCOPSTNC (Communications Credits) needs")
    assert bad.errors[3] == RowError(6, "the user's name must be without spaces")
    assert bad.errors[4] == RowError(9, "active: 'maybe' is neither yes nor no")
    assert cell_contents(cell) == before


def test_all_bad_rows_are_counted_and_the_first_hundred_named(put, cell):
    bad = put(*(UserChange(f"a {n}") for n in range(1_100)))
    assert (bad.count, len(bad.errors)) == (1_100, 100)
    assert [error.line for error in bad.errors] == list(range(2, 102))
    assert list_users(cell, CONTOSO) == []


def test_thousands_of_users_are_written_in_revisions_that_can_be_read_in_pages(put, cell):
    assert put(*(UserChange(str(n)) for n in range(2_500))) == UsersWritten(2_500, 0, 0, False)
    [(most,)] = cell.rows(
        "SELECT MAX(n) FROM (SELECT COUNT(*) AS n FROM person GROUP BY revision) counted"
    )
    assert most <= 1_000
