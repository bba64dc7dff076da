"""What the cardholder's bank takes back, and what comes again when a dispute is won (D15)."""

import pytest

from talktime.core.charges import Dispute, ForeignRefund, Refunded, RefundFailed
from talktime.core.meters import day_of
from talktime.operations.disputes import note_dispute, note_foreign_refund
from talktime.operations.expire_lots import expire_lots
from talktime.operations.refunds import note_refund
from tests.shop import UNIT, Shop

pytestmark = pytest.mark.layouts("sqlite", "postgres")


@pytest.fixture
def shop(store):
    """An organisation with a card."""
    return Shop(store)


def hear(shop, payment, state, micros=100 * UNIT, ref="dp_1"):
    """The provider says how a dispute stands."""
    return note_dispute(shop.counter, payment, Dispute(ref, micros, state))


def test_an_opened_dispute_takes_the_money_and_pauses_recharge(shop):
    """Source: D15."""
    payment = shop.buy(100 * UNIT)
    shop.recharge_on(10 * UNIT, 50 * UNIT)
    shop.spend(45 * UNIT)
    for _ in range(2):
        hear(shop, payment, "open")
    assert shop.went_back() == [("chargeback", "open", 55 * UNIT, 45 * UNIT)]
    assert shop.money() == (-45 * UNIT, 0, 45 * UNIT)
    assert shop.moved("chargeback") == [
        ("chargeback", "lot", "funding", 55 * UNIT),
        ("chargeback", "debt", "funding", 45 * UNIT),
    ]
    assert shop.recharge().recharge.paused_code == "disputed"
    assert shop.recharge().standing.words == "What went back has left a debt: 45 USD is owed"
    assert shop.told("dispute", "recharge.paused") == ["recharge.paused", "dispute.opened"]
    assert shop.documents() == [("invoice", 100 * UNIT), ("credit_note", -100 * UNIT)]
    assert shop.payment(payment).refunded_micros == 100 * UNIT
    shop.proven()


def test_a_disputed_card_is_not_charged_again_though_nothing_is_owed(shop):
    payment = shop.buy(100 * UNIT)
    shop.recharge_on(10 * UNIT, 50 * UNIT)
    hear(shop, payment, "open")
    assert shop.money() == (0, 0, 0)
    standing = shop.recharge().standing
    assert (standing.code, shop.recharge().attempt) == ("paused", None)


def test_a_pause_does_not_say_of_a_debt_that_was_paid_since_that_it_is_owed(shop):
    payment = shop.buy(100 * UNIT)
    shop.recharge_on(10 * UNIT, 50 * UNIT)
    shop.spend(45 * UNIT)
    hear(shop, payment, "open")
    assert shop.facts("recharge.paused")[0]["detail"].endswith("was disputed; 45 USD is owed")
    shop.buy(100 * UNIT)
    standing = shop.recharge().standing
    day = day_of(shop.counter.now_ms)
    why = f"The payment of 100 USD of {day} was disputed"
    assert (standing.code, standing.detail) == ("paused", why)


def test_a_dispute_won_brings_everything_back(shop):
    payment = shop.buy(100 * UNIT)
    shop.recharge_on(10 * UNIT, 50 * UNIT)
    shop.spend(45 * UNIT)
    hear(shop, payment, "open")
    for _ in range(2):
        hear(shop, payment, "won")
    assert shop.went_back() == [("chargeback", "won", 55 * UNIT, 45 * UNIT)]
    assert shop.money() == (55 * UNIT, 0, 0)
    assert shop.lots() == [("purchase", 55 * UNIT, 100 * UNIT)]
    assert shop.payment(payment).refunded_micros == 0
    assert shop.recharge().recharge.paused_code == ""
    assert shop.recharge().standing.code == "above_trigger"
    assert shop.told("dispute") == ["dispute.opened", "dispute.won"]
    assert shop.documents()[-1] == ("invoice", 100 * UNIT)
    shop.proven()


def test_a_dispute_lost_stays_away(shop):
    payment = shop.buy(100 * UNIT)
    shop.spend(45 * UNIT)
    hear(shop, payment, "open")
    for _ in range(2):
        hear(shop, payment, "lost")
    hear(shop, payment, "open")
    assert shop.went_back() == [("chargeback", "lost", 55 * UNIT, 45 * UNIT)]
    assert shop.money() == (-45 * UNIT, 0, 45 * UNIT)
    assert shop.told("dispute") == ["dispute.opened", "dispute.lost"]
    shop.proven()


def test_a_dispute_heard_of_when_it_was_lost_is_booked_whole(shop):
    payment = shop.buy(100 * UNIT)
    hear(shop, payment, "lost")
    hear(shop, payment, "open")
    assert shop.went_back() == [("chargeback", "lost", 100 * UNIT, 0)]
    assert shop.money() == (0, 0, 0)
    assert shop.told("dispute") == ["dispute.opened", "dispute.lost"]
    shop.proven()


def test_a_dispute_heard_of_when_it_was_won_moves_nothing(shop):
    payment = shop.buy(100 * UNIT)
    assert hear(shop, payment, "won") is None
    assert shop.went_back() == []
    assert shop.money() == (100 * UNIT, 0, 0)


