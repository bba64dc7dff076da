"""What people type about organisations, users and keys: taken as it is, or refused with what to do.

Each check returns None for what is in order, else the Refusal (invalid_value) that says what is
wrong. `first` puts several together.
"""

from collections.abc import Iterable
from functools import cache
from zoneinfo import available_timezones

import phonenumbers
from babel.core import get_global

from talktime.core.catalogue import Catalogue
from talktime.core.limits import AMOUNT_MICROS_MAX, VALUE_SHOWN_TEXT_MAX
from talktime.core.money import decimal_text
from talktime.core.refusal import Refusal

_NOT_ZONES = frozenset(("localtime", "Factory"))


def first(*checked: Refusal | None) -> Refusal | None:
    """The first "no" of several checks."""
    return next((refusal for refusal in checked if refusal is not None), None)


def can_be_stored(text: str) -> bool:
    """Whether a stored name could be this: others are not looked up, PostgreSQL takes no NUL.

    >>> can_be_stored("Contoso"), can_be_stored("Con\\0toso")
    (True, False)
    """
    return text.isprintable()


def check_text(what: str, text: str, characters_max: int) -> Refusal | None:
    """A text on one line: not empty, not too long, nothing that cannot be printed.

    >>> check_text("the name", "Contoso", 128) is None
    True
    >>> check_text("the name", "", 128).detail
    'the name must be 1 to 128 printable characters, without spaces around it'
    """
    if 0 < len(text) <= characters_max and text.isprintable() and text == text.strip():
        return None
    return _invalid(
        f"{what} must be 1 to {characters_max} printable characters, without spaces around it"
    )


def check_word(what: str, text: str, characters_max: int) -> Refusal | None:
    """A text as in `check_text` without any space, such as a sign-in name."""
    refusal = check_text(what, text, characters_max)
    if refusal is None and " " in text:
        return _invalid(f"{what} must be without spaces")
    return refusal


def check_one_of(what: str, text: str, values: Iterable[str]) -> Refusal | None:
    """One of a few words."""
    values = tuple(values)
    if text in values:
        return None
    return _invalid(f"{what} must be one of {', '.join(values)}, not {_shown(text)}")


def check_currency(code: str) -> Refusal | None:
    """An ISO 4217 currency that is legal tender somewhere today.

    >>> check_currency("NOK") is None
    True
    >>> check_currency("DEM").detail
    "the currency must be a code such as USD or EUR that is in use today, not 'DEM'"
    """
    if code in currencies_in_use():
        return None
    return _invalid(
        f"the currency must be a code such as USD or EUR that is in use today, not {_shown(code)}"
    )


def check_time_zone(name: str) -> Refusal | None:
    """A time zone of the IANA database.

    >>> check_time_zone("Europe/Oslo") is None
    True
    """
    if name in time_zones():
        return None
    return _invalid(f"the time zone must be a name such as Europe/Oslo or UTC, not {_shown(name)}")


def check_country(what: str, code: str) -> Refusal | None:
    """A country (ISO 3166, two capital letters) whose numbers are known.

    >>> check_country("the country", "UK").detail
    "the country must be a code of two capital letters such as US or NO, not 'UK'"
    """
    if code in phonenumbers.SUPPORTED_REGIONS:
        return None
    return _invalid(
        f"{what} must be a code of two capital letters such as US or NO, not {_shown(code)}"
    )


def check_policy(catalogue: Catalogue, name: str) -> Refusal | None:
    """A dial-out policy that the catalogue has, or none."""
    if not name or name in catalogue.policies:
        return None
    known = ", ".join(sorted(catalogue.policies))
    return _invalid(f"{_shown(name)} is no dial-out policy; known are {known}")


def check_limit(what: str, micros: int | None) -> Refusal | None:
    """An amount that spending may reach: zero or more, or none at all.

    >>> check_limit("the spend limit", -5).detail
    'the spend limit must be from 0 to 1000000000'
    """
    if micros is None or 0 <= micros <= AMOUNT_MICROS_MAX:
        return None
    return _invalid(f"{what} must be from 0 to {decimal_text(AMOUNT_MICROS_MAX)}")


def _invalid(detail: str) -> Refusal:
    return Refusal("invalid_value", detail)


def _shown(text: str) -> str:
    return repr(text[:VALUE_SHOWN_TEXT_MAX])


@cache
def currencies_in_use() -> frozenset[str]:
    """The codes that `check_currency` takes."""
    used = get_global("territory_currencies").values()
    # A row is: currency, first day, last day (None while it is in use), whether it is legal tender.
    return frozenset(row[0] for rows in used for row in rows if row[2] is None and row[3])


@cache
def time_zones() -> frozenset[str]:
    """The names that `check_time_zone` takes."""
    return frozenset(available_timezones() - _NOT_ZONES)
