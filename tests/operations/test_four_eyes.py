"""How much one person gives alone, and who is a second pair of eyes. Mirrors
src/talktime/operations/four_eyes.py."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from talktime.core.catalogue import Catalogue, Currency
from talktime.core.outcomes import Funded
from talktime.operations.four_eyes import confirm_staff
from talktime.operations.grants import approve, give
from talktime.store.grants import GrantRequest
from tests.operations.test_grants import DAY_MS, FIRST, SMALL, giver_of, operator
from tests.shop import NOW_MS, UNIT, Shop

pytestmark = pytest.mark.layouts("sqlite", "postgres")
SECOND, THIRD = "second@operator.example", "third@operator.example"


@pytest.fixture
def shop(store):
    shop = Shop(store)
    operator(shop, FIRST)
    return shop


@pytest.fixture
def giver(shop):
    return giver_of(shop)


def small(number, units=100, actor=FIRST, **more):
    return SMALL._replace(
        amount_micros=units * UNIT, idempotency_key=f"small {number}", actor=actor, **more
    )


def confirm(shop, email, by):
    with shop.control.transaction():
        return confirm_staff(shop.control, email, by=by)


def test_many_small_grants_and_adjustments_count_together_whatever_key_gives_them(shop, giver):
    """R12."""
    by_a_key = f"key portal (7), made by {FIRST}"
    assert isinstance(give(giver, small(1, 200)), Funded)
    assert isinstance(give(giver, small(2, 150, source="adjustment")), Funded)
    assert isinstance(give(giver, small(3, 150, actor=by_a_key)), Funded)
    assert isinstance(give(giver, small(4, 1)), GrantRequest)
    assert isinstance(
        give(giver, small(5, 1, actor=f"key other (8), made by {FIRST}")), GrantRequest
    )
    assert give(giver, small(6, 1, source="adjustment")).code == "approval_needed"
    assert shop.money() == (500 * UNIT, 0, 0)
    shop.proven()


def test_what_was_given_counts_for_a_day_and_for_its_giver_alone(shop, giver):
    operator(shop, SECOND)
    assert isinstance(give(giver, small(1, 500)), Funded)
    assert isinstance(give(giver, small(2, 500, actor=SECOND)), Funded)
    almost = giver._replace(now_ms=NOW_MS + DAY_MS - 1)
    assert isinstance(give(almost, small(3, 1)), GrantRequest)
    assert isinstance(give(almost._replace(now_ms=NOW_MS + DAY_MS), small(4, 500)), Funded)


def test_the_same_grant_again_counts_once(shop, giver):
    """R69."""
    for _ in range(3):
        assert isinstance(give(giver, small(1, 300)), Funded)
    assert isinstance(give(giver, small(2, 200)), Funded)


def test_a_key_tried_with_less_before_gives_no_more_than_what_is_left(shop, giver):
    lost = giver._replace(organisation=shop.organisation._replace(id=4711))
    assert give(lost, small(1, 1)).code == "unknown_organisation"
    assert isinstance(give(giver, small(1, 500)), Funded)
    assert give(giver, small(1, 499)).code == "idempotency_key_reused"
    assert isinstance(give(giver, small(2, 1)), GrantRequest)


def test_another_currency_uses_up_the_same_part_of_the_limit(shop, giver):
    catalogue = Catalogue([Currency("USD", approval_above="500"), Currency("EUR")])
    in_euro = giver._replace(
        catalogue=catalogue, organisation=shop.organisation._replace(currency="EUR")
    )
    assert isinstance(give(giver._replace(catalogue=catalogue), small(1, 400)), Funded)
    assert isinstance(give(in_euro, small(2, 101)), GrantRequest)


def test_grants_given_at_once_do_not_pass_the_limit_together(shop):
    """R12: on connections of their own, at the same moment."""
    givers = [giver_of(shop, shop.store.cell(), shop.store.control()) for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        done = list(threads.map(give, givers, [small(number, 200) for number in range(4)]))
    assert sorted(type(each).__name__ for each in done) == [
        *("Funded", "Funded", "GrantRequest", "GrantRequest")
    ]
    assert shop.money() == (400 * UNIT, 0, 0)


def test_an_account_made_by_the_one_who_asked_gives_and_approves_nothing(shop, giver):
    """R12: a second account is no second pair of eyes."""
    operator(shop, SECOND, by=FIRST, by_shell=False)
    request = give(giver, small(1, 501))
    assert approve(giver, request.id, actor=SECOND).code == "approval_needed"
    by_key = f"key portal (7), made by {SECOND}"
    assert approve(giver, request.id, actor=by_key).code == "approval_needed"
    assert isinstance(give(giver, small(2, 1, actor=SECOND)), GrantRequest)
    assert shop.money() == (0, 0, 0)


def test_who_made_an_operator_or_is_unconfirmed_does_not_confirm_and_another_does(shop, giver):
    operator(shop, SECOND, by=FIRST, by_shell=False)
    operator(shop, THIRD, by=SECOND, by_shell=False)
    for by in (FIRST, SECOND, THIRD):
        assert confirm(shop, SECOND, by).code == "approval_needed"
    assert confirm(shop, THIRD, FIRST).confirmed_by == FIRST
    assert confirm(shop, SECOND, THIRD).confirmed_by == THIRD
    assert confirm(shop, "nobody@operator.example", FIRST).code == "unknown_account"
    request = give(giver, small(1, 501))
    assert approve(giver, request.id, actor=SECOND).lot.amount_micros == 501 * UNIT


def test_a_role_that_is_taken_away_and_given_again_is_confirmed_again(shop, giver):
    from talktime.operations.accounts import set_staff_role

    operator(shop, SECOND)
    with shop.control.transaction():
        set_staff_role(shop.control, SECOND, "finance", by=FIRST)
    request = give(giver, small(1, 501))
    assert approve(giver, request.id, actor=SECOND).code == "approval_needed"
    with shop.control.transaction():
        set_staff_role(shop.control, SECOND, "operator", by=FIRST)
    assert approve(giver, request.id, actor=SECOND).code == "approval_needed"


def test_a_key_of_nobody_or_of_a_former_operator_decides_nothing_and_one_of_the_shell_does(
    shop, giver
):
    request = give(giver, small(1, 501))
    for actor in ("key old (7)", "key left (8), made by gone@operator.example"):
        assert approve(giver, request.id, actor=actor).code == "approval_needed"
        assert isinstance(give(giver, small(actor, 1, actor=actor)), GrantRequest)
    assert isinstance(approve(giver, request.id, actor="key ops (9), made by root"), Funded)


def test_the_shell_is_the_way_out_where_there_is_one_operator_alone(shop, giver):
    request = give(giver, small(1, 501))
    shell = giver._replace(by_shell=True)
    assert approve(shell, request.id, actor=FIRST).code == "approval_needed"
    assert approve(shell, request.id, actor="the owner").lot.amount_micros == 501 * UNIT
