"""Changing the catalogue: import entries, set or withdraw one, and say what of it changes.

Entries are added, and what has begun stays: a change of the past, by which calls that are already
charged would be explained wrongly, must be asked for.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple

from talktime.core.catalogue import KINDS, Catalogues, Currency, Entry, Value
from talktime.core.limits import (
    CATALOGUE_ENTRIES_MAX,
    CATALOGUE_FIELDS_NOTED_MAX,
    CATALOGUE_START_MS_MAX,
)
from talktime.core.money import parse_micros
from talktime.core.refusal import Refusal
from talktime.operations.audit import note
from talktime.operations.catalogue_checks import checked_entry, conflicts_in, fault_in_mid_month
from talktime.operations.catalogue_file import BadCatalogueFile, plain_of_text
from talktime.operations.input_checks import check_one_of
from talktime.operations.render import utc_text
from talktime.store.catalogue import CATALOGUE, load_catalogues, write_entries
from talktime.store.catalogue_bodies import plain_of
from talktime.store.database import Connection
from talktime.store.revisions import lock

ADDED, CHANGED, WITHDRAWN = "added", "changed", "withdrawn"
CONFLICTS_SHOWN_MAX = 3
_WHOLE_TABLE = "this would take all of it away; name what goes ({0}.GB=), or write {0}={{}}"

Histories = dict[tuple[str, str], dict[int, Value | None]]
"""By kind and code: the values by the moments at which they begin."""


class FieldChange(NamedTuple):
    """One field of an entry before and after; None where it is not there, or at its default."""

    field: str
    old: str | None
    new: str | None


class CatalogueChange(NamedTuple):
    """An entry, and the value that its code had at the entry's beginning until now."""

    entry: Entry
    old: Value | None

    @property
    def way(self) -> str:
        """Whether the code is added, changed or withdrawn."""
        if self.entry.value is None:
            return WITHDRAWN
        return ADDED if self.old is None else CHANGED

    def fields(self) -> list[FieldChange]:
        """What is different, by the fields' names (`minutes.GB.domestic`), in their order.

        >>> from talktime.core.catalogue import Setting
        >>> old, new = Setting("default_policy", "A"), Setting("default_policy", "B")
        >>> CatalogueChange(Entry("setting", "default_policy", 0, new), old).fields()
        [FieldChange(field='value', old='A', new='B')]
        """
        old, new = _flat(self.old), _flat(self.entry.value)
        return [
            FieldChange(name, old.get(name), new.get(name))
            for name in dict.fromkeys((*old, *new))
            if old.get(name) != new.get(name)
        ]


@dataclass(slots=True)
class CatalogueReport:
    """What was written (or, on a dry run, would be), and how many entries said nothing new."""

    dry_run: bool
    changes: list[CatalogueChange] = field(default_factory=list)
    unchanged: int = 0
    raises: list[str] = field(default_factory=list)
    """Currencies in which one person could give more alone (operations/four_eyes.py)."""


class Writing(NamedTuple):
    """How a change is made. With `dry_run` nothing is written; without `change_past` what began
    before `now_ms` stays as it is. With `alone`, it is one person's, who does not raise what one
    person may give."""

    now_ms: int
    next_id: Callable[[], int]
    dry_run: bool = False
    change_past: bool = False
    alone: bool = False


def import_entries(
    connection: Connection, entries: Iterable[Entry], how: Writing
) -> CatalogueReport | Refusal:
    """Put entries (each checked for itself) into the catalogue: all of them, or none.

    What an entry holds from its beginning on; codes that no entry names stay as they are. One that
    says what already holds at its beginning is counted and not written. The caller opens the
    control plane's transaction and commits it.
    Refuses: invalid_value where the past would change, where whose minutes are shared would change
    within a month, or entries would not fit together; approval_needed where it is `alone` and
    raises a limit. Source: D20.
    """
    histories, report = _locked(connection), CatalogueReport(how.dry_run)
    limits = {key: dict(each) for key, each in histories.items() if key[0] == "currency"}
    new: list[Entry] = []
    replaced: list[Entry] = []
    for entry in sorted(entries, key=lambda each: each.valid_from_ms):
        if not 0 <= entry.valid_from_ms <= CATALOGUE_START_MS_MAX:
            detail = f"{entry.kind} {entry.code} must begin after 1970 and before 2200"
            return Refusal("invalid_value", detail)
        history = histories[entry.kind, entry.code]
        old = _value_at(history, entry.valid_from_ms)
        if old == entry.value:
            report.unchanged += 1
            continue
        (replaced if entry.valid_from_ms in history else new).append(entry)
        report.changes.append(CatalogueChange(entry, old))
        history[entry.valid_from_ms] = entry.value
    if not report.changes:
        return report
    refusal = (
        _changes_past(new, replaced, how)
        or _splits_a_month(histories, report.changes)
        or _does_not_fit(histories, report.changes[0].entry.valid_from_ms)
    )
    report.raises = _raised(limits, histories, report.changes, how.now_ms)
    if refusal is None and report.raises and how.alone and not how.dry_run:
        detail = f"one person could give more in {', '.join(report.raises)}: ask for its approval"
        refusal = Refusal("approval_needed", detail)
    if refusal is None and not how.dry_run:
        write_entries(connection, new, replaced, how.next_id)
        _note(connection, report)
    return refusal or report


