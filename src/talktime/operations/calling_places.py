"""Where calls come from and go to: the countries of numbers, seen from the organisation's users."""

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

import phonenumbers
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, NumberParseException, PhoneNumber

from talktime.core.calls import INBOUND_TYPES
from talktime.core.catalogue import Catalogue
from talktime.core.directory import Organisation
from talktime.core.limits import NUMBERS_CACHED_MAX, SHORT_NUMBER_DIGITS_MAX
from talktime.core.refusal import Refusal
from talktime.operations.dialled import dialled, seen_from

CONTEXTS = DOMESTIC, INTERNATIONAL = ("Domestic", "International")
NORTH_AMERICA, AREA_CODE_DIGITS = 1, 4
_AREA_CODES = range(200, 1_000)


class Prefixes(NamedTuple):
    """What the numbers of a country begin with: all of one length. Other countries' numbers may
    begin so too; '' alone stands for every number."""

    length: int
    digits: tuple[str, ...]


ANY_PREFIX = Prefixes(0, ("",))


@lru_cache(NUMBERS_CACHED_MAX)
def country_of(digits: str) -> str:
    """The ISO code of a number's country; '' for a short number, or one of no country.

    >>> country_of("493012345678"), country_of("17875550100"), country_of("112")
    ('DE', 'PR', '')
    """
    if len(digits) <= SHORT_NUMBER_DIGITS_MAX:
        return ""
    try:
        number = phonenumbers.parse(f"+{digits}")
    except NumberParseException:
        return ""
    region = phonenumbers.region_code_for_number(number)
    if region is None:
        region = phonenumbers.region_code_for_country_code(number.country_code or 0)
    return region if region.isalpha() and region != phonenumbers.UNKNOWN_REGION else ""


@lru_cache(512)
def prefixes_of(country: str) -> Prefixes:
    """What numbers of a country begin with, for a search that then looks closer; all numbers for
    a country that has none, as for '' itself.

    >>> prefixes_of("DE"), prefixes_of("PR")
    (Prefixes(length=2, digits=('49',)), Prefixes(length=4, digits=('1787', '1939')))
    """
    code = phonenumbers.country_code_for_region(country)
    if not code:
        return ANY_PREFIX
    if code != NORTH_AMERICA:
        return Prefixes(len(str(code)), (str(code),))
    own = [prefix for prefix, region in _area_codes().items() if region == country]
    return Prefixes(AREA_CODE_DIGITS, tuple(own))


@lru_cache(1)
def _area_codes() -> dict[str, str]:
    """By area code of North America, with the 1 before it: whose numbers begin so. Those that are
    nobody's count as the first country's, as they do for `country_of`."""
    main = COUNTRY_CODE_TO_REGION_CODE[NORTH_AMERICA][0]
    found = {}
    for area in _AREA_CODES:
        number = PhoneNumber(
            country_code=NORTH_AMERICA, national_number=area * 10_000_000 + 2_345_678
        )
        found[f"{NORTH_AMERICA}{area}"] = phonenumbers.region_code_for_number(number) or main
    return found


@lru_cache(NUMBERS_CACHED_MAX)
def _shared(digits: str, region: str) -> bool:
    """Whether digits are a toll-free number of this region too.

    >>> [_shared(digits, "CA") for digits in ("18005550199", "12125550199", "4980055501", "112")]
    [True, False, False, False]
    """
    found = dialled(f"+{digits}")
    return not isinstance(found, Refusal) and bool(seen_from(found, region).called.home)


class Places:
    """The calls of one organisation on the map, by where its users are now."""

    def __init__(
        self, owner: Organisation, catalogue: Catalogue, locations: Mapping[int, str]
    ) -> None:
        self._home, self._locations = owner.country, locations
        self._catalogue = catalogue
        self._contexts: dict[tuple[str, str], str] = {}

    def location(self, user_id: int | None) -> str:
        """The usage location of a user; where there is none, the organisation's country."""
        return self._locations.get(user_id or 0) or self._home

    def country(self, type_: str, from_digits: str, to_digits: str) -> str:
        """The other party's country: who was called, or who called in."""
        return country_of(from_digits if type_ in INBOUND_TYPES else to_digits)

    def context(self, type_: str, user_id: int | None, country: str, to_digits: str) -> str:
        """Domestic or International, from the user's usage location to the country called; '' for
        inbound calls, and where nobody's country was called (R81). A toll-free number that is as
        much one of the user's own country is domestic, as it is to who pays."""
        if not country or type_ in INBOUND_TYPES:
            return ""
        location = self.location(user_id)
        context = self._between(location, country)
        if context == INTERNATIONAL and _shared(to_digits, location):
            return DOMESTIC
        return context

    def _between(self, location: str, country: str) -> str:
        known = self._contexts.get((location, country))
        if known is None:
            areas = {self._catalogue.country(code).domestic_area for code in (location, country)}
            known = DOMESTIC if len(areas) == 1 else INTERNATIONAL
            self._contexts[location, country] = known
        return known
