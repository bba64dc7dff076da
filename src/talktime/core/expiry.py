"""When a lot expires: the same local time of day, so many calendar months later (D5, R4)."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from talktime.core.figures import DEFAULT_FIGURES

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)
_DAYS_IN_MONTH = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def expires_ms(purchased_ms: int, time_zone: str, months: int = DEFAULT_FIGURES.lot_months) -> int:
    """The instant from which on a lot bought at `purchased_ms` cannot be spent. Times in ms, UTC.

    It is the same local time of day `months` calendar months later in the organisation's time zone,
    the day clamped to the month's end: bought on 29 February, it expires on 28 February.

    Where the clocks change in that hour, the local time stands for the later of its two readings,
    so that nobody loses an hour: a time that does not exist (clocks go forward) is read with the
    offset before the change, and one that exists twice (clocks go back) is the second one.

    Raises ValueError for a purchase whose expiry lies after the year 9999, and
    zoneinfo.ZoneInfoNotFoundError for a time zone that does not exist.

    >>> expires_ms(1_709_208_000_000, "UTC")  # 2024-02-29T12:00Z
    1740744000000
    """
    zone = ZoneInfo(time_zone)
    bought = (_EPOCH + purchased_ms * _MS).astimezone(zone)
    year, month = divmod(bought.year * 12 + bought.month - 1 + months, 12)
    day = min(bought.day, _days_in(year, month + 1))
    local = bought.replace(year=year, month=month + 1, day=day)
    return max((local.replace(fold=fold) - _EPOCH) // _MS for fold in (0, 1))


def _days_in(year: int, month: int) -> int:
    leap_day = month == 2 and year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return _DAYS_IN_MONTH[month - 1] + leap_day
