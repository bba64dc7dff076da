"""Publish the rows of a rate file as a new version of a card, and tell what it changes.

Whole or nothing: the version and all its rows are written in the caller's transaction, or none.
A published version is never changed; a correction is another version with a later start.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from talktime.core.audit import Facts
from talktime.core.limits import CARD_NAME_TEXT_MAX, REPORT_EXAMPLES_MAX, SOURCE_TEXT_MAX
from talktime.core.rates import DIRECTIONS, RateRow
from talktime.core.rating import Rate
from talktime.core.refusal import Refusal
from talktime.operations.audit import note
from talktime.operations.csv_rows import Progress
from talktime.operations.input_checks import check_currency
from talktime.store.database import Connection
from talktime.store.rates import CardVersion, lock_publishing, publish, read_rates, versions_of

UNCHANGED = "unchanged"


class RateChange(NamedTuple):
    """One prefix in the version in force and in the new one; None where it is not there."""

    direction: str
    prefix: str
    old: Rate | None
    new: Rate | None

    @property
    def destination(self) -> str:
        """The new name of the destination, or the last one of a dropped prefix."""
        rate = self.new or self.old
        return rate.destination if rate else ""

    @property
    def way(self) -> str:
        """Whether the prefix is added, dropped, dearer, cheaper or unchanged."""
        if self.old is None or self.new is None:
            return "added" if self.old is None else "dropped"
        if self.new[2:] == self.old[2:]:
            return UNCHANGED
        return "dearer" if self.new[2:] > self.old[2:] else "cheaper"


@dataclass(slots=True)
class Changes:
    """How many prefixes changed in one way, and the first of them."""

    count: int = 0
    examples: list[RateChange] = field(default_factory=list)

    def add(self, change: RateChange) -> None:
        """Count a change, and keep it while there is room."""
        self.count += 1
        if self.count <= REPORT_EXAMPLES_MAX:
            self.examples.append(change)


@dataclass(slots=True)
class ImportReport:
    """What an import published (or, on a dry run, would publish) against the version in force.

    `replaces` is that version: the one that would hold at the new one's start. Each prefix is
    compared as it stands at that start. Dearer and cheaper go by the price per minute; where that
    is equal by the connection fee, then the first and the next increment.
    """

    version: CardVersion
    dry_run: bool
    replaces: CardVersion | None = None
    added: Changes = field(default_factory=Changes)
    dropped: Changes = field(default_factory=Changes)
    dearer: Changes = field(default_factory=Changes)
    cheaper: Changes = field(default_factory=Changes)
    unchanged: int = 0


def import_rates(
    connection: Connection,
    rows: list[RateRow],
    *,
    name: str,
    currency: str,
    source: str,
    valid_from_ms: int,
    now_ms: int,
    next_id: Callable[[], int],
    dry_run: bool = False,
    progress: Progress | None = None,
) -> ImportReport | Refusal:
    """Publish rows (of rate_file.read_rate_file) as the card's version from `valid_from_ms` on.

    `source` says where the rows come from, for people. With `dry_run` nothing is written. The
    caller opens the control plane's transaction and commits it.
    Refuses: invalid_value for a name or source that is malformed, a new card's currency that is not
    in use, or another currency than the card's; already_exists when the card has a version with
    this start.
    Source: R62, D9.
    """
    malformed = _malformed(name, source)
    if malformed:
        return Refusal("invalid_value", malformed)
    revision = lock_publishing(connection) + 1
    versions = versions_of(connection, name)
    card = CardVersion(next_id(), name, currency, valid_from_ms, len(rows), revision)
    conflict = _conflict(card, versions)
    if conflict is not None:
        return conflict
    report = ImportReport(card, dry_run)
    in_force = [version for version in versions if version.valid_from_ms < valid_from_ms]
    report.replaces = in_force[-1] if in_force else None
    _compare(connection, rows, report)
    if not dry_run:
        tell = progress or _tell_nobody
        publish(
            connection,
            card,
            rows,
            imported_ms=now_ms,
            source=source,
            next_id=next_id,
            written=lambda done: tell("written", done),
        )
        after: Facts = {"valid_from_ms": valid_from_ms, "rates": len(rows), "source": source}
        note(connection, None, "rate_card.published", name, after=after)
    return report


def _tell_nobody(doing: str, rows: int) -> None:
    """For a caller that does not ask how far an import is."""


def _malformed(name: str, source: str) -> str | None:
    if not (0 < len(name) <= CARD_NAME_TEXT_MAX and name.isprintable() and name == name.strip()):
        return f"the card's name must be 1 to {CARD_NAME_TEXT_MAX} printable characters"
    if len(source) > SOURCE_TEXT_MAX or not source.isprintable():
        return f"the source must be at most {SOURCE_TEXT_MAX} printable characters"
    return None


def _conflict(card: CardVersion, versions: list[CardVersion]) -> Refusal | None:
    """Why the card's earlier versions do not let this one be."""
    if any(version.valid_from_ms == card.valid_from_ms for version in versions):
        return Refusal(
            "already_exists",
            f"card {card.name} has a version with this start; give the new one a later start",
        )
    if versions and versions[0].currency != card.currency:
        return Refusal(
            "invalid_value",
            f"card {card.name} is in {versions[0].currency}, so this cannot be in "
            f"{card.currency[:40]}; import it under another name",
        )
    # A card that is there goes on when its currency goes out of use.
    return None if versions else check_currency(card.currency)


def _compare(connection: Connection, rows: list[RateRow], report: ImportReport) -> None:
    for change in each_change(connection, rows, report.replaces, report.version.valid_from_ms):
        _count(report, change)


def each_change(
    connection: Connection, rows: list[RateRow], replaces: CardVersion | None, start_ms: int
) -> Iterator[RateChange]:
    """Each prefix of the rows, and of the version that they replace, as it stands at a start; those
    that stay as they are too."""
    for direction in DIRECTIONS:
        new = _standing(
            ((row.rate, row.valid_from_ms) for row in rows if row.direction == direction), start_ms
        )
        old: dict[str, Rate] = {}
        if replaces is not None:
            old = _standing(read_rates(connection, replaces.id, direction), start_ms)
        for prefix, rate in new.items():
            yield RateChange(direction, prefix, old.pop(prefix, None), rate)
        for prefix, rate in old.items():
            yield RateChange(direction, prefix, rate, None)


def _standing(rates: Iterable[tuple[Rate, int]], at_ms: int) -> dict[str, Rate]:
    """Each prefix's rate at a time; of a prefix that comes later, the first."""
    standing: dict[str, Rate] = {}
    since: dict[str, int] = {}
    for rate, valid_from_ms in rates:
        known_ms = since.get(rate.prefix)
        if known_ms is None or _stands_before(valid_from_ms, known_ms, at_ms):
            standing[rate.prefix] = rate
            since[rate.prefix] = valid_from_ms
    return standing


def _stands_before(one_ms: int, other_ms: int, at_ms: int) -> bool:
    if one_ms <= at_ms and other_ms <= at_ms:
        return one_ms > other_ms
    return one_ms < other_ms


def _count(report: ImportReport, change: RateChange) -> None:
    if change.way == UNCHANGED:
        report.unchanged += 1
    else:
        getattr(report, change.way).add(change)
