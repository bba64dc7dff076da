"""Money in micros. Mirrors src/talktime/core/money.py."""

from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talktime.core.limits import AMOUNT_MICROS_MAX
from talktime.core.money import (
    ceil_div,
    decimal_text,
    half_up_minor_units,
    half_up_text,
    parse_micros,
)

amounts_micros = st.integers(-AMOUNT_MICROS_MAX, AMOUNT_MICROS_MAX)


@pytest.mark.parametrize(
    ("micros", "text"),
    [
        (0, "0"),
        (1, "0.000001"),
        (-1, "-0.000001"),
        (99_955_000, "99.955"),
        (100_000_000, "100"),
        (-1_500_000, "-1.5"),
        (1_020_000, "1.02"),
    ],
)
def test_an_amount_is_written_exactly_and_without_trailing_zeros(micros, text):
    assert decimal_text(micros) == text
    assert parse_micros(text) == micros


@given(amounts_micros)
def test_what_is_written_reads_back_to_the_micro(micros):
    text = decimal_text(micros)
    assert parse_micros(text) == micros
    assert Decimal(text) == Decimal(micros).scaleb(-6)


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "1 ", " 1", "+1", "1.", ".5", "1.0000001", "0.0000000", "1e3", "1E-3"),
        *("NaN", "inf", "-", "--1", "1,5", "1_000", "0x10", "1\n", "١", "１"),
        *("1000000000.000001", "9" * 40, "9" * 5_000),
    ],
)
def test_what_is_not_a_plain_exact_amount_is_refused(text):
    with pytest.raises(ValueError, match=r"is not a decimal number|decimals|is more than"):
        parse_micros(text)


def test_the_largest_amount_is_read():
    assert parse_micros("1000000000") == AMOUNT_MICROS_MAX
    assert parse_micros("-1000000000") == -AMOUNT_MICROS_MAX


@given(st.integers(-(10**20), 10**20), st.integers(1, 10**12))
def test_a_division_rounds_up_to_the_next_whole(dividend, divisor):
    quotient = ceil_div(dividend, divisor)
    assert (quotient - 1) * divisor < dividend <= quotient * divisor


@given(amounts_micros, st.integers(0, 6))
def test_display_rounds_half_a_unit_away_from_zero(micros, decimals):
    exact = Decimal(micros).scaleb(-6)
    rounded = exact.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    assert half_up_minor_units(micros, decimals) == int(rounded.scaleb(decimals))
    assert Decimal(half_up_text(micros, decimals)) == rounded


def test_half_a_cent_rounds_up_and_less_rounds_down():
    assert half_up_minor_units(14_999, 2) == 1
    assert half_up_minor_units(15_000, 2) == 2
    assert half_up_text(99_955_000) == "99.96"
    assert half_up_text(0) == "0.00"
    assert half_up_text(-4_999) == "0.00"


@pytest.mark.parametrize("decimals", [-1, 7])
def test_a_currency_cannot_have_more_decimals_than_micros_hold(decimals):
    with pytest.raises(ValueError, match="0 to 6 decimals"):
        half_up_minor_units(1, decimals)
