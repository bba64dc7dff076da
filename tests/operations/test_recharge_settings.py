"""Auto-recharge as it is set. Mirrors src/talktime/operations/recharge_settings.py."""

import pytest

from talktime.core.recharging import NotWanted, Wanted
from talktime.core.refusal import Refusal
from talktime.jobs.payments import collect_payments, recheck_recharges, tend_wallets
from talktime.operations.payment_methods import remove_method
from talktime.operations.recharge_settings import (
    RechargePlan,
    resume,
    set_alerts,
    set_recharge,
    view_recharge,
)
from tests.shop import NOW_MS, UNIT, Shop

pytestmark = pytest.mark.layouts("sqlite", "postgres")
PLAN = RechargePlan(True, 100 * UNIT, 200 * UNIT)
ATTEMPTS = "SELECT state, amount_micros, code FROM payment WHERE kind = 'recharge' ORDER BY id"
LEVELS = "SELECT below_micros, fired_ms IS NOT NULL FROM alert_level ORDER BY below_micros"
MINUTE_MS = 60_000


@pytest.fixture
def shop(store):
    made = Shop(store)
    made.give(100 * UNIT)
    return made


def put(shop, plan=PLAN, why_not=None, **changes):
    """Set auto-recharge."""
    return set_recharge(shop.counter, plan._replace(**changes), actor="admin", why_not=why_not)


def rows(shop, statement):
    """What stands in the cell."""
    with shop.cell.reading():
        return [tuple(row) for row in shop.cell.rows(statement)]


def decline(shop):
    """Auto-recharge is on, its first attempt was declined and waits to be tried again."""
    shop.card.behaviour = "short"
    put(shop)
    shop.spend(UNIT)
    with_attempt(shop)
    while shop.run(collect_payments):
        pass  # card after card
    assert rows(shop, ATTEMPTS) == [("declined", 200 * UNIT, "insufficient_funds")]


def with_attempt(shop):
    """What the sweep does: begin what is due."""
    swept = recheck_recharges(shop.sweep)
    assert swept.failures == ()
    return swept.rows


def test_v4_a_charge_below_the_trigger_is_one_recharge_one_invoice_and_one_notice(shop):
    """V4, R14, R15, R18."""
    assert put(shop).standing == NotWanted("above_trigger")
    shop.spend(100_000)
    assert shop.money() == (99_900_000, 0, 0)
    assert with_attempt(shop) == 1
    assert shop.run(collect_payments) == 1
    assert shop.money() == (299_900_000, 0, 0)
    assert shop.documents()[1:] == [("invoice", 200 * UNIT)]
    assert shop.told("recharge") == ["recharge.succeeded"]
    assert (with_attempt(shop), shop.run(collect_payments)) == (0, 0)
    shop.proven()


def test_set_below_the_trigger_a_recharge_begins_at_once_and_at_it_none(shop):
    """R19, R21."""
    assert put(shop).attempt is None
    view = put(shop, trigger_micros=100 * UNIT + 1)
    assert view.standing == NotWanted("open_attempt")
    assert (view.attempt.state, view.attempt.amount_micros) == ("charging", 200 * UNIT)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"amount_micros": 50 * UNIT - 1}, "amount_out_of_bounds"),
        ({"amount_micros": 10**15}, "amount_out_of_bounds"),
        ({"amount_micros": 200 * UNIT + 1}, "invalid_value"),
        ({"trigger_micros": -1}, "invalid_value"),
        ({"trigger_micros": 10**15 + 1}, "invalid_value"),
        ({"trigger_micros": 50_000_000_001}, "invalid_value"),  # one purchase is 50,000 at most
        ({"method": "always"}, "invalid_value"),
        ({"method": "up_to", "amount_micros": 100 * UNIT}, "invalid_value"),
        ({"day_max": 0}, "invalid_value"),
        ({"day_max": 51}, "invalid_value"),
        ({"month_cap_micros": 50 * UNIT - 1}, "invalid_value"),
        ({"month_cap_micros": 0}, "invalid_value"),
    ],
)
def test_settings_that_cannot_work_are_refused_and_nothing_changes(shop, changes, code):
    """R6, R13."""
    put(shop, trigger_micros=0)
    before = rows(shop, "SELECT * FROM recharge")
    assert put(shop, **changes).code == code
    assert rows(shop, "SELECT * FROM recharge") == before


