"""Which rate a number has. Mirrors src/talktime/core/rates.py."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from talktime.core.rates import PrefixIndex, RateCard, RateCards, RateRow
from talktime.core.rating import Rate


def rate(prefix, per_minute_micros=1_000, destination="somewhere"):
    return Rate(prefix, destination, per_minute_micros, 0, 60, 60)


def naive_find(rows, digits, at_ms):
    in_force = [
        (len(row.prefix), valid_from_ms, row)
        for row, valid_from_ms in rows
        if digits.startswith(row.prefix) and valid_from_ms <= at_ms
    ]
    return max(in_force)[2] if in_force else None


# Few digits and few times, so that prefixes nest, stand side by side and repeat.
few_digits = st.text(alphabet="0189", min_size=1, max_size=6)
dated_prefixes = st.sets(st.tuples(few_digits, st.integers(0, 3)), max_size=30)


@given(dated_prefixes, st.lists(st.tuples(few_digits, st.integers(-1, 4)), max_size=30))
@example({("49300", 0), ("49", 0)}, [("4930", 0)])
def test_the_longest_prefix_in_force_is_found_as_by_reading_all_rows(prefixes, asked):
    """R62."""
    rows = [
        (rate(prefix, number, f"to {number % 3}"), valid_from_ms)
        for number, (prefix, valid_from_ms) in enumerate(prefixes)
    ]
    index = PrefixIndex.of(rows)
    assert len(index) == len({prefix for prefix, _ in prefixes})
    for digits, at_ms in [*asked, *((prefix, 3) for prefix, _ in prefixes)]:
        assert index.find(digits, at_ms) == naive_find(rows, digits, at_ms)


def test_a_number_shorter_than_a_prefix_does_not_match_it():
    index = PrefixIndex.of([(rate("49"), 0), (rate("49300"), 0)])
    assert index.find("4930", 0).prefix == "49"
    assert index.find("49300", 0).prefix == "49300"


def test_a_prefix_not_yet_in_force_falls_back_to_its_parent():
    index = PrefixIndex.of([(rate("44"), 0), (rate("447"), 2_000), (rate("4477"), 1_000)])
    found = [index.find("447700900123", at_ms).prefix for at_ms in (0, 999, 1_000, 2_000)]
    assert found == ["44", "44", "4477", "4477"]
    assert index.find("447900123456", 1_999).prefix == "44"
    assert index.find("447900123456", 2_000).prefix == "447"
    assert index.find("447900123456", -1) is None


def test_of_a_prefix_with_several_dates_the_newest_in_force_holds():
    index = PrefixIndex.of([(rate("49", price), at) for price, at in ((3, 30), (1, 10), (2, 20))])
    prices = [index.find("4930", at_ms).per_minute_micros for at_ms in (10, 19, 20, 29, 30, 99)]
    assert prices == [1, 1, 2, 2, 3, 3]
    assert index.find("4930", 9) is None


def test_the_ends_of_the_number_space_are_found():
    index = PrefixIndex.of([(rate("0"), 0), (rate("9" * 15), 0)])
    assert index.find("0", 0).prefix == "0"
    assert index.find("9" * 15, 0).prefix == "9" * 15
    assert index.find("9" * 14, 0) is None
    assert index.find("1", 0) is None
    assert PrefixIndex.of([]).find("49", 0) is None


@pytest.mark.parametrize("prefix", ["", "+49", "4 9", "1" * 16, "4a"])
def test_a_prefix_that_is_not_digits_cannot_be_indexed(prefix):
    with pytest.raises(ValueError, match="is not a prefix"):
        PrefixIndex.of([(rate(prefix), 0)])


def test_a_prefix_cannot_stand_twice_for_one_time():
    with pytest.raises(ValueError, match="prefix 49 stands twice"):
        PrefixIndex.of([(rate("49", 1), 5), (rate("49", 2), 5)])


def card(name, valid_from_ms, *rates_, direction="outbound"):
    return RateCard(
        valid_from_ms, name, "USD", valid_from_ms,
        {direction: PrefixIndex.of((row, 0) for row in rates_)},
    )  # fmt: skip


def test_a_later_version_of_a_card_replaces_the_earlier_one_whole():
    cards = RateCards()
    for version in (
        card("retail", 200, rate("49", 2)),
        card("retail", 100, rate("49", 1), rate("1")),
    ):
        cards = cards.with_card(version)
    assert cards.find("retail", "outbound", "4930", 99) is None
    assert cards.find("retail", "outbound", "4930", 199).per_minute_micros == 1
    assert cards.find("retail", "outbound", "4930", 200).per_minute_micros == 2
    assert cards.find("retail", "outbound", "1201", 199).prefix == "1"
    assert cards.find("retail", "outbound", "1201", 200) is None


def test_cards_and_directions_do_not_mix():
    cards = RateCards().with_card(card("retail", 0, rate("1800"), direction="toll_free_in"))
    assert cards.find("retail", "toll_free_in", "18005550100", 0).prefix == "1800"
    assert cards.find("retail", "outbound", "18005550100", 0) is None
    assert cards.find("wholesale", "toll_free_in", "18005550100", 0) is None
    assert cards.in_force("retail", -1) is None


def test_a_version_read_again_stands_once():
    cards = (
        RateCards().with_card(card("retail", 0, rate("1"))).with_card(card("retail", 0, rate("1")))
    )
    assert len(cards.versions["retail"]) == 1


def test_a_row_names_its_prefix():
    assert RateRow("outbound", rate("49"), 0).prefix == "49"
