"""Which rate a dialled number has: longest prefix, in the card and the rows in force (R62).

A card is a fixed set of rows. Its prefixes nest (44 inside it 447 inside it 447500), so they are
flattened into disjoint intervals over the number padded to 15 digits; a look-up is one bisection.
Each interval leads to the node of its longest prefix, each node to its parent, the next shorter
prefix. A row may be dated: a prefix not yet in force falls back to its parent.

Everything is kept in plain arrays, about 60 bytes a prefix, so a card of a million prefixes is
some tens of megabytes and nothing for the garbage collector to walk.
"""

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Self

from talktime.core.limits import PREFIX_DIGITS_MAX, RATES_CACHED_MAX
from talktime.core.rating import Rate

DIRECTIONS = OUTBOUND, TOLL_FREE_IN, TOLL_IN = ("outbound", "toll_free_in", "toll_in")

_LENGTH_BASE = PREFIX_DIGITS_MAX + 1
_NO_NODE = -1


class RateRow(NamedTuple):
    """One row of a rate card: a rate, which way the call goes, and from when it holds.

    `direction` is one of DIRECTIONS; for `toll_free_in` and `toll_in` (pay-per-minute conferences)
    the prefix is that of the service number called. `kind` and `country` describe the destination
    and take no part in rating.
    """

    direction: str
    rate: Rate
    valid_from_ms: int
    kind: str = ""
    country: str = ""

    @property
    def prefix(self) -> str:
        """The prefix that the row's rate is for."""
        return self.rate.prefix


class _Node(NamedTuple):
    """A prefix while the index is built: its place, and its first version's place."""

    end: int
    number: int


class PrefixIndex:
    """A longest-prefix index of dated rates, which never changes.

    >>> index = PrefixIndex.of([
    ...     (Rate("44", "UK", 15_000, 0, 60, 60), 0),
    ...     (Rate("447", "UK mobile", 29_000, 0, 60, 60), 1_000),
    ... ])
    >>> index.find("447700900123", at_ms=999).destination
    'UK'
    >>> index.find("447700900123", at_ms=1_000).destination
    'UK mobile'
    >>> index.find("4930123456", at_ms=1_000) is None
    True
    """

    __slots__ = (
        "_first_versions",
        "_interval_nodes",
        "_interval_starts",
        "_lengths",
        "_parents",
        "_prices",
        "_rates",
        "_term_numbers",
        "_terms",
        "_valid_from",
    )

    def __init__(self) -> None:
        # By interval, in the order of numbers.
        self._interval_starts = array("Q")
        self._interval_nodes = array("i")
        # By node (prefix), in the order of numbers. One entry more in _first_versions.
        self._lengths = array("B")
        self._parents = array("i")
        self._first_versions = array("I")
        # By version, each node's newest first. Terms are what many rates share.
        self._valid_from = array("q")
        self._prices = array("q")
        self._term_numbers = array("I")
        self._terms: list[tuple[str, int, int, int]] = []
        # Those asked for lately, by version.
        self._rates: dict[int, Rate] = {}

    def __len__(self) -> int:
        """How many prefixes it holds."""
        return len(self._lengths)

    @classmethod
    def of(cls, rows: Iterable[tuple[Rate, int]]) -> Self:
        """Build the index from rates with their `valid_from_ms`, in any order, read once.

        Raises ValueError for a prefix that is not 1 to 15 digits, or given twice for one time.
        """
        index = cls()
        keys, valid_from = array("Q"), array("q")
        prices, term_numbers = array("q"), array("I")
        numbers_of_terms: dict[tuple[str, int, int, int], int] = {}
        for (prefix, destination, price, fee, first_s, next_s), valid_from_ms in rows:
            keys.append(_key(prefix))
            valid_from.append(valid_from_ms)
            prices.append(price)
            terms = (destination, fee, first_s, next_s)
            term_numbers.append(numbers_of_terms.setdefault(terms, len(numbers_of_terms)))
        index._terms = list(numbers_of_terms)
        index._fill(keys, valid_from, prices, term_numbers)
        return index

    def _fill(
        self,
        keys: "array[int]",
        valid_from: "array[int]",
        prices: "array[int]",
        term_numbers: "array[int]",
    ) -> None:
        """Sort the rows by prefix, newest first, and lay out nodes and intervals."""
        order = sorted(range(len(keys)), key=valid_from.__getitem__, reverse=True)
        order.sort(key=keys.__getitem__)
        open_nodes: list[_Node] = []
        last_key = last_valid_from = -1
        for row in order:
            key = keys[row]
            if key != last_key:
                self._open_node(key, open_nodes)
            elif valid_from[row] == last_valid_from:
                start, length = divmod(key, _LENGTH_BASE)
                raise ValueError(f"prefix {_padded(start)[:length]} stands twice for one time")
            last_key, last_valid_from = key, valid_from[row]
            self._valid_from.append(valid_from[row])
            self._prices.append(prices[row])
            self._term_numbers.append(term_numbers[row])
        self._first_versions.append(len(self._valid_from))
        self._close_nodes(open_nodes, 10**PREFIX_DIGITS_MAX)

    def _open_node(self, key: int, open_nodes: list[_Node]) -> None:
        start, length = divmod(key, _LENGTH_BASE)
        self._close_nodes(open_nodes, start)
        number = len(self._lengths)
        self._lengths.append(length)
        self._parents.append(open_nodes[-1].number if open_nodes else _NO_NODE)
        self._first_versions.append(len(self._valid_from))
        self._begin_interval(start, number)
        open_nodes.append(_Node(start + 10 ** (PREFIX_DIGITS_MAX - length), number))

    def _close_nodes(self, open_nodes: list[_Node], before: int) -> None:
        """Where a nested prefix ends, its parent's interval goes on."""
        while open_nodes and open_nodes[-1].end <= before:
            end = open_nodes.pop().end
            self._begin_interval(end, open_nodes[-1].number if open_nodes else _NO_NODE)

    def _begin_interval(self, start: int, node: int) -> None:
        if self._interval_starts and self._interval_starts[-1] == start:
            self._interval_nodes[-1] = node
        else:
            self._interval_starts.append(start)
            self._interval_nodes.append(node)

    def find(self, digits: str, at_ms: int) -> Rate | None:
        """Find the rate in force for a number (digits, no plus), by its longest prefix (R62)."""
        place = bisect_right(self._interval_starts, int(digits[:15].ljust(15, "0"))) - 1
        node = self._interval_nodes[place] if place >= 0 else _NO_NODE
        while node >= 0:
            length = self._lengths[node]
            # A short number, padded with zeros, may lie in a prefix longer than itself.
            if length <= len(digits):
                version = self._first_versions[node]
                if self._valid_from[version] > at_ms:
                    version = self._earlier_version(node, at_ms)
                if version >= 0:
                    return self._rates.get(version) or self._rate(version, digits[:length])
            node = self._parents[node]
        return None

    def _rate(self, version: int, prefix: str) -> Rate:
        """The rate of a version, kept for the calls that follow to the same prefix."""
        destination, fee, first_s, next_s = self._terms[self._term_numbers[version]]
        rate = Rate(prefix, destination, self._prices[version], fee, first_s, next_s)
        if len(self._rates) >= RATES_CACHED_MAX:
            self._rates.clear()
        self._rates[version] = rate
        return rate

    def _earlier_version(self, node: int, at_ms: int) -> int:
        """The newest version in force of a node whose newest one is not; -1 for none."""
        for version in range(self._first_versions[node] + 1, self._first_versions[node + 1]):
            if self._valid_from[version] <= at_ms:
                return version
        return -1


