"""Rates for people. Mirrors src/talktime/operations/find_rates.py."""

from itertools import count

import pytest

from talktime.operations.find_rates import (
    DestinationNames,
    between_of_country,
    between_of_text,
    find_rates,
    rate_of_number,
    rate_versions,
)
from talktime.operations.import_rates import import_rates
from talktime.operations.rate_file import read_rate_file
from talktime.store.rate_search import Between
from tests.people import CONTOSO, NOW_MS

DAY_MS = 86_400_000
HEADER = b"prefix,destination,kind,country,price_per_minute,valid_from\n"
OLD = b"""44,United Kingdom,landline,GB,0.015,2020-01-01
447,United Kingdom mobile,mobile,GB,0.05,2020-01-01
447,United Kingdom mobile,mobile,GB,0.06,2026-12-01
4479,United Kingdom satellite,special,GB,1,2026-12-05
49,Germany,landline,DE,0.015,2020-01-01
1,North America,landline,,0.012,2020-01-01
"""
NEW = b"""44,United Kingdom,landline,GB,0.015,2026-12-10
49,Germany,landline,DE,0.01,2026-12-10
"""
TEN_MS = 1_796_860_800_000  # 2026-12-10


pytestmark = pytest.mark.layouts("sqlite", "postgres")


@pytest.fixture
def control(store):
    return store.control()


@pytest.fixture
def versions(control):
    ids = count(1).__next__
    for content, at_ms in ((OLD, 1_577_836_800_000), (NEW, TEN_MS)):
        rows = read_rate_file(HEADER + content, valid_from_ms=at_ms)
        with control.transaction():
            import_rates(
                *(control, rows),
                name="standard",
                currency="USD",
                source="s",
                now_ms=0,
                valid_from_ms=at_ms,
                next_id=ids,
            )
    with control.reading():
        return rate_versions(control, CONTOSO, NOW_MS)


def found(control, versions, between, **more):
    with control.reading():
        return find_rates(*(control, versions, "outbound", between), limit=9, now_ms=NOW_MS, **more)


def changes(price):
    return [
        ((each.from_ms - TEN_MS) // DAY_MS, each.rate and each.rate.per_minute_micros)
        for each in price.later
    ]


def test_a_prefix_stands_once_with_its_price_now_and_all_that_come(control, versions):
    """R62: the version to come replaces this one whole; a prefix it lacks has a shorter one's."""
    prices = {each.row.prefix: each for each in found(control, versions, Between())}
    assert list(prices) == ["1", "44", "447", "4479", "49"]
    assert prices["447"].now.per_minute_micros == 50_000
    assert changes(prices["447"]) == [(-9, 60_000), (0, 15_000)]
    assert prices["4479"].now is None
    assert changes(prices["4479"]) == [(-5, 1_000_000), (0, 15_000)]
    assert changes(prices["44"]) == []
    assert changes(prices["1"]) == [(0, None)]


def test_rows_are_found_by_country_kind_and_words(control, versions):
    with control.reading():
        names = DestinationNames().of(control, versions.now, "outbound")
    for between, prefixes in {
        between_of_country("GB"): "44 447 4479",
        between_of_country("GB", "mobile"): "447",
        between_of_country("US"): "1",
        between_of_country("XX"): "",
        between_of_text(names, "kingdom M"): "447",
        between_of_text(names, "nowhere"): "",
        Between("447", "447:"): "447 4479",
    }.items():
        rows = found(control, versions, between)
        assert [each.row.prefix for each in rows] == prefixes.split()
    assert [x.row.prefix for x in found(control, versions, Between(), after="447")] == [
        *("4479", "49"),
    ]


def test_a_number_has_the_price_of_its_longest_prefix_in_force(control, versions):
    with control.reading():
        for digits, prefix in {"447912345678": "447", "442079460000": "44", "33": None}.items():
            price = rate_of_number(control, versions, "outbound", digits, now_ms=NOW_MS)
            assert (price and price.row.prefix) == prefix
        assert rate_of_number(control, versions, "toll_in", "44", now_ms=NOW_MS) is None


def test_a_card_of_another_currency_has_no_price(control, versions):
    with control.reading():
        other = rate_versions(control, CONTOSO._replace(currency="NOK"), NOW_MS)
    assert other == (None, ())
    assert found(control, other, Between()) == []