def test_settings_at_their_bounds_are_taken(shop):
    """R6, R13."""
    for changes in (
        {"amount_micros": 50 * UNIT},
        {"trigger_micros": 0},
        {"trigger_micros": 50_000 * UNIT},
        {"method": "up_to", "amount_micros": 100_010_000},
        {"day_max": 50},
        {"day_max": 1},
        {"month_cap_micros": 50 * UNIT},
    ):
        assert not isinstance(put(shop, **changes), Refusal), changes


def test_who_may_not_buy_cannot_turn_it_on_but_off(shop):
    """R71, R73, D14."""
    no = Refusal("credits_not_offered", "billed after use")
    put(shop)
    assert put(shop, why_not=no) == no
    assert put(shop, why_not=no, enabled=False).standing == NotWanted("off")


def test_turned_off_while_it_waits_to_be_tried_again_it_is_given_up(shop):
    """R20."""
    decline(shop)
    view = put(shop, enabled=False)
    assert (view.standing, view.attempt) == (NotWanted("off"), None)
    assert rows(shop, ATTEMPTS) == [("cancelled", 200 * UNIT, "turned_off")]
    shop.wait(days=2)
    assert (with_attempt(shop), shop.run(collect_payments)) == (0, 0)


def test_turned_off_while_it_is_charged_it_is_finished_and_none_follows(shop):
    """R20."""
    put(shop, trigger_micros=500 * UNIT)
    view = put(shop, enabled=False)
    assert view.attempt.state == "charging"
    shop.run(collect_payments)
    assert shop.money() == (500 * UNIT, 0, 0)
    shop.spend(200 * UNIT)
    assert with_attempt(shop) == 0


def test_turned_off_while_no_answer_has_come_it_is_credited_when_it_comes(shop):
    """R20, D3."""
    put(shop, trigger_micros=101 * UNIT)
    shop.bank.time_out_after = 1.0
    shop.run(collect_payments)
    put(shop, enabled=False)
    shop.bank.time_out_after = 0.0
    shop.wait(minutes=5)
    shop.run(collect_payments)
    assert shop.money() == (300 * UNIT, 0, 0)
    assert len(shop.bank.movements) == 1


def test_set_anew_what_waits_is_given_up_and_the_new_amount_is_charged(shop):
    """R13, R21: nobody is charged by settings that are gone."""
    decline(shop)
    shop.card.behaviour = "pays"
    shop.wait(minutes=1)
    put(shop, amount_micros=60 * UNIT)
    assert rows(shop, ATTEMPTS) == [
        ("cancelled", 200 * UNIT, "changed"),
        ("charging", 60 * UNIT, ""),
    ]
    shop.run(collect_payments)
    assert shop.money() == (159 * UNIT, 0, 0)


def test_a_pause_lasts_until_it_is_resumed_and_then_a_recharge_begins_at_once(shop):
    """R21, D3."""
    shop.card.behaviour = "lost"
    put(shop)
    shop.spend(UNIT)
    with_attempt(shop)
    shop.run(collect_payments)
    assert shop.recharge().standing == NotWanted("paused", "The card was lost")
    shop.wait(days=40)
    assert (with_attempt(shop), shop.run(collect_payments)) == (0, 0)
    shop.card.behaviour = "pays"
    assert resume(shop.counter, actor="admin").attempt.state == "charging"
    shop.run(collect_payments)
    assert shop.money() == (299 * UNIT, 0, 0)
    assert resume(shop.counter, actor="admin").code == "invalid_value"


def test_a_changed_plan_resumes_a_pause(shop):
    """D3."""
    shop.card.behaviour = "lost"
    put(shop, trigger_micros=101 * UNIT)
    shop.run(collect_payments)
    shop.wait(minutes=2)
    assert put(shop, trigger_micros=102 * UNIT).attempt.state == "charging"


def test_removed_while_it_waits_the_last_card_pauses_it_at_once(shop):
    """D3: a removed method."""
    decline(shop)
    remove_method(shop.counter, shop.method_id)
    assert shop.recharge().standing == NotWanted("paused", "There is no card left to charge")
    assert rows(shop, ATTEMPTS) == [("failed", 200 * UNIT, "no_method")]
    assert shop.told("recharge") == ["recharge.failed", "recharge.paused"]


def test_the_last_card_removed_pauses_it_at_once_though_nothing_is_due(shop):
    """D3: a removed method; else the balance would fall below the trigger and nobody be told."""
    shop.recharge_on(60 * UNIT, 100 * UNIT)
    second = shop.add_card(shop.bank.issue())
    remove_method(shop.counter, shop.method_id)
    assert shop.recharge().standing == NotWanted("above_trigger")
    remove_method(shop.counter, second)
    assert shop.recharge().standing == NotWanted("paused", "There is no card left to charge")
    assert shop.told("recharge") == ["recharge.paused"]
    shop.spend(50 * UNIT)
    assert with_attempt(shop) == 0
    shop.add_card(shop.bank.issue())
    assert resume(shop.counter, actor="admin").attempt.state == "charging"
    shop.proven()


