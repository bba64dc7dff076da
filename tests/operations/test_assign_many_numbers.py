"""Many numbers at once, and several who want the same. Mirrors
src/talktime/operations/assign_numbers.py."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from talktime.operations.assign_numbers import assign_number, assign_numbers, reserve_numbers
from talktime.operations.find_numbers import find_number, list_numbers, list_reservations
from talktime.operations.number_quotas import Allowance
from tests.contents import control_contents
from tests.operations.test_assign_numbers import (
    OTHER,
    TEN_MINUTES_MS,
    TOLL_FREE,
    assign,
    control,
    reserve,
)
from tests.people import CONTOSO, FABRIKAM, NOW_MS, PLENTY

__all__ = ["control"]

pytestmark = pytest.mark.layouts("sqlite", "postgres")


def assign_all(control, *texts, **said):
    in_order = {"allowance": PLENTY, "now_ms": NOW_MS}
    with control.transaction():
        return assign_numbers(control, CONTOSO, texts, **(in_order | said))


def test_many_numbers_are_assigned_at_once_each_of_them_once(control):
    made = assign_all(control, "+14255550101", "+1 425 555 0100", "+14255550101")
    assert [each.digits for each in made] == ["14255550101", "14255550100"]
    assert [each.digits for each in list_numbers(control, CONTOSO)] == [
        *("14255550100", "14255550101")
    ]


@pytest.mark.parametrize(
    ("texts", "code", "refused"),
    [
        ((OTHER, "+14255550104", "+14255550100"), "already_exists", "is in use by another organ"),
        ((OTHER, "+1555"), "invalid_number", "'+1555' does not exist"),
        ((OTHER, TOLL_FREE), "invalid_value", "is a toll-free number"),
        ((OTHER, "+14255550105"), "number_reserved", "+14255550105 is reserved until"),
        ((), "invalid_value", "one request takes 1 to 100 numbers"),
        ((OTHER,) * 101, "invalid_value", "one request takes 1 to 100 numbers"),
    ],
)
def test_of_many_numbers_all_are_had_or_none(control, texts, code, refused):
    assign(control, organisation=FABRIKAM)
    reserve(control, "+14255550105", organisation=FABRIKAM)
    before = control_contents(control)
    for many in (assign_numbers, reserve_numbers):
        with control.transaction():
            found = many(control, CONTOSO, texts, allowance=PLENTY, now_ms=NOW_MS)
        assert (found.code, refused in found.detail) == (code, True)
        assert control_contents(control) == before


def test_many_numbers_are_held_against_the_quota_together(control):
    """R88: those reserved count, but for those that are asked for themselves."""
    three = Allowance(3, 0, True)
    reserve(control, OTHER)
    assign(control)
    refused = assign_all(control, OTHER, "+14255550104", "+14255550105", allowance=three)
    assert (refused.code, refused.detail) == (
        "quota_reached",
        "Contoso has 1 of 3 user numbers, and 3 more are asked for, those reserved included",
    )
    assert len(assign_all(control, OTHER, "+14255550104", allowance=three)) == 2
    assert assign(control, "+14255550105", allowance=three).code == "quota_reached"


def test_a_number_of_two_organisations_goes_to_the_first(store):
    """Two operators at the same time: the second one waits, and is refused."""
    first, second = store.control(), store.control()

    def late():
        return assign(second, organisation=FABRIKAM)

    with ThreadPoolExecutor(1) as pool:
        with first.transaction():
            assert (
                assign_number(
                    first, CONTOSO, "+14255550100", allowance=PLENTY, now_ms=NOW_MS
                ).organisation_id
                == CONTOSO.id
            )
            waiting = pool.submit(late)
        refused = waiting.result(30)
    assert (refused.code, "another organisation" in refused.detail) == ("already_exists", True)
    assert find_number(first, "+14255550100").organisation_id == CONTOSO.id


def test_what_was_reserved_can_be_anybodys_when_its_time_is_over(control):
    reserve(control)
    later = NOW_MS + TEN_MINUTES_MS
    assert reserve(control, organisation=FABRIKAM, now_ms=later).organisation_id == FABRIKAM.id
    assert assign(control, now_ms=later).code == "number_reserved"
    assert list_reservations(control, CONTOSO, "user", now_ms=later) == []
    assert [each.digits for each in list_reservations(control, FABRIKAM, "user", now_ms=later)] == [
        "14255550100"
    ]