def test_what_was_called_open_late_does_not_undo_a_won_dispute(shop):
    payment = shop.buy(100 * UNIT)
    hear(shop, payment, "open")
    hear(shop, payment, "won")
    hear(shop, payment, "open")
    hear(shop, payment, "lost")
    assert shop.went_back() == [("chargeback", "won", 100 * UNIT, 0)]
    assert shop.money() == (100 * UNIT, 0, 0)
    shop.proven()


def test_a_lost_dispute_that_is_won_after_all_comes_back(shop):
    payment = shop.buy(100 * UNIT)
    hear(shop, payment, "lost")
    hear(shop, payment, "won")
    assert shop.money() == (100 * UNIT, 0, 0)
    assert shop.told("dispute") == ["dispute.opened", "dispute.lost", "dispute.won"]
    shop.proven()


def test_what_comes_back_into_an_expired_lot_is_forfeited_as_always(shop):
    payment = shop.buy(100 * UNIT)
    shop.spend(45 * UNIT)
    hear(shop, payment, "open", 30 * UNIT)
    assert shop.money() == (25 * UNIT, 0, 0)
    shop.wait(days=400)
    expire_lots(shop.sweep)
    assert shop.money() == (0, 0, 0)
    hear(shop, payment, "won", 30 * UNIT)
    assert shop.money() == (30 * UNIT, 0, 0)
    assert shop.recharge().recharge is None
    shop.proven()
    expire_lots(shop.sweep)
    assert shop.money() == (0, 0, 0)
    assert shop.moved("forfeiture") == [
        ("forfeiture", "lot", "forfeitures", 25 * UNIT),
        ("forfeiture", "lot", "forfeitures", 30 * UNIT),
    ]
    shop.proven()


def test_a_debt_is_paid_by_what_comes_back_into_an_expired_lot(shop):
    first, second = shop.buy(100 * UNIT), shop.buy(50 * UNIT)
    hear(shop, first, "open", 100 * UNIT, "dp_1")
    shop.spend(50 * UNIT)
    hear(shop, second, "open", 50 * UNIT, "dp_2")
    shop.wait(days=400)
    assert shop.money() == (-50 * UNIT, 0, 50 * UNIT)
    hear(shop, first, "won", 100 * UNIT, "dp_1")
    assert shop.money() == (50 * UNIT, 0, 0)
    assert shop.lots() == [("purchase", 50 * UNIT, 100 * UNIT), ("purchase", 0, 50 * UNIT)]
    shop.proven()


def test_a_debt_that_other_money_has_paid_comes_back_as_a_new_lot(shop):
    payment = shop.buy(100 * UNIT)
    shop.spend(70 * UNIT)
    hear(shop, payment, "open")
    assert shop.money() == (-70 * UNIT, 0, 70 * UNIT)
    shop.buy(50 * UNIT)
    assert shop.money() == (-20 * UNIT, 0, 20 * UNIT)
    hear(shop, payment, "won")
    assert shop.lots() == [
        ("purchase", 30 * UNIT, 100 * UNIT),
        ("purchase", 0, 50 * UNIT),
        ("adjustment", 50 * UNIT, 50 * UNIT),
    ]
    assert shop.money() == (80 * UNIT, 0, 0)
    assert shop.moved("reinstatement") == [
        ("reinstatement", "funding", "lot", 30 * UNIT),
        ("reinstatement", "funding", "debt", 20 * UNIT),
        ("reinstatement", "funding", "lot", 50 * UNIT),
    ]
    shop.proven()


def test_recharge_stays_paused_while_another_dispute_is_open(shop):
    first, second = shop.buy(100 * UNIT), shop.buy(50 * UNIT)
    shop.recharge_on(10 * UNIT, 50 * UNIT)
    hear(shop, first, "open", 100 * UNIT, "dp_1")
    hear(shop, second, "open", 50 * UNIT, "dp_2")
    hear(shop, first, "won", 100 * UNIT, "dp_1")
    assert shop.recharge().recharge.paused_code == "disputed"
    hear(shop, second, "won", 50 * UNIT, "dp_2")
    assert shop.recharge().recharge.paused_code == ""
    shop.proven()


def test_a_refund_that_fails_resumes_no_recharge_that_a_dispute_has_paused(shop):
    disputed, refunded = shop.buy(100 * UNIT), shop.buy(100 * UNIT)
    shop.recharge_on(10 * UNIT, 50 * UNIT)
    hear(shop, disputed, "lost")
    started = shop.refund(refunded, 10 * UNIT)
    note_refund(shop.counter, refunded, started.refund.id, RefundFailed("the account is closed"))
    assert shop.money() == (100 * UNIT, 0, 0)
    assert shop.recharge().recharge.paused_code == "disputed"


