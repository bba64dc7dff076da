"""The catalogue as a YAML file: read whole or every bad entry named by line; written. No database.

docs/reference/catalogue.md describes the format. Every scalar is read as text and then taken for
what its field is, so that the country NO stays Norway.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import yaml

from talktime.core.catalogue import KINDS, Entry, Value
from talktime.core.limits import (
    CATALOGUE_ENTRIES_MAX,
    CATALOGUE_FILE_BYTES_MAX,
    ROW_ERRORS_SHOWN_MAX,
)
from talktime.operations.catalogue_checks import wrong_with
from talktime.operations.csv_rows import RowError
from talktime.store.catalogue_bodies import plain_of, value_of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
VALID_FROM, WITHDRAWN = "valid_from", "withdrawn"
LINE_WIDTH = 100
LAST_YEAR = 2200


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
        code_field = KINDS[kind]._fields[0]
        code = plain.get(code_field)
        if not isinstance(code, str):
            raise _Wrong(_line(node), f"{kind}: the field {code_field} is missing")
        told = f"{kind} {code[:40]}"
        value = None
        if plain.get(WITHDRAWN) != "true":
            value = _value(kind, plain, _line(node), told)
        elif len(plain) > 2:
            raise _Wrong(_line(node), f"{told}: a withdrawn entry has no other fields")
        entry = Entry(kind, code, valid_from_ms, value)
        wrong = wrong_with(entry)
        if wrong is not None:
            raise _Wrong(_line(node), f"{told}: {wrong}")
        return entry


def _value(kind: str, plain: dict[str, Any], line: int, told: str) -> Value:
    try:
        return value_of(kind, plain, strict=False)
    except msgspec.ValidationError as error:
        raise _Wrong(line, f"{told}: {error}") from None


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
    if at_ms < 0 or at.year > LAST_YEAR:
        reason = f"valid_from: {text[:40]!r} is no time: write 2026-01-31 or 2026-01-31T12:00:00Z"
        raise _Wrong(_line(node), reason)
    return at_ms


class _Moment(str):
    """A time, written without quotes."""


class _Dumper(yaml.SafeDumper):
    """Indents the entries of a list below its name."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


_Dumper.add_representer(
    _Moment, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:timestamp", text)
)


def catalogue_text(entries: Iterable[Entry]) -> str:
    """Entries as a file: by kind, code and time. What `read_catalogue_file` reads back unchanged.

    >>> from talktime.core.catalogue import Setting
    >>> print(catalogue_text([Entry("setting", "answer", 86_400_000, Setting("answer", "42"))]))
    valid_from: 1970-01-02
    setting:
      - {name: answer, value: '42'}
    <BLANKLINE>
    """
    in_order = sorted(entries, key=_place)
    if not in_order:
        return "{}\n"
    default_ms = min(entry.valid_from_ms for entry in in_order)
    document: dict[str, Any] = {VALID_FROM: _moment_text(default_ms)}
    for entry in in_order:
        fields = plain_of(entry.value) if entry.value is not None else _withdrawn(entry)
        if entry.valid_from_ms != default_ms:
            code_field, *others = fields
            fields = {
                code_field: fields[code_field],
                VALID_FROM: _moment_text(entry.valid_from_ms),
                **{name: fields[name] for name in others},
            }
        document.setdefault(entry.kind, []).append(fields)
    return yaml.dump(
        document,
        Dumper=_Dumper,
        default_flow_style=None,
        sort_keys=False,
        allow_unicode=True,
        width=LINE_WIDTH,
    )


def _place(entry: Entry) -> tuple[int, int, str, int]:
    """Kinds in their own order, codes in theirs: figures by size."""
    code = entry.code
    size = int(code) if entry.kind == "number_tier" else 0
    return list(KINDS).index(entry.kind), size, code, entry.valid_from_ms


def _withdrawn(entry: Entry) -> dict[str, Any]:
    code: str | int = int(entry.code) if entry.kind == "number_tier" else entry.code
    return {KINDS[entry.kind]._fields[0]: code, WITHDRAWN: True}


def _moment_text(at_ms: int) -> _Moment:
    at = EPOCH + at_ms * MILLISECOND
    if at_ms % 86_400_000 == 0:
        return _Moment(at.date().isoformat())
    return _Moment(at.isoformat(timespec="milliseconds" if at_ms % 1_000 else "seconds"))