def _key(prefix: str) -> int:
    """A prefix as a number that sorts first by where it begins, then by its length."""
    if not (prefix.isascii() and prefix.isdigit() and len(prefix) <= PREFIX_DIGITS_MAX):
        raise ValueError(f"{prefix[:40]!r} is not a prefix of 1 to {PREFIX_DIGITS_MAX} digits")
    return int(prefix.ljust(PREFIX_DIGITS_MAX, "0")) * _LENGTH_BASE + len(prefix)


def _padded(start: int) -> str:
    return str(start).rjust(PREFIX_DIGITS_MAX, "0")


@dataclass(frozen=True, slots=True)
class RateCard:
    """One published version of a card: never changed, replaced whole by a later version."""

    id: int
    name: str
    currency: str
    valid_from_ms: int
    indexes: Mapping[str, PrefixIndex]

    def find(self, direction: str, digits: str, at_ms: int) -> Rate | None:
        """Find the rate for a number in this version, whether or not it is in force."""
        index = self.indexes.get(direction)
        return None if index is None else index.find(digits, at_ms)


@dataclass(frozen=True, slots=True)
class RateCards:
    """All cards by name, each the list of its versions in the order they come into force.

    A version in force replaces the earlier one whole: a prefix it lacks has no rate, even if the
    earlier version had one.
    """

    versions: Mapping[str, tuple[RateCard, ...]] = field(default_factory=dict)

    def with_card(self, card: RateCard) -> "RateCards":
        """The same cards and one more version; one of the same name and time is replaced."""
        others = (
            old
            for old in self.versions.get(card.name, ())
            if old.valid_from_ms != card.valid_from_ms
        )
        in_order = sorted((*others, card), key=lambda version: version.valid_from_ms)
        return RateCards({**self.versions, card.name: tuple(in_order)})

    def in_force(self, name: str, at_ms: int) -> RateCard | None:
        """The version of a card that is in force at a time; None before its first one."""
        for card in reversed(self.versions.get(name, ())):
            if card.valid_from_ms <= at_ms:
                return card
        return None

    def find(self, name: str, direction: str, digits: str, at_ms: int) -> Rate | None:
        """Find the rate for a number at a time, usually the call's start (R62)."""
        card = self.in_force(name, at_ms)
        return None if card is None else card.find(direction, digits, at_ms)
