"""Which licences are needed for what: found by trying, not written down.

For each feature a call is made up, and for each small set of licences of the catalogue it is
resolved and decided on books in memory, as a switch's would be. The smallest sets with which it is
granted are the answer, and who pays it then.
"""

from functools import lru_cache
from itertools import combinations, count
from typing import NamedTuple

import phonenumbers

from talktime.core.books import Books
from talktime.core.catalogue import (
    ANYWHERE,
    CREDITS,
    EXTENDED_DIAL_OUT,
    PLAN,
    Catalogue,
    Catalogues,
    Licence,
)
from talktime.core.commands import Authorize, Fund
from talktime.core.decide import decide
from talktime.core.directory import (
    BRIDGE,
    PERSON,
    RESOURCE_ACCOUNT,
    TOLL,
    TOLL_FREE,
    Directory,
    NumberEntry,
    Organisation,
    User,
)
from talktime.core.entitlements import entitlements
from talktime.core.ledger import Wallet
from talktime.core.limits import LICENSING_TABLES_CACHED_MAX
from talktime.core.meters import Meter
from talktime.core.outcomes import Granted
from talktime.core.rates import DIRECTIONS, PrefixIndex, RateCard, RateCards
from talktime.core.rating import Rate
from talktime.core.refusal import Refusal
from talktime.operations.input_checks import check_country
from talktime.operations.resolve import CallRequest, resolve

TOGETHER_MAX = 3
"""No feature needs more licences than this at once."""
DOMESTIC, ABROAD, IN_ZONE_A, BEYOND_ZONE_A, AMERICA = "domestic", "abroad", "in", "beyond", "US"
_FUNDS_MICROS, _DAY_MS = 1_000_000_000, 86_400_000
_TOLL_NUMBER, _TOLL_FREE_NUMBER = "14255550100", "18005550100"


class Feature(NamedTuple):
    """Something that people want to do, as the call that does it. `used_up` says that the included
    minutes are."""

    name: str
    type: str
    to: str = ""
    used_up: bool = False
    kind: str = PERSON
    number: str = ""


FEATURES = (
    Feature("Be called", "user_in"),
    Feature("Call within the country", "user_out", DOMESTIC),
    Feature("Call within the country, minutes used up", "user_out", DOMESTIC, used_up=True),
    Feature("Call abroad", "user_out", ABROAD),
    Feature("Call abroad, minutes used up", "user_out", ABROAD, used_up=True),
    Feature("Let people dial in to meetings, toll", "conf_in", number=_TOLL_NUMBER),
    Feature("Let people dial in to meetings, toll-free", "conf_in", number=_TOLL_FREE_NUMBER),
    Feature("Dial out from meetings, to zone A", "conf_out", IN_ZONE_A),
    Feature("Dial out from meetings, to zone A, minutes used up", "conf_out", IN_ZONE_A, True),
    Feature("Dial out from meetings, beyond zone A", "conf_out", BEYOND_ZONE_A),
    Feature("Dial out from meetings, to USA and Canada without end", "conf_out", AMERICA, True),
    Feature("Reach an attendant or queue, toll", "ucap_in", number=_TOLL_NUMBER),
    Feature("Reach an attendant or queue, toll-free", "ucap_in", number=_TOLL_FREE_NUMBER),
    Feature("Let an attendant or queue call out", "ucap_out", DOMESTIC, False, RESOURCE_ACCOUNT),
    Feature(
        *("Let an attendant or queue call out, minutes used up", "ucap_out", DOMESTIC, True),
        RESOURCE_ACCOUNT,
    ),
)


PAYERS = {"free": "it is free", "pool": "included minutes", "credits": "credits"}
"""Who can pay for a call, in words."""


class Way(NamedTuple):
    """One way to a feature: a licence of each choice; who pays then (a key of PAYERS)."""

    choices: tuple[tuple[str, ...], ...]
    paid_by: str


class Row(NamedTuple):
    """A feature with all ways to it; no way where no licences help."""

    feature: Feature
    ways: tuple[Way, ...]


def licensing_table(catalogues: Catalogues, country: str, at_ms: int) -> list[Row] | Refusal:
    """Find for each feature the smallest sets of licences that let users in a country have it.

    The organisation is of that country, pays before use and is funded; `at_ms` (ms since the
    epoch, UTC) is when the call is made. Sets are given as choices: one licence of each.

    Refuses: invalid_value for what is no country.
    """
    refusal = check_country("the country", country)
    if refusal is not None:
        return refusal
    return list(_table(catalogues, country, catalogues.since_ms(at_ms)))


@lru_cache(LICENSING_TABLES_CACHED_MAX)
def _table(catalogues: Catalogues, country: str, at_ms: int) -> tuple[Row, ...]:
    world = _World(catalogues, country, at_ms)
    return tuple(Row(feature, _joined(world, _ways(world, feature))) for feature in FEATURES)


