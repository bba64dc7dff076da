"""`talktime catalogue`: see what is sold and how the world is divided, and change it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from talktime.cli.catalogue_shown import (
    document,
    entry_panel,
    kind_tables,
    report_document,
    report_pictures,
)
from talktime.cli.failures import Failure, unless_refused
from talktime.cli.installation import control_plane, installation, new_ids
from talktime.cli.moments import moment_ms
from talktime.cli.output import Json, show
from talktime.clock import now_ms
from talktime.config import Settings
from talktime.core.catalogue import KINDS, Catalogues
from talktime.core.limits import CATALOGUE_FILE_BYTES_MAX
from talktime.operations.catalogue import Writing, import_entries, set_entry, withdraw_entry
from talktime.operations.catalogue_file import (
    BadCatalogueFile,
    catalogue_document,
    catalogue_text,
    read_catalogue_file,
)
from talktime.store.catalogue import load_catalogues
from talktime.store.database import Connection

group = typer.Typer(
    no_args_is_help=True,
    help="Licences, countries, special numbers, dial-out policies: what is sold, and where.",
)

At = Annotated[
    str, typer.Option(metavar="TIME", help="The moment at which it is looked at. Default: now.")
]
ValidFrom = Annotated[
    str,
    typer.Option(
        metavar="TIME",
        help="From when it holds: 2026-01-31 or 2026-01-31T12:00:00Z. Default: now.",
    ),
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Only tell what would change; write nothing.")
]
ChangePast = Annotated[
    bool,
    typer.Option("--change-past", help="Change what already holds, for calls of the past too."),
]
Kind = Annotated[str, typer.Argument(metavar="KIND", help=f"One of {', '.join(KINDS)}.")]
Code = Annotated[str, typer.Argument(metavar="CODE", help="Which one: MCOPSTN1, NO, 44843 ...")]


@group.command("show")
def show_command(
    kind: Annotated[
        str, typer.Argument(metavar="[KIND]", help=f"One of {', '.join(KINDS)}. Default: all.")
    ] = "",
    code: Annotated[str, typer.Argument(metavar="[CODE]", help="Show this one in full.")] = "",
    at: At = "",
    json: Json = False,
) -> None:
    """Show the catalogue as it is at a moment: all of it, one kind, or one entry in full."""
    if kind and kind not in KINDS:
        raise Failure(f"{kind!r} is no kind of entry; there are {', '.join(KINDS)}")
    catalogues, at_ms = loaded(), moment_ms(at) if at else now_ms()
    entries = [
        entry
        for entry in catalogues.entries_at(at_ms)
        if entry.kind == (kind or entry.kind) and entry.code == (code or entry.code)
    ]
    if code and not entries:
        raise Failure(f"there is no {kind} {code} at that time; `talktime catalogue show {kind}`")
    pictures = [entry_panel(entries[0])] if code else kind_tables(entries, kind)
    show(json, document(entries, at_ms), *pictures)


@group.command("export")
def export_command(at: At = "", json: Json = False) -> None:
    """Write the catalogue as YAML: every entry with its beginning, the past ones too.

    With --at, what is in force at that moment, as entries that begin then: edited and imported,
    they change the catalogue from that moment on. docs/reference/catalogue.md describes the file.
    """
    catalogues = loaded()
    entries = list(catalogues.entries)
    if at:
        at_ms = moment_ms(at)
        entries = [each._replace(valid_from_ms=at_ms) for each in catalogues.entries_at(at_ms)]
    if json:
        show(True, catalogue_document(entries))
    else:
        print(catalogue_text(entries), end="")


@group.command("import")
def import_command(
    file: Annotated[Path, typer.Argument(help="YAML of entries.", exists=True, dir_okay=False)],
    valid_from: ValidFrom = "",
    dry_run: DryRun = False,
    change_past: ChangePast = False,
    json: Json = False,
) -> None:
    """Put the entries of a file into the catalogue: all of them, or none.

    Entries and files may have beginnings of their own; --valid-from is for those without. Codes
    that the file does not name stay as they are. Every bad entry is named by line and reason.
    """
    settings = installation()
    how = Writing(now_ms(), new_ids().next, dry_run, change_past)
    entries = read_catalogue_file(content_of(file), valid_from_ms=start_of(valid_from, how))
    if isinstance(entries, BadCatalogueFile):
        raise bad_file(file, entries)
    with changing(settings) as control:
        report = unless_refused(import_entries(control, entries, how))
    show(json, report_document(report), *report_pictures(report))


@group.command("set")
def set_command(
    kind: Kind,
    code: Code,
    fields: Annotated[
        list[str],
        typer.Argument(
            metavar="FIELD=VALUE...",
            help="What changes: masked_digits=3, minutes.GB.domestic=3000, 'features=[phone]'. "
            "An empty value gives the default back.",
        ),
    ],
    valid_from: ValidFrom = "",
    dry_run: DryRun = False,
    change_past: ChangePast = False,
    json: Json = False,
) -> None:
    """Change some fields of one entry, or make it, from a moment on; its other fields stay."""
    values = dict(split(each) for each in fields)
    settings = installation()
    how = Writing(now_ms(), new_ids().next, dry_run, change_past)
    start_ms = start_of(valid_from, how)
    with changing(settings) as control:
        report = unless_refused(
            set_entry(control, kind, code, values, valid_from_ms=start_ms, how=how)
        )
    show(json, report_document(report), *report_pictures(report))


@group.command("withdraw")
def withdraw_command(
    kind: Kind,
    code: Code,
    valid_from: ValidFrom = "",
    dry_run: DryRun = False,
    change_past: ChangePast = False,
    json: Json = False,
) -> None:
    """Take an entry out of the catalogue from a moment on. What it was before stays known."""
    settings = installation()
    how = Writing(now_ms(), new_ids().next, dry_run, change_past)
    start_ms = start_of(valid_from, how)
    with changing(settings) as control:
        report = unless_refused(
            withdraw_entry(control, kind, code, valid_from_ms=start_ms, how=how)
        )
    show(json, report_document(report), *report_pictures(report))


def loaded() -> Catalogues:
    """The catalogue with all its entries."""
    with control_plane(installation()) as control, control.reading():
        return load_catalogues(control)


@contextmanager
def changing(settings: Settings) -> Iterator[Connection]:
    """The control plane in a transaction, committed at the end."""
    with control_plane(settings) as control, control.transaction():
        yield control


def start_of(valid_from: str, how: Writing) -> int:
    return moment_ms(valid_from) if valid_from else how.now_ms


def content_of(file: Path) -> bytes:
    if file.stat().st_size > CATALOGUE_FILE_BYTES_MAX:
        raise Failure(f"{file} is larger than {CATALOGUE_FILE_BYTES_MAX:,} bytes. Split it.")
    return file.read_bytes()


def bad_file(file: Path, bad: BadCatalogueFile) -> Failure:
    """Every bad entry by line and reason, as many as are kept."""
    details = [f"line {error.line}: {error.reason}" for error in bad.errors]
    if bad.count > len(details):
        details.append(f"... and {bad.count - len(details):,} more")
    places = "1 place is" if bad.count == 1 else f"{bad.count:,} places are"
    return Failure(f"{file}: {places} wrong; nothing was imported, nothing has changed", details)


def split(field: str) -> tuple[str, str]:
    """A field's name and its value.

    >>> split("name=Two = more than one")
    ('name', 'Two = more than one')
    """
    name, equals, value = field.partition("=")
    if not (name and equals):
        raise Failure(f"{field[:40]!r} is no FIELD=VALUE, such as masked_digits=3")
    return name, value
