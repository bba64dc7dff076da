"""Raise what one person may give alone: one operator asks, another decides.

The caller opens and commits the control plane's transaction.
"""

from talktime.core.catalogue import Entry
from talktime.core.limits import PAGE_ROWS_MAX
from talktime.core.refusal import Refusal
from talktime.operations.audit import note
from talktime.operations.catalogue import CatalogueReport, Writing, import_entries
from talktime.operations.catalogue_file import (
    BadCatalogueFile,
    catalogue_text,
    read_catalogue_file,
)
from talktime.operations.four_eyes import why_not_decide
from talktime.store import four_eyes as store
from talktime.store.catalogue import CATALOGUE
from talktime.store.database import Connection
from talktime.store.four_eyes import LimitRequest
from talktime.store.revisions import lock


def ask_limit(
    control: Connection, entry: Entry, how: Writing, *, actor: str
) -> LimitRequest | Refusal:
    """Ask for a currency's entry that raises its limit. Refuses: as `import_entries`;
    invalid_value where it raises none."""
    report = import_entries(control, [entry], how._replace(dry_run=True))
    if isinstance(report, Refusal):
        return report
    if not report.raises:
        return Refusal("invalid_value", "nothing of it needs an approval")
    request = LimitRequest(
        *(how.next_id(), entry.code, entry.valid_from_ms, catalogue_text([entry])),
        *("asked", actor, how.now_ms),
    )
    store.insert_limit(control, request)
    _note(control, "limit.asked", request)
    return request


def approve_limit(
    control: Connection, request_id: int, how: Writing, *, actor: str
) -> CatalogueReport | Refusal:
    """Put the entry into the catalogue, from now on where its beginning has passed: another
    operator than who asked.

    Refuses: unknown_payment, approval_needed; payment_not_possible where it was decided; as
    `import_entries`.
    """
    request = _waiting(control, request_id, actor)
    if isinstance(request, Refusal):
        return request
    entries = read_catalogue_file(request.entry_text.encode(), valid_from_ms=how.now_ms)
    if isinstance(entries, BadCatalogueFile):
        return Refusal("invalid_value", entries.errors[0].reason)
    begun = [each._replace(valid_from_ms=max(each.valid_from_ms, how.now_ms)) for each in entries]
    report = import_entries(control, begun, how._replace(alone=False))
    if isinstance(report, CatalogueReport):
        decided = _decided(control, request, "approved", actor, how.now_ms)
        _note(control, "limit.approved", decided)
    return report


def reject_limit(
    control: Connection, request_id: int, how: Writing, *, actor: str
) -> LimitRequest | Refusal:
    """Leave the limit as it is. Refuses: unknown_payment, approval_needed, payment_not_possible."""
    request = _waiting(control, request_id, actor)
    if isinstance(request, Refusal):
        return request
    decided = _decided(control, request, "rejected", actor, how.now_ms)
    _note(control, "limit.rejected", decided)
    return decided


def list_limits(control: Connection) -> list[LimitRequest]:
    """The requests that wait, the oldest first, at most PAGE_ROWS_MAX."""
    return store.asked_limits(control, PAGE_ROWS_MAX)


def _waiting(control: Connection, request_id: int, actor: str) -> LimitRequest | Refusal:
    lock(control, CATALOGUE)
    request = store.limit_of_id(control, request_id)
    if request is None:
        return Refusal("unknown_payment", f"there is no request {request_id}")
    if request.state != "asked":
        return Refusal("payment_not_possible", f"{request.decided_by} has {request.state} it")
    return why_not_decide(control, request.asked_by, actor) or request


def _decided(
    control: Connection, request: LimitRequest, state: str, actor: str, now_ms: int
) -> LimitRequest:
    decided = request._replace(state=state, decided_by=actor, decided_ms=now_ms)
    store.decide_limit(control, decided)
    return decided


def _note(control: Connection, action: str, request: LimitRequest) -> None:
    after = {"entry": request.entry_text, "asked_by": request.asked_by}
    note(control, None, action, request.code, after=after)
