"""Money that an operator gives. Mirrors src/talktime/operations/grants.py."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from talktime.core.catalogue import Catalogue, Currency
from talktime.core.charges import Dispute
from talktime.core.limits import EXPIRES_MS_MAX
from talktime.core.outcomes import Funded
from talktime.operations.accounts import put_account, set_staff_role
from talktime.operations.disputes import note_dispute
from talktime.operations.four_eyes import approval_above
from talktime.operations.grants import (
    Giver,
    Grant,
    approve,
    give,
    list_requests,
    reject,
)
from talktime.store.attention import asked_grants, waiting
from talktime.store.grants import GrantRequest
from tests.contents import cell_contents
from tests.shop import NOW_MS, UNIT, Shop

pytestmark = pytest.mark.layouts("sqlite", "postgres")
LIMIT = 500 * UNIT
SMALL = Grant(LIMIT, "goodwill", "first@operator.example", "key 1")
LARGE = SMALL._replace(amount_micros=LIMIT + 1)
LARGE_2 = LARGE._replace(idempotency_key="key 2")
DAY_MS = 86_400_000


FIRST = SMALL.actor


@pytest.fixture
def shop(store):
    shop = Shop(store)
    operator(shop, FIRST)
    return shop


def operator(shop, email, *, by="the shell", by_shell=True):
    """Somebody of the operator's."""
    with shop.control.transaction():
        put_account(shop.control, email, "hash", now_ms=NOW_MS, next_id=shop.ids.next)
        return set_staff_role(shop.control, email, "operator", by=by, by_shell=by_shell)


@pytest.fixture
def giver(shop):
    return giver_of(shop)


def giver_of(shop, cell=None, control=None):
    """Where grants are given."""
    return Giver(
        *(cell or shop.cell, shop.organisation, control or shop.control, shop.catalogue()),
        *(NOW_MS, shop.ids.next),
    )


def contents(shop):
    """All that a refusal may not change."""
    with shop.cell.reading():
        requests = sorted(shop.cell.rows("SELECT * FROM grant_request"))
    return cell_contents(shop.cell), requests, shop.told(""), shop.documents()


def test_exactly_at_the_limit_one_operator_gives_and_one_micro_above_it_asks(shop, giver):
    """R12: four eyes."""
    assert approval_above(shop.catalogue(), "USD") == LIMIT
    assert isinstance(give(giver, SMALL), Funded)
    assert shop.money() == (LIMIT, 0, 0)
    request = give(giver_of(shop)._replace(now_ms=NOW_MS + DAY_MS), LARGE_2)
    assert isinstance(request, GrantRequest)
    assert (request.state, request.asked_by) == ("asked", "first@operator.example")
    assert shop.money() == (LIMIT, 0, 0)
    assert list_requests(giver) == [request]


def test_a_grant_is_a_lot_with_its_reason_its_actor_and_an_invoice_of_zero(shop, giver):
    """R2, R12."""
    given = give(giver, SMALL._replace(promotional=True, lasts_until_ms=NOW_MS + 1))
    lot = given.lot
    assert (lot.source, lot.promotional, lot.expires_ms) == ("grant", True, NOW_MS + 1)
    assert (lot.reason, lot.actor) == ("goodwill", "first@operator.example")
    assert shop.documents() == [("invoice", 0)]
    assert shop.told("") == ["grant.added"]
    shop.proven()


def test_another_operator_approves_and_the_lot_names_both(shop, giver):
    """R12."""
    request = give(giver, LARGE)
    operator(shop, "second@operator.example")
    funded = approve(giver, request.id, actor="second@operator.example")
    assert funded.lot.actor == "first@operator.example, approved by second@operator.example"
    assert shop.money() == (LIMIT + 1, 0, 0)
    [decided] = list_requests(giver)
    assert (decided.state, decided.decided_by, decided.decided_ms, decided.lot_id) == (
        *("approved", "second@operator.example", NOW_MS, funded.lot.id),
    )
    shop.proven()


