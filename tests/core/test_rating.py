"""What a call costs and how long money lasts. Mirrors src/talktime/core/rating.py."""

from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talktime.core.limits import CALL_SECONDS_MAX
from talktime.core.rating import Rate, billed_seconds, payable_seconds, price_micros

GERMANY = Rate("49", "Germany", 15_000, 20_000, 60, 60)

rates = st.builds(
    Rate,
    prefix=st.from_regex(r"[1-9][0-9]{0,14}", fullmatch=True),
    destination=st.text(min_size=1, max_size=20),
    per_minute_micros=st.integers(0, 5_000_000),
    fee_micros=st.integers(0, 1_000_000),
    first_increment_s=st.integers(1, 120),
    next_increment_s=st.integers(1, 120),
)


@pytest.mark.parametrize(("used_s", "minutes"), [(0, 0), (1, 1), (60, 1), (61, 2), (219, 4)])
def test_whole_minutes_are_billed_and_an_unanswered_call_is_free(used_s, minutes):
    """R60 and R61, with their own figures."""
    billed_s = billed_seconds(used_s, GERMANY)
    assert billed_s == minutes * 60
    assert price_micros(billed_s, GERMANY) == (20_000 + 15_000 * minutes if minutes else 0)


@given(st.integers(0, 2_000), rates)
def test_billed_time_is_the_shortest_whole_increments_that_hold_the_used_time(used_s, rate):
    counted_s = rate.first_increment_s if used_s else 0
    while counted_s < used_s:
        counted_s += rate.next_increment_s
    assert billed_seconds(used_s, rate) == counted_s


@given(st.integers(1, CALL_SECONDS_MAX), rates)
def test_a_price_is_exact_with_one_rounding_up_at_the_end(billed_s, rate):
    exact = Fraction(rate.per_minute_micros * billed_s, 60)
    assert price_micros(billed_s, rate) == rate.fee_micros + ceil(exact)


@given(st.integers(-1_000, 20_000_000), rates)
def test_money_lasts_for_the_longest_whole_increments_it_can_pay(budget_micros, rate):
    longest_s, tried_s = 0, rate.first_increment_s
    while tried_s <= 4_000 and price_micros(tried_s, rate) <= budget_micros:
        longest_s = tried_s
        tried_s += rate.next_increment_s
    payable_s = payable_seconds(budget_micros, rate)
    if tried_s <= 4_000:
        assert payable_s == longest_s
    else:
        assert longest_s <= payable_s <= CALL_SECONDS_MAX
        assert price_micros(payable_s, rate) <= budget_micros
        assert billed_seconds(payable_s, rate) == payable_s


def test_free_minutes_last_a_day_once_the_fee_is_paid():
    fee_only = GERMANY._replace(per_minute_micros=0)
    assert payable_seconds(19_999, fee_only) == 0
    assert payable_seconds(20_000, fee_only) == CALL_SECONDS_MAX
    assert payable_seconds(10**15, GERMANY) == CALL_SECONDS_MAX


def test_one_micro_short_of_the_next_increment_stops_before_it():
    assert payable_seconds(34_999, GERMANY) == 0
    assert payable_seconds(35_000, GERMANY) == 60
    assert payable_seconds(49_999, GERMANY) == 60
    assert payable_seconds(50_000, GERMANY) == 120


def test_a_rate_is_kept_as_a_compact_array():
    rate = Rate("4930", 'Côte d\'Azur "x"', 15_000, 0, 60, 6)
    assert rate.text() == '["4930","Côte d\'Azur \\"x\\"",15000,0,60,6]'


@given(rates)
def test_a_rate_reads_back_from_its_text(rate):
    assert Rate.parse(rate.text()) == rate
