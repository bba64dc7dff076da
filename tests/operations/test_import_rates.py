"""Importing rate files. Mirrors src/talktime/operations/import_rates.py."""

import random
from itertools import count

import pytest

from talktime.core.rates import RateCards
from talktime.core.refusal import Refusal
from talktime.operations.import_rates import ImportReport, import_rates
from talktime.operations.rate_file import read_rate_file
from talktime.store.rates import load_cards, versions_of

NOW_MS = 1_700_000_000_000


pytestmark = pytest.mark.layouts("sqlite", "postgres")

next_id = count(1).__next__


@pytest.fixture
def connection(store):
    return store.control()


def published_file(prices):
    """A file in the published layout, with a price for each prefix."""
    header = "Destination Name,Destination Type,Country,Prefix,Price / min"
    rows = [f"Place {prefix},mixed,DE,{prefix},{price}" for prefix, price in prices.items()]
    return "\r\n".join([header, *rows, ""]).encode()


def imported(connection, name, content, valid_from_ms=NOW_MS, **options):
    if isinstance(content, dict):
        content = published_file(content)
    rows = read_rate_file(content, valid_from_ms=valid_from_ms)
    with connection.transaction():
        return import_rates(
            connection,
            rows,
            name=name,
            source="a test",
            valid_from_ms=valid_from_ms,
            now_ms=NOW_MS,
            next_id=next_id,
            **{"currency": "USD", **options},
        )


def price(connection, name, digits, at_ms):
    cards, _ = load_cards(connection, RateCards(), 0)
    rate = cards.find(name, "outbound", digits, at_ms)
    return rate and rate.per_minute_micros


def contents(connection):
    return (
        connection.rows("SELECT * FROM rate_card ORDER BY id"),
        connection.rows("SELECT count(*), sum(per_minute_micros) FROM rate"),
        connection.rows("SELECT value FROM revision WHERE name = 'rates'"),
    )


def prefixes(changes):
    assert changes.count == len(changes.examples)
    return [change.prefix for change in changes.examples]


def test_a_first_import_adds_everything(connection):
    report = imported(connection, "first", {"49": "0.015", "4915": "0.07"})
    assert isinstance(report, ImportReport)
    assert report.replaces is None
    assert prefixes(report.added) == ["49", "4915"]
    assert (report.dropped.count, report.dearer.count, report.cheaper.count) == (0, 0, 0)
    assert versions_of(connection, "first") == [report.version]
    assert price(connection, "first", "49151234567", NOW_MS) == 70_000
    assert price(connection, "first", "49151234567", NOW_MS - 1) is None


def test_the_report_tells_what_changes_against_the_card_in_force(connection):
    first = imported(connection, "told", {"1": "0.01", "2": "0.02", "3": "0.03", "4": "0.04"})
    later = NOW_MS + 1_000
    report = imported(
        connection, "told", {"1": "0.01", "2": "0.03", "3": "0.02", "5": "0.05"}, later
    )
    assert report.replaces == first.version
    assert report.unchanged == 1
    assert prefixes(report.dearer) == ["2"]
    assert prefixes(report.cheaper) == ["3"]
    assert prefixes(report.added) == ["5"]
    assert prefixes(report.dropped) == ["4"]
    [dearer] = report.dearer.examples
    assert (dearer.old.per_minute_micros, dearer.new.per_minute_micros) == (20_000, 30_000)
    assert [change.destination for change in report.dropped.examples] == ["Place 4"]
    assert price(connection, "told", "4", later - 1) == 40_000
    assert price(connection, "told", "4", later) is None


def test_fees_and_increments_count_where_the_price_is_the_same(connection):
    columns = "prefix,destination,price_per_minute,connection_fee,first_increment_s"
    old = f"{columns}\n1,A,1,0.1,30\n2,B,1,0.1,30\n3,C,1,0.1,30\n4,D,1,0.1,30\n".encode()
    new = f"{columns}\n1,A,1,0.2,30\n2,B,1,0,60\n3,C,1,0.1,60\n4,Renamed,1,0.1,30\n".encode()
    imported(connection, "fees", old)
    report = imported(connection, "fees", new, NOW_MS + 1)
    assert (prefixes(report.dearer), prefixes(report.cheaper)) == (["1", "3"], ["2"])
    assert report.unchanged == 1


def test_dated_rows_are_compared_as_they_stand_at_the_start(connection):
    columns = "prefix,destination,price_per_minute,valid_from"
    old = f"{columns}\n1,A,3,2030-01-01\n1,A,1,2020-01-01\n1,A,2,2021-01-01\n2,B,5,2031-01-01\n"
    imported(connection, "dated", old.encode())
    report = imported(connection, "dated", {"1": "2", "2": "5"}, NOW_MS + 1)
    assert report.unchanged == 2