class _World:
    """An organisation with one user, whose licences are tried in turn."""

    def __init__(self, catalogues: Catalogues, country: str, at_ms: int) -> None:
        self.catalogues, self.country, self.at_ms = catalogues, country, at_ms
        self.catalogue = catalogues.in_force(at_ms)
        self.organisation = Organisation(
            1, "Contoso", "main", "USD", "UTC", country, "prepaid", True, "standard"
        )
        self.directory = Directory()
        numbers = [
            NumberEntry(_TOLL_NUMBER, 1, None, TOLL, attached=BRIDGE),
            NumberEntry(_TOLL_FREE_NUMBER, 1, None, TOLL_FREE, attached=BRIDGE),
        ]
        self.directory.apply([self.organisation], numbers)
        rates = [(Rate(str(digit), "", 10_000, 0, 60, 60), 0) for digit in range(1, 10)]
        index = PrefixIndex.of(rates)
        card = RateCard(1, "standard", "USD", 0, dict.fromkeys(DIRECTIONS, index))
        self.rate_cards = RateCards().with_card(card)

    def paid_by(self, feature: Feature, codes: tuple[str, ...]) -> str:
        """Who pays the feature's call with these licences; empty where it is refused."""
        name = "user@contoso.example"
        user = User(1, 1, name, "User", self.country, frozenset(codes), feature.kind, True)
        self.directory.apply(users=[user])
        meeting = feature.type.startswith("conf_")
        request = CallRequest(
            *("C1", 0, feature.type, "+14255550111", self._number(feature.to) or None),
            user=None if meeting else name,
            organizer=name if meeting else None,
            service_number=f"+{feature.number}" if feature.number else None,
        )
        command = resolve(
            self.directory, self.rate_cards, self.catalogues, request, 1, self.at_ms, 0
        )
        return self._decided(command, feature.used_up) if isinstance(command, Authorize) else ""

    def _decided(self, command: Authorize, used_up: bool) -> str:
        books = Books(count(100).__next__)
        books.wallets[1] = Wallet(1, "USD", 0, 0, 0)
        expires_ms = self.at_ms + _DAY_MS
        decide(books, Fund(1, "F", 0, "purchase", _FUNDS_MICROS, expires_ms, "", ""), self.at_ms)
        pool = command.payers.pool
        if pool and used_up:
            total_s = command.pool_total_s
            books.meters[1, pool] = Meter(1, pool, used=total_s, total=total_s)
        outcome = decide(books, command, self.at_ms)
        return outcome.paid_by[0].source if isinstance(outcome, Granted) else ""

    def _number(self, place: str) -> str:
        if not place:
            return ""
        region = self.country if place == DOMESTIC else self._region(place)
        example = phonenumbers.example_number(region)
        assert example is not None, f"there are numbers in {region}"
        return phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)

    def _region(self, place: str) -> str:
        """A country that stands for a place, as seen from here: never the country itself."""
        if place == AMERICA:
            return "US"
        home = self.catalogue.country(self.country).minutes_area
        america = self.catalogue.country("US").minutes_area
        for code in sorted(phonenumbers.SUPPORTED_REGIONS):
            there = self.catalogue.country(code)
            near = there.minutes_area in (home, america)
            if not near and there.zone_a == (place != BEYOND_ZONE_A):
                return code
        raise ValueError(f"no country is {place} for {self.country}")


def _ways(world: _World, feature: Feature) -> dict[tuple[str, ...], str]:
    """The smallest sets with which the call is granted, by who pays."""
    found: dict[tuple[str, ...], str] = {}
    # Sets that come to the same are tried once.
    known: dict[tuple[object, ...], str] = {}
    codes = [
        licence.code
        for licence in world.catalogue.licences.values()
        if feature.kind in licence.kinds and _is_for(world.catalogue, licence, world.country)
    ]
    for size in range(TOGETHER_MAX + 1):
        for tried in combinations(codes, size):
            has = entitlements(world.catalogue, frozenset(tried))
            comes_to = (has.features, _code(has.plan), _code(has.conferencing))
            if comes_to not in known:
                known[comes_to] = world.paid_by(feature, tried)
            payer = known[comes_to]
            if payer and not any(
                payer == before and set(fewer) <= set(tried) for fewer, before in found.items()
            ):
                found[tried] = payer
    return found


def _code(licence: Licence | None) -> str:
    return licence.code if licence else ""


def _is_for(catalogue: Catalogue, licence: Licence, country: str) -> bool:
    """Whether users in the country can be given the licence, and all that comes with it (R49)."""
    for code in catalogue.expanded([licence.code]):
        part = catalogue.licences[code]
        if part.zones and catalogue.country(country).payg_zone not in part.zones:
            return False
        if part.minutes and not {ANYWHERE, country} & set(part.minutes):
            return False
    return True


def _joined(world: _World, sets: dict[tuple[str, ...], str]) -> tuple[Way, ...]:
    """Sets that differ in one licence alone, as one way with a choice."""
    ways: list[Way] = []
    for payer in dict.fromkeys(sets.values()):
        joined: list[tuple[tuple[str, ...], ...]] = []
        for codes, paid_by in sets.items():
            if paid_by == payer:
                ordered = sorted(codes, key=lambda code: _place(world.catalogue, code))
                joined.append(tuple((code,) for code in ordered))
        while (fewer := _joined_once(joined)) is not None:
            joined = fewer
        ways += [Way(choices, payer) for choices in joined]
    return tuple(ways)


def _joined_once(
    ways: list[tuple[tuple[str, ...], ...]],
) -> list[tuple[tuple[str, ...], ...]] | None:
    """The same with two joined that differ in one choice; None where no two do."""
    for one, other in combinations(ways, 2):
        if len(one) != len(other):
            continue
        differing = [at for at in range(len(one)) if one[at] != other[at]]
        if len(differing) == 1:
            (at,) = differing
            choice = tuple(sorted({*one[at], *other[at]}))
            both = (*one[:at], choice, *one[at + 1 :])
            return [both if way is one else way for way in ways if way is not other]
    return None


def _place(catalogue: Catalogue, code: str) -> tuple[int, str]:
    """What a licence is for, in the order in which people read of it: base, plan, add-ons."""
    features = catalogue.licences[code].features
    for place, feature in enumerate((CREDITS, EXTENDED_DIAL_OUT, PLAN)):
        if features == {feature} or (feature == PLAN and feature in features):
            return 3 - place, code
    return 0, code
