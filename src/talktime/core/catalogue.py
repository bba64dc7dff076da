"""What the operator sells and how the world is divided: licences, countries, special numbers,
dial-out policies. All of it data, with the moment from which it holds (D20).

A catalogue is a set of entries, each of one kind and one code, dated. `Catalogues` gives the one in
force at a moment; a call is decided by the catalogue of its beginning.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import NamedTuple

ANYWHERE = "*"
"""Stands for every country that has no entry of its own in a licence's minutes."""

# What a licence lets its user do: what the gates ask for.
PHONE, PLAN, PAY_AS_YOU_GO = "phone", "plan", "pay_as_you_go"
CONFERENCING, PER_MINUTE, EXTENDED_DIAL_OUT = "conferencing", "per_minute", "extended_dial_out"
CREDITS, RESOURCE = "credits", "resource_account"
FEATURES = (
    *(PHONE, PLAN, PAY_AS_YOU_GO, CONFERENCING, PER_MINUTE, EXTENDED_DIAL_OUT, CREDITS),
    RESOURCE,
)

ANY, DOMESTIC, ZONE_A, NOBODY = "any", "domestic", "zone_a", "none"
"""Where a dial-out policy lets people call (reference, 7)."""


class Minutes(NamedTuple):
    """Included minutes of one licence in one country, per calendar month, by counter."""

    domestic: int = 0
    international: int = 0
    conference: int = 0


class Licence(NamedTuple):
    """Something that is sold per user.

    `includes` are licences that come with it (a bundle). `requires` is a choice of sets of
    features, one of which the user must have by other licences before this one can be used (R31).
    It can be given to users located in the countries of `zones` (PAYG zones) or, where it has
    minutes by country, in those countries (R49); with neither, everywhere. `capability` is the
    code on the usage record of a call that its minutes paid (R70).
    """

    code: str
    name: str
    features: frozenset[str] = frozenset()
    includes: tuple[str, ...] = ()
    requires: tuple[frozenset[str], ...] = ()
    zones: frozenset[str] = frozenset()
    minutes: Mapping[str, Minutes] = {}
    pooled: bool = True
    capability: str = ""
    kinds: tuple[str, ...] = ("person", "resource_account")

    def minutes_in(self, country: str) -> Minutes:
        """The minutes that one licence adds in a country.

        >>> Licence("L", "", minutes={"US": Minutes(3000), "*": Minutes(1200)}).minutes_in("NO")
        Minutes(domestic=1200, international=0, conference=0)
        """
        return self.minutes.get(country) or self.minutes.get(ANYWHERE) or Minutes()


class Country(NamedTuple):
    """What of a country matters to calls.

    `payg_zone` is empty where no pay-as-you-go plan is for it. Calls within one `domestic_area`
    are domestic (US and PR); within one `minutes_area` they use domestic minutes (US, PR and CA).
    Without `credits` no organisation of this country can have Communications Credits. `premium`
    says whether premium and shared-cost numbers without an entry of their own can be called.
    `masked_digits` of other parties' numbers are hidden in reports (R78).
    """

    code: str
    payg_zone: str = ""
    zone_a: bool = False
    domestic_area: str = ""
    minutes_area: str = ""
    credits: bool = True
    premium: bool = False
    masked_digits: int = 0


class SpecialPrefix(NamedTuple):
    """Numbers that are neither included in minutes nor, where not `supported`, callable (R47)."""

    prefix: str
    name: str
    supported: bool


class DialOutPolicy(NamedTuple):
    """One of the fixed outbound calling restrictions: where meetings and users may call."""

    name: str
    conference: str
    user: str


class NumberTier(NamedTuple):
    """How many service numbers (toll and toll-free each) this many licences allow (R88)."""

    licences: int
    service_numbers: int


class Currency(NamedTuple):
    """What can be bought at once in a currency (R6), and from which amount on a grant needs the
    approval of a second operator: decimal numbers of its units."""

    code: str
    minimum: str = "50"
    maximum: str = "50000"
    approval_above: str = "500"


class Setting(NamedTuple):
    """A value with a name: what the reference leaves to configuration."""

    name: str
    value: str


DEFAULT_POLICY = "default_policy"
RESOURCE_ACCOUNT_CALLS = "resource_account_calls"
"""What a resource account needs for calls beyond its minutes: `credits` (the organisation's are
enough) or `plan_and_credits` (R34)."""
USER_NUMBERS_PERCENT, USER_NUMBERS_MORE = "user_numbers_percent", "user_numbers_more"

Value = Licence | Country | SpecialPrefix | DialOutPolicy | NumberTier | Currency | Setting

KINDS: dict[str, type[Value]] = {
    "licence": Licence,
    "country": Country,
    "special_prefix": SpecialPrefix,
    "policy": DialOutPolicy,
    "number_tier": NumberTier,
    "currency": Currency,
    "setting": Setting,
}
"""The kinds of entry. The code of an entry is its value's first field, as text."""


class Entry(NamedTuple):
    """One dated entry; without a value, its code is out of the catalogue from then on."""

    kind: str
    code: str
    valid_from_ms: int
    value: Value | None


