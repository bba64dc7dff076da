"""The prices that an organisation's calls have, for people: look for them by country, destination
or number, see what they will be, write them all down. The caller's `reading` is open on the
control plane."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

import phonenumbers

from talktime.core.directory import Organisation
from talktime.core.limits import (
    AMOUNTS_CACHED_MAX,
    CARDS_CACHED_MAX,
    DESTINATIONS_FOUND_MAX,
    PAGE_ROWS_MAX,
)
from talktime.core.money import decimal_text
from talktime.core.rates import DIRECTIONS, PrefixIndex, RateRow
from talktime.core.rating import Rate
from talktime.operations.csv_text import safe_text
from talktime.operations.rate_file import OWN_COLUMNS
from talktime.operations.render import utc_text
from talktime.store.database import Connection
from talktime.store.rate_search import (
    AFTER_ALL,
    Between,
    Destination,
    destinations_of,
    rates_between,
    rates_of_prefixes,
    rows_in_order,
)
from talktime.store.rates import READ_ROWS, CardVersion, versions_of

_LAST_MS = 2**63 - 1


class Versions(NamedTuple):
    """The organisation's card: the version in force, if there is one, and those to come."""

    now: CardVersion | None
    later: tuple[CardVersion, ...]


class PriceChange(NamedTuple):
    """What a price will be from a moment on; None where the destination is not called any more."""

    from_ms: int
    rate: Rate | None


class Price(NamedTuple):
    """A prefix with its price now (None: not yet in force) and what is known to come."""

    row: RateRow
    now: Rate | None
    later: tuple[PriceChange, ...]


class DestinationNames:
    """The destinations of each card's versions: a version never changes, so they are read once
    in a process. Of the few versions in force, and some before."""

    def __init__(self, cards_max: int = CARDS_CACHED_MAX) -> None:
        self._cards_max = cards_max
        self._known: dict[tuple[int, str], tuple[Destination, ...]] = {}

    def of(
        self, control: Connection, version: CardVersion, direction: str
    ) -> tuple[Destination, ...]:
        """The destinations of one version, by name."""
        key = version.id, direction
        found = self._known.get(key)
        if found is None:
            found = destinations_of(control, *key)
            while len(self._known) >= self._cards_max:
                self._known.pop(next(iter(self._known)), None)
            self._known[key] = found
        return found


def rate_versions(control: Connection, organisation: Organisation, now_ms: int) -> Versions:
    """The versions of the organisation's rate card that matter now; `now_ms` is ms since the
    epoch, UTC. A card in another currency than the wallet's has no price for it."""
    found = [
        version
        for version in versions_of(control, organisation.rate_card)
        if version.currency == organisation.currency
    ]
    begun = [version for version in found if version.valid_from_ms <= now_ms]
    later = tuple(version for version in found if version.valid_from_ms > now_ms)
    return Versions(begun[-1] if begun else None, later)


def between_of_country(country: str, kind: str = "") -> Between:
    """Which rows are looked for by a country (ISO code): those behind its calling code.

    >>> between_of_country("DE")[:3]
    ('49', '49:', 'DE')
    """
    code = phonenumbers.country_code_for_region(country)
    if not code:
        return Between(country=country, kind=kind, destinations=())
    return Between(str(code), f"{code}{AFTER_ALL}", country, kind)


def between_of_text(names: Sequence[Destination], text: str, kind: str = "") -> Between:
    """Which rows are looked for by a part of a destination's name, however it is written.

    >>> between_of_text([Destination("Germany mobile", "4915", "4917")], "MOBILE").first
    '4915'
    """
    word = text.casefold()
    found = [name for name in names if word in name.name.casefold()][:DESTINATIONS_FOUND_MAX]
    if not found:
        return Between(kind=kind, destinations=())
    first, last = min(name.first for name in found), max(name.last for name in found)
    return Between(first, f"{last}{AFTER_ALL}", "", kind, tuple(name.name for name in found))


