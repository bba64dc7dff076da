"""Telephone numbers as people and switches write them, made into digits. At the edge alone.

Inside, a number is its E.164 digits without the plus; what those can be is known by the
phonenumbers library (its data: country, length, which ranges exist).
"""

from functools import lru_cache
from typing import NamedTuple

import phonenumbers
from phonenumbers import (
    NumberParseException,
    PhoneNumberFormat,
    PhoneNumberType,
    shortnumberinfo,
)

from talktime.core.called import PREMIUM, SHARED_COST, TOLL_FREE
from talktime.core.limits import NUMBER_TEXT_MAX, NUMBERS_CACHED_MAX
from talktime.core.refusal import Refusal


class Number(NamedTuple):
    """A number that can be called.

    `digits` is E.164 without the plus, or the short number itself when `emergency`; `region` is
    the ISO code of its country, empty for one that belongs to none (such as +800). `kind` is one
    of core.called.CALLED_KINDS.
    """

    digits: str
    region: str
    emergency: bool = False
    kind: str = ""


_PARSE_REASONS = {
    NumberParseException.INVALID_COUNTRY_CODE: "begins with no country code that exists",
    NumberParseException.NOT_A_NUMBER: "is not a telephone number",
    NumberParseException.TOO_SHORT_AFTER_IDD: "ends after the international prefix",
    NumberParseException.TOO_SHORT_NSN: "is too short",
    NumberParseException.TOO_LONG: "is too long",
}
_KINDS = {
    PhoneNumberType.FIXED_LINE: "fixed",
    PhoneNumberType.MOBILE: "mobile",
    PhoneNumberType.FIXED_LINE_OR_MOBILE: "fixed_or_mobile",
    PhoneNumberType.TOLL_FREE: TOLL_FREE,
    PhoneNumberType.PREMIUM_RATE: PREMIUM,
    PhoneNumberType.SHARED_COST: SHARED_COST,
    PhoneNumberType.VOIP: "voip",
    PhoneNumberType.PERSONAL_NUMBER: "personal",
    PhoneNumberType.UAN: "uan",
}
COUNTRY_CODE_DIGITS_MAX = 3
_WITH_PLUS = "write it with + and the country code, for example +4930123456"
_VALID_CHARACTERS = frozenset("0123456789+-.()/ \u00a0")


@lru_cache(NUMBERS_CACHED_MAX)
def parse_number(text: str, region: str | None = None) -> Number | Refusal:
    """Read a number in international form (+49 30 123456), or national in a region (DE).

    A region's emergency numbers are known as such in that region, and stay as dialled (D18). What
    stands behind a plus is read as people write it, also with the prefix of their country that is
    dialled within it: +49 (0)30 123456; `as_written` asks whether it is E.164 as it stands.
    Refuses: invalid_number for what is no number, or none that exists; the detail says what to do.

    >>> parse_number("+49 30 123456")
    Number(digits='4930123456', region='DE', emergency=False, kind='fixed')
    >>> parse_number("030 123456", "DE").digits
    '4930123456'
    >>> parse_number("112", "DE")
    Number(digits='112', region='DE', emergency=True, kind='')
    >>> parse_number("+49 1").code
    'invalid_number'
    """
    if len(text) > NUMBER_TEXT_MAX:
        return _refuse(f"{text[:20]}…", f"is longer than {NUMBER_TEXT_MAX} characters", _WITH_PLUS)
    if not _VALID_CHARACTERS.issuperset(text):
        return _refuse(text, "is not a telephone number", f"use digits alone: {_WITH_PLUS}")
    if region is not None and region not in phonenumbers.SUPPORTED_REGIONS:
        return _refuse(text, f"cannot be read in the unknown region {region[:20]!r}", _WITH_PLUS)
    stripped = text.strip()
    if region is not None and _is_emergency(stripped, region):
        return Number("".join(filter(str.isdigit, stripped)), region, emergency=True)
    if region is None and not stripped.startswith("+"):
        return _refuse(text, "has no country code", _WITH_PLUS)
    try:
        number = phonenumbers.parse(stripped, region)
    except NumberParseException as error:
        return _refuse(text, _PARSE_REASONS[error.error_type], _WITH_PLUS)
    # The library calls a number valid where it knows its type, which takes it as long to find.
    kind = phonenumbers.number_type(number)
    if kind == PhoneNumberType.UNKNOWN:
        return _refuse(text, "does not exist", "check its digits; " + _WITH_PLUS)
    digits = phonenumbers.format_number(number, PhoneNumberFormat.E164)[1:]
    country = phonenumbers.region_code_for_number(number) or ""
    # +800, +870 and their like belong to no country; the library says "001".
    return Number(digits, country if country.isalpha() else "", kind=_KINDS.get(kind, ""))


@lru_cache(NUMBERS_CACHED_MAX)
def is_number_of(digits: str, region: str) -> bool:
    """Whether digits of E.164 are a number of this region, be they another's too.

    >>> [is_number_of("18005550199", region) for region in ("US", "CA", "MX")]
    [True, True, False]
    """
    return phonenumbers.is_valid_number_for_region(phonenumbers.parse(f"+{digits}"), region)


def as_written(text: str, number: Number) -> Number | Refusal:
    """The number, where what was written with a plus is its E.164 form but for separators: such a
    number is called as it is written, so no other one may be charged.

    Refuses: invalid_number, with the number as it has to be written.

    >>> as_written("+49 (0)30 123456", parse_number("+49 (0)30 123456")).detail
    "'+49 (0)30 123456' is not how the number is called from abroad: write +4930123456"
    """
    if "+" not in text or "".join(filter(str.isdigit, text)) == number.digits:
        return number
    problem = "is not how the number is called from abroad"
    return _refuse(text, problem, f"write +{number.digits}")


def region_of(prefix: str) -> str | None:
    """The ISO code of the country whose numbers begin so (+49, +1-914-555); None where no country's
    do. Of several with one country code it is the first.

    >>> region_of("+1-914-555"), region_of("+49"), region_of("+800"), region_of("example.net")
    ('US', 'DE', None, None)
    """
    if not prefix.startswith("+"):
        return None
    digits = "".join(filter(str.isdigit, prefix))
    codes = [digits[:length] for length in range(1, COUNTRY_CODE_DIGITS_MAX + 1)]
    regions = [phonenumbers.region_code_for_country_code(int(code)) for code in codes if code]
    return next((region for region in regions if region in phonenumbers.SUPPORTED_REGIONS), None)


def _is_emergency(text: str, region: str) -> bool:
    return "+" not in text and shortnumberinfo.is_emergency_number(text, region)


def _refuse(text: str, problem: str, remedy: str) -> Refusal:
    return Refusal("invalid_number", f"{text!r} {problem}: {remedy}")
