"""What an operator entered by mistake is taken back: what is free of it, the rest as a debt where
the operator says so (R12, D15). Mirrors src/talktime/operations/take_back.py."""

import pytest

from talktime.core.audit import Actor
from talktime.core.meters import day_of
from talktime.core.refusal import Refusal
from talktime.operations.audit import acting
from talktime.operations.expire_lots import expire_lots
from talktime.operations.fund import fund
from talktime.operations.recharge_settings import resume
from talktime.operations.statement import statement
from talktime.operations.take_back import (
    list_entered,
    list_taken_back,
    take_back,
    what_can_be_taken_back,
)
from tests.shop import UNIT, Shop

pytestmark = pytest.mark.layouts("sqlite", "postgres")


@pytest.fixture
def shop(store):
    """An organisation with a card."""
    return Shop(store)


def enter(shop, micros, source="purchase", key="F1", **more):
    """An operator enters credits by hand; the lot's id."""
    funded = fund(
        *(shop.cell, shop.organisation),
        amount_micros=micros,
        source=source,
        reason="bank 4711",
        actor="operator",
        idempotency_key=key,
        now_ms=shop.now_ms,
        next_id=shop.ids.next,
        **more,
    )
    assert not isinstance(funded, Refusal), funded
    return funded.lot.id


def back(shop, lot_id, micros, key="B1", *, owe=False, reason="1,000 instead of 100"):
    """The operator takes it back."""
    return take_back(
        *(shop.counter, lot_id, micros),
        reason=reason,
        actor="operator",
        idempotency_key=key,
        owe=owe,
    )


@pytest.mark.parametrize(
    ("source", "account", "credited"),
    [("purchase", "funding", -900 * UNIT), ("grant", 4, 0), ("adjustment", 6, 0)],
)
def test_what_is_free_goes_back_where_it_came_from(shop, source, account, credited):
    """Source: R5, R12."""
    lot_id = enter(shop, 1_000 * UNIT, source)
    took = back(shop, lot_id, 900 * UNIT)
    assert took.replayed is False
    assert (took.taken.voided_micros, took.taken.debt_micros) == (900 * UNIT, 0)
    assert shop.money() == (100 * UNIT, 0, 0)
    assert shop.lots() == [(source, 100 * UNIT, 1_000 * UNIT)]
    assert accounts_of(shop) == [(lot_id, ACCOUNTS.get(account, account), 900 * UNIT)]
    invoiced = 1_000 * UNIT if source == "purchase" else 0
    assert shop.documents() == [("invoice", invoiced), ("credit_note", credited)]
    assert list_taken_back(shop.counter, lot_id) == [took.taken]
    shop.proven()


ACCOUNTS = {"funding": 1}


def accounts_of(shop):
    """What was taken back: from, to, how much."""
    with shop.cell.reading():
        return shop.cell.rows(
            "SELECT debit_account, credit_account, amount_micros FROM transfer "
            "WHERE kind = 'take_back' ORDER BY id"
        )


def test_what_is_spent_or_held_is_refused_and_nothing_changes(shop):
    lot_id = enter(shop, 1_000 * UNIT)
    shop.spend(150 * UNIT)
    shop.begin_call("running")
    before = shop.money(), shop.lots(), shop.documents(), shop.told("")
    refused = back(shop, lot_id, 900 * UNIT)
    assert refused == Refusal("lot_spent", f"849.925 USD of lot {lot_id} is free, not 900")
    assert (shop.money(), shop.lots(), shop.documents(), shop.told("")) == before
    assert list_taken_back(shop.counter, lot_id) == []
    # The key took nothing back: it is free for the smaller amount.
    assert back(shop, lot_id, 849_925_000).taken.voided_micros == 849_925_000
    assert shop.money() == (75_000, 75_000, 0)
    shop.proven()


def test_what_is_spent_becomes_a_debt_where_the_operator_says_so(shop):
    lot_id = enter(shop, 1_000 * UNIT)
    shop.spend(150 * UNIT)
    took = back(shop, lot_id, 900 * UNIT, owe=True)
    assert (took.taken.voided_micros, took.taken.debt_micros) == (850 * UNIT, 50 * UNIT)
    assert shop.money() == (-50 * UNIT, 0, 50 * UNIT)
    assert accounts_of(shop) == [(lot_id, 1, 850 * UNIT), (5, 1, 50 * UNIT)]
    assert shop.documents() == [("invoice", 1_000 * UNIT), ("credit_note", -900 * UNIT)]
    shop.proven()
    enter(shop, 80 * UNIT, key="F2")
    assert shop.money() == (30 * UNIT, 0, 0)
    shop.proven()


def test_other_credits_pay_such_a_debt_at_once(shop):
    lot_id = enter(shop, 60 * UNIT)
    shop.spend(60 * UNIT)
    shop.give(80 * UNIT)
    assert back(shop, lot_id, 60 * UNIT, owe=True).taken.debt_micros == 60 * UNIT
    assert shop.money() == (20 * UNIT, 0, 0)
    shop.proven()


