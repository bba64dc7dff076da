"""Figures that the catalogue sets, as jobs use them. Mirrors src/talktime/core/figures.py."""

import pytest

from talktime.core.expiry import expires_ms
from talktime.core.outcomes import Funded
from talktime.core.refusal import Refusal
from talktime.jobs.payments import collect_payments, recheck_recharges, tend_wallets
from talktime.operations.catalogue import Writing, set_entry
from talktime.operations.grants import Giver, Grant, give
from talktime.operations.purchases import terms_of
from talktime.operations.warn_of_expiry import warn_of_expiry
from tests.shop import UNIT, Shop

pytestmark = pytest.mark.layouts("sqlite", "postgres")
DAY_MS = 86_400_000


@pytest.fixture
def shop(store):
    return Shop(store)


def put(shop, name, value):
    """Set a figure from the next moment on; the refusal, if it is none."""
    shop.now_ms += 1
    how = Writing(shop.now_ms, shop.ids.next)
    with shop.control.transaction():
        report = set_entry(
            *(shop.control, "setting", name, {"value": value}),
            valid_from_ms=shop.now_ms,
            how=how,
        )
    return report if isinstance(report, Refusal) else None


def below_the_trigger(shop, behaviour=""):
    """A recharge is due, begun and asked for, of a card that behaves so."""
    shop.buy(100 * UNIT)
    shop.card.behaviour = behaviour or shop.card.behaviour
    shop.recharge_on(60 * UNIT, 100 * UNIT)
    shop.spend(50 * UNIT)
    tend_wallets(shop.sweep)
    shop.run(collect_payments)


def asked(shop):
    """How often the bank was asked to charge."""
    return shop.bank.asked.count("charge")


def test_a_declined_recharge_is_tried_again_when_the_catalogue_says(shop):
    """D3: after two hours and after five, then it pauses."""
    put(shop, "recharge_retry_hours", "2 5")
    below_the_trigger(shop, "short")
    tried = [asked(shop)]
    for _hour in range(8):
        shop.wait(hours=1)
        shop.run(collect_payments)
        tried.append(asked(shop))
    assert tried == [2, 2, 3, 3, 3, 4, 4, 4, 4]
    assert shop.recharge().recharge.paused_code == "insufficient_funds"
    shop.proven()


def test_a_provider_without_an_answer_is_asked_when_the_catalogue_says(shop):
    """D3."""
    put(shop, "outcome_asked_minutes", "20 30")
    shop.bank.down = True
    below = shop.payment(shop.buy(100 * UNIT))
    assert below.due_ms == shop.now_ms + 20 * 60_000
    shop.proven()


def test_recharges_follow_each_other_as_soon_as_the_catalogue_says(shop):
    """D2: an hour apart."""
    put(shop, "recharge_interval_seconds", "3600")
    below_the_trigger(shop)
    shop.spend(100 * UNIT)
    shop.wait(minutes=59)
    recheck_recharges(shop.sweep)
    assert shop.recharge().standing.code == "interval"
    shop.wait(minutes=1)
    recheck_recharges(shop.sweep)
    shop.run(collect_payments)
    assert asked(shop) == 3
    shop.proven()


def test_credits_and_cards_are_told_of_as_many_days_before_as_the_catalogue_says(shop):
    """D4."""
    put(shop, "lot_warning_days", "2 60")
    put(shop, "card_warning_days", "90")
    shop.buy(100 * UNIT)
    end_ms = shop.cell.rows("SELECT expires_ms FROM lot")[0][0]
    told = []
    for days in (61, 60, 30, 2, 1):
        shop.now_ms = end_ms - days * DAY_MS
        told.append(warn_of_expiry(shop.sweep).rows)
    assert told == [0, 1, 0, 1, 0]


def test_what_is_bought_recharged_and_given_lasts_as_long_as_the_catalogue_says(shop):
    """D5."""
    put(shop, "lot_months", "6")
    owner, end_ms = shop.organisation, expires_ms(shop.now_ms, shop.organisation.time_zone, 6)
    assert terms_of(shop.counter, 100 * UNIT, None).expires_ms == end_ms
    shop.buy(100 * UNIT)
    at = (shop.cell, owner, shop.control, shop.catalogue(), shop.now_ms, shop.ids.next)
    assert isinstance(give(Giver(*at), Grant(5 * UNIT, "a gift", "operator", "g1")), Funded)
    assert shop.cell.rows("SELECT expires_ms FROM lot") == [(end_ms,)] * 2


@pytest.mark.parametrize(
    ("name", "value", "fault"),
    [
        ("recharge_interval_seconds", "0", "'0' is not whole numbers from 1 to 86400"),
        ("recharge_retry_hours", "1 x", "'1 x' is not whole numbers from 1 to 720"),
        ("recharge_retry_hours", "3 3", "'3 3' does not rise"),
        ("lot_warning_days", "30 -7", "'30 -7' is not whole numbers from 1 to 365"),
        ("lot_warning_days", " ".join(map(str, range(1, 12))), "has too many numbers"),
        ("lot_months", "121", "'121' is not whole numbers from 1 to 120"),
        ("card_warning_days", "30 60", "'30 60' has too many numbers"),
    ],
)
def test_a_figure_that_cannot_be_is_refused_and_nothing_changes(shop, name, value, fault):
    before = shop.counter.figures
    refusal = put(shop, name, value)
    assert refusal.code == "invalid_value"
    assert fault in refusal.detail
    assert shop.counter.figures == before
