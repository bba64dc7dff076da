"""Publish rates in steps: a file is checked and kept, looked at against what is in force, then
published; or an earlier version's rows are published again. Rows in force are never edited.
"""

import base64
import csv
import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

from talktime.core.limits import (
    ACTOR_TEXT_MAX,
    CARD_NAME_TEXT_MAX,
    DRAFT_BYTES_MAX,
    DRAFT_ROWS_MAX,
    DRAFTS_MAX,
    SOURCE_TEXT_MAX,
)
from talktime.core.money import decimal_text
from talktime.core.rates import RateRow
from talktime.core.refusal import Refusal
from talktime.operations.audit import note
from talktime.operations.csv_rows import BadFile, RowError
from talktime.operations.csv_text import safe_text
from talktime.operations.import_rates import ImportReport, RateChange, each_change, import_rates
from talktime.operations.input_checks import check_currency, check_text, first
from talktime.operations.rate_file import OWN_COLUMNS, read_rate_file
from talktime.operations.render import utc_text
from talktime.store import rate_drafts as store
from talktime.store.database import Connection
from talktime.store.rate_drafts import RateDraft
from talktime.store.rates import (
    CardVersion,
    Published,
    lock_publishing,
    rows_of_version,
    version_of_id,
    versions_of,
)

GZIP_START = b"\x1f\x8b"


class Upload(NamedTuple):
    """A file that somebody wants to publish as a version of a card, from a moment on (None: from
    when it is published). `content` is CSV, or CSV compressed by gzip."""

    name: str
    currency: str
    source: str
    valid_from_ms: int | None
    content: bytes
    actor: str


class Compared(NamedTuple):
    """The changes of a draft or version against `replaces`, those that change nothing left out but
    counted."""

    replaces: CardVersion | None
    changes: tuple[RateChange, ...]
    unchanged: int


def keep_draft(
    control: Connection, upload: Upload, *, now_ms: int, next_id: Callable[[], int]
) -> RateDraft | BadFile | Refusal:
    """Check a file and keep it as a draft, in a transaction of its own; every bad row is named.

    Refuses: invalid_value for a name, currency or start that cannot be, and where DRAFTS_MAX are
    kept already.
    """
    refusal = first(
        check_text("the card's name", upload.name, CARD_NAME_TEXT_MAX),
        check_currency(upload.currency),
        check_text("the file's name", upload.source, SOURCE_TEXT_MAX),
        check_text("the actor", upload.actor, ACTOR_TEXT_MAX),
    )
    if refusal is not None:
        return refusal
    if upload.valid_from_ms is not None and upload.valid_from_ms < now_ms:
        return Refusal("invalid_value", "a version cannot begin in the past: calls were rated")
    content = _plain(upload.content)
    if isinstance(content, BadFile):
        return content
    rows = _rows(content, upload.valid_from_ms or now_ms)
    if isinstance(rows, BadFile):
        return rows
    draft = RateDraft(
        *(next_id(), upload.name, upload.currency, upload.source, upload.valid_from_ms),
        *(len(rows), now_ms, upload.actor),
    )
    with control.transaction():
        if len(store.drafts(control, DRAFTS_MAX)) == DRAFTS_MAX:
            detail = f"{DRAFTS_MAX} drafts are kept: publish or throw away one of them"
            return Refusal("invalid_value", detail)
        packed = base64.b64encode(zlib.compress(content)).decode()
        store.insert_draft(control, draft, packed)
        note(control, None, "rates.draft_kept", draft.name, after={"source": draft.source})
    return draft


def compare_draft(control: Connection, draft: RateDraft, now_ms: int) -> Compared:
    """What the draft changes against what would be in force at its start. Raises LookupError where
    it is gone."""
    start_ms = draft.valid_from_ms or now_ms
    with control.reading():
        rows = _rows_of_draft(control, draft, start_ms)
        return _compared(control, rows, draft.name, start_ms)


def compare_version(control: Connection, version: CardVersion, start_ms: int) -> Compared:
    """What it would change to publish a version's rows again from a start on."""
    with control.reading():
        rows = list(rows_of_version(control, version.id))
        return _compared(control, rows, version.name, start_ms)


def publish_draft(
    control: Connection,
    draft_id: int,
    *,
    versions: int,
    now_ms: int,
    next_id: Callable[[], int],
) -> ImportReport | Refusal | None:
    """Publish a draft whole, and throw it away; in a transaction of its own. None where its card
    has not as many versions any more as it was compared with.

    Refuses: not_found where it is gone: published or thrown away before; as `import_rates`
    does.
    """
    with control.transaction():
        draft = store.draft_of_id(control, draft_id, locked=True)
        if draft is None:
            return _gone(draft_id)
        if _count_versions(control, draft.name) != versions:
            return None
        start_ms = max(draft.valid_from_ms or now_ms, now_ms)
        report = import_rates(
            *(control, _rows_of_draft(control, draft, start_ms)),
            name=draft.name,
            currency=draft.currency,
            source=draft.source,
            valid_from_ms=start_ms,
            now_ms=now_ms,
            next_id=next_id,
        )
        if not isinstance(report, Refusal):
            store.delete_draft(control, draft_id)
    return report


