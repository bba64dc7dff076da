"""Amounts, times and numbers as the reader's own language writes them."""

from functools import lru_cache

import phonenumbers
from babel import Locale, UnknownLocaleError
from django.http import HttpRequest

from talktime.operations.wording import Wording, zone_named

ACCEPT_LANGUAGE_LENGTH_MAX = 200
FALLBACK_LOCALE = "en_GB"


def wording_for(accept_language: str, time_zone: str) -> Wording:
    """The wording for a browser's Accept-Language header and an organisation's time zone."""
    return Wording(locale_from(accept_language[:ACCEPT_LANGUAGE_LENGTH_MAX]), zone_named(time_zone))


def wording_of(request: HttpRequest, time_zone: str) -> Wording:
    """The wording for whoever asks: by the account's own language and time zone where it has them,
    or else the browser's language and the organisation's zone."""
    account = request.user
    language = getattr(account, "language", "") or request.headers.get("Accept-Language", "")
    return wording_for(language, getattr(account, "time_zone", "") or time_zone)


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


@lru_cache(4_096)
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