def test_a_dry_run_reports_the_same_and_writes_nothing(connection):
    imported(connection, "dry", {"1": "0.01", "2": "0.02"})
    before = contents(connection)
    dry = imported(connection, "dry", {"1": "0.02"}, NOW_MS + 1, dry_run=True)
    assert contents(connection) == before
    report = imported(connection, "dry", {"1": "0.02"}, NOW_MS + 1)
    assert (dry.dry_run, report.dry_run) == (True, False)
    assert (dry.dearer, dry.dropped) == (report.dearer, report.dropped)
    assert contents(connection) != before


def test_the_same_file_again_needs_a_later_start(connection):
    imported(connection, "again", {"1": "0.01"})
    before = contents(connection)
    refusal = imported(connection, "again", {"1": "0.01"})
    assert isinstance(refusal, Refusal)
    assert refusal.code == "already_exists"
    assert contents(connection) == before
    report = imported(connection, "again", {"1": "0.01"}, NOW_MS + 1)
    assert (report.unchanged, report.added.count) == (1, 0)


def test_a_version_may_be_put_between_two_others(connection):
    imported(connection, "between", {"1": "0.01"}, NOW_MS)
    imported(connection, "between", {"1": "0.03"}, NOW_MS + 20)
    report = imported(connection, "between", {"1": "0.02"}, NOW_MS + 10)
    assert prefixes(report.dearer) == ["1"]
    prices = [price(connection, "between", "1", NOW_MS + at) for at in (9, 10, 19, 20)]
    assert prices == [10_000, 20_000, 20_000, 30_000]


@pytest.mark.parametrize(
    "options",
    [
        {"currency": "EUR"},
        {"currency": "usd"},
        {"currency": ""},
        {"name": ""},
        {"name": " spaced"},
        {"name": "x" * 65},
        {"name": "line\nbreak"},
    ],
)
def test_a_malformed_name_or_another_currency_is_refused_and_changes_nothing(connection, options):
    if not versions_of(connection, "dollars"):
        imported(connection, "dollars", {"1": "0.01"})
    before = contents(connection)
    name = options.get("name", "dollars")
    others = {key: value for key, value in options.items() if key != "name"}
    refusal = imported(connection, name, {"1": "0.01"}, NOW_MS + 1, **others)
    assert isinstance(refusal, Refusal)
    assert refusal.code == "invalid_value"
    assert contents(connection) == before


def test_an_import_that_fails_half_way_leaves_nothing(connection):
    before = contents(connection)

    def fail(doing, done):
        raise RuntimeError("stopped by the test")

    with pytest.raises(RuntimeError, match="stopped by the test"):
        imported(connection, "half", {"1": "0.01"}, progress=fail)
    assert contents(connection) == before


def test_a_card_of_the_published_shape_and_size_is_imported_whole(connection):
    """As many prefixes as the published card has, nested as its mobile ranges are."""
    chance = random.Random(6592)
    prices = {}
    while len(prices) < 6_592:
        country = str(chance.randint(20, 99))
        digits = "".join(chance.choices("0123456789", k=chance.choice((0, 1, 2, 3, 3, 4))))
        prices[country + digits] = f"0.{chance.randint(11, 999):03}"
    told = []
    report = imported(
        connection, "whole", prices, progress=lambda doing, done: told.append((doing, done))
    )
    assert report.added.count == report.version.row_count == 6_592
    assert told == [("written", 6_592)]
    cards, _ = load_cards(connection, RateCards(), 0)
    for _ in range(500):
        digits = chance.choice(list(prices)) + "".join(chance.choices("0123456789", k=4))
        longest = next(digits[:n] for n in range(len(digits), 0, -1) if digits[:n] in prices)
        rate = cards.find("whole", "outbound", digits, NOW_MS)
        assert rate.prefix == longest
        assert rate.per_minute_micros == int(prices[longest].removeprefix("0.")) * 1_000


@pytest.mark.parametrize("currency", ["UDS", "usd", "", "DEM"])
def test_a_new_card_is_in_a_currency_that_an_organisation_can_have(connection, currency):
    """Else the name would be of no use: a card's currency is for good."""
    before = contents(connection)
    refused = imported(connection, "mistyped", {"49": "0.015"}, currency=currency)
    assert isinstance(refused, Refusal)
    assert refused.code == "invalid_value"
    assert refused.detail.startswith(
        "the currency must be a code such as USD or EUR that is in use"
    )
    assert contents(connection) == before


def test_a_card_goes_on_when_its_currency_goes_out_of_use(connection):
    assert isinstance(imported(connection, "old", {"49": "0.015"}), ImportReport)
    with connection.transaction():
        connection.run("UPDATE rate_card SET currency = 'DEM' WHERE name = 'old'")
    report = imported(connection, "old", {"49": "0.02"}, NOW_MS + 1, currency="DEM")
    assert isinstance(report, ImportReport)
    assert prefixes(report.dearer) == ["49"]