def test_who_asked_does_not_decide_and_nothing_changes(shop, giver):
    """R12: neither yes nor no."""
    request = give(giver, LARGE)
    before = contents(shop)
    assert approve(giver, request.id, actor=LARGE.actor).code == "approval_needed"
    assert reject(giver, request.id, actor=LARGE.actor).code == "approval_needed"
    by_a_key = f"key evil (7), made by {LARGE.actor}"
    assert approve(giver, request.id, actor=by_a_key).code == "approval_needed"
    assert approve(giver, request.id, actor="").code == "invalid_value"
    assert approve(giver, 4711, actor="x").code == "unknown_payment"
    assert contents(shop) == before


def test_approved_twice_it_is_given_once_whoever_approves_again(shop, giver):
    """R69."""
    request = give(giver, LARGE)
    first = approve(giver, request.id, actor="second")
    before = contents(shop)
    for actor in ("second", "third"):
        again = approve(giver, request.id, actor=actor)
        assert (again.lot.id, again.replayed) == (first.lot.id, True)
    assert reject(giver, request.id, actor="third").code == "payment_not_possible"
    assert contents(shop) == before


def test_what_was_rejected_stays_rejected(shop, giver):
    """R12."""
    request = give(giver, LARGE)
    assert reject(giver, request.id, actor="second").state == "rejected"
    before = contents(shop)
    assert approve(giver, request.id, actor="third").code == "payment_not_possible"
    assert reject(giver, request.id, actor="third").decided_by == "second"
    assert contents(shop) == before
    assert shop.money() == (0, 0, 0)


def test_a_request_whose_credits_would_have_expired_is_expired_and_nobody_decides_it(shop, giver):
    """R12: to the millisecond."""
    asked = LARGE._replace(lasts_until_ms=NOW_MS + 10)
    request = give(giver, asked)
    before = contents(shop)
    assert [each.state for each in list_requests(giver._replace(now_ms=NOW_MS + 9))] == ["asked"]
    late = giver._replace(now_ms=NOW_MS + 10)
    [seen] = list_requests(late)
    assert seen == request._replace(state="expired")
    for decide in (approve, reject):
        refusal = decide(late, request.id, actor="second")
        assert (refusal.code, refusal.detail) == (
            "payment_not_possible",
            "nobody decided it before its credits would have expired: ask again",
        )
    with shop.cell.reading():
        assert (waiting(shop.cell, NOW_MS + 9).asked_grants, len(waits(shop, NOW_MS + 9))) == (1, 1)
        assert (waiting(shop.cell, NOW_MS + 10).asked_grants, waits(shop, NOW_MS + 10)) == (0, [])
    assert contents(shop) == before
    assert isinstance(approve(giver._replace(now_ms=NOW_MS + 9), request.id, actor="2nd"), Funded)


def test_what_was_given_is_answered_again_though_it_has_expired_since(shop, giver):
    """R69."""
    brief = SMALL._replace(lasts_until_ms=NOW_MS + 10)
    given = give(giver, brief)
    request = give(giver, LARGE._replace(idempotency_key="key 2", lasts_until_ms=NOW_MS + 10))
    approved = approve(giver, request.id, actor="second")
    later = giver._replace(now_ms=NOW_MS + 10)
    before = contents(shop)
    for lot, again in (
        (given.lot, give(later, brief)),
        (approved.lot, approve(later, request.id, actor="second")),
    ):
        assert (again.lot.id, again.replayed) == (lot.id, True)
    assert give(later, brief._replace(idempotency_key="key 3")).code == "invalid_value"
    assert contents(shop) == before


def waits(shop, now_ms):
    """What the operator is asked to decide."""
    return asked_grants(shop.cell, now_ms, 0, 10)


def test_the_same_key_and_grant_again_is_the_same_lot_or_the_same_request(shop, giver):
    """R69."""
    assert give(giver, SMALL).lot.id == give(giver, SMALL).lot.id
    large = LARGE._replace(idempotency_key="key 2")
    assert give(giver, large) == give(giver, large)
    assert len(list_requests(giver)) == 1


@pytest.mark.parametrize("first", [SMALL, LARGE])
@pytest.mark.parametrize(
    "changes",
    [
        {"amount_micros": UNIT},
        {"amount_micros": 900 * UNIT},
        {"reason": "other"},
        {"promotional": True},
    ],
)
def test_the_same_key_with_another_grant_is_refused_below_and_above_the_limit(
    shop, giver, first, changes
):
    """R69: a lot's key asks for no approval, a request's key gives no lot."""
    give(giver, first)
    before = contents(shop)
    assert give(giver, first._replace(**changes)).code == "idempotency_key_reused"
    assert contents(shop) == before


