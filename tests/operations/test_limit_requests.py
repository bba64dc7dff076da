"""Who raises what one person may give alone. Mirrors src/talktime/operations/limit_requests.py."""

import pytest

from talktime.core.catalogue import Currency, Entry
from talktime.operations.catalogue import Writing, import_entries
from talktime.operations.four_eyes import approval_above
from talktime.operations.limit_requests import (
    approve_limit,
    ask_limit,
    list_limits,
    reject_limit,
)
from tests.operations.test_four_eyes import SECOND
from tests.operations.test_grants import DAY_MS, FIRST, operator
from tests.shop import NOW_MS, UNIT, Shop

pytestmark = pytest.mark.layouts("sqlite", "postgres")
RAISED = Entry("currency", "USD", NOW_MS, Currency("USD", approval_above="5000"))


@pytest.fixture
def shop(store):
    shop = Shop(store)
    operator(shop, FIRST)
    return shop


def within(shop, verb, *args, at_ms=NOW_MS, **more):
    with shop.control.transaction():
        how = Writing(at_ms, shop.ids.next, alone=True)
        return verb(shop.control, *args, how, **more)


def limit(shop):
    return approval_above(shop.catalogue(), "USD")


@pytest.mark.parametrize(
    "entries",
    [
        [RAISED],
        [RAISED._replace(valid_from_ms=NOW_MS + DAY_MS)],
        [RAISED._replace(code="XOF", value=Currency("XOF", approval_above="501"))],
    ],
)
def test_nobody_raises_a_limit_alone_now_or_later_and_nothing_changes(shop, entries):
    refused = within(shop, import_entries, entries)
    assert refused.code == "approval_needed"
    assert limit(shop) == 500 * UNIT


def test_a_limit_is_lowered_by_one_person_but_neither_raised_again_nor_taken_out(shop):
    lowered = RAISED._replace(value=Currency("USD", approval_above="100"))
    assert within(shop, import_entries, [lowered]).raises == []
    assert limit(shop) == 100 * UNIT
    later = {"valid_from_ms": NOW_MS + 1}
    for value in (None, Currency("USD", approval_above="500")):
        again = lowered._replace(value=value, **later)
        assert within(shop, import_entries, [again]).code == "approval_needed"


def test_another_operator_raises_what_the_first_asked_for(shop):
    request = within(shop, ask_limit, RAISED, actor=FIRST)
    assert (limit(shop), list_limits(shop.control)) == (500 * UNIT, [request])
    operator(shop, SECOND, by=FIRST, by_shell=False)
    for actor in (FIRST, f"key evil (7), made by {FIRST}", SECOND):
        refused = within(shop, approve_limit, request.id, actor=actor)
        assert (refused.code, limit(shop)) == ("approval_needed", 500 * UNIT)
    operator(shop, SECOND)
    within(shop, approve_limit, request.id, at_ms=NOW_MS, actor=SECOND)
    assert (limit(shop), list_limits(shop.control)) == (5000 * UNIT, [])
    again = within(shop, approve_limit, request.id, actor=SECOND)
    assert again.code == "payment_not_possible"


def test_a_rejected_limit_stays_as_it_is(shop):
    request = within(shop, ask_limit, RAISED, actor=FIRST)
    assert within(shop, reject_limit, request.id, actor="root").state == "rejected"
    assert within(shop, approve_limit, request.id, actor="root").code == "payment_not_possible"
    assert within(shop, approve_limit, 4711, actor="root").code == "unknown_payment"
    assert limit(shop) == 500 * UNIT


def test_what_raises_nothing_is_not_asked_for(shop):
    same = RAISED._replace(value=Currency("USD", approval_above="400"))
    assert within(shop, ask_limit, same, actor=FIRST).code == "invalid_value"
