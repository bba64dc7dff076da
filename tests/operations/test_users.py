"""Users of an organisation. Mirrors src/talktime/operations/users.py."""

from itertools import count

import pytest

from talktime.core.directory import Organisation, User
from talktime.core.refusal import Refusal
from talktime.operations.users import change_user, create_user, find_user, list_users
from tests.contents import cell_contents

pytestmark = pytest.mark.layouts("sqlite", "postgres")

CONTOSO = Organisation(7, "Contoso", "main", "USD", "UTC", "US", "prepaid", True, "standard")
FABRIKAM = CONTOSO._replace(id=8, name="Fabrikam")
IN_ORDER = {
    "name": "front-desk@contoso.example",
    "display_name": "Front desk",
    "usage_location": "US",
    "licences": ["MCOEV", "MCOPSTNC"],
}


@pytest.fixture
def cell(store):
    return store.cell()


@pytest.fixture
def create(cell):
    """Make a user that is in order but for what is said."""
    next_id = count(100).__next__

    def create(organisation=CONTOSO, **said):
        with cell.transaction():
            return create_user(cell, organisation, **(IN_ORDER | said), next_id=next_id)

    return create


def change(cell, name=IN_ORDER["name"], organisation=CONTOSO, **said):
    with cell.transaction():
        return change_user(cell, organisation, name, **said)


def test_a_new_user_is_active_and_found_by_the_sign_in_name(create, cell):
    user = create(name="Front-Desk@Contoso.example")
    assert user == User(
        *(100, 7, "front-desk@contoso.example", "Front desk", "US"),
        *(frozenset({"MCOEV", "MCOPSTNC"}), "person", True),
    )
    assert find_user(cell, CONTOSO, "FRONT-DESK@contoso.example") == user


@pytest.mark.parametrize(
    ("said", "refused"),
    [
        ({"name": ""}, "the user's name must be 1 to 128"),
        ({"name": "front desk"}, "the user's name must be without spaces"),
        ({"name": "a" * 129}, "the user's name must be 1 to 128"),
        ({"display_name": "Front\tdesk"}, "the display name must be 1 to 128"),
        ({"usage_location": "USA"}, "the usage location must be"),
        ({"licences": ["E5"]}, "'E5' is no licence"),
        ({"kind": "robot"}, "the kind must be one of person, resource_account, not 'robot'"),
    ],
)
def test_a_malformed_user_is_refused_and_nothing_is_made(create, cell, said, refused):
    before = cell_contents(cell)
    refusal = create(**said)
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.detail[: len(refused)]) == ("invalid_value", refused)
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
    assert find_user(cell, FABRIKAM, IN_ORDER["name"]) == other


def test_a_user_is_changed_and_the_rest_stays(create, cell):
    user = create()
    changed = change(cell, licences=[], active=False)
    assert changed == user._replace(licences=frozenset(), active=False)
    assert find_user(cell, CONTOSO, user.name) == changed
    moved = change(cell, display_name="Reception", usage_location="NO")
    assert moved == changed._replace(display_name="Reception", usage_location="NO")
    assert cell.rows("SELECT revision FROM person") == [(3,)]


def test_a_change_that_changes_nothing_writes_nothing(create, cell):
    user = create()
    before = cell_contents(cell)
    assert change(cell, active=True) == user
    assert cell_contents(cell) == before


@pytest.mark.parametrize(
    ("said", "code", "refused"),
    [
        ({"name": "nobody"}, "unknown_user", "Contoso has no user named 'nobody'"),
        ({"organisation": FABRIKAM}, "unknown_user", "Fabrikam has no user named 'front-desk@"),
        ({"licences": ["E5"]}, "invalid_value", "'E5' is no licence"),
        ({"display_name": ""}, "invalid_value", "the display name must be"),
        ({"usage_location": "XX"}, "invalid_value", "the usage location must be"),
    ],
)
def test_a_change_that_is_refused_changes_nothing(create, cell, said, code, refused):
    create()
    before = cell_contents(cell)
    refusal = change(cell, **(said | {"active": False}))
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.detail[: len(refused)]) == (code, refused)
    assert cell_contents(cell) == before


def test_users_are_listed_by_name(create, cell):
    for name in ("b", "c", "a"):
        create(name=name)
    create(FABRIKAM, name="d")
    assert [user.name for user in list_users(cell, CONTOSO)] == ["a", "b", "c"]
    assert [user.name for user in list_users(cell, CONTOSO, after="a", limit=1)] == ["b"]