def set_entry(
    connection: Connection,
    kind: str,
    code: str,
    fields: Mapping[str, str],
    *,
    valid_from_ms: int,
    how: Writing,
) -> CatalogueReport | Refusal:
    """Change some fields of one entry, or make it, from a moment on; its other fields stay.

    A field within another is named with a point (`minutes.GB.domestic`). A text that begins with
    `[` or `{` is taken as YAML; an empty one gives a field its default back, but empties no table
    (`{}` does). The caller opens the control plane's transaction and commits it.
    Refuses: invalid_value for what is no field or value, and as `import_entries` does.
    """
    refusal = check_one_of("the kind", kind, KINDS)
    if refusal is not None:
        return refusal
    old = _value_at(_locked(connection)[kind, code], valid_from_ms)
    plain = {KINDS[kind]._fields[0]: code} if old is None else plain_of(old)
    for name, text in fields.items():
        refusal = _put(plain, name, text)
        if refusal is not None:
            return refusal
    entry = checked_entry(kind, plain, valid_from_ms)
    if isinstance(entry, str):
        return Refusal("invalid_value", entry)
    if entry.code != code:
        return Refusal("invalid_value", f"{kind} {code} cannot become {entry.code}")
    return import_entries(connection, [entry], how)


def withdraw_entry(
    connection: Connection, kind: str, code: str, *, valid_from_ms: int, how: Writing
) -> CatalogueReport | Refusal:
    """Take a code out of the catalogue from a moment on.

    Users keep a licence that is withdrawn; it lets them do nothing. The caller opens the control
    plane's transaction and commits it.
    Refuses: invalid_value where the code is not there then, and as `import_entries` does.
    """
    refusal = check_one_of("the kind", kind, KINDS)
    if refusal is not None:
        return refusal
    if _value_at(_locked(connection)[kind, code], valid_from_ms) is None:
        detail = f"there is no {kind} {code} at {utc_text(valid_from_ms)}"
        return Refusal("invalid_value", detail)
    return import_entries(connection, [Entry(kind, code, valid_from_ms, None)], how)


def _note(connection: Connection, report: CatalogueReport) -> None:
    """Keep who changed the catalogue: the first of what is different, and how many entries."""
    before, after, shown = {}, {}, 0
    for change in report.changes:
        entry = change.entry
        for field_ in change.fields():
            name = f"{entry.code} {field_.field}"
            if shown < CATALOGUE_FIELDS_NOTED_MAX and name not in after:
                before[name], after[name], shown = field_.old, field_.new, shown + 1
    kinds = sorted({f"{change.entry.kind} {change.entry.code}" for change in report.changes})
    subject = ", ".join(kinds[:CONFLICTS_SHOWN_MAX])
    note(
        *(connection, None, "catalogue.changed", subject),
        before=before,
        after={**after, "entries": len(report.changes)},
    )


def _locked(connection: Connection) -> Histories:
    """All that is there, and nobody else changes it until the transaction ends."""
    lock(connection, CATALOGUE)
    histories: Histories = defaultdict(dict)
    for entry in load_catalogues(connection).entries:
        histories[entry.kind, entry.code][entry.valid_from_ms] = entry.value
    return histories


def _value_at(history: Mapping[int, Value | None], at_ms: int) -> Value | None:
    start_ms = max((start_ms for start_ms in history if start_ms <= at_ms), default=None)
    return None if start_ms is None else history[start_ms]