def test_a_limit_that_was_lowered_since_asks_for_nothing_that_was_given(shop, giver):
    """R69."""
    first = give(giver, SMALL)
    lowered = Catalogue([Currency("USD", approval_above="1")])
    again = give(giver._replace(catalogue=lowered), SMALL)
    assert (again.lot.id, again.replayed) == (first.lot.id, True)
    assert list_requests(giver) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"amount_micros": 0},
        {"amount_micros": -1},
        {"amount_micros": 10**15 + 1},
        {"reason": ""},
        {"actor": ""},
        {"idempotency_key": ""},
        {"lasts_until_ms": NOW_MS},
        {"lasts_until_ms": EXPIRES_MS_MAX + 1},
    ],
)
def test_what_is_not_in_order_is_refused_and_nothing_changes(shop, giver, changes):
    """R6, R12."""
    before = contents(shop)
    assert give(giver, SMALL._replace(**changes)).code == "invalid_value"
    assert contents(shop) == before


def test_an_organisation_without_a_wallet_gets_nothing(shop, giver):
    lost = giver._replace(organisation=shop.organisation._replace(id=4711))
    assert give(lost, SMALL).code == "unknown_organisation"
    assert give(lost, LARGE).code == "unknown_organisation"


def test_of_two_operators_who_decide_at_once_one_is_first_and_it_is_given_once_or_not_at_all(shop):
    """R12, R69: on connections of their own, at the same moment."""
    for number in range(5):
        asked = LARGE._replace(idempotency_key=f"key {number}")
        request = give(giver_of(shop), asked)
        givers = [giver_of(shop, shop.store.cell(), shop.store.control()) for _ in range(3)]
        with ThreadPoolExecutor(3) as threads:
            yes, too, no = (
                threads.submit(decide, each, request.id, actor=actor)
                for decide, each, actor in zip(
                    (approve, approve, reject), givers, ("second", "third", "fourth"), strict=True
                )
            )
        state = list_requests(giver_of(shop))[0].state
        if state == "approved":
            assert yes.result().lot.id == too.result().lot.id
            assert no.result().code == "payment_not_possible"
        else:
            codes = {yes.result().code, too.result().code}
            assert codes == {"payment_not_possible"}
            assert no.result().state == "rejected"
        with shop.cell.reading():
            lots = shop.cell.rows(
                "SELECT 1 FROM lot WHERE idempotency_key = ?", [f"grant request {request.id}"]
            )
        assert len(lots) == (state == "approved")
    shop.proven()


def test_a_debt_is_paid_after_the_move_to_post_usage_and_above_the_limit_by_two(shop, giver):
    """D14, D15, R12: what comes for it is money, and nothing of it is given."""
    payment = shop.buy(600 * UNIT)
    shop.spend(600 * UNIT)
    note_dispute(shop.counter, payment, Dispute("dp_1", 600 * UNIT, "lost"))
    with shop.cell.transaction():
        shop.cell.run("UPDATE wallet SET no_buying = 'post_usage'")
    giver = giver._replace(organisation=shop.organisation._replace(commerce_model="post_usage"))
    transfer = LARGE._replace(amount_micros=600 * UNIT, source="purchase", reason="bank 7")
    before = contents(shop)
    more = give(giver, transfer._replace(amount_micros=601 * UNIT))
    assert more.code == "credits_not_offered"
    assert more.detail.endswith("no more than the 600 USD that it owes can be entered")
    assert contents(shop) == before
    request, other = give(giver, transfer), give(giver, transfer._replace(idempotency_key="key 3"))
    assert shop.money() == (-600 * UNIT, 0, 600 * UNIT)
    approve(giver, request.id, actor="second")
    assert shop.money() == (0, 0, 0)
    assert shop.moved("debt_payment")[-1] == ("debt_payment", "lot", "debt", 600 * UNIT)
    assert approve(giver, other.id, actor="second").code == "credits_not_offered"
    assert shop.documents()[-1] == ("invoice", 600 * UNIT)
    shop.proven()
