"""Documents of a cell, and to whom they are addressed.

The caller opens and commits the transaction, and has locked the organisation's wallet before it
inserts: wallet first, then the counter of numbers, so that two transactions never wait for each
other.
"""

from talktime.core.documents import Document, DocumentFacts, body_text, parsed_body
from talktime.store.database import Connection, Row
from talktime.store.revisions import DOCUMENTS, bump, lock

_COLUMNS = "id, organisation_id, number, issued_ms, body"
INSERT_DOCUMENT = (
    "INSERT INTO document (id, organisation_id, kind, number, issued_ms, currency, amount_micros, "
    "lot_id, payment_id, body) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
DOCUMENT_OF_ID = f"SELECT {_COLUMNS} FROM document WHERE organisation_id = ? AND id = ?"
DOCUMENT_OF_NUMBER = f"SELECT {_COLUMNS} FROM document WHERE organisation_id = ? AND number = ?"
ANY_DOCUMENT_OF_NUMBER = f"SELECT {_COLUMNS} FROM document WHERE number = ?"
INVOICE_OF_LOT = (
    f"SELECT {_COLUMNS} FROM document WHERE lot_id = ? AND kind = 'invoice' AND organisation_id = ?"
)
DOCUMENTS_BEFORE = (
    f"SELECT {_COLUMNS} FROM document WHERE organisation_id = ? AND number < ? "
    "ORDER BY number DESC LIMIT ?"
)
COUNTED = f"SELECT value FROM revision WHERE name = '{DOCUMENTS}'"
COUNT_ON = f"UPDATE revision SET value = ? WHERE name = '{DOCUMENTS}' AND value = ?"
INSERT_GAP = (
    "INSERT INTO document_gap (first_number, last_number, reason, actor, at_ms) "
    "VALUES (?, ?, ?, ?, ?)"
)
PROFILE = "SELECT legal_name, address, tax_id FROM billing_profile WHERE organisation_id = ?"
PUT_PROFILE = (
    "INSERT INTO billing_profile (organisation_id, legal_name, address, tax_id) "
    "VALUES (?, ?, ?, ?) ON CONFLICT (organisation_id) DO UPDATE SET "
    "legal_name = excluded.legal_name, address = excluded.address, tax_id = excluded.tax_id"
)


def insert_document(
    connection: Connection,
    document_id: int,
    organisation_id: int,
    facts: DocumentFacts,
    issued_ms: int,
) -> Document:
    """Add a document under the cell's next number."""
    number = bump(connection, DOCUMENTS)
    values = (
        *(document_id, organisation_id, facts.kind, number, issued_ms, facts.currency),
        *(facts.amount_micros, facts.lot.id if facts.lot else None, facts.payment_id),
        body_text(facts),
    )
    connection.run(INSERT_DOCUMENT, values)
    return Document(document_id, organisation_id, number, issued_ms, facts)


def document_of_id(
    connection: Connection, organisation_id: int, document_id: int
) -> Document | None:
    """An organisation's document of this id."""
    return _one(connection.rows(DOCUMENT_OF_ID, (organisation_id, document_id)))


def document_of_number(
    connection: Connection, organisation_id: int, number: int
) -> Document | None:
    """An organisation's document of this number; another's is not found."""
    return _one(connection.rows(DOCUMENT_OF_NUMBER, (organisation_id, number)))


def any_document_of_number(connection: Connection, number: int) -> Document | None:
    """The cell's document of this number, whosever it is: for the operator."""
    return _one(connection.rows(ANY_DOCUMENT_OF_NUMBER, (number,)))


def invoice_of_lot_id(connection: Connection, organisation_id: int, lot_id: int) -> Document | None:
    """The invoice of a lot."""
    return _one(connection.rows(INVOICE_OF_LOT, (lot_id, organisation_id)))


def documents_before(
    connection: Connection, organisation_id: int, number: int, limit: int
) -> list[Document]:
    """An organisation's documents with lower numbers than this, the newest first."""
    return documents_of_rows(connection.rows(DOCUMENTS_BEFORE, (organisation_id, number, limit)))


def last_number(connection: Connection) -> int:
    """The number that the cell's latest document has, or would have: 0 where there was none. Nobody
    else issues one until the transaction ends."""
    lock(connection, DOCUMENTS)
    return int(connection.rows(COUNTED)[0][0])


def skip_numbers(
    connection: Connection, first: int, last: int, reason: str, actor: str, at_ms: int
) -> None:
    """Give these numbers to no document; `first` is the next one. Raises RuntimeError where it is
    not."""
    connection.run(INSERT_GAP, (first, last, reason, actor, at_ms))
    if connection.run(COUNT_ON, (last, first - 1)) != 1:
        raise RuntimeError(f"{first} is not the next number")


def billing_profile(connection: Connection, organisation_id: int) -> tuple[str, str, str] | None:
    """Legal name, address and tax id, where they were set."""
    rows = connection.rows(PROFILE, (organisation_id,))
    return (rows[0][0], rows[0][1], rows[0][2]) if rows else None


def put_billing_profile(
    connection: Connection, organisation_id: int, legal_name: str, address: str, tax_id: str
) -> None:
    """Set the organisation's legal name, address and tax id."""
    connection.run(PUT_PROFILE, (organisation_id, legal_name, address, tax_id))


def documents_of_rows(rows: list[Row]) -> list[Document]:
    """Documents as their rows keep them: id, organisation_id, number, issued_ms, body."""
    return [_document(row) for row in rows]


def _one(rows: list[Row]) -> Document | None:
    return _document(rows[0]) if rows else None


def _document(row: Row) -> Document:
    return Document._make((*row[:4], parsed_body(row[4])))
