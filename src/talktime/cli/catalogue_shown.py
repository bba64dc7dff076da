"""The catalogue for people and programs: its entries by kind, one in full, what a change did."""

from collections.abc import Iterable, Sequence
from functools import cache
from itertools import groupby
from typing import Any

from rich.console import RenderableType

from talktime.cli.output import lines, moment, panel, table
from talktime.core.catalogue import (
    KINDS,
    Country,
    Currency,
    DialOutPolicy,
    Entry,
    Licence,
    Minutes,
    NumberTier,
    Setting,
    SpecialPrefix,
    Value,
)
from talktime.operations.catalogue import (
    ADDED,
    CHANGED,
    WITHDRAWN,
    CatalogueChange,
    CatalogueReport,
)
from talktime.operations.catalogue_file import in_order
from talktime.store.catalogue_bodies import plain_of

ROWS_SHOWN_MAX = 100
COUNTRIES_SHOWN_MAX = 4

TITLES = {
    "licence": "Licences",
    "country": "Countries with something special",
    "special_prefix": "Special numbers",
    "policy": "Dial-out policies",
    "number_tier": "Service numbers, toll and toll-free each",
    "currency": "Purchases by currency",
    "setting": "Settings",
}
COLUMNS: dict[str, Sequence[str]] = {
    "licence": ("Code", "Licence", "Features", "Comes with it", "Minutes a month"),
    "country": (
        *("Code", "Country", "PAYG zone", "Zone A", "Domestic area", "Minutes area"),
        *("Credits", "Premium", "Masked"),
    ),
    "special_prefix": ("Prefix", "Numbers", "Can be called"),
    "policy": ("Policy", "From meetings", "By users"),
    "number_tier": ("Licences from", "Service numbers"),
    "currency": ("Currency", "At least", "At most", "Grants need approval above"),
    "setting": ("Setting", "Value"),
}
FIGURES = (
    *("Masked", "Licences from", "Service numbers"),
    *("At least", "At most", "Grants need approval above"),
)


def kind_tables(entries: Iterable[Entry], kind: str) -> list[RenderableType]:
    """A table for this kind, or for each."""
    found = {name: list(each) for name, each in groupby(in_order(entries), key=lambda e: e.kind)}
    return [
        table(
            COLUMNS[name],
            [row(entry.value) for entry in found.get(name, ()) if entry.value is not None],
            title=TITLES[name],
            right=FIGURES,
        )
        for name in ([kind] if kind else KINDS)
    ]


def row(value: Value) -> tuple[object, ...]:
    """A value in its kind's columns."""
    match value:
        case Licence():
            features = ", ".join(sorted(value.features))
            included = ", ".join(value.includes)
            return value.code, value.name, features, included, minutes_text(value)
        case Country():
            return (value.code, country_name(value.code), *value[1:-1], value.masked_digits or None)
        case SpecialPrefix() | DialOutPolicy() | NumberTier() | Currency() | Setting():
            return tuple(value)


def minutes_text(licence: Licence) -> str:
    """A licence's minutes in short.

    >>> minutes_text(Licence("L", "", minutes={"*": Minutes(0, 0, 60), "KR": Minutes(0, 0, 900)}))
    '60 conference everywhere; 900 conference in KR'
    """
    by_minutes: dict[Minutes, list[str]] = {}
    for country, minutes in sorted(licence.minutes.items()):
        by_minutes.setdefault(minutes, []).append(country)
    return "; ".join(f"{figures(each)} {places(by_minutes[each])}" for each in sorted(by_minutes))


def figures(minutes: Minutes) -> str:
    told = [f"{figure} {counter}" for counter, figure in minutes._asdict().items() if figure]
    return " + ".join(told) or "0"


def places(countries: list[str]) -> str:
    if countries == ["*"]:
        return "everywhere"
    if len(countries) > COUNTRIES_SHOWN_MAX:
        return f"in {len(countries)} countries"
    return f"in {', '.join(countries)}"


@cache
def country_name(code: str) -> str:
    from babel import Locale

    return str(Locale("en").territories.get(code, code))


def entry_panel(entry: Entry) -> RenderableType:
    """One entry with all its fields, those at their defaults too."""
    value = entry.value
    assert value is not None
    facts: dict[str, object] = {"In force since": moment(entry.valid_from_ms)}
    for name, field in value._asdict().items():
        facts[name] = fact(name, field)
    return panel(f"{entry.kind} {entry.code}", facts)


def fact(name: str, field: Any) -> object:
    """A field for people; nothing where it holds nothing."""
    if name == "requires":
        return " or ".join(" and ".join(sorted(choice)) for choice in field)
    if name == "minutes" and field:
        return lines(f"{place}: {figures(field[place])}" for place in sorted(field))
    return field if isinstance(field, str | int) else ", ".join(sorted(field))


def document(entries: Iterable[Entry], at_ms: int) -> dict[str, Any]:
    """Entries for programs: by kind, each with its fields but those at their defaults."""
    shown: dict[str, Any] = {"at": moment(at_ms)}
    for entry in in_order(entries):
        if entry.value is not None:
            fields = {**plain_of(entry.value), "valid_from": moment(entry.valid_from_ms)}
            shown.setdefault(entry.kind, []).append(fields)
    return shown


def report_document(report: CatalogueReport) -> dict[str, Any]:
    """What a change did, for programs."""
    return {
        "dry_run": report.dry_run,
        **counts(report),
        "changes": [
            {
                "kind": change.entry.kind,
                "code": change.entry.code,
                "valid_from": moment(change.entry.valid_from_ms),
                "way": change.way,
                "fields": [field._asdict() for field in change.fields()],
            }
            for change in report.changes
        ],
    }


def counts(report: CatalogueReport) -> dict[str, int]:
    ways = [change.way for change in report.changes]
    found = {way: ways.count(way) for way in (ADDED, CHANGED, WITHDRAWN)}
    return {**found, "unchanged": report.unchanged}


def report_pictures(report: CatalogueReport) -> list[RenderableType]:
    """What a change did, for people."""
    title = "Dry run: nothing was written" if report.dry_run else "The catalogue"
    told = ", ".join(f"{count:,} {way}" for way, count in counts(report).items())
    drawn: list[RenderableType] = [panel(title, {"Entries": told})]
    rows = [each for change in report.changes for each in change_rows(change)]
    if rows:
        more = len(rows) - ROWS_SHOWN_MAX
        columns = ("Entry", "From", "Field", "Before", "After")
        shown = f"Changes, of which {ROWS_SHOWN_MAX}" if more > 0 else ""
        drawn.append(table(columns, rows[:ROWS_SHOWN_MAX], title=shown))
    return drawn


def change_rows(change: CatalogueChange) -> list[tuple[object, ...]]:
    """A row for each field of what is changed; one for what is added or withdrawn."""
    entry = change.entry
    place = f"{entry.kind} {entry.code}", moment(entry.valid_from_ms)
    if change.way != CHANGED:
        return [(*place, change.way, None, None)]
    return [(*place, *field) for field in change.fields()]