def test_a_refund_takes_the_place_of_no_dispute_that_has_paused_recharge(shop):
    disputed, refunded = shop.buy(100 * UNIT), shop.buy(100 * UNIT)
    shop.recharge_on(10 * UNIT, 50 * UNIT)
    hear(shop, disputed, "lost")
    shop.spend(50 * UNIT)
    shop.wait(hours=1)
    started = shop.refund(refunded, 80 * UNIT)
    assert shop.money() == (-30 * UNIT, 0, 30 * UNIT)
    note_refund(shop.counter, refunded, started.refund.id, RefundFailed("the account is closed"))
    assert shop.money() == (50 * UNIT, 0, 0)
    assert shop.recharge().recharge.paused_code == "disputed"
    shop.proven()


def test_a_refund_that_fails_each_time_resumes_recharge_each_time(shop):
    payment = shop.buy(100 * UNIT)
    shop.recharge_on(10 * UNIT, 50 * UNIT)
    shop.spend(50 * UNIT)
    refund, paused = shop.refund(payment, 80 * UNIT).refund, []
    for outcome in (RefundFailed("closed"), Refunded("re_1"), RefundFailed("closed")):
        shop.wait(hours=1)
        note_refund(shop.counter, payment, refund.id, outcome)
        paused.append(shop.recharge().recharge.paused_code)
    assert paused == ["", "refunded", ""]
    shop.proven()


def test_what_comes_again_names_the_credit_note_of_what_went_back(shop):
    payment = shop.buy(100 * UNIT)
    hear(shop, payment, "open", 20 * UNIT, "dp_1")
    hear(shop, payment, "open", 20 * UNIT, "dp_2")
    refund = shop.refund(payment, 50 * UNIT).refund
    hear(shop, payment, "lost", 20 * UNIT, "dp_2")
    shop.wait(hours=1)
    hear(shop, payment, "won", 20 * UNIT, "dp_1")
    hear(shop, payment, "won", 20 * UNIT, "dp_2")
    for outcome in (RefundFailed("closed"), Refunded("re_1"), RefundFailed("closed")):
        shop.wait(hours=1)
        note_refund(shop.counter, payment, refund.id, outcome)
    assert shop.about()[1:] == [
        (2, "credit_note", "MAIN-000001"),
        (3, "credit_note", "MAIN-000001"),
        (4, "credit_note", "MAIN-000001"),
        (5, "invoice", "MAIN-000002"),
        (6, "invoice", "MAIN-000003"),
        (7, "invoice", "MAIN-000004"),
        (8, "credit_note", "MAIN-000001"),
        (9, "invoice", "MAIN-000008"),
    ]


def test_a_notice_says_what_is_owed_still(shop):
    first, _second = shop.buy(60 * UNIT), shop.buy(50 * UNIT)
    shop.spend(60 * UNIT)
    hear(shop, first, "open", 60 * UNIT)
    assert shop.money() == (-10 * UNIT, 0, 10 * UNIT)
    shop.buy(50 * UNIT)
    hear(shop, first, "lost", 60 * UNIT)
    assert shop.money() == (40 * UNIT, 0, 0)
    told = [shop.facts(f"dispute.{how}")[0]["debt_micros"] for how in ("opened", "lost")]
    assert told == [10 * UNIT, 0]


def test_a_dispute_of_more_than_is_left_is_booked_as_far_as_it_goes(shop):
    payment = shop.buy(100 * UNIT)
    shop.refund(payment, 40 * UNIT)
    hear(shop, payment, "open")
    assert shop.went_back() == [
        ("refund", "asked", 40 * UNIT, 0),
        ("chargeback", "open", 60 * UNIT, 0),
    ]
    hear(shop, payment, "open", ref="dp_2")
    assert len(shop.went_back()) == 2
    assert shop.payment(payment).refunded_micros == 100 * UNIT
    shop.proven()


def test_a_refund_at_the_providers_console_is_booked_once(shop):
    payment = shop.buy(100 * UNIT)
    shop.spend(90 * UNIT)
    made = ForeignRefund("re_9", None, 30 * UNIT)
    for _ in range(2):
        note_foreign_refund(shop.counter, payment, made)
    assert shop.went_back() == [("refund", "done", 10 * UNIT, 20 * UNIT)]
    assert shop.money() == (-20 * UNIT, 0, 20 * UNIT)
    assert shop.told("refund") == ["refund.done"]
    shop.proven()


def test_a_refund_of_ours_that_the_provider_lists_is_done(shop):
    payment = shop.buy(100 * UNIT)
    refund = shop.refund(payment, 30 * UNIT).refund
    for _ in range(2):
        note_foreign_refund(shop.counter, payment, ForeignRefund("re_9", refund.id, 30 * UNIT))
    assert shop.went_back() == [("refund", "done", 30 * UNIT, 0)]
    assert shop.money() == (70 * UNIT, 0, 0)
    assert shop.told("refund") == ["refund.done"]
    shop.proven()


def test_a_dispute_of_what_was_not_paid_books_nothing(shop):
    shop.card.behaviour = "short"
    payment = shop.buy(100 * UNIT)
    assert hear(shop, payment, "open") is None
    assert note_foreign_refund(shop.counter, 5, ForeignRefund("re_9", None, UNIT)) is None
    assert shop.went_back() == []
