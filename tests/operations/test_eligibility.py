"""Who may buy, and how much at once. Mirrors src/talktime/operations/eligibility.py."""

import pytest

from talktime.core.recharging import NO_BUYING, Bounds
from talktime.core.refusal import Refusal
from talktime.operations.eligibility import (
    bounds_of,
    check_amount,
    not_offered,
    why_not_buy,
    why_not_enter,
)
from tests.callers import CATALOGUES, CONTOSO, NOW_MS

CATALOGUE = CATALOGUES.in_force(NOW_MS)
UNIT = 1_000_000
BOUNDS = Bounds(50 * UNIT, 1_000 * UNIT)


def with_rules(**changes):
    """Contoso under other rules."""
    return CONTOSO._replace(rules=CONTOSO.rules._replace(**changes))


WHY = {
    "inactive": (CONTOSO._replace(active=False), "Contoso is switched off"),
    "draining": (CONTOSO._replace(commerce_model="draining"), "uses up the credits it has"),
    "post_usage": (CONTOSO._replace(commerce_model="post_usage"), "is billed after use"),
    "country": (CONTOSO._replace(country="KR"), "are not offered in KR"),
    "reseller": (with_rules(sold_by_reseller=True), "bought through a reseller"),
    "agreement": (with_rules(agreement_country="NO"), "is of NO, the organisation of US"),
}


def test_an_ordinary_organisation_may_buy():
    """R7."""
    assert why_not_buy(CATALOGUE, CONTOSO) is None
    assert why_not_buy(CATALOGUE, with_rules(agreement_country="US")) is None


@pytest.mark.parametrize("code", WHY)
def test_who_may_not_buy_is_told_the_exact_reason(code):
    """R7, R71, D14."""
    organisation, words = WHY[code]
    assert not_offered(CATALOGUE, organisation).code == code
    refusal = why_not_buy(CATALOGUE, organisation)
    assert words in refusal.detail
    wanted = "organisation_inactive" if code == "inactive" else "credits_not_offered"
    assert refusal.code == wanted


def test_every_reason_has_words_for_the_wallet_that_keeps_it():
    """R7."""
    assert ["moving", *WHY] == [*NO_BUYING]


@pytest.mark.parametrize("code", WHY)
def test_an_operator_funds_what_a_reseller_or_another_agreement_keeps_from_buying(code):
    """R7: and nothing else."""
    refusal = why_not_buy(CATALOGUE, WHY[code][0], by_operator=True)
    assert (refusal is None) == (code in ("reseller", "agreement"))


@pytest.mark.parametrize("code", WHY)
def test_a_purchase_entered_by_hand_keeps_the_rules_of_buying_and_a_gift_has_none(code):
    """R6, R7, D14."""
    organisation, _ = WHY[code]
    refusal = why_not_enter(CATALOGUE, organisation, "purchase", 50 * UNIT, 0)
    assert refusal == why_not_buy(CATALOGUE, organisation, by_operator=True)
    for source in ("grant", "adjustment"):
        assert why_not_enter(CATALOGUE, organisation, source, 1, 0) is None


def test_a_purchase_entered_by_hand_is_within_the_bounds():
    """R6."""
    assert why_not_enter(CATALOGUE, CONTOSO, "purchase", 50 * UNIT, 0) is None
    refusal = why_not_enter(CATALOGUE, CONTOSO, "purchase", 50 * UNIT - 1, 0)
    assert refusal.code == "amount_out_of_bounds"


@pytest.mark.parametrize("model", ["draining", "post_usage"])
@pytest.mark.parametrize(
    ("micros", "code"),
    [
        (3_700_000, None),
        (10_000, None),
        (3_690_000, None),
        (3_695_001, "invalid_value"),
        (3_710_000, "credits_not_offered"),
    ],
)
def test_who_may_buy_nothing_can_pay_what_they_owe(model, micros, code):
    """D14, D15: below the least that can be bought too, and no more than pays it."""
    organisation = CONTOSO._replace(commerce_model=model, currency="USD")
    refusal = why_not_enter(CATALOGUE, organisation, "purchase", micros, 3_695_001)
    assert (refusal and refusal.code) == code
    inactive = why_not_enter(CATALOGUE, organisation._replace(active=False), "purchase", 1, 1)
    assert inactive.code == "organisation_inactive"


@pytest.mark.parametrize(
    "country", ["BH", "CN", "IN", "KZ", "MK", "NI", "PK", "KR", "TW", "UA", "RU"]
)
def test_there_are_countries_in_which_credits_are_not_offered(country):
    """R7: section 1.6 of the reference."""
    assert not_offered(CATALOGUE, CONTOSO._replace(country=country)).code == "country"


def test_the_first_reason_is_told_where_several_hold():
    """R7."""
    both = WHY["reseller"][0]._replace(commerce_model="post_usage", country="KR", active=False)
    assert not_offered(CATALOGUE, both).code == "inactive"
    assert not_offered(CATALOGUE, both._replace(active=True)).code == "post_usage"
    prepaid = both._replace(active=True, commerce_model="prepaid")
    assert not_offered(CATALOGUE, prepaid).code == "country"
    assert not_offered(CATALOGUE, prepaid._replace(country="US")).code == "reseller"


@pytest.mark.parametrize(
    ("micros", "code"),
    [
        (50 * UNIT, None),
        (50 * UNIT - 1, "amount_out_of_bounds"),
        (1_000 * UNIT, None),
        (1_000 * UNIT + 1, "amount_out_of_bounds"),
        (-60 * UNIT, "amount_out_of_bounds"),
        (60 * UNIT + 10_000, None),
        (60 * UNIT + 1, "invalid_value"),
    ],
)
def test_an_amount_is_within_the_bounds_and_whole(micros, code):
    """R6: both bounds are allowed."""
    refusal = check_amount("the amount", micros, BOUNDS, "USD")
    assert (refusal and refusal.code) == code


def test_amounts_of_yen_are_whole_yen_and_of_dinars_whole_hundredths():
    """R6, D19."""
    assert check_amount("the amount", 60 * UNIT, BOUNDS, "JPY") is None
    assert check_amount("the amount", 60 * UNIT + 10_000, BOUNDS, "JPY") == Refusal(
        "invalid_value", "the amount must be a multiple of 1 JPY"
    )
    assert check_amount("the amount", 60_010_000, BOUNDS, "KWD") is None
    assert check_amount("the amount", 60_001_000, BOUNDS, "KWD").code == "invalid_value"


def test_the_bounds_say_what_could_be_bought():
    """R6."""
    assert check_amount("the amount", UNIT, BOUNDS, "USD").detail == (
        "the amount must be from 50 to 1000 USD, not 1"
    )


@pytest.mark.parametrize("currency", ["USD", "EUR", "JPY", "KWD", "NOK", "ISK"])
def test_the_bounds_of_every_currency_can_be_charged(currency):
    """R6, D19."""
    bounds = bounds_of(CATALOGUE, currency)
    assert 0 < bounds.minimum_micros < bounds.maximum_micros
    for micros in bounds:
        assert check_amount("the amount", micros, bounds, currency) is None