def test_a_running_call_goes_on_within_what_it_was_granted(shop):
    lot_id = enter(shop, 60 * UNIT)
    shop.begin_call("running")
    took = back(shop, lot_id, 60 * UNIT, owe=True)
    assert took.taken.debt_micros == 75_000
    assert shop.money() == (0, 75_000, 75_000)
    assert shop.end_call("running", 60).charge_micros == 15_000
    assert shop.money() == (-15_000, 0, 15_000)
    shop.proven()


def test_no_more_is_taken_back_than_was_entered(shop):
    lot_id = enter(shop, 100 * UNIT)
    assert back(shop, lot_id, 60 * UNIT).taken.amount_micros == 60 * UNIT
    for number, micros in enumerate((41 * UNIT, 0, -1)):
        refused = back(shop, lot_id, micros, f"B2{number}", owe=True)
        assert refused.code == "amount_out_of_bounds"
    assert refused.detail == "what is taken back must be above 0 and at most 40 USD, not -0.000001"
    assert shop.money() == (40 * UNIT, 0, 0)
    assert back(shop, lot_id, 40 * UNIT, "B3").taken.amount_micros == 40 * UNIT
    refused = back(shop, lot_id, 1, "B4", owe=True)
    assert refused == Refusal(
        "nothing_to_take_back", f"all of lot {lot_id} was taken back or has expired"
    )
    assert what_can_be_taken_back(shop.counter, lot_id) == refused
    shop.proven()


def test_what_a_debt_stood_for_is_not_taken_back_again_when_a_call_frees_it(shop):
    lot_id = enter(shop, 60 * UNIT)
    shop.begin_call("running")
    shop.give(UNIT)
    back(shop, lot_id, 60 * UNIT, owe=True)
    shop.end_call("running", 0)
    assert shop.money() == (UNIT, 0, 0)
    assert back(shop, lot_id, 75_000, "B2").code == "nothing_to_take_back"
    shop.proven()


def test_what_has_expired_is_not_owed(shop):
    lot_id = enter(shop, 100 * UNIT)
    shop.spend(30 * UNIT)
    shop.wait(days=370)
    assert what_can_be_taken_back(shop.counter, lot_id)[1:] == (70 * UNIT, 100 * UNIT)
    expire_lots(shop.sweep)
    assert what_can_be_taken_back(shop.counter, lot_id)[1:] == (0, 30 * UNIT)
    assert back(shop, lot_id, 31 * UNIT, owe=True).code == "amount_out_of_bounds"
    assert back(shop, lot_id, 30 * UNIT, owe=True).taken.debt_micros == 30 * UNIT
    assert shop.money() == (-30 * UNIT, 0, 30 * UNIT)
    shop.proven()


def test_a_list_says_what_is_left_of_a_lot_to_be_taken_back(shop):
    partly = enter(shop, 100 * UNIT, key="F1")
    wholly = enter(shop, 5 * UNIT, key="F2")
    shop.spend(30 * UNIT)
    back(shop, partly, 10 * UNIT)
    shop.wait(days=370)
    lasting = enter(shop, 7 * UNIT, key="F3")

    def left():
        return {each.lot.id: each.left_micros for each in list_entered(shop.counter, 10)}

    assert left() == {lasting: 7 * UNIT, wholly: 5 * UNIT, partly: 90 * UNIT}
    expire_lots(shop.sweep)
    assert left() == {lasting: 7 * UNIT, wholly: 0, partly: 30 * UNIT}
    assert what_can_be_taken_back(shop.counter, partly).left_micros == 30 * UNIT
    assert back(shop, wholly, UNIT, "B2").code == "nothing_to_take_back"


def test_the_same_key_takes_back_once(shop):
    lot_id = enter(shop, 100 * UNIT)
    first = back(shop, lot_id, 40 * UNIT)
    again = back(shop, lot_id, 40 * UNIT)
    assert (again.replayed, again.taken) == (True, first.taken)
    for other in (
        back(shop, lot_id, 41 * UNIT),
        back(shop, lot_id, 40 * UNIT, owe=True),
        back(shop, lot_id, 40 * UNIT, reason="another"),
    ):
        assert other == Refusal(
            "idempotency_key_reused", "key 'B1' has taken back something else before"
        )
    assert shop.money() == (60 * UNIT, 0, 0)
    assert len(accounts_of(shop)) == 1


def test_what_a_payment_bought_is_refunded_instead(shop):
    payment = shop.buy(100 * UNIT)
    invoiced = shop.buy_by_invoice(50 * UNIT)
    for each in (payment, invoiced):
        lot_id = shop.payment(each).lot_id
        refused = back(shop, lot_id, UNIT, owe=True)
        assert refused.code == "payment_not_possible"
        assert refused.detail == (
            f"payment {each} has bought lot {lot_id}: refund the payment instead"
        )
    assert shop.money() == (150 * UNIT, 0, 0)
    assert list_entered(shop.counter, 10) == []


