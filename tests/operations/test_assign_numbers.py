"""Numbers of an organisation. Mirrors src/talktime/operations/assign_numbers.py."""

import pytest

from talktime.core.directory import NumberEntry, User
from talktime.core.refusal import Refusal
from talktime.operations.assign_numbers import (
    assign_number,
    attach_number,
    release_number,
    reserve_number,
)
from talktime.operations.find_numbers import (
    find_number,
    list_numbers,
    numbers_taken,
)
from talktime.operations.number_quotas import Allowance
from talktime.store.numbers import Reservation
from tests.contents import control_contents
from tests.people import CONTOSO, FABRIKAM, NOW_MS, PLENTY

pytestmark = pytest.mark.layouts("sqlite", "postgres")

FRONT_DESK = User(
    *(9, 7, "front-desk@contoso.example", "Front desk", "US", frozenset(), "person", True)
)
MAIN_LINE = FRONT_DESK._replace(id=10, name="main-line@contoso.example", kind="resource_account")
TEN_MINUTES_MS = 600_000
TOLL_FREE, OTHER = "+18005550199", "+14255550103"


@pytest.fixture
def control(store):
    return store.control()


def assign(control, text="+1 425 555 0100", organisation=CONTOSO, **said):
    in_order = {"allowance": PLENTY, "now_ms": NOW_MS}
    with control.transaction():
        return assign_number(control, organisation, text, **(in_order | said))


def reserve(control, text="+14255550100", organisation=CONTOSO, **said):
    in_order = {"allowance": PLENTY, "now_ms": NOW_MS}
    with control.transaction():
        return reserve_number(control, organisation, text, **(in_order | said))


def attach(control, text, attached, user=None, organisation=CONTOSO):
    with control.transaction():
        return attach_number(control, organisation, text, attached=attached, user=user)


def release(control, text="+14255550100", organisation=CONTOSO):
    with control.transaction():
        return release_number(control, organisation, text)


def test_a_number_is_assigned_to_a_user(control):
    entry = assign(control, user=FRONT_DESK)
    assert entry == NumberEntry("14255550100", 7, 9, "user")
    assert find_number(control, "+14255550100") == entry


def test_a_service_number_is_assigned_to_the_organisation(control):
    entry = assign(control, "+18005550199", kind="toll_free", attached="bridge")
    assert entry == NumberEntry("18005550199", 7, None, "toll_free", True, "bridge")
    assert find_number(control, "+18005550199") == entry


def test_a_queue_answers_a_service_number_through_a_resource_account(control):
    entry = assign(control, kind="toll", attached="queue", user=MAIN_LINE)
    assert entry == NumberEntry("14255550100", 7, 10, "toll", True, "queue")


