"""Amounts, times and numbers as the reader's own language writes them."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_datetime
from babel.numbers import format_currency, format_decimal, get_currency_precision

from talktime.core.money import DECIMALS_MAX, decimal_text, half_up_minor_units

ACCEPT_LANGUAGE_LENGTH_MAX = 200
FALLBACK_LOCALE = "en_GB"
# A code for want of a sign stands apart from its number (CLDR's rule, which Babel leaves out).
LETTER_BY_DIGIT = re.compile(r"(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])")


@dataclass(frozen=True, slots=True)
class Amount:
    """Money to read: rounded to the currency's own decimals, and exact where rounding hid some."""

    text: str
    exact: str
    negative: bool


@dataclass(frozen=True, slots=True)
class Wording:
    """How this reader writes numbers, and the clock of the organisation."""

    locale: Locale
    zone: tzinfo

    def money(self, micros: int, currency: str) -> Amount:
        decimals = min(get_currency_precision(currency), DECIMALS_MAX)
        rounded = Decimal(half_up_minor_units(micros, decimals)).scaleb(-decimals)
        text = LETTER_BY_DIGIT.sub(
            "\N{NO-BREAK SPACE}", format_currency(rounded, currency, locale=self.locale)
        )
        hidden = micros % 10 ** (DECIMALS_MAX - decimals) != 0
        exact = self.decimal(Decimal(decimal_text(micros))) if hidden else ""
        return Amount(text, exact, micros < 0)

    def decimal(self, number: Decimal | int) -> str:
        return format_decimal(number, locale=self.locale, decimal_quantization=False)

    def day(self, at_ms: int) -> str:
        return format_date(self._local(at_ms).date(), "medium", locale=self.locale)

    def moment(self, at_ms: int) -> str:
        return format_datetime(self._local(at_ms), "medium", locale=self.locale)

    def _local(self, at_ms: int) -> datetime:
        return datetime.fromtimestamp(at_ms // 1000, UTC).astimezone(self.zone)


def wording_for(accept_language: str, time_zone: str) -> Wording:
    """The wording for a browser's Accept-Language header and an organisation's time zone."""
    return Wording(locale_from(accept_language[:ACCEPT_LANGUAGE_LENGTH_MAX]), zone_named(time_zone))


@lru_cache(256)
def locale_from(accept_language: str) -> Locale:
    """The first language of the header that Babel knows, the most wanted first.

    >>> str(locale_from("tlh, de-CH;q=0.8, fr;q=0.9")), str(locale_from("*"))
    ('fr', 'en_GB')
    """
    wanted: list[tuple[float, int, str]] = []
    for item in accept_language.split(","):
        tag, _, weight = item.partition(";q=")
        try:
            wanted.append((-float(weight or 1), len(wanted), tag.strip()))
        except ValueError:
            continue
    for _, _, tag in sorted(wanted):
        try:
            return Locale.parse(tag, sep="-")
        except (ValueError, UnknownLocaleError):
            continue
    return Locale.parse(FALLBACK_LOCALE)


def zone_named(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return UTC


def duration(seconds: int) -> str:
    """Seconds as a clock shows them.

    >>> duration(61), duration(3_725)
    ('1:01', '1:02:05')
    """
    hours, rest = divmod(seconds, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


def telephone(digits: str) -> str:
    """A number as it is dialled from anywhere, in groups where its country's plan is known.

    >>> telephone("493012345678"), telephone("999"), telephone("")
    ('+49 30 12345678', '+999', '')
    """
    if not digits:
        return ""
    try:
        number = phonenumbers.parse(f"+{digits}")
    except phonenumbers.NumberParseException:
        return f"+{digits}"
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