def test_what_came_back_by_itself_is_nobodys_mistake(shop):
    lot_id = enter(shop, 100 * UNIT, "adjustment", lasts_until_ms=shop.now_ms + 10**9)
    with shop.cell.transaction():
        shop.cell.run(
            "UPDATE lot SET idempotency_key = 'reinstatement of 7 by 8' WHERE id = ?", [lot_id]
        )
        shop.cell.run("UPDATE wallet SET version = version + 1")
    assert back(shop, lot_id, UNIT).code == "nothing_to_take_back"
    assert list_entered(shop.counter, 10) == []


def test_a_lot_that_is_not_there_is_refused(shop):
    assert back(shop, 5, UNIT) == Refusal("unknown_lot", "the organisation has no lot 5")
    assert what_can_be_taken_back(shop.counter, 5).code == "unknown_lot"


@pytest.mark.parametrize("wrong", [{"reason": ""}, {"reason": "x" * 501}, {"key": ""}])
def test_a_reason_and_a_key_are_needed(shop, wrong):
    lot_id = enter(shop, 100 * UNIT)
    assert back(shop, lot_id, UNIT, **wrong).code == "invalid_value"
    assert shop.money() == (100 * UNIT, 0, 0)


def test_a_debt_that_is_left_pauses_auto_recharge_until_it_is_paid(shop):
    lot_id = enter(shop, 1_000 * UNIT)
    shop.recharge_on(20 * UNIT, 100 * UNIT)
    shop.spend(150 * UNIT)
    back(shop, lot_id, 900 * UNIT, owe=True)
    view = shop.recharge()
    assert (view.recharge.paused_code, view.standing.code) == ("taken_back", "in_debt")
    day = day_of(shop.counter.now_ms)
    assert view.recharge.paused_detail == f"Credits of {day} were taken back: 900 USD"
    assert shop.told("recharge") == ["recharge.paused"]
    assert resume(shop.counter, actor="admin").code == "payment_not_possible"
    shop.buy(100 * UNIT)
    assert shop.money() == (50 * UNIT, 0, 0)
    assert resume(shop.counter, actor="admin").recharge.paused_code == ""
    shop.proven()


def test_without_a_debt_auto_recharge_goes_on_and_buys_where_the_balance_is_low(shop):
    lot_id = enter(shop, 1_000 * UNIT)
    shop.recharge_on(20 * UNIT, 100 * UNIT)
    back(shop, lot_id, 985 * UNIT)
    view = shop.recharge()
    assert (view.recharge.paused_code, view.attempt.amount_micros) == ("", 100 * UNIT)
    shop.proven()


def test_the_organisation_is_told_and_the_log_says_who(shop):
    lot_id = enter(shop, 1_000 * UNIT)
    shop.spend(150 * UNIT)
    with acting(Actor("shell", "root", "host"), lambda: shop.now_ms, shop.ids.next):
        back(shop, lot_id, 900 * UNIT, owe=True)
        back(shop, lot_id, 900 * UNIT, owe=True)
        back(shop, lot_id, 900 * UNIT, "B2")
    assert shop.facts("credits.taken_back") == [
        {
            "lot_id": lot_id,
            "amount_micros": 900 * UNIT,
            "voided_micros": 850 * UNIT,
            "debt_micros": 50 * UNIT,
            "currency": "USD",
            "reason": "1,000 instead of 100",
        }
    ]
    with shop.cell.reading():
        noted = shop.cell.rows("SELECT action, subject FROM audit_entry")
    assert noted == [("credits.taken_back", str(lot_id))]


def test_a_statement_has_a_line_for_it(shop):
    lot_id = enter(shop, 1_000 * UNIT)
    shop.spend(150 * UNIT)
    back(shop, lot_id, 900 * UNIT, owe=True)
    drawn_up = statement(shop.cell, shop.organisation.id, 0, shop.now_ms + 1)
    assert (drawn_up.purchases_micros, drawn_up.usage_micros) == (1_000 * UNIT, 150 * UNIT)
    assert drawn_up.taken_back_micros == 900 * UNIT
    assert (drawn_up.closing_micros, drawn_up.unproven) == (-50 * UNIT, ())


def test_lots_that_were_entered_are_listed_the_latest_first(shop):
    first = enter(shop, 100 * UNIT)
    shop.buy(50 * UNIT)
    second = enter(shop, 5 * UNIT, "grant", "F2")
    back(shop, first, 30 * UNIT)
    back(shop, first, 20 * UNIT, "B2")
    entered = list_entered(shop.counter, 10)
    assert [(each.lot.id, each.taken_micros) for each in entered] == [
        (second, 0),
        (first, 50 * UNIT),
    ]
    assert list_entered(shop.counter, 1) == entered[:1]
