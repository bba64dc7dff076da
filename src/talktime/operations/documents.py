"""Issue documents, and find those that were."""

from collections.abc import Callable

from talktime.core.directory import Organisation
from talktime.core.documents import Document, DocumentFacts
from talktime.core.limits import PAGE_ROWS_MAX
from talktime.core.refusal import Refusal
from talktime.store import documents as store
from talktime.store.database import Connection

_AFTER_ALL_NUMBERS = 2**62


def issue(
    connection: Connection,
    organisation_id: int,
    facts: DocumentFacts,
    *,
    now_ms: int,
    next_id: Callable[[], int],
) -> Document:
    """Issue a document under the cell's next number, inside the caller's transaction, in which
    the organisation's wallet is locked already. Its facts are frozen.

    Raises ValueError where its lines do not add up to its amount: that is a fault of the program.
    """
    lines_micros = sum(line.amount_micros for line in facts.lines)
    if lines_micros != facts.amount_micros:
        detail = f"{lines_micros} micros in the lines of a document of {facts.amount_micros}"
        raise ValueError(detail)
    return store.insert_document(connection, next_id(), organisation_id, facts, now_ms)


def list_documents(
    cell: Connection,
    organisation: Organisation,
    *,
    before: int | None = None,
    limit: int = PAGE_ROWS_MAX,
) -> list[Document]:
    """An organisation's documents, the newest first, at most PAGE_ROWS_MAX; `before` is the last
    number of the page before."""
    number = _AFTER_ALL_NUMBERS if before is None else before
    return store.documents_before(cell, organisation.id, number, min(limit, PAGE_ROWS_MAX))


def find_document(cell: Connection, organisation_id: int, number: int) -> Document | Refusal:
    """The organisation's document of this number. Refuses: unknown_document, also for another
    organisation's."""
    found = store.document_of_number(cell, organisation_id, number)
    return _no_such(number) if found is None else found


def find_any_document(cell: Connection, number: int) -> Document | Refusal:
    """The cell's document of this number, whosever it is. Refuses: unknown_document."""
    found = store.any_document_of_number(cell, number)
    return _no_such(number) if found is None else found


def _no_such(number: int) -> Refusal:
    return Refusal("unknown_document", f"no document has the number {number}")