@pytest.mark.parametrize(
    ("said", "code", "refused"),
    [
        ({"text": "4255550100"}, "invalid_number", "'4255550100' has no country code"),
        ({"text": "+1555"}, "invalid_number", "'+1555' does not exist"),
        ({"text": ""}, "invalid_number", "'' has no country code"),
        ({"kind": "fax"}, "invalid_value", "the kind must be one of user, toll, toll_free"),
        ({"attached": "door"}, "invalid_value", "what the number answers as must be one of "),
        ({"attached": "bridge"}, "invalid_value", "a user's number is the user's alone; a bridge"),
        (
            {"kind": "toll", "attached": "queue"},
            "invalid_value",
            "the queue answers through a resource account; name one",
        ),
        (
            {"kind": "toll", "attached": "attendant", "user": FRONT_DESK},
            "invalid_value",
            "front-desk@contoso.example is a person; a service number belongs to a resource ",
        ),
        (
            {"text": TOLL_FREE, "kind": "toll_free", "allowance": Allowance(9, 9, False)},
            "never_funded",
            "Contoso was never funded",
        ),
        (
            {"kind": "toll", "allowance": Allowance(9, 0, False)},
            "quota_reached",
            "Contoso has 0 of 0 toll numbers, those reserved included",
        ),
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
    ("text", "kind", "reason"),
    [
        ("+442080000001", "toll_free", "is no toll-free number; its kind is user or toll"),
        ("+448001111111", "user", "is a toll-free number; its kind is toll_free"),
        ("+80012345678", "toll", "is a toll-free number; its kind is toll_free"),
    ],
)
def test_a_number_is_toll_free_or_not_by_itself(control, text, kind, reason):
    before = control_contents(control)
    refused = Refusal("invalid_value", f"{text} {reason}")
    assert assign(control, text, kind=kind) == refused
    assert assign(control, text, kind=kind, over_quota=True) == refused
    assert reserve(control, text, kind=kind) == refused
    assert control_contents(control) == before


@pytest.mark.parametrize(
    ("organisation", "owner"), [(CONTOSO, "this organisation"), (FABRIKAM, "another organisation")]
)
def test_a_number_in_use_is_refused_and_stays_where_it_is(control, organisation, owner):
    assign(control, user=FRONT_DESK)
    before = control_contents(control)
    refused = f"+14255550100 is in use by {owner}; take it out of use there first"
    refusal = assign(control, "+14255550100", organisation)
    assert refusal == Refusal("already_exists", refused)
    assert control_contents(control) == before


def test_a_number_that_is_assigned_just_so_stays_as_it_is(control):
    """Who lost the answer asks again: no quota and no reservation is in the way of that."""
    none_more = {"allowance": Allowance(0, 0, False)}
    entry = assign(control, user=FRONT_DESK)
    service = assign(control, TOLL_FREE, kind="toll_free", attached="bridge")
    before = control_contents(control)
    assert assign(control, user=FRONT_DESK, **none_more) == entry
    again = assign(control, TOLL_FREE, kind="toll_free", attached="bridge", **none_more)
    assert again == service
    assert control_contents(control) == before
    for said in ({}, {"user": FRONT_DESK, "kind": "toll"}, {"user": MAIN_LINE}):
        assert assign(control, **said).code in ("already_exists", "invalid_value")
    assert assign(control, TOLL_FREE, kind="toll_free").code == "already_exists"
    assert assign(control, organisation=FABRIKAM, kind="toll").code == "already_exists"
    assert control_contents(control) == before


def test_a_released_number_is_out_of_use_and_can_be_assigned_to_anyone(control):
    entry = assign(control, user=FRONT_DESK)
    released = entry._replace(active=False)
    assert release(control) == released
    assert find_number(control, "+14255550100") == released
    moved = assign(control, organisation=FABRIKAM, kind="toll")
    there_since = {"moved_from": 7, "moved_ms": NOW_MS}
    assert moved == NumberEntry("14255550100", 8, None, "toll", **there_since)
    assert find_number(control, "+14255550100") == moved


def test_a_number_says_who_had_it_before_until_it_moves_again(control):
    assign(control)
    release(control)
    assert assign(control, now_ms=NOW_MS + 1).moved_from is None
    release(control)
    moved = assign(control, organisation=FABRIKAM, now_ms=NOW_MS + 2)
    assert (moved.moved_from, moved.moved_ms) == (7, NOW_MS + 2)
    release(control, organisation=FABRIKAM)
    assert assign(control, organisation=FABRIKAM, now_ms=NOW_MS + 3) == moved
    release(control, organisation=FABRIKAM)
    back = assign(control, now_ms=NOW_MS + 4)
    assert (back.moved_from, back.moved_ms) == (8, NOW_MS + 4)
    assert find_number(control, "+14255550100") == back


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
    assign(control, TOLL_FREE, kind="toll_free")
    for text in ("+14255550101", "+14255550100"):
        assign(control, text)
    assign(control, "+442079460958", FABRIKAM)
    digits = ["14255550100", "14255550101", "18005550199"]
    assert [entry.digits for entry in list_numbers(control, CONTOSO)] == digits
    second = list_numbers(control, CONTOSO, after=digits[0], limit=1)
    assert [entry.digits for entry in second] == digits[1:2]


def test_the_quota_counts_numbers_in_use_of_the_kind_alone(control):
    two = {"allowance": Allowance(2, 1, True)}
    assign(control, "+14255550100", **two)
    assign(control, "+14255550101", **two)
    assign(control, "+14255550102", kind="toll", **two)
    assign(control, "+18005550199", kind="toll_free", **two)
    assign(control, "+14255550109", FABRIKAM, **two)
    before = control_contents(control)
    free = "+18005550198"
    for kind, taken, text in (("user", 2, OTHER), ("toll", 1, OTHER), ("toll_free", 1, free)):
        assert assign(control, text, kind=kind, **two) == Refusal(
            "quota_reached",
            f"Contoso has {taken} of {taken} {kind} numbers, those reserved included",
        )
    assert control_contents(control) == before
    release(control, "+14255550100")
    assert assign(control, OTHER, **two) == NumberEntry("14255550103", 7, None, "user")


def test_the_operator_can_go_over_the_quota_but_not_without_funds(control):
    """R89."""
    none = Allowance(0, 0, False)
    entry = assign(control, kind="toll", allowance=none, over_quota=True)
    assert entry == NumberEntry("14255550100", 7, None, "toll")
    refusal = assign(control, "+18005550199", kind="toll_free", allowance=none, over_quota=True)
    assert refusal.code == "never_funded"


def test_a_reserved_number_is_kept_from_others_for_ten_minutes(control):
    """R90."""
    kept = reserve(control)
    assert kept == Reservation("14255550100", 7, "user", NOW_MS + TEN_MINUTES_MS)
    before = control_contents(control)
    refused = Refusal("number_reserved", "+14255550100 is reserved until 2026-11-23T10:10:00Z")
    last_ms = NOW_MS + TEN_MINUTES_MS - 1
    assert assign(control, organisation=FABRIKAM, now_ms=last_ms) == refused
    assert reserve(control, organisation=FABRIKAM, now_ms=last_ms) == refused
    assert control_contents(control) == before
    entry = assign(control, organisation=FABRIKAM, now_ms=last_ms + 1)
    assert entry == NumberEntry("14255550100", 8, None, "user")


def test_a_reservation_becomes_the_number_and_ends_with_it(control):
    one = {"allowance": Allowance(1, 0, True)}
    reserve(control, **one)
    assert reserve(control, "+14255550101", **one).code == "quota_reached"
    assert numbers_taken(control, CONTOSO, now_ms=NOW_MS) == {"user": 1, "toll": 0, "toll_free": 0}
    assert assign(control, **one) == NumberEntry("14255550100", 7, None, "user")
    assert control.rows("SELECT * FROM number_reservation") == []
    assert numbers_taken(control, CONTOSO, now_ms=NOW_MS)["user"] == 1


def test_a_number_reserved_again_ends_when_it_would_have(control):
    kept = reserve(control)
    assert reserve(control, now_ms=NOW_MS + 60_000, kind="toll") == kept._replace(kind="toll")
    later_ms = NOW_MS + TEN_MINUTES_MS
    assert reserve(control, now_ms=later_ms).until_ms == later_ms + TEN_MINUTES_MS


@pytest.mark.parametrize(
    ("said", "code", "refused"),
    [
        ({"text": "+1555"}, "invalid_number", "'+1555' does not exist"),
        ({"kind": "fax"}, "invalid_value", "the kind must be one of user, toll, toll_free"),
        ({"text": "+14255550101"}, "already_exists", "+14255550101 is in use by this organisation"),
        ({"allowance": Allowance(1, 9, True)}, "quota_reached", "Contoso has 1 of 1 user numbers"),
        (
            {"text": TOLL_FREE, "kind": "toll_free", "allowance": Allowance(9, 9, False)},
            "never_funded",
            "Contoso was never funded",
        ),
    ],
)
def test_a_reservation_that_cannot_be_is_refused_and_nothing_is_kept(control, said, code, refused):
    assign(control, "+14255550101")
    before = control_contents(control)
    refusal = reserve(control, **said)
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.detail[: len(refused)]) == (code, refused)
    assert control_contents(control) == before


def test_a_service_number_is_attached_to_something_else(control):
    entry = assign(control, kind="toll", attached="queue", user=MAIN_LINE)
    bridge = attach(control, "+14255550100", "bridge")
    assert bridge == entry._replace(attached="bridge", user_id=None)
    assert find_number(control, "+14255550100") == bridge
    before = control_contents(control)
    assert attach(control, "+14255550100", "bridge") == bridge
    assert control_contents(control) == before


def test_a_number_out_of_use_is_attached_to_nothing(control):
    assign(control, kind="toll")
    release(control)
    refused = attach(control, "+14255550100", "bridge")
    assert (refused.code, "is out of use" in refused.detail) == ("unknown_number", True)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (("+14255550100", "attendant"), "invalid_value"),
        (("+14255550100", "door"), "invalid_value"),
        (("+14255550100", "queue", FRONT_DESK), "invalid_value"),
        (("+14255550100", "bridge", None, FABRIKAM), "unknown_number"),
        (("+14255550109", "bridge"), "unknown_number"),
    ],
)
def test_an_attachment_that_cannot_be_is_refused_and_nothing_changes(control, said, code):
    assign(control, kind="toll")
    before = control_contents(control)
    assert attach(control, *said).code == code
    assert control_contents(control) == before
