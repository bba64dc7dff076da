"""Amounts and times as a reader's own language writes them: for pages, mail and documents."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from babel import Locale
from babel.dates import format_date, format_datetime, format_skeleton, format_time
from babel.numbers import format_currency, format_decimal, get_currency_precision

from talktime.core.money import DECIMALS_MAX, decimal_text, half_up_minor_units

# A code for want of a sign stands apart from its number (CLDR's rule, which Babel leaves out).
LETTER_BY_DIGIT = re.compile(r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])")
MONTH = re.compile(r"([1-9][0-9]{3})-(0[1-9]|1[0-2])")
SHOWN_MS_MAX = 253_000_000_000_000
"""Near the end of the year 9987: what is later is shown as this."""


@dataclass(frozen=True, slots=True)
class Amount:
    """Money to read: rounded to the currency's own decimals, and exact where rounding hid some."""

    text: str
    exact: str
    negative: bool

    @property
    def in_full(self) -> str:
        """Rounded, with the exact amount behind it where rounding hid some.

        >>> Amount("$0.62", "0.616", False).in_full, Amount("$0.62", "", False).in_full
        ('$0.62 (0.616)', '$0.62')
        """
        return f"{self.text} ({self.exact})" if self.exact else self.text


@dataclass(frozen=True, slots=True)
class Wording:
    """How a reader writes numbers, and the clock that they go by."""

    locale: Locale
    zone: tzinfo

    def money(self, micros: int, currency: str) -> Amount:
        """An amount in the currency's own decimals."""
        decimals = min(get_currency_precision(currency), DECIMALS_MAX)
        rounded = Decimal(half_up_minor_units(micros, decimals)).scaleb(-decimals)
        text = LETTER_BY_DIGIT.sub(
            "\N{NO-BREAK SPACE}", format_currency(rounded, currency, locale=self.locale)
        )
        hidden = micros % 10 ** (DECIMALS_MAX - decimals) != 0
        exact = self.decimal(Decimal(decimal_text(micros))) if hidden else ""
        return Amount(text, exact, micros < 0)

    def price(self, micros: int, currency: str) -> str:
        """A price a minute with all its decimals: what is less than the currency's least coin
        counts."""
        text = format_currency(
            Decimal(decimal_text(micros)),
            currency,
            locale=self.locale,
            decimal_quantization=False,
        )
        return LETTER_BY_DIGIT.sub("\N{NO-BREAK SPACE}", text)

    def decimal(self, number: Decimal | int) -> str:
        """A number with all its decimals."""
        return format_decimal(number, locale=self.locale, decimal_quantization=False)

    def day(self, at_ms: int) -> str:
        """The day of a moment."""
        return format_date(self._local(at_ms).date(), "medium", locale=self.locale)

    def short_day(self, at_ms: int) -> str:
        """The day of a moment without its year, where there is little room."""
        return format_skeleton("MMMd", self._local(at_ms).date(), locale=self.locale)

    def moment(self, at_ms: int) -> str:
        """A day with the time of day."""
        return format_datetime(self._local(at_ms), "medium", locale=self.locale)

    def clock(self, at_ms: int) -> str:
        """The time of day of a moment, to the minute."""
        return format_time(self._local(at_ms), "short", locale=self.locale)

    def month(self, text: str) -> str:
        """A month such as 2026-11; what is none, as it is."""
        found = MONTH.fullmatch(text)
        if found is None:
            return text
        first = date(int(found[1]), int(found[2]), 1)
        return format_skeleton("yMMMM", first, locale=self.locale)

    def _local(self, at_ms: int) -> datetime:
        seconds = min(max(at_ms, 0), SHOWN_MS_MAX) // 1000
        return datetime.fromtimestamp(seconds, UTC).astimezone(self.zone)


def zone_named(name: str) -> tzinfo:
    """The time zone of this name; UTC where there is none.

    >>> zone_named("Mars/Olympus")
    datetime.timezone.utc
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def duration(seconds: int) -> str:
    """Seconds as a clock shows them; with its sign what a correction takes back.

    >>> duration(61), duration(3_725), duration(-180)
    ('1:01', '1:02:05', '-3:00')
    """
    sign = "-" if seconds < 0 else ""
    hours, rest = divmod(abs(seconds), 3600)
    minutes, left = divmod(rest, 60)
    return f"{sign}{hours}:{minutes:02}:{left:02}" if hours else f"{sign}{minutes}:{left:02}"