def test_the_last_card_removed_while_it_is_charged_pauses_it_and_its_money_is_credited(shop):
    """D3, R20."""
    shop.recharge_on(160 * UNIT, 100 * UNIT)
    assert shop.recharge().attempt.state == "charging"
    remove_method(shop.counter, shop.method_id)
    shop.run(collect_payments)
    assert shop.money() == (200 * UNIT, 0, 0)
    assert shop.recharge().standing == NotWanted("paused", "There is no card left to charge")
    assert shop.told("recharge") == ["recharge.paused", "recharge.succeeded"]
    shop.proven()


def test_removed_while_it_waits_one_of_two_cards_leaves_the_other(shop):
    """D3."""
    shop.add_card(shop.bank.issue("short"))
    decline(shop)
    remove_method(shop.counter, shop.method_id)
    assert shop.recharge().attempt.state == "declined"
    shop.wait(hours=1)
    while shop.run(collect_payments):
        pass
    with shop.cell.reading():
        cards = shop.cell.rows("SELECT method_id FROM payment_try ORDER BY id")
    assert [method_id == shop.method_id for (method_id,) in cards] == [True, False, False]


def test_the_view_shows_what_may_still_be_bought_this_month_and_until_when_it_waits(shop):
    """D2."""
    view = put(shop, trigger_micros=101 * UNIT, month_cap_micros=300 * UNIT)
    assert view.month_left_micros == 100 * UNIT  # the attempt may have cost money
    shop.run(collect_payments)
    view = put(shop, trigger_micros=500 * UNIT, month_cap_micros=300 * UNIT)
    assert view.standing == NotWanted("interval", until_ms=NOW_MS + MINUTE_MS)
    shop.wait(minutes=1)
    assert with_attempt(shop) == 1
    assert view_recharge(shop.counter).standing.code == "month_cap"


def test_a_recharge_that_failed_leaves_the_months_cap_as_it_was(shop):
    """D2."""
    shop.card.behaviour = "lost"
    put(shop, trigger_micros=101 * UNIT, month_cap_micros=300 * UNIT)
    shop.run(collect_payments)
    assert shop.recharge().month_left_micros == 300 * UNIT


def test_the_view_says_what_would_be_bought_where_nobody_has_looked_yet(shop):
    """R14."""
    put(shop)
    shop.spend(UNIT)
    assert shop.recharge().standing == Wanted(200 * UNIT)


def test_alerts_are_set_kept_and_taken_away_and_the_zero_stays(shop):
    """D4: one that is kept is not told again."""
    set_alerts(shop.counter, {150 * UNIT, 50 * UNIT})
    assert rows(shop, LEVELS) == [(0, 0), (50 * UNIT, 0), (150 * UNIT, 1)]
    assert shop.told("balance") == ["balance.low"]
    set_alerts(shop.counter, {150 * UNIT, 20 * UNIT})
    assert rows(shop, LEVELS) == [(0, 0), (20 * UNIT, 0), (150 * UNIT, 1)]
    set_alerts(shop.counter, set())
    assert rows(shop, LEVELS) == [(0, 0)]
    assert shop.told("balance") == ["balance.low"]


@pytest.mark.parametrize("levels", [{0}, {-1}, {10**15 + 1}, set(range(1, 12))])
def test_alerts_that_cannot_be_are_refused_and_nothing_changes(shop, levels):
    """D4."""
    set_alerts(shop.counter, {50 * UNIT})
    assert set_alerts(shop.counter, levels).code == "invalid_value"
    assert rows(shop, LEVELS) == [(0, 0), (50 * UNIT, 0)]


def test_that_there_is_no_card_to_charge_is_told_once_when_a_recharge_is_due(shop):
    """D4: it would fail; the page alone said so."""
    remove_method(shop.counter, shop.method_id)
    shop.recharge_on(60 * UNIT, 100 * UNIT)
    assert shop.told("recharge") == []
    for micros in (50 * UNIT, 10 * UNIT):
        shop.spend(micros)
        tend_wallets(shop.sweep)
    assert shop.recharge().standing.code == "no_method"
    assert shop.told("recharge") == ["recharge.no_card"]
    [told] = shop.facts("recharge.no_card")
    assert (told["threshold_micros"], told["currency"]) == (60 * UNIT, "USD")
