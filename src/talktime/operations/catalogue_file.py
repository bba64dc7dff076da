"""The catalogue as a YAML file: read whole or every bad entry named by line; written. No database.

docs/reference/catalogue.md describes the format. Every scalar is read as text and then taken for
what its field is, so that the country NO stays Norway.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import yaml

from talktime.core.catalogue import KINDS, Entry
from talktime.core.limits import (
    CATALOGUE_ENTRIES_MAX,
    CATALOGUE_FILE_BYTES_MAX,
    CATALOGUE_START_MS_MAX,
    ROW_ERRORS_SHOWN_MAX,
)
from talktime.operations.catalogue_checks import WITHDRAWN, checked_entry
from talktime.operations.rate_file import RowError
from talktime.store.catalogue_bodies import plain_of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
VALID_FROM = "valid_from"
LINE_WIDTH = 100


@dataclass(frozen=True, slots=True)
class BadCatalogueFile:
    """Why a file was refused. All errors are counted; the first of them are named."""

    count: int
    errors: tuple[RowError, ...]


def read_catalogue_file(content: bytes, *, valid_from_ms: int) -> list[Entry] | BadCatalogueFile:
    r"""Read all entries of a file, or say what is wrong with each bad one.

    `valid_from_ms` is when the entries begin that have no time of their own, in a file without one.
    Each entry is checked for itself; whether they fit together is seen when they are imported.

    >>> read_catalogue_file(b"country: [{code: NO, zone_a: true}]", valid_from_ms=5)[0].value.zone_a
    True
    >>> read_catalogue_file(b"country:\n- {code: NO, zone: A}", valid_from_ms=5).errors
    (RowError(line=2, reason='country NO: Object contains unknown field `zone`'),)
    """
    reader = _Reader(valid_from_ms)
    try:
        reader.read(content)
    except _Wrong as wrong:
        reader.errors.append(wrong.error)
    if reader.errors:
        shown = tuple(sorted(reader.errors)[:ROW_ERRORS_SHOWN_MAX])
        return BadCatalogueFile(len(reader.errors), shown)
    return list(reader.entries.values())


class _Wrong(Exception):
    """What cannot be understood, and where."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.error = RowError(line, reason)


class _Loader(yaml.BaseLoader):
    """Text, lists and mappings alone; no aliases, by which a small file grows without end."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            line = self.peek_event().start_mark.line + 1  # type: ignore[no-untyped-call]
            raise _Wrong(line, "an alias (*) is not taken; write the value out")
        return super().compose_node(parent, index)


class _Reader:
    """Collects the entries of a file and what is wrong with it."""

    def __init__(self, valid_from_ms: int) -> None:
        self.entries: dict[tuple[str, str, int], Entry] = {}
        self.errors: list[RowError] = []
        self._valid_from_ms = valid_from_ms

    def read(self, content: bytes) -> None:
        sections = dict(_pairs(_composed(content), "the file"))
        start = sections.pop(VALID_FROM, None)
        if start is not None:
            self._valid_from_ms = _moment_ms(start)
        for kind, section in sections.items():
            if kind not in KINDS:
                raise _Wrong(_line(section), f"{kind[:40]!r} is none of {', '.join(KINDS)}")
            if not isinstance(section, yaml.SequenceNode):
                raise _Wrong(_line(section), f"{kind}: a list of entries is wanted (- ...)")
            for node in section.value:
                try:
                    self._add(_line(node), self._entry(kind, node))
                except _Wrong as wrong:
                    self.errors.append(wrong.error)

    def _add(self, line: int, entry: Entry) -> None:
        key = (entry.kind, entry.code, entry.valid_from_ms)
        if key in self.entries:
            raise _Wrong(line, f"{entry.kind} {entry.code} stands twice for one time")
        if len(self.entries) == CATALOGUE_ENTRIES_MAX:
            raise _Wrong(line, f"more than {CATALOGUE_ENTRIES_MAX:,} entries")
        self.entries[key] = entry

    def _entry(self, kind: str, node: yaml.Node) -> Entry:
        """One entry of the file, its fields checked."""
        fields = dict(_pairs(node, kind))
        start = fields.pop(VALID_FROM, None)
        valid_from_ms = self._valid_from_ms if start is None else _moment_ms(start)
        plain = {name: _plain(field) for name, field in fields.items()}
        entry = checked_entry(kind, plain, valid_from_ms)
        if isinstance(entry, str):
            raise _Wrong(_line(node), entry)
        return entry


def plain_of_text(text: str) -> Any:
    """One field's value in YAML, as texts, lists and mappings; BadCatalogueFile where it is none.

    >>> plain_of_text("{GB: {domestic: 3000}, NO: {}}")
    {'GB': {'domestic': '3000'}, 'NO': {}}
    """
    try:
        return _plain(_composed(text.encode()))
    except _Wrong as wrong:
        return BadCatalogueFile(1, (wrong.error,))


def _composed(content: bytes) -> yaml.Node:
    """The file as nodes that know their lines."""
    if len(content) > CATALOGUE_FILE_BYTES_MAX:
        raise _Wrong(1, f"the file is larger than {CATALOGUE_FILE_BYTES_MAX:,} bytes")
    try:
        loader = _Loader(content.decode("utf-8-sig"))
        root = loader.get_single_node()
    except UnicodeDecodeError as error:
        raise _Wrong(content[: error.start].count(b"\n") + 1, "this is not UTF-8") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _Wrong(mark.line + 1 if mark else 1, f"this is no YAML: {error.problem}") from None
    except yaml.YAMLError as error:
        raise _Wrong(1, f"this is no YAML: {' '.join(str(error).split())}") from None
    except RecursionError:
        raise _Wrong(1, "lists and mappings stand too deep in each other") from None
    if root is None:
        raise _Wrong(1, "the file is empty")
    return root


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _pairs(node: yaml.Node, what: str) -> Iterator[tuple[str, yaml.Node]]:
    """The fields of a mapping; each name once."""
    if not isinstance(node, yaml.MappingNode):
        raise _Wrong(_line(node), f"{what}: fields with names are wanted (name: value)")
    seen = set()
    for name, field in node.value:
        if not isinstance(name, yaml.ScalarNode):
            raise _Wrong(_line(name), f"{what}: a field's name must be a text")
        if name.value in seen:
            raise _Wrong(_line(name), f"{what}: the field {name.value[:40]} stands twice")
        seen.add(name.value)
        yield name.value, field


def _plain(node: yaml.Node) -> Any:
    match node:
        case yaml.MappingNode():
            return {name: _plain(field) for name, field in _pairs(node, "a mapping")}
        case yaml.SequenceNode():
            return [_plain(each) for each in node.value]
    return node.value


def _moment_ms(node: yaml.Node) -> int:
    """A date or a moment; without a zone it is UTC."""
    text = node.value if isinstance(node, yaml.ScalarNode) else ""
    try:
        at = datetime.fromisoformat(text)
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
        at_ms = (at - EPOCH) // MILLISECOND
    except (ValueError, OverflowError):
        at_ms = -1
    if not 0 <= at_ms <= CATALOGUE_START_MS_MAX:
        reason = f"valid_from: {text[:40]!r} is no time: write 2026-01-31 or 2026-01-31T12:00:00Z"
        raise _Wrong(_line(node), reason)
    return at_ms


class _Date(str):
    """A day, written without quotes."""


class _Dumper(yaml.SafeDumper):
    """Indents the entries of a list below its name."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