def _changes_past(new: Iterable[Entry], replaced: Iterable[Entry], how: Writing) -> Refusal | None:
    """A new entry may begin now; one that is there already holds now."""
    past = [entry for entry in new if entry.valid_from_ms < how.now_ms]
    past += [entry for entry in replaced if entry.valid_from_ms <= how.now_ms]
    if not past or how.change_past:
        return None
    kind, code, since_ms, _ = past[0]
    return Refusal(
        "invalid_value",
        f"{kind} {code} would change what holds since {utc_text(since_ms)}; give it a later "
        "start, or say that the past is to be changed",
    )


def _raised(
    before: Histories, after: Histories, changes: list[CatalogueChange], now_ms: int
) -> list[str]:
    """The currencies of which, now or at some time to come, one person could give more alone. One
    without an entry has the limit of all others."""
    found = set()
    for key in {(each.entry.kind, each.entry.code) for each in changes}:
        was, is_ = before.get(key, {}), after[key]
        starts = {now_ms, *(start_ms for start_ms in (*was, *is_) if start_ms > now_ms)}
        if key[0] == "currency" and any(_limit(is_, at) > _limit(was, at) for at in starts):
            found.add(key[1])
    return sorted(found)


def _limit(history: Mapping[int, Value | None], at_ms: int) -> int:
    value = _value_at(history, at_ms)
    return parse_micros((value if isinstance(value, Currency) else Currency("")).approval_above)


def _splits_a_month(histories: Histories, changes: list[CatalogueChange]) -> Refusal | None:
    """A month whose minutes would be counted anew in its middle, though asked for."""
    first: dict[tuple[str, str], int] = {}
    for (kind, code, start_ms, _), _old in changes:
        first[kind, code] = min(start_ms, first.get((kind, code), start_ms))
    for (kind, code), first_ms in first.items():
        fault = fault_in_mid_month(kind, code, histories[kind, code], first_ms)
        if fault is not None:
            return Refusal("invalid_value", fault)
    return None


def _does_not_fit(histories: Histories, first_ms: int) -> Refusal | None:
    """Why the entries would not be a catalogue, at some moment from `first_ms` on."""
    entries = [
        Entry(*key, start_ms, value)
        for key, history in histories.items()
        for start_ms, value in history.items()
    ]
    if len(entries) > CATALOGUE_ENTRIES_MAX:
        detail = f"the catalogue would have more than {CATALOGUE_ENTRIES_MAX:,} entries"
        return Refusal("invalid_value", detail)
    catalogues = Catalogues(entries)
    starts = {entry.valid_from_ms for entry in entries if entry.valid_from_ms >= first_ms}
    for start_ms in sorted(starts):
        conflicts = list(islice(conflicts_in(catalogues.in_force(start_ms)), CONFLICTS_SHOWN_MAX))
        if conflicts:
            return Refusal("invalid_value", f"at {utc_text(start_ms)} {'; '.join(conflicts)}")
    return None


def _put(plain: dict[str, Any], name: str, text: str) -> Refusal | None:
    """Set a field of plain data by its name, or remove it."""
    *outer, last = name.split(".")
    for part in outer:
        inner = plain.setdefault(part, {})
        if not isinstance(inner, dict):
            return Refusal("invalid_value", f"{name}: {part} has no fields within it")
        plain = inner
    if not text:
        if not outer and isinstance(plain.get(last), dict):
            return Refusal("invalid_value", f"{name}: {_WHOLE_TABLE.format(name)}")
        plain.pop(last, None)
        return None
    value = plain_of_text(text) if text[0] in "[{" else text
    if isinstance(value, BadCatalogueFile):
        return Refusal("invalid_value", f"{name}: {value.errors[0].reason}")
    plain[last] = value
    return None


def _flat(value: Value | None) -> dict[str, str]:
    """A value's fields but its code, those within others by their whole name, as text."""
    found: dict[str, str] = {}
    if value is None:
        return found

    def walk(name: str, field_: Any) -> None:
        if isinstance(field_, dict):
            for inner, each in field_.items():
                walk(f"{name}.{inner}", each)
        else:
            found[name] = _text(field_)

    for name, field_ in islice(plain_of(value).items(), 1, None):
        walk(name, field_)
    return found


def _text(field_: Any) -> str:
    if isinstance(field_, list):
        return f"[{', '.join(_text(each) for each in field_)}]"
    return str(field_).lower() if isinstance(field_, bool) else str(field_)
