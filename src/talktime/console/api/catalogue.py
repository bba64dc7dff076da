"""`/api/v1/catalogue`: licences, countries, special numbers, policies; by the operator."""

from typing import Annotated, Any

from ninja import Path
from pydantic import Field

from talktime.console.api.door import Asked, Resource
from talktime.console.api.refusals import refuse
from talktime.console.api.shapes import Moment, Sent, SentMoment, Shown
from talktime.core.catalogue import KINDS
from talktime.core.keys import OPERATOR
from talktime.core.limits import CATALOGUE_CODE_TEXT_MAX, CATALOGUE_FILE_BYTES_MAX
from talktime.core.refusal import Refusal
from talktime.operations.catalogue import (
    CatalogueReport,
    Writing,
    import_entries,
    set_entry,
    withdraw_entry,
)
from talktime.operations.catalogue_file import (
    BadCatalogueFile,
    catalogue_document,
    read_catalogue_file,
)
from talktime.store.catalogue import load_catalogues

catalogue = Resource(
    "Catalogue", "Licences, countries, special numbers, policies.", at_organisation=False
)
Answer = dict[str, Any]
Kind = Annotated[str, Path(pattern=f"^({'|'.join(KINDS)})$", description="A kind of entry.")]
Code = Annotated[str, Path(max_length=CATALOGUE_CODE_TEXT_MAX, description="An entry's code.")]


class EntryChange(Shown):
    """An entry that changes; `fields` has (old, new) of each that does."""

    kind: str
    code: str
    valid_from: Moment
    way: str
    fields: dict[str, list[str | None]]


class CatalogueChanged(Shown):
    """What was written, or would be."""

    dry_run: bool
    changes: list[EntryChange]
    unchanged: int


class Catalogue(Shown):
    """All entries by kind, as the catalogue's file has them; those begin at `valid_from` that have
    no time of their own."""

    valid_from: str
    entries: dict[str, list[dict[str, Any]]]


class SentCatalogue(Sent):
    """A catalogue file, as docs/reference/catalogue.md describes it, as a text."""

    file: str = Field(min_length=1, max_length=CATALOGUE_FILE_BYTES_MAX, description="YAML.")
    valid_from: SentMoment | None = Field(None, description="Without it: from now on.")
    dry_run: bool = False
    change_past: bool = False


class SentEntry(Sent):
    """Fields of an entry; its others stay. One within another is named with a point."""

    fields: dict[str, str] = Field(min_length=1)
    valid_from: SentMoment | None = None
    dry_run: bool = False


class SentEnd(Sent):
    """From when on an entry is no more."""

    valid_from: SentMoment | None = None
    dry_run: bool = False


@catalogue.reads("/catalogue", Catalogue, by=(OPERATOR,))
def get_catalogue(asked: Asked) -> Answer:
    """Every entry of the catalogue, with those to come."""
    with asked.control.reading():
        entries = load_catalogues(asked.control).entries
    document = catalogue_document(entries)
    return {"valid_from": str(document.pop("valid_from")), "entries": document}


@catalogue.does(
    *("POST", "/catalogue", CatalogueChanged),
    by=(OPERATOR,),
    sent={"file": "country:\n  - {code: NO, zone_a: true}\n", "dry_run": True},
)
def post_catalogue(asked: Asked, sent: SentCatalogue) -> Any:
    """Put the entries of a file into the catalogue: all of them, or none.

    What has begun stays, unless `change_past` says otherwise.
    """
    start_ms = asked.now_ms if sent.valid_from is None else sent.valid_from
    content = sent.file.encode(errors="surrogatepass")
    entries = read_catalogue_file(content, valid_from_ms=start_ms)
    if isinstance(entries, BadCatalogueFile):
        errors = [{"index": line, "reason": reason} for line, reason in entries.errors]
        wrong = "1 entry is" if entries.count == 1 else f"{entries.count:,} entries are"
        refusal = Refusal("invalid_value", f"{wrong} wrong; nothing changed")
        return refuse(refusal, errors=errors, count=entries.count)
    how = Writing(asked.now_ms, asked.next_id, sent.dry_run, sent.change_past)
    with asked.control.transaction():
        return _shown(import_entries(asked.control, entries, how))


@catalogue.does(
    *("PATCH", "/catalogue/{kind}/{code}", CatalogueChanged),
    by=(OPERATOR,),
    sent={"fields": {"masked_digits": "3"}, "dry_run": True},
)
def patch_entry(asked: Asked, kind: Kind, code: Code, sent: SentEntry) -> Any:
    """Change some fields of an entry, or make it, from a moment on."""
    start_ms = asked.now_ms if sent.valid_from is None else sent.valid_from
    how = Writing(asked.now_ms, asked.next_id, sent.dry_run)
    with asked.control.transaction():
        done = set_entry(asked.control, kind, code, sent.fields, valid_from_ms=start_ms, how=how)
    return _shown(done)


@catalogue.does(
    *("POST", "/catalogue/{kind}/{code}/withdraw", CatalogueChanged),
    by=(OPERATOR,),
    sent={"valid_from": "2027-01-01T00:00:00Z", "dry_run": True},
)
def post_withdrawal(asked: Asked, kind: Kind, code: Code, sent: SentEnd) -> Any:
    """Take an entry out of the catalogue from a moment on."""
    start_ms = asked.now_ms if sent.valid_from is None else sent.valid_from
    how = Writing(asked.now_ms, asked.next_id, sent.dry_run)
    with asked.control.transaction():
        done = withdraw_entry(asked.control, kind, code, valid_from_ms=start_ms, how=how)
    return _shown(done)


def _shown(report: CatalogueReport | Refusal) -> Answer | Refusal:
    if isinstance(report, Refusal):
        return report
    return {
        "dry_run": report.dry_run,
        "changes": [
            {
                "kind": change.entry.kind,
                "code": change.entry.code,
                "valid_from": change.entry.valid_from_ms,
                "way": change.way,
                "fields": {each.field: [each.old, each.new] for each in change.fields()},
            }
            for change in report.changes
        ],
        "unchanged": report.unchanged,
    }