def find_rates(
    control: Connection,
    versions: Versions,
    direction: str,
    between: Between,
    *,
    after: str = "",
    limit: int,
    now_ms: int,
) -> list[Price]:
    """The prices that are looked for, by prefix, at most PAGE_ROWS_MAX rows' worth; `after` is the
    last prefix of the page before."""
    version = versions.now
    if version is None or between.destinations == ():
        return []
    start = (after, _LAST_MS) if after else ("", -1)
    size = min(limit, PAGE_ROWS_MAX)
    rows = rates_between(control, version.id, direction, between, start, size)
    prefixes = list(dict.fromkeys(row.prefix for row in rows))
    return _prices(control, versions, direction, prefixes, now_ms)


def rate_of_number(
    control: Connection, versions: Versions, direction: str, digits: str, *, now_ms: int
) -> Price | None:
    """The price of a number (digits of E.164): that of its longest prefix in force (R62)."""
    version = versions.now
    if version is None:
        return None
    rows = rates_of_prefixes(control, version.id, direction, _prefixes_of([digits]))
    begun = [row.prefix for row in rows if row.valid_from_ms <= now_ms]
    if not begun:
        return None
    longest = max(begun, key=len)
    return _prices(control, versions, direction, [longest], now_ms)[0]


def rate_lines(control: Connection, version: CardVersion) -> Iterator[str]:
    """A CSV file of a version, some thousand lines at a time: what `talktime import-rates` takes
    (RFC 4180)."""
    rows = _csv_rows(control, version)
    while chunk := list(islice(rows, READ_ROWS)):
        lines = io.StringIO()
        csv.writer(lines).writerows(chunk)
        yield lines.getvalue()


def _prices(
    control: Connection,
    versions: Versions,
    direction: str,
    prefixes: list[str],
    now_ms: int,
) -> list[Price]:
    if versions.now is None or not prefixes:
        return []
    rows: dict[str, list[RateRow]] = {prefix: [] for prefix in prefixes}
    for row in rates_of_prefixes(control, versions.now.id, direction, prefixes):
        rows[row.prefix].append(row)
    around = _prefixes_of(prefixes)
    lists = [
        (version.valid_from_ms, _index(rates_of_prefixes(control, version.id, direction, around)))
        for version in versions.later
    ]
    end_ms = lists[0][0] if lists else _LAST_MS
    prices = []
    for prefix, of_prefix in rows.items():
        begun = [row for row in of_prefix if row.valid_from_ms <= now_ms]
        later = [
            PriceChange(row.valid_from_ms, row.rate)
            for row in of_prefix
            if now_ms < row.valid_from_ms < end_ms
        ]
        later += [PriceChange(from_ms, index.find(prefix, from_ms)) for from_ms, index in lists]
        shown = begun[-1] if begun else of_prefix[0]
        now = shown.rate if begun else None
        prices.append(Price(shown, now, tuple(_that_differ(now, later))))
    return prices


def _that_differ(now: Rate | None, later: Iterable[PriceChange]) -> Iterator[PriceChange]:
    terms = None if now is None else now[2:]
    for change in later:
        new = None if change.rate is None else change.rate[2:]
        if new != terms:
            yield change
        terms = new


def _index(rows: Iterable[RateRow]) -> PrefixIndex:
    return PrefixIndex.of((row.rate, row.valid_from_ms) for row in rows)


def _prefixes_of(numbers: Iterable[str]) -> list[str]:
    return sorted({digits[:length] for digits in numbers for length in range(1, len(digits) + 1)})


def _csv_rows(control: Connection, version: CardVersion) -> Iterator[Sequence[object]]:
    yield OWN_COLUMNS
    for direction in DIRECTIONS:
        for row in rows_in_order(control, version.id, direction):
            prefix, destination, price, fee, first_s, next_s, valid_from_ms, kind, country = row
            yield (
                *(direction, prefix, safe_text(destination), kind, country),
                *(_amount(price), _amount(fee), first_s, next_s, _moment(valid_from_ms)),
            )


@lru_cache(AMOUNTS_CACHED_MAX)
def _amount(micros: int) -> str:
    return decimal_text(micros)


@lru_cache(1_024)
def _moment(at_ms: int) -> str:
    return utc_text(at_ms)
