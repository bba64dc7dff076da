"""Cards being added on pages of a provider's: our side of it."""

from dataclasses import dataclass
from operator import attrgetter

from talktime.store.database import Connection
from talktime.store.save import RowsMissing
from talktime.store.tables import Table

CARD_SETUP = Table(
    "card_setup",
    {
        "id": "bigint",
        "organisation_id": "bigint",
        "provider": "text",
        "state": "text",
        "return_url": "text",
        "url": "text",
        "customer_ref": "text",
        "setup_ref": "text",
        "priority": "smallint",
        "method_id": "bigint",
        "detail": "text",
        "tries": "smallint",
        "due_ms": "bigint",
        "created_ms": "bigint",
        "created_by": "text",
    },
)
_CHANGES = (
    *("state", "url", "customer_ref", "setup_ref", "method_id", "detail", "tries", "due_ms"),
)
INSERT = CARD_SETUP.insert()
UPDATE = CARD_SETUP.update(*_CHANGES)
_COLUMNS = ", ".join(CARD_SETUP.columns)
OF_ID = f"SELECT {_COLUMNS} FROM card_setup WHERE organisation_id = ? AND id = ?"
OPEN_SINCE = (
    "SELECT COUNT(*) FROM card_setup WHERE organisation_id = ? AND created_ms >= ? "
    "AND state IN ('started', 'waiting')"
)
DUE = (
    "SELECT organisation_id, id FROM card_setup WHERE due_ms <= ? AND due_ms IS NOT NULL "
    "AND +id > ? ORDER BY +id LIMIT ?"
)
# The customer that this organisation is at the provider, from its newest card there.
CUSTOMER_OF = (
    "SELECT customer_ref FROM payment_method WHERE organisation_id = ? AND provider = ? "
    "AND customer_ref <> '' ORDER BY id DESC LIMIT 1"
)
_row = attrgetter(*CARD_SETUP.columns)
_changed = attrgetter(*_CHANGES, "organisation_id", "id")


@dataclass(slots=True)
class CardSetup:
    """A card being added: started -> waiting (there is a page at `url`) -> done | failed. While
    one is open, a job does its next step at `due_ms`."""

    id: int
    organisation_id: int
    provider: str
    state: str
    return_url: str
    url: str
    customer_ref: str
    setup_ref: str
    priority: int
    method_id: int | None
    detail: str
    tries: int
    due_ms: int | None
    created_ms: int
    created_by: str


def insert_setup(cell: Connection, setup: CardSetup) -> None:
    """A new one."""
    cell.write_all([(INSERT, [_row(setup)])])


def update_setup(cell: Connection, setup: CardSetup) -> None:
    """Write what became of one. Raises RowsMissing where it is not there."""
    if cell.write_all([(UPDATE, [_changed(setup)])]) != [1]:
        raise RowsMissing(f"card set-up {setup.id} is not there")


def setup_of_id(cell: Connection, organisation_id: int, setup_id: int) -> CardSetup | None:
    """One of an organisation's."""
    rows = cell.rows(OF_ID, [organisation_id, setup_id])
    return CardSetup(*rows[0]) if rows else None


def open_setups(cell: Connection, organisation_id: int, since_ms: int) -> int:
    """How many were begun since then and are not over."""
    return int(cell.rows(OPEN_SINCE, [organisation_id, since_ms])[0][0])


def setups_due(
    cell: Connection, now_ms: int, after_id: int, rows_max: int
) -> list[tuple[int, int]]:
    """A page of those whose next step is due, as (organisation id, id), by id."""
    return [(row[0], row[1]) for row in cell.rows(DUE, [now_ms, after_id, rows_max])]


def customer_at(cell: Connection, organisation_id: int, provider: str) -> str:
    """The customer that an organisation is at a provider; '' where it is none yet."""
    rows = cell.rows(CUSTOMER_OF, [organisation_id, provider])
    return str(rows[0][0]) if rows else ""
