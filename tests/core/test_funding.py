"""Lots come in, lots expire. Mirrors src/talktime/core/funding.py."""

import pytest

from talktime.core.expiry import expires_ms
from talktime.core.ledger import ADJUSTMENTS, DEBT, FORFEITURES, FUNDING, GRANTS
from talktime.core.outcomes import Funded, LotsExpired, Refused
from talktime.core.refusal import Refusal
from tests.commands import (
    NOW_MS,
    UNIT,
    Desk,
    authorize,
    expire_lots,
    extend,
    fund,
    settle,
)


def movements(desk: Desk) -> list[tuple[int, int, int, str]]:
    """All transfers: debit, credit, micros, kind."""
    return [
        (t.debit_account, t.credit_account, t.amount_micros, t.kind) for t in desk.books.transfers
    ]


def test_a_purchase_is_a_lot_and_one_transfer_into_it():
    """R2."""
    desk = Desk()
    funded = desk.do(fund(50 * UNIT))
    (lot,) = desk.wallet.lots
    assert funded == Funded(lot, 50 * UNIT, replayed=False)
    assert (lot.amount_micros, lot.remaining_micros, lot.purchased_ms) == (
        *(50 * UNIT, 50 * UNIT),
        NOW_MS,
    )
    assert movements(desk) == [(FUNDING, lot.id, 50 * UNIT, "purchase")]


@pytest.mark.parametrize(
    ("source", "account", "kind"),
    [
        ("purchase", FUNDING, "purchase"),
        ("recharge", FUNDING, "purchase"),
        ("grant", GRANTS, "grant"),
        ("adjustment", ADJUSTMENTS, "adjustment"),
    ],
)
def test_every_source_of_money_has_its_account(source, account, kind):
    desk = Desk()
    lot = desk.do(fund(5, source=source)).lot
    assert (lot.source, movements(desk)) == (source, [(account, lot.id, 5, kind)])


def test_the_same_key_and_request_is_the_same_lot():
    desk = Desk(fund(50))
    again = desk.do(fund(50))
    assert again == Funded(desk.wallet.lots[0], 50, replayed=True)
    assert (len(desk.wallet.lots), len(desk.books.transfers)) == (1, 1)


def test_the_same_key_with_another_request_is_refused_and_changes_nothing():
    desk = Desk(fund(50))
    assert desk.do(fund(51)) == Refused(
        Refusal("idempotency_key_reused", "key 'F1' funded 0.00005 USD before, by another request")
    )
    assert (desk.wallet.balance_micros, len(desk.books.transfers)) == (50, 1)


def test_two_organisations_may_use_the_same_key():
    desk = Desk(fund(50))
    desk.open(2)
    assert desk.do(fund(70, organisation_id=2)).available_micros == 70
    assert desk.wallet.balance_micros == 50


def test_an_organisation_without_a_wallet_is_not_funded():
    desk = Desk()
    assert desk.do(fund(50, organisation_id=9)) == Refused(
        Refusal("unknown_organisation", "organisation 9 has no wallet")
    )
    assert desk.books.new_lots == []


def test_a_funding_pays_the_debt_first():
    """D7."""
    desk = Desk(fund(75_000))
    desk.do(authorize())
    desk.do(settle(used_s=302))
    assert desk.wallet.debt_micros == 15_000
    assert desk.do(fund(10_000, "F2")).available_micros == -5_000
    funded = desk.do(fund(100_000, "F3"))
    assert funded.available_micros == 95_000
    assert (desk.wallet.balance_micros, desk.wallet.debt_micros) == (95_000, 0)
    assert [m for m in movements(desk) if m[3] == "debt_payment"] == [
        (desk.books.new_lots[1].id, DEBT, 10_000, "debt_payment"),
        (funded.lot.id, DEBT, 5_000, "debt_payment"),
    ]


def test_what_is_left_of_an_expired_lot_is_forfeited_once():
    """R4, and V5: lots of 50 from January and 50 from June; 30 used; at the year's end 20 go."""
    january = expires_ms(NOW_MS, "UTC")
    desk = Desk(
        fund(50 * UNIT, "F1", expires_ms=january),
        fund(50 * UNIT, "F2", expires_ms=january + 1),
    )
    first = desk.wallet.lots[0].id
    desk.wallet.spend(30 * UNIT, [], NOW_MS)
    desk.now_ms = january - 1
    assert desk.do(expire_lots()) == LotsExpired(())
    desk.now_ms = january
    assert desk.wallet.available_micros(january) == 50 * UNIT  # a fact of time, before any job
    assert desk.wallet.balance_micros == 70 * UNIT
    assert desk.do(expire_lots()) == LotsExpired(((first, 20 * UNIT),))
    assert desk.wallet.balance_micros == 50 * UNIT
    assert movements(desk)[2:] == [(first, FORFEITURES, 20 * UNIT, "forfeiture")]
    assert desk.do(expire_lots()) == LotsExpired(())


def test_what_a_call_holds_of_an_expired_lot_is_forfeited_only_when_it_is_freed():
    desk = Desk(fund(100_000, expires_ms=NOW_MS + 60_000))
    (lot,) = desk.wallet.lots
    desk.do(authorize())
    assert desk.do(expire_lots(), at_s=60) == LotsExpired(((lot.id, 25_000),))
    assert desk.do(extend(used_s=61), at_s=61).final is True
    desk.do(settle(sequence=2, used_s=61), at_s=62)
    assert (desk.wallet.balance_micros, desk.wallet.available_micros(desk.now_ms)) == (45_000, 0)
    assert desk.do(expire_lots(), at_s=63) == LotsExpired(((lot.id, 45_000),))
    assert desk.wallet.balance_micros == 0


def test_lots_of_an_organisation_without_a_wallet_do_not_expire():
    assert Desk().do(expire_lots(9)) == LotsExpired(())
