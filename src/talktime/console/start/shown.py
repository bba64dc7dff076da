"""Amounts, times and numbers as the reader's own language writes them."""

from dataclasses import dataclass, field
from functools import lru_cache

import phonenumbers
from babel import Locale, UnknownLocaleError
from django.http import HttpRequest
from django.utils.translation import gettext as _

from talktime.core.limits import ACCEPT_LANGUAGE_TEXT_MAX
from talktime.operations.wording import Wording, zone_named

FALLBACK_LOCALE = "en_GB"


@dataclass(frozen=True, slots=True)
class PageWording(Wording):
    """A reader's wording that remembers whether it wrote a day or a moment: then the page says by
    which clock. One made of it for another clock remembers nothing."""

    written: set[str] = field(default_factory=set, init=False, compare=False, repr=False)

    def day(self, at_ms: int) -> str:
        """The day of a moment."""
        self.written.add("day")
        return Wording.day(self, at_ms)

    def moment(self, at_ms: int) -> str:
        """A day with the time of day."""
        self.written.add("moment")
        return Wording.moment(self, at_ms)


def clock_words(request: HttpRequest, wording: PageWording, of_organisation: bool) -> str:
    """By which clock a page shows its times, and whose that is."""
    words = {"zone": str(wording.zone)}
    if getattr(request.user, "time_zone", ""):
        return _("Times are in %(zone)s, the time zone of your account.") % words
    if of_organisation:
        return _("Times are in %(zone)s, the organisation's time zone.") % words
    return _("Times are in %(zone)s.") % words


def wording_for(accept_language: str, time_zone: str) -> PageWording:
    """The wording for a browser's Accept-Language header and an organisation's time zone."""
    return PageWording(
        locale_from(accept_language[:ACCEPT_LANGUAGE_TEXT_MAX]), zone_named(time_zone)
    )


def wording_of(request: HttpRequest, time_zone: str) -> PageWording:
    """The wording for whoever asks: by the account's own language and time zone where it has them,
    or else the browser's language and the organisation's zone."""
    account = request.user
    language = getattr(account, "language", "") or request.headers.get("Accept-Language", "")
    return wording_for(language, getattr(account, "time_zone", "") or time_zone)


@lru_cache(256)
def locale_from(accept_language: str) -> Locale:
    """The first language of the header that Babel knows, the most wanted first; none that is
    written from right to left, whose dates and amounts fall apart within pages that are not.

    >>> str(locale_from("tlh, de-CH;q=0.8, fr;q=0.9")), str(locale_from("*"))
    ('fr', 'en_GB')
    >>> str(locale_from("ar-EG, en-US;q=0.9")), str(locale_from("he"))
    ('en_US', 'en_GB')
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
            known = Locale.parse(tag, sep="-")
        except (ValueError, UnknownLocaleError):
            continue
        if known.text_direction == "ltr":
            return known
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