def discard_draft(control: Connection, draft_id: int) -> None:
    """Throw a draft away; one that is gone stays gone. In a transaction of its own."""
    with control.transaction():
        draft = store.draft_of_id(control, draft_id, locked=True)
        if draft is not None:
            store.delete_draft(control, draft_id)
            note(
                control, None, "rates.draft_discarded", draft.name, before={"source": draft.source}
            )


def publish_again(
    control: Connection,
    card_id: int,
    *,
    versions: int,
    valid_from_ms: int,
    now_ms: int,
    next_id: Callable[[], int],
) -> ImportReport | Refusal | None:
    """Publish the rows of an earlier version as a new one, from a start on; in a transaction of its
    own. None where the card has not as many versions any more as it was compared with.

    Refuses: not_found; invalid_value for a start in the past; as `import_rates` does.
    """
    if valid_from_ms < now_ms:
        return Refusal("invalid_value", "a version cannot begin in the past: calls were rated")
    with control.transaction():
        found = version_of_id(control, card_id)
        if found is None:
            return _gone(card_id)
        version = found.version
        if _count_versions(control, version.name) != versions:
            return None
        return import_rates(
            *(control, list(rows_of_version(control, card_id))),
            name=version.name,
            currency=version.currency,
            source=f"as published from {utc_text(version.valid_from_ms)} on",
            valid_from_ms=valid_from_ms,
            now_ms=now_ms,
            next_id=next_id,
        )


def csv_of_version(control: Connection, found: Published) -> Iterator[str]:
    """A version as a file that can be published again: the header, then lines by the thousand."""
    version = found.version
    yield f"{','.join(OWN_COLUMNS)}\r\n"
    text = io.StringIO()
    writer = csv.writer(text)
    for row in rows_of_version(control, version.id):
        rate = row.rate
        own_start = row.valid_from_ms != version.valid_from_ms
        writer.writerow(
            (
                *(row.direction, rate.prefix, safe_text(rate.destination)),
                *(row.kind, row.country),
                *(decimal_text(rate.per_minute_micros), decimal_text(rate.fee_micros)),
                *(rate.first_increment_s, rate.next_increment_s),
                utc_text(row.valid_from_ms) if own_start else "",
            )
        )
        if text.tell() > 60_000:
            yield text.getvalue()
            text.seek(0)
            text.truncate()
    yield text.getvalue()


def _count_versions(control: Connection, name: str) -> int:
    """How many versions a card has, until this transaction ends."""
    lock_publishing(control)
    return len(versions_of(control, name))


def _compared(control: Connection, rows: list[RateRow], name: str, start_ms: int) -> Compared:
    before = [each for each in versions_of(control, name) if each.valid_from_ms < start_ms]
    replaces = before[-1] if before else None
    changes, unchanged = [], 0
    for change in each_change(control, rows, replaces, start_ms):
        if change.way == "unchanged":
            unchanged += 1
        else:
            changes.append(change)
    return Compared(replaces, tuple(changes), unchanged)


def _rows_of_draft(control: Connection, draft: RateDraft, start_ms: int) -> list[RateRow]:
    content = store.content_of(control, draft.id)
    if not content:
        raise LookupError(f"draft {draft.id} is gone")
    rows = _rows(zlib.decompress(base64.b64decode(content)), start_ms)
    if isinstance(rows, BadFile):
        raise ValueError(f"draft {draft.id} was kept with {rows.count} bad rows")
    return rows


def _rows(content: bytes, valid_from_ms: int) -> list[RateRow] | BadFile:
    return read_rate_file(
        content, valid_from_ms=valid_from_ms, rows_max=DRAFT_ROWS_MAX, bytes_max=DRAFT_BYTES_MAX
    )


def _plain(content: bytes) -> bytes | BadFile:
    """The file as it is, or unpacked; never more than is taken."""
    if not content.startswith(GZIP_START):
        return content
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as packed:
            return packed.read(DRAFT_BYTES_MAX + 1)
    except (OSError, EOFError, zlib.error) as error:
        return BadFile(1, (RowError(1, f"the file cannot be unpacked: {error}"),))


def _gone(number: int) -> Refusal:
    return Refusal("not_found", f"there is no draft or version {number}: published, or thrown away")