_Dumper.add_representer(
    _Date, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:timestamp", text)
)


def catalogue_text(entries: Iterable[Entry]) -> str:
    """Entries as a file: what `read_catalogue_file` reads back unchanged.

    >>> from talktime.core.catalogue import Setting
    >>> print(catalogue_text([Entry("setting", "answer", 86_400_000, Setting("answer", "42"))]))
    valid_from: 1970-01-02
    setting:
      - {name: answer, value: '42'}
    <BLANKLINE>
    """
    return yaml.dump(
        catalogue_document(entries),
        Dumper=_Dumper,
        default_flow_style=None,
        sort_keys=False,
        allow_unicode=True,
        width=LINE_WIDTH,
    )


def catalogue_document(entries: Iterable[Entry]) -> dict[str, Any]:
    """The same as plain data; the earliest beginning stands once, for all that have it."""
    ordered = in_order(entries)
    default_ms = min((entry.valid_from_ms for entry in ordered), default=0)
    document: dict[str, Any] = {VALID_FROM: _moment_text(default_ms)}
    for entry in ordered:
        code_field = KINDS[entry.kind]._fields[0]
        fields: dict[str, Any] = {code_field: entry.code, WITHDRAWN: True}
        if entry.value is not None:
            fields = plain_of(entry.value)
        if entry.valid_from_ms != default_ms:
            start = {VALID_FROM: _moment_text(entry.valid_from_ms)}
            fields = {code_field: fields.pop(code_field)} | start | fields
        document.setdefault(entry.kind, []).append(fields)
    return document


def in_order(entries: Iterable[Entry]) -> list[Entry]:
    """Entries by kind, in the order of KINDS, then by code, figures by size, then by time."""

    def place(entry: Entry) -> tuple[int, int, str, int]:
        size = len(entry.code) if entry.kind == "number_tier" else 0
        return list(KINDS).index(entry.kind), size, entry.code, entry.valid_from_ms

    return sorted(entries, key=place)


def _moment_text(at_ms: int) -> str:
    at = EPOCH + at_ms * MILLISECOND
    if at_ms % 86_400_000 == 0:
        return _Date(at.date().isoformat())
    return (
        at.replace(tzinfo=None).isoformat(timespec="milliseconds" if at_ms % 1_000 else "seconds")
        + "Z"
    )
