"""Numbers of an organisation. Mirrors src/talktime/operations/assign_numbers.py."""

import pytest

from talktime.core.directory import NumberEntry, Organisation, User
from talktime.core.refusal import Refusal
from talktime.operations.assign_numbers import (
    assign_number,
    find_number,
    list_numbers,
    release_number,
)
from tests.contents import control_contents

pytestmark = pytest.mark.layouts("sqlite", "postgres")

CONTOSO = Organisation(7, "Contoso", "main", "USD", "UTC", "US", "prepaid", True, "standard")
FABRIKAM = CONTOSO._replace(id=8, name="Fabrikam")
FRONT_DESK = User(
    *(9, 7, "front-desk@contoso.example", "Front desk", "US", frozenset(), "person", True)
)


@pytest.fixture
def control(store):
    return store.control()


def assign(control, text="+1 425 555 0100", organisation=CONTOSO, **said):
    with control.transaction():
        return assign_number(control, organisation, text, **said)


def release(control, text="+14255550100", organisation=CONTOSO):
    with control.transaction():
        return release_number(control, organisation, text)


def test_a_number_is_assigned_to_a_user(control):
    entry = assign(control, user=FRONT_DESK)
    assert entry == NumberEntry("14255550100", 7, 9, "user")
    assert find_number(control, "+14255550100") == entry


def test_a_service_number_is_assigned_to_the_organisation(control):
    entry = assign(control, "+18005550199", kind="toll_free")
    assert entry == NumberEntry("18005550199", 7, None, "toll_free")


@pytest.mark.parametrize(
    ("said", "code", "refused"),
    [
        ({"text": "4255550100"}, "invalid_number", "'4255550100' has no country code"),
        ({"text": "+1555"}, "invalid_number", "'+1555' does not exist"),
        ({"text": ""}, "invalid_number", "'' has no country code"),
        ({"kind": "fax"}, "invalid_value", "the kind must be one of user, toll, toll_free"),
        (
            {"user": FRONT_DESK, "organisation": FABRIKAM},
            "unknown_user",
            "front-desk@contoso.example is no user of Fabrikam",
        ),
    ],
)
def test_a_wrong_assignment_is_refused_and_nothing_is_assigned(control, said, code, refused):
    before = control_contents(control)
    refusal = assign(control, **said)
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.detail[: len(refused)]) == (code, refused)
    assert control_contents(control) == before


@pytest.mark.parametrize(
    ("organisation", "owner"), [(CONTOSO, "it"), (FABRIKAM, "another organisation")]
)
def test_a_number_in_use_is_refused_and_stays_where_it_is(control, organisation, owner):
    assign(control, user=FRONT_DESK)
    before = control_contents(control)
    refused = f"+14255550100 is in use by {owner}; take it out of use there first"
    refusal = assign(control, "+14255550100", organisation)
    assert refusal == Refusal("already_exists", refused)
    assert control_contents(control) == before


def test_a_released_number_is_out_of_use_and_can_be_assigned_to_anyone(control):
    entry = assign(control, user=FRONT_DESK)
    released = entry._replace(active=False)
    assert release(control) == released
    assert find_number(control, "+14255550100") == released
    moved = assign(control, organisation=FABRIKAM, kind="toll")
    assert moved == NumberEntry("14255550100", 8, None, "toll")
    assert find_number(control, "+14255550100") == moved


def test_a_number_released_twice_is_written_once(control):
    assign(control)
    released = release(control)
    before = control_contents(control)
    assert release(control) == released
    assert control_contents(control) == before


@pytest.mark.parametrize(
    ("text", "organisation", "code", "refused"),
    [
        ("+14255550101", CONTOSO, "unknown_number", "+14255550101 belongs to no organisation"),
        ("+14255550100", FABRIKAM, "unknown_number", "Fabrikam has no number +14255550100"),
        ("x", CONTOSO, "invalid_number", "'x' is not a telephone number"),
    ],
)
def test_a_release_that_is_refused_changes_nothing(control, text, organisation, code, refused):
    assign(control)
    before = control_contents(control)
    refusal = release(control, text, organisation)
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.detail[: len(refused)]) == (code, refused)
    assert control_contents(control) == before


def test_numbers_are_listed_in_their_order(control):
    for text in ("+18005550199", "+14255550100", "+14255550101"):
        assign(control, text)
    assign(control, "+442079460958", FABRIKAM)
    digits = ["14255550100", "14255550101", "18005550199"]
    assert [entry.digits for entry in list_numbers(control, CONTOSO)] == digits
    second = list_numbers(control, CONTOSO, after=digits[0], limit=1)
    assert [entry.digits for entry in second] == digits[1:2]