class Catalogue:
    """The entries in force at one moment. Immutable."""

    def __init__(self, values: Iterable[Value] = ()) -> None:
        self.licences: dict[str, Licence] = {}
        self.countries: dict[str, Country] = {}
        self.policies: dict[str, DialOutPolicy] = {}
        self.special_prefixes: dict[str, SpecialPrefix] = {}
        self.number_tiers: list[NumberTier] = []
        self.currencies: dict[str, Currency] = {}
        self.settings: dict[str, str] = {}
        for value in values:
            match value:
                case Licence():
                    self.licences[value.code] = value
                case Country():
                    self.countries[value.code] = _with_areas(value)
                case SpecialPrefix():
                    self.special_prefixes[value.prefix] = value
                case DialOutPolicy():
                    self.policies[value.name] = value
                case NumberTier():
                    self.number_tiers.append(value)
                case Currency():
                    self.currencies[value.code] = value
                case Setting():
                    self.settings[value.name] = value.value
        self.number_tiers.sort()
        self._lengths = sorted({len(prefix) for prefix in self.special_prefixes}, reverse=True)
        # Nearly all numbers have no special prefix, and their first digits say so.
        self._shortest = self._lengths[-1] if self._lengths else 0
        self._heads = {prefix[: self._shortest] for prefix in self.special_prefixes}

    def country(self, code: str) -> Country:
        """A country's entry; one without an entry is an area of its own, with nothing special."""
        return self.countries.get(code) or _with_areas(Country(code))

    def currency(self, code: str) -> Currency:
        """A currency's entry; one without an entry has the bounds of all others."""
        return self.currencies.get(code) or Currency(code)

    def special(self, digits: str) -> SpecialPrefix | None:
        """The longest special prefix that a number begins with."""
        if digits[: self._shortest] not in self._heads:
            return None
        for length in self._lengths:
            found = self.special_prefixes.get(digits[:length])
            if found is not None:
                return found
        return None

    def expanded(self, codes: Iterable[str]) -> frozenset[str]:
        """The licences with those that come with them; unknown ones are left out.

        >>> bundle = Licence("BUNDLE", "", includes=("PHONE",))
        >>> sorted(Catalogue([bundle, Licence("PHONE", "")]).expanded(["BUNDLE", "OLD"]))
        ['BUNDLE', 'PHONE']
        """
        found: set[str] = set()
        left = list(codes)
        while left:
            code = left.pop()
            licence = self.licences.get(code)
            if licence is not None and code not in found:
                found.add(code)
                left.extend(licence.includes)
        return frozenset(found)

    @cached_property
    def _locations(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, list[str]] = {}
        for country in self.countries.values():
            found.setdefault(country.domestic_area, []).append(country.code)
        return {area: tuple(sorted(codes)) for area, codes in found.items()}

    def locations_of(self, area: str) -> tuple[str, ...]:
        """The countries of a domestic area.

        >>> catalogue = Catalogue([Country("US"), Country("PR", domestic_area="US")])
        >>> catalogue.locations_of("US"), catalogue.locations_of("NO")
        (('PR', 'US'), ('NO',))
        """
        return self._locations.get(area) or (area,)

    @cached_property
    def sources(self) -> dict[str, tuple[str, ...]]:
        """By licence: the codes whose holders have it: itself, and the bundles with it."""
        found: dict[str, list[str]] = {code: [] for code in self.licences}
        for code in self.licences:
            for inner in self.expanded([code]):
                found[inner].append(code)
        return {code: tuple(codes) for code, codes in found.items()}


def _with_areas(country: Country) -> Country:
    return country._replace(
        domestic_area=country.domestic_area or country.code,
        minutes_area=country.minutes_area or country.code,
    )


class Catalogues:
    """All dated entries; the catalogue of each moment is put together when first asked for.

    >>> entries = [Entry("setting", "a", 0, Setting("a", "x")), Entry("setting", "a", 9, None)]
    >>> catalogues = Catalogues(entries)
    >>> catalogues.in_force(8).settings, catalogues.in_force(9).settings
    ({'a': 'x'}, {})
    """

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self.entries = tuple(sorted(entries, key=lambda e: (e.valid_from_ms, e.kind, e.code)))
        self._starts = sorted({entry.valid_from_ms for entry in self.entries})
        self._made: dict[int, Catalogue] = {}

    def in_force(self, at_ms: int) -> Catalogue:
        """The catalogue at a moment; empty before the first entry."""
        place = bisect_right(self._starts, at_ms)
        made = self._made.get(place)
        if made is None:
            entries = self.entries_at(at_ms)
            values = (entry.value for entry in entries if entry.value is not None)
            made = self._made[place] = Catalogue(values)
        return made

    def since_ms(self, at_ms: int) -> int:
        """Since when the catalogue of a moment is in force; the moment itself before the first."""
        place = bisect_right(self._starts, at_ms)
        return self._starts[place - 1] if place else at_ms

    def entries_at(self, at_ms: int) -> list[Entry]:
        """The entries in force at a moment, each with the beginning of its own."""
        newest: dict[tuple[str, str], Entry] = {}
        for entry in self.entries:
            if entry.valid_from_ms <= at_ms:
                newest[entry.kind, entry.code] = entry
        return [entry for entry in newest.values() if entry.value is not None]
