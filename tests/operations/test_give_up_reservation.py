"""A reservation that ends early. Mirrors src/talktime/operations/give_up_reservation.py."""

import pytest

from talktime.core.refusal import Refusal
from talktime.operations.assign_numbers import assign_number, reserve_number
from talktime.operations.find_numbers import numbers_taken
from talktime.operations.give_up_reservation import give_up_reservation
from talktime.store.numbers import Reservation
from tests.contents import control_contents
from tests.people import CONTOSO, FABRIKAM, NOW_MS, PLENTY

pytestmark = pytest.mark.layouts("sqlite", "postgres")

NUMBER, OTHER = "+14255550100", "+14255550101"
LATER_MS = NOW_MS + 60_000


@pytest.fixture
def control(store):
    control = store.control()
    with control.transaction():
        for number in (NUMBER, OTHER):
            reserve_number(control, CONTOSO, number, allowance=PLENTY, now_ms=NOW_MS)
    return control


def give_up(control, text=NUMBER, organisation=CONTOSO, now_ms=LATER_MS):
    with control.transaction():
        return give_up_reservation(control, organisation, text, now_ms=now_ms)


def test_a_number_given_up_is_anybodys_and_counts_no_more(control):
    """R90."""
    assert give_up(control, "+1 425 555 0100") == Reservation(NUMBER[1:], 7, "user", LATER_MS)
    assert numbers_taken(control, CONTOSO, now_ms=LATER_MS)["user"] == 1
    with control.transaction():
        entry = assign_number(control, FABRIKAM, NUMBER, allowance=PLENTY, now_ms=LATER_MS)
    assert (entry.digits, entry.organisation_id) == (NUMBER[1:], FABRIKAM.id)


@pytest.mark.parametrize(
    ("said", "refused"),
    [
        ({"text": "+1555"}, "invalid_number"),
        ({"text": "+14255550102"}, "unknown_number"),
        ({"organisation": FABRIKAM}, "unknown_number"),
        ({"now_ms": NOW_MS + 600_000}, "unknown_number"),
    ],
)
def test_what_is_not_kept_for_the_organisation_cannot_be_given_up(control, said, refused):
    before = control_contents(control)
    done = give_up(control, **said)
    assert isinstance(done, Refusal)
    assert done.code == refused
    assert control_contents(control) == before


def test_a_reservation_is_given_up_once(control):
    give_up(control)
    before = control_contents(control)
    detail = f"{NUMBER} is not reserved for {CONTOSO.name}"
    assert give_up(control) == Refusal("unknown_number", detail)
    assert control_contents(control) == before
