"""When a lot expires. Mirrors src/talktime/core/expiry.py."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talktime.core.expiry import expires_ms


def ms(text):
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def utc(at_ms):
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="milliseconds")


@pytest.mark.parametrize(
    ("bought", "zone", "expires"),
    [
        # R4: the day is clamped to the month's end.
        ("2024-02-29T12:00:00Z", "UTC", "2025-02-28T12:00:00.000+00:00"),
        ("2023-02-28T12:00:00Z", "UTC", "2024-02-28T12:00:00.000+00:00"),
        ("2026-11-22T10:00:00.123Z", "UTC", "2027-11-22T10:00:00.123+00:00"),
        # The day and the hour are those of the organisation: here 1 January, 00:30 in Oslo.
        ("2025-12-31T23:30:00Z", "Europe/Oslo", "2026-12-31T23:30:00.000+00:00"),
        ("2024-02-29T23:30:00Z", "Europe/Oslo", "2025-02-28T23:30:00.000+00:00"),
        ("2024-02-29T11:30:00Z", "Pacific/Auckland", "2025-02-28T11:30:00.000+00:00"),
        # Summer time began a day earlier a year later: the same local time is an hour earlier.
        ("2026-03-28T12:00:00Z", "Europe/Oslo", "2027-03-28T11:00:00.000+00:00"),
    ],
)
def test_a_lot_expires_at_the_same_local_time_twelve_months_later(bought, zone, expires):
    assert utc(expires_ms(ms(bought), zone)) == expires


def test_a_local_time_that_does_not_exist_is_read_with_the_offset_before_the_change():
    # Bought at 02:30 in Oslo; on 28 March 2027 the clocks go from 02:00 to 03:00.
    bought_ms = ms("2026-03-28T02:30:00+01:00")
    assert utc(expires_ms(bought_ms, "Europe/Oslo")) == "2027-03-28T01:30:00.000+00:00"


def test_a_local_time_that_exists_twice_is_the_second_one():
    # Bought at 02:30 in Oslo; on 25 October 2026 the clocks go from 03:00 back to 02:00.
    bought_ms = ms("2025-10-25T02:30:00+02:00")
    assert utc(expires_ms(bought_ms, "Europe/Oslo")) == "2026-10-25T01:30:00.000+00:00"


def test_both_readings_of_a_doubled_hour_expire_a_year_later_alike():
    first_ms, second_ms = ms("2026-10-25T00:30:00Z"), ms("2026-10-25T01:30:00Z")
    assert expires_ms(first_ms, "Europe/Oslo") == expires_ms(second_ms, "Europe/Oslo")


@pytest.mark.parametrize(
    ("bought", "months", "expires"),
    [
        ("2026-01-31T00:00:00Z", 1, "2026-02-28T00:00:00.000+00:00"),
        ("2026-11-30T00:00:00Z", 3, "2027-02-28T00:00:00.000+00:00"),
        ("1999-02-28T00:00:00Z", 24, "2001-02-28T00:00:00.000+00:00"),
        ("1999-12-31T00:00:00Z", 2, "2000-02-29T00:00:00.000+00:00"),
        ("2099-12-31T00:00:00Z", 2, "2100-02-28T00:00:00.000+00:00"),
    ],
)
def test_other_numbers_of_months_are_clamped_as_well(bought, months, expires):
    assert utc(expires_ms(ms(bought), "UTC", months)) == expires


def test_a_time_zone_that_does_not_exist_is_an_error():
    with pytest.raises(ZoneInfoNotFoundError):
        expires_ms(0, "Europe/Atlantis")


@given(
    st.integers(ms("2000-01-01T00:00:00Z"), ms("2090-01-01T00:00:00Z")),
    st.sampled_from(["UTC", "Europe/Oslo", "America/Los_Angeles", "Asia/Kolkata", "Pacific/Apia"]),
)
def test_a_lot_lasts_a_year_whatever_the_calendar_does(bought_ms, zone):
    until_ms = expires_ms(bought_ms, zone)
    day_ms = 86_400_000
    assert 364 * day_ms <= until_ms - bought_ms <= 367 * day_ms
    bought, until = (
        datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(ZoneInfo(zone))
        for at_ms in (bought_ms, until_ms)
    )
    assert (until.year, until.month) == (bought.year + 1, bought.month)
