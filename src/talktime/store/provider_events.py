"""What payment providers said that happened, in the cell whose payment or card it is about."""

from typing import NamedTuple

from talktime.core.charges import Event
from talktime.store.database import Connection

INSERT = (
    "INSERT INTO provider_event (id, organisation_id, provider, event_ref, kind, object_ref, "
    "payment_id, tries, detail, received_ms, due_ms) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, 0, '', ?, ?) ON CONFLICT (provider, event_ref) DO NOTHING"
)
# Whoever's they are: the provider names its charge, not our organisation.
TRY_OF_REF = (
    "SELECT organisation_id, payment_id, id FROM payment_try "
    "WHERE provider_ref = ? AND NOT (provider_ref = '') AND provider = ?"
)
TRY_OF_ID = "SELECT organisation_id, payment_id, id FROM payment_try WHERE id = ? AND provider = ?"
SETUP_OF_REF = "SELECT organisation_id, id, id FROM card_setup WHERE provider = ? AND setup_ref = ?"
HASTEN_PAYMENT = (
    "UPDATE payment SET due_ms = ? WHERE organisation_id = ? AND id = ? "
    "AND state IN ('unknown', 'confirming') AND due_ms > ?"
)
HASTEN_SETUP = (
    "UPDATE card_setup SET due_ms = ? WHERE organisation_id = ? AND id = ? AND state = 'waiting'"
)
DUE = (
    "SELECT id, organisation_id, provider, kind, object_ref, payment_id, tries "
    "FROM provider_event WHERE due_ms <= ? AND due_ms IS NOT NULL "
    "AND +id > ? ORDER BY +id LIMIT ?"
)
SET_EVENT = (
    "UPDATE provider_event SET tries = ?, detail = ?, due_ms = ? "
    "WHERE organisation_id = ? AND id = ?"
)
FORGET = "DELETE FROM provider_event WHERE due_ms IS NULL AND received_ms < ?"


class Owner(NamedTuple):
    """Whose an event is: an organisation's payment and the try of it, or (`setup_id`) its card."""

    organisation_id: int
    payment_id: int
    try_id: int
    setup_id: int = 0


class Heard(NamedTuple):
    """An event to be acted on; `object_ref` is the provider's charge."""

    id: int
    organisation_id: int
    provider: str
    kind: str
    object_ref: str
    payment_id: int
    tries: int


def owner_of(cell: Connection, provider: str, event: Event) -> Owner | None:
    """Whose an event is, where this cell knows."""
    tries = []
    if event.charge_ref:
        tries = cell.rows(TRY_OF_REF, [event.charge_ref, provider])
    if not tries and event.try_id is not None:
        tries = cell.rows(TRY_OF_ID, [event.try_id, provider])
    if tries:
        return Owner(*tries[0])
    if event.setup_ref:
        for row in cell.rows(SETUP_OF_REF, [provider, event.setup_ref]):
            return Owner(row[0], 0, 0, row[1])
    return None


def insert_event(
    cell: Connection, event_id: int, provider: str, event: Event, owner: Owner, received_ms: int
) -> bool:
    """Keep an event, to be acted on at once; False where it was kept before."""
    values = (
        *(event_id, owner.organisation_id, provider, event.ref, event.kind),
        *(event.charge_ref or event.setup_ref, owner.payment_id, received_ms),
        received_ms if owner.payment_id else None,
    )
    return cell.run(INSERT, values) == 1


def hasten(cell: Connection, owner: Owner, now_ms: int) -> None:
    """Have a payment whose outcome is not known, or a card that is awaited, asked about now."""
    if owner.payment_id:
        values = (now_ms, owner.organisation_id, owner.payment_id, now_ms)
        cell.run(HASTEN_PAYMENT, values)
    else:
        cell.run(HASTEN_SETUP, (now_ms, owner.organisation_id, owner.setup_id))


def events_due(cell: Connection, now_ms: int, after_id: int, rows_max: int) -> list[Heard]:
    """A page of events to be acted on, by id."""
    return [Heard(*row) for row in cell.rows(DUE, [now_ms, after_id, rows_max])]


def set_event(cell: Connection, heard: Heard, detail: str, due_ms: int | None) -> None:
    """Write what came of acting on an event; without `due_ms`, it is done."""
    cell.run(SET_EVENT, (heard.tries, detail, due_ms, heard.organisation_id, heard.id))


def try_of_charge(cell: Connection, provider: str, charge_ref: str) -> Owner | None:
    """The try whose charge this is."""
    rows = cell.rows(TRY_OF_REF, [charge_ref, provider])
    return Owner(*rows[0]) if rows else None


def forget_events(cell: Connection, before_ms: int) -> int:
    """Delete events that were acted on, and came before this; how many."""
    return cell.run(FORGET, [before_ms])
