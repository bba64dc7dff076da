"""What an entry of the catalogue must be for itself, and all entries in force together.

Every check gives the reason in words; None, or nothing, where all is in order.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import phonenumbers

from talktime.core.catalogue import (
    ANY,
    ANYWHERE,
    DEFAULT_POLICY,
    DOMESTIC,
    FEATURES,
    KINDS,
    NOBODY,
    RESOURCE_ACCOUNT_CALLS,
    USER_NUMBERS_MORE,
    USER_NUMBERS_PERCENT,
    ZONE_A,
    Catalogue,
    Country,
    Currency,
    DialOutPolicy,
    Entry,
    Licence,
    NumberTier,
    Setting,
    SpecialPrefix,
    Value,
)
from talktime.core.currencies import chargeable_unit_micros
from talktime.core.directory import USER_KINDS
from talktime.core.figures import FIGURES, figure_fault
from talktime.core.limits import (
    CAPABILITY_TEXT_MAX,
    CATALOGUE_CODE_TEXT_MAX,
    LICENCE_CODE_TEXT_MAX,
    LICENCE_MINUTES_MAX,
    MASKED_DIGITS_MAX,
    NAME_TEXT_MAX,
    NUMBER_QUOTA_MAX,
    PREFIX_DIGITS_MAX,
)
from talktime.core.money import decimal_text, parse_micros
from talktime.operations.input_checks import check_currency, check_text
from talktime.operations.render import utc_text
from talktime.store.catalogue_bodies import value_of

WITHDRAWN = "withdrawn"
"""The field of an entry that takes its code out; it has no other fields."""

CONFERENCE_WORDS = (ANY, DOMESTIC, ZONE_A, NOBODY)
USER_WORDS = (ANY, DOMESTIC, NOBODY)
RESOURCE_ACCOUNT_WORDS = ("credits", "plan_and_credits")
_SHARING = {"country": "domestic_area", "licence": "pooled"}
_PREFIX = re.compile(rf"[1-9][0-9]{{0,{PREFIX_DIGITS_MAX - 1}}}")
SETTINGS = (
    *(DEFAULT_POLICY, RESOURCE_ACCOUNT_CALLS, USER_NUMBERS_PERCENT, USER_NUMBERS_MORE),
    *FIGURES,
)


def checked_entry(kind: str, plain: Mapping[str, Any], valid_from_ms: int) -> Entry | str:
    """An entry of this kind from its fields as plain data, or what is wrong with it.

    Figures and yes-or-no may be texts. With `withdrawn` its code alone is given.

    >>> checked_entry("country", {"code": "SE", "masked_digits": "3"}, 0).value.masked_digits
    3
    >>> checked_entry("country", {"code": "SE", "masked_digits": "-3"}, 0)
    'country SE: masked_digits: -3 is not within 0 to 15'
    """
    code_field = KINDS[kind]._fields[0]
    code = plain.get(code_field)
    if not isinstance(code, str | int):
        return f"{kind}: the field {code_field} is missing"
    told = f"{kind} {str(code)[:40]}"
    if plain.get(WITHDRAWN) == "true":
        if len(plain) > 2:
            return f"{told}: a withdrawn entry has no other fields"
        return Entry(kind, str(code), valid_from_ms, None)
    try:
        value = value_of(kind, plain, strict=False)
    except msgspec.ValidationError as error:
        return f"{told}: {error}"
    fault = next(_faults(value), None)
    return f"{told}: {fault}" if fault else Entry(kind, str(value[0]), valid_from_ms, value)


def _faults(value: Value) -> Iterator[str]:
    most = LICENCE_CODE_TEXT_MAX if isinstance(value, Licence) else CATALOGUE_CODE_TEXT_MAX
    yield from _text_fault("its code", str(value[0]), most)
    match value:
        case Licence():
            yield from _licence_faults(value)
        case Country():
            yield from _country_faults(value)
        case SpecialPrefix(prefix=prefix):
            if not _PREFIX.fullmatch(prefix):
                yield f"the prefix must be 1 to {PREFIX_DIGITS_MAX} digits, without + or 0 first"
            yield from _text_fault("the name", value.name, NAME_TEXT_MAX)
        case DialOutPolicy():
            yield from _word_faults("conference", [value.conference], CONFERENCE_WORDS)
            yield from _word_faults("user", [value.user], USER_WORDS)
        case NumberTier():
            yield from _figure_fault("licences", value.licences, NUMBER_QUOTA_MAX)
            yield from _figure_fault("service_numbers", value.service_numbers, NUMBER_QUOTA_MAX)
        case Currency():
            yield from _currency_faults(value)
        case Setting():
            yield from _setting_faults(value)


def _licence_faults(licence: Licence) -> Iterator[str]:
    yield from _text_fault("the name", licence.name, NAME_TEXT_MAX)
    yield from _word_faults("features", licence.features, FEATURES)
    for choice in licence.requires:
        yield from _word_faults("requires", choice, FEATURES)
        if not choice:
            yield "requires: a choice must name a feature"
    yield from _word_faults("kinds", licence.kinds, USER_KINDS)
    if licence.capability:
        yield from _text_fault("the capability", licence.capability, CAPABILITY_TEXT_MAX)
    for country, minutes in licence.minutes.items():
        if country != ANYWHERE:
            yield from _country_fault("minutes", country)
        for counter, figure in minutes._asdict().items():
            yield from _figure_fault(
                f"minutes of {country}, {counter}", figure, LICENCE_MINUTES_MAX
            )


def _country_faults(country: Country) -> Iterator[str]:
    yield from _country_fault("code", country.code)
    for area in (country.domestic_area, country.minutes_area):
        if area:
            yield from _country_fault("an area is named by one of its countries", area)
    yield from _figure_fault("masked_digits", country.masked_digits, MASKED_DIGITS_MAX)
    if country.payg_zone:
        yield from _text_fault("the payg_zone", country.payg_zone, CATALOGUE_CODE_TEXT_MAX)


def _currency_faults(currency: Currency) -> Iterator[str]:
    refusal = check_currency(currency.code)
    if refusal is not None:
        yield refusal.detail
    amounts = {}
    for name in ("minimum", "maximum", "approval_above"):
        try:
            amounts[name] = parse_micros(getattr(currency, name))
        except ValueError as error:
            yield f"{name}: {error}"
    if len(amounts) < 3:
        return
    unit_micros = chargeable_unit_micros(currency.code)
    if not 0 < amounts["minimum"] <= amounts["maximum"]:
        yield "minimum: it is above 0 and at most the maximum"
    for name in ("minimum", "maximum"):
        if amounts[name] % unit_micros:
            yield f"{name}: it is a multiple of {decimal_text(unit_micros)} {currency.code}"
    if amounts["approval_above"] < 0:
        yield "approval_above: it is not below 0"


def _setting_faults(setting: Setting) -> Iterator[str]:
    yield from _word_faults("name", [setting.name], SETTINGS)
    if setting.name == RESOURCE_ACCOUNT_CALLS:
        yield from _word_faults("value", [setting.value], RESOURCE_ACCOUNT_WORDS)
    if setting.name in FIGURES and (fault := figure_fault(setting.name, setting.value)):
        yield fault
    if setting.name in (USER_NUMBERS_PERCENT, USER_NUMBERS_MORE):
        digits = setting.value
        if not (digits.isascii() and digits.isdigit() and len(digits) < 10):
            yield f"value: {digits[:40]!r} is not a whole number"
        else:
            yield from _figure_fault("value", int(digits), NUMBER_QUOTA_MAX)


def _text_fault(what: str, text: str, characters_max: int) -> Iterator[str]:
    refusal = check_text(what, text, characters_max)
    if refusal is not None:
        yield refusal.detail


def _word_faults(what: str, words: Iterable[str], known: tuple[str, ...]) -> Iterator[str]:
    for word in sorted(words):
        if word not in known:
            yield f"{what}: {word[:40]!r} is none of {', '.join(known)}"


def _country_fault(what: str, code: str) -> Iterator[str]:
    if code not in phonenumbers.SUPPORTED_REGIONS:
        yield f"{what}: {code[:40]!r} is no country's code of two capital letters"


def _figure_fault(what: str, figure: int, most: int) -> Iterator[str]:
    if not 0 <= figure <= most:
        yield f"{what}: {figure} is not within 0 to {most:,}"


def fault_in_mid_month(
    kind: str, code: str, history: Mapping[int, Value | None], first_ms: int
) -> str | None:
    """Why a change from `first_ms` on would count included minutes anew in the middle of a month.

    Whose minutes are shared is in the keys of their meters: a country's domestic area (R45), and
    whether a licence is pooled (R37). Another one would begin with all minutes unused, so it can
    begin with a month alone (R36, UTC). A licence that is withdrawn has no pools; one that comes
    back in the same month has those that it had.
    """
    if kind not in _SHARING:
        return None
    month_ms = next_month_ms = -1
    before, value = _sharing(kind, code, None), None
    for start_ms in sorted(history):
        if start_ms >= next_month_ms:
            month_ms, next_month_ms = _month_around(start_ms)
            before = _sharing(kind, code, value)
        value = history[start_ms]
        after = _sharing(kind, code, value)
        if start_ms == month_ms or before is None:
            before = after
        elif after is not None and after != before:
            if start_ms >= first_ms:
                return (
                    f"{kind} {code}: {_SHARING[kind]} would change at {utc_text(start_ms)}, within "
                    "a month whose included minutes are counted already; let it begin with a month "
                    f"(UTC): {utc_text(month_ms)} or {utc_text(next_month_ms)}"
                )
            before = after
    return None


def _sharing(kind: str, code: str, value: Value | None) -> str | bool | None:
    """By what the pools are told apart; None where there are none."""
    if kind == "country":
        area = value.domestic_area if isinstance(value, Country) else ""
        return area or code
    return value.pooled if isinstance(value, Licence) else None


def _month_around(at_ms: int) -> tuple[int, int]:
    """The first instants of the month of a moment, and of the next one."""
    first = datetime.fromtimestamp(at_ms / 1_000, UTC).replace(
        day=1, hour=0, minute=0, second=0, microsecond=0
    )
    following = (first + timedelta(days=32)).replace(day=1)
    return int(first.timestamp()) * 1_000, int(following.timestamp()) * 1_000


def conflicts_in(catalogue: Catalogue) -> Iterator[str]:
    """What does not fit together among the entries in force at one moment.

    Licences that come with others must be there, and none with itself; PAYG zones must have
    countries; the default policy must be there.
    """
    zones = {country.payg_zone for country in catalogue.countries.values()}
    for code, licence in sorted(catalogue.licences.items()):
        for inner in licence.includes:
            if inner not in catalogue.licences:
                yield f"licence {code}: there is no licence {inner} to come with it"
            elif code in catalogue.expanded([inner]):
                yield f"licence {code}: {inner} comes with it, and it comes with {inner}"
        for zone in sorted(licence.zones - zones):
            yield f"licence {code}: no country is in zone {zone}"
    policy = catalogue.settings.get(DEFAULT_POLICY)
    if policy is None:
        yield f"there is no setting {DEFAULT_POLICY}"
    elif policy not in catalogue.policies:
        yield f"setting {DEFAULT_POLICY}: there is no policy {policy}"
