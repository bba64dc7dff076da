"""Amounts and times in the reader's language. Mirrors src/talktime/console/start/shown.py."""

import pytest

from talktime.console.start.shown import locale_from, telephone, wording_for
from talktime.operations.wording import Amount, duration
from tests.console.rows import START_MS

NARROW, WIDE = "\N{NARROW NO-BREAK SPACE}", "\N{NO-BREAK SPACE}"


@pytest.mark.parametrize(
    ("language", "micros", "currency", "text", "exact"),
    [
        ("en-US", 99_955_000, "EUR", "€99.96", "99.955"),
        ("en-US", 1_234_567_890_000, "USD", "$1,234,567.89", ""),
        ("de", 1_234_567_890_000, "EUR", f"1.234.567,89{WIDE}€", ""),
        ("fr", 1_234_567_890_000, "EUR", f"1{NARROW}234{NARROW}567,89{WIDE}€", ""),
        ("en-US", 1_500_000, "JPY", "¥2", "1.5"),
        ("en-US", 1_234_500, "KWD", "KWD\N{NO-BREAK SPACE}1.235", "1.2345"),
        ("en-US", 1, "EUR", "€0.00", "0.000001"),
        ("en-US", -15_000, "EUR", "-€0.02", "-0.015"),
        ("en-US", 0, "EUR", "€0.00", ""),
    ],
)
def test_money_is_shown_in_the_currencys_decimals_and_exact_where_those_hide_some(
    language, micros, currency, text, exact
):
    shown = wording_for(language, "UTC").money(micros, currency)
    assert shown == Amount(text, exact, micros < 0)


@pytest.mark.parametrize(
    ("header", "locale"),
    [
        ("", "en_GB"),
        ("*", "en_GB"),
        ("nb-NO,nb;q=0.9,en;q=0.8", "nb_NO"),
        ("tlh,fr;q=0.5,de-CH;q=0.7", "de_CH"),
        ("zh-Hant-TW", "zh_Hant_TW"),
        ("../../etc;q=x,\x00,de;q=1", "de"),
        ("x" * 10_000, "en_GB"),
    ],
)
def test_the_most_wanted_language_that_is_known_is_taken(header, locale):
    assert str(locale_from(header)) == locale


def test_times_are_shown_on_the_organisations_clock():
    oslo = wording_for("en-GB", "Europe/Oslo")
    assert oslo.moment(START_MS) == "15 Jan 2027, 09:00:00"
    assert oslo.day(START_MS) == "15 Jan 2027"
    assert wording_for("en-GB", "Pacific/Auckland").moment(START_MS) == "15 Jan 2027, 21:00:00"


def test_an_unknown_time_zone_falls_back_to_utc():
    assert wording_for("en-GB", "Mars/Olympus").moment(START_MS) == "15 Jan 2027, 08:00:00"


def test_durations_and_numbers_are_shown_as_people_write_them():
    assert [duration(s) for s in (0, 61, 3_600, 86_399)] == ["0:00", "1:01", "1:00:00", "23:59:59"]
    assert [duration(s) for s in (-5, -180, -3_725)] == ["-0:05", "-3:00", "-1:02:05"]
    assert telephone("493012345678") == "+49 30 12345678"
    assert telephone("12") == "+12"
    assert telephone("") == ""
