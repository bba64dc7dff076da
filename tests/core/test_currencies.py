"""Micros and minor units. Mirrors src/talktime/core/currencies.py."""

import pytest
from babel.core import get_global
from babel.numbers import get_currency_precision
from hypothesis import given
from hypothesis import strategies as st

from talktime.core.currencies import (
    decimals_of,
    micros_of,
    micros_of_stripe,
    minor_units,
    stripe_amount,
    stripe_decimals_of,
)

# CLDR counts how people write amounts; these have a minor unit in ISO 4217 that nobody writes.
WRITTEN_WITHOUT = {
    *("AFN", "ALL", "IRR", "KPW", "LAK", "LBP", "MMK", "MGA", "RSD", "SLL", "SOS", "STN", "SYP"),
    *("TZS", "UZS", "YER", "ZMK", "BIF", "CRC", "IDR", "PKR", "MUR", "GYD", "NOK", "SEK", "HUF"),
    *("CZK", "TMM", "TWD", "MRO", "MNT", "ITL", "LUF", "CLF", "UYW", "IQD", "COP", "AMD"),
}


@pytest.mark.parametrize(
    ("currency", "micros", "minor"),
    [
        ("USD", 12_340_000, 1_234),
        ("USD", 10_000, 1),
        ("JPY", 500_000_000, 500),
        ("JPY", 1_000_000, 1),
        ("KWD", 12_345_000, 12_345),
        ("KWD", 1_000, 1),
        ("CLP", 990_000_000, 990),
        ("BHD", 1_000_000, 1_000),
    ],
)
def test_an_amount_is_a_whole_number_of_minor_units_and_back(currency, micros, minor):
    assert minor_units(micros, decimals_of(currency)) == minor
    assert micros_of(minor, decimals_of(currency)) == micros


@pytest.mark.parametrize(
    ("currency", "micros"), [("USD", 12_345_000), ("JPY", 500_000), ("KWD", 1_500), ("EUR", 1)]
)
def test_an_amount_that_is_no_whole_number_of_them_is_not_rounded(currency, micros):
    with pytest.raises(ValueError, match="no whole number"):
        minor_units(micros, decimals_of(currency))


@given(st.integers(0, 10**12), st.sampled_from(["USD", "JPY", "KWD", "ISK", "UGX", "CLP", "MGA"]))
def test_any_amount_of_stripes_is_the_same_again(amount, currency):
    micros = micros_of_stripe(amount, currency)
    assert minor_units(micros, stripe_decimals_of(currency)) == amount


def test_stripe_counts_hundredths_of_currencies_that_have_none():
    assert stripe_amount(500_000_000, "ISK") == 50_000
    assert stripe_amount(500_000_000, "UGX") == 50_000
    assert stripe_amount(5_000_000, "JPY") == 5
    assert stripe_amount(5_000_000, "MGA") == 5


@pytest.mark.parametrize(
    ("currency", "micros"),
    [("ISK", 500_500_000), ("UGX", 10_000), ("KWD", 12_345_000), ("TND", 1_000)],
)
def test_what_stripe_could_not_charge_exactly_is_not_sent(currency, micros):
    with pytest.raises(ValueError, match="is no multiple of"):
        stripe_amount(micros, currency)


def test_the_table_agrees_with_what_is_known_of_currencies_in_use():
    """Where people write as many decimals as the currency has."""
    used = {
        code
        for spans in get_global("territory_currencies").values()
        for code, _, end, tender in spans
        if end is None and tender
    }
    different = {code for code in used if decimals_of(code) != get_currency_precision(code)}
    assert different <= WRITTEN_WITHOUT
    assert len(used - different) > 100


def test_a_currency_has_at_most_six_decimals():
    with pytest.raises(ValueError, match="0 to 6"):
        minor_units(1, 7)
