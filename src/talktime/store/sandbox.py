"""What the sandbox keeps, in the control plane: cards, charges, refunds, disputes.

The caller opens and commits the transaction. A card's row is the lock on its charges, a charge's
row the lock on its refunds and disputes.
"""

from typing import NamedTuple

from talktime.core.sandbox import NORMAL
from talktime.store.database import Connection

_CARD = (
    "id, setup_id, organisation_id, customer_ref, name, return_url, state, script, declines_left, "
    "last4, exp_year, exp_month, created_ms"
)
INSERT_CARD = (
    f"INSERT INTO sandbox_card ({_CARD}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (setup_id) DO NOTHING"
)
SET_CARD = (
    "UPDATE sandbox_card SET state = ?, script = ?, declines_left = ?, last4 = ? WHERE id = ?"
)
CARD_OF_ID = f"SELECT {_CARD} FROM sandbox_card WHERE id = ?"
LOCK_CARD = f"SELECT {_CARD} FROM sandbox_card WHERE id = ? FOR UPDATE"
CARD_OF_SETUP = f"SELECT {_CARD} FROM sandbox_card WHERE setup_id = ?"
CARDS_BEFORE = f"SELECT {_CARD} FROM sandbox_card WHERE id < ? ORDER BY id DESC LIMIT ?"

_CHARGE = (
    "id, try_id, organisation_id, card_id, amount_micros, currency, description, return_url, "
    "state, code, refunded_micros, created_ms"
)
INSERT_CHARGE = (
    f"INSERT INTO sandbox_charge ({_CHARGE}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
SET_CHARGE = "UPDATE sandbox_charge SET state = ?, code = ?, refunded_micros = ? WHERE id = ?"
CHARGE_OF_ID = f"SELECT {_CHARGE} FROM sandbox_charge WHERE id = ?"
LOCK_CHARGE = f"SELECT {_CHARGE} FROM sandbox_charge WHERE id = ? FOR UPDATE"
CHARGE_OF_TRY = f"SELECT {_CHARGE} FROM sandbox_charge WHERE try_id = ?"
CHARGES_BEFORE = f"SELECT {_CHARGE} FROM sandbox_charge WHERE id < ? ORDER BY id DESC LIMIT ?"
CHARGED = (
    "SELECT currency, SUM(amount_micros), SUM(refunded_micros) FROM sandbox_charge "
    "WHERE organisation_id = ? AND state = 'succeeded' GROUP BY currency"
)

_REFUND = "id, refund_id, charge_id, amount_micros, created_ms"
INSERT_REFUND = f"INSERT INTO sandbox_refund ({_REFUND}) VALUES (?, ?, ?, ?, ?)"
REFUND_OF_ID = f"SELECT {_REFUND} FROM sandbox_refund WHERE refund_id = ?"
REFUNDS_OF_CHARGE = f"SELECT {_REFUND} FROM sandbox_refund WHERE charge_id = ? ORDER BY id"

_DISPUTE = "id, charge_id, amount_micros, state, created_ms"
INSERT_DISPUTE = f"INSERT INTO sandbox_dispute ({_DISPUTE}) VALUES (?, ?, ?, ?, ?)"
SET_DISPUTE = "UPDATE sandbox_dispute SET state = ? WHERE id = ?"
LOCK_DISPUTE = f"SELECT {_DISPUTE} FROM sandbox_dispute WHERE id = ? FOR UPDATE"
DISPUTES_OF_CHARGE = f"SELECT {_DISPUTE} FROM sandbox_dispute WHERE charge_id = ? ORDER BY id"

SWITCHES = "SELECT webhooks, down FROM sandbox_switches WHERE name = 'sandbox'"
PUT_SWITCHES = (
    "INSERT INTO sandbox_switches (name, webhooks, down, changed_ms, changed_by) "
    "VALUES ('sandbox', ?, ?, ?, ?) ON CONFLICT (name) DO UPDATE SET "
    "webhooks = excluded.webhooks, down = excluded.down, changed_ms = excluded.changed_ms, "
    "changed_by = excluded.changed_by"
)


class SandboxCard(NamedTuple):
    """A card, or the page on which one is to be added."""

    id: int
    setup_id: int
    organisation_id: int
    customer_ref: str
    name: str
    return_url: str
    state: str
    script: str
    declines_left: int
    last4: str
    exp_year: int
    exp_month: int
    created_ms: int


class SandboxCharge(NamedTuple):
    """A charge, and what became of it; `code` says why it was declined."""

    id: int
    try_id: int
    organisation_id: int
    card_id: int
    amount_micros: int
    currency: str
    description: str
    return_url: str
    state: str
    code: str
    refunded_micros: int
    created_ms: int


class SandboxRefund(NamedTuple):
    """A refund; `refund_id` None: made at the sandbox's own console."""

    id: int
    refund_id: int | None
    charge_id: int
    amount_micros: int
    created_ms: int


class SandboxDispute(NamedTuple):
    """A dispute: open, won, lost."""

    id: int
    charge_id: int
    amount_micros: int
    state: str
    created_ms: int


class Switches(NamedTuple):
    """How the sandbox as a whole behaves."""

    webhooks: str
    down: bool


def insert_card(connection: Connection, card: SandboxCard) -> None:
    """A new card, unless its set-up has one."""
    connection.run(INSERT_CARD, card)


def update_card(connection: Connection, card: SandboxCard) -> None:
    """Write what of a card can change."""
    values = (card.state, card.script, card.declines_left, card.last4, card.id)
    connection.run(SET_CARD, values)


def card_of_id(connection: Connection, card_id: int, *, locked: bool = False) -> SandboxCard | None:
    """The card of this id; `locked` until the transaction ends."""
    rows = connection.rows(LOCK_CARD if locked else CARD_OF_ID, (card_id,))
    return SandboxCard(*rows[0]) if rows else None


def card_of_setup(connection: Connection, setup_id: int) -> SandboxCard | None:
    """The card of one of our set-ups."""
    rows = connection.rows(CARD_OF_SETUP, (setup_id,))
    return SandboxCard(*rows[0]) if rows else None


def cards_before(connection: Connection, before: int, limit: int) -> list[SandboxCard]:
    """Cards before this id, newest first."""
    return [SandboxCard(*row) for row in connection.rows(CARDS_BEFORE, (before, limit))]


def insert_charge(connection: Connection, charge: SandboxCharge) -> None:
    """A new charge. The caller holds its card's lock."""
    connection.run(INSERT_CHARGE, charge)


def update_charge(connection: Connection, charge: SandboxCharge) -> None:
    """Write what of a charge can change."""
    values = (charge.state, charge.code, charge.refunded_micros, charge.id)
    connection.run(SET_CHARGE, values)


def charge_of_id(
    connection: Connection, charge_id: int, *, locked: bool = False
) -> SandboxCharge | None:
    """The charge of this id; `locked` until the transaction ends."""
    rows = connection.rows(LOCK_CHARGE if locked else CHARGE_OF_ID, (charge_id,))
    return SandboxCharge(*rows[0]) if rows else None


def charge_of_try(connection: Connection, try_id: int) -> SandboxCharge | None:
    """The charge of one of our tries."""
    rows = connection.rows(CHARGE_OF_TRY, (try_id,))
    return SandboxCharge(*rows[0]) if rows else None


def charges_before(connection: Connection, before: int, limit: int) -> list[SandboxCharge]:
    """Charges before this id, newest first."""
    return [SandboxCharge(*row) for row in connection.rows(CHARGES_BEFORE, (before, limit))]


def charged_micros(connection: Connection, organisation_id: int) -> dict[str, tuple[int, int]]:
    """All that was charged and refunded of an organisation's, by currency."""
    rows = connection.rows(CHARGED, (organisation_id,))
    return {currency: (int(charged), int(refunded)) for currency, charged, refunded in rows}


def insert_refund(connection: Connection, refund: SandboxRefund) -> None:
    """A new refund. The caller holds its charge's lock."""
    connection.run(INSERT_REFUND, refund)


def refund_of_id(connection: Connection, refund_id: int) -> SandboxRefund | None:
    """The refund with this id of ours."""
    rows = connection.rows(REFUND_OF_ID, (refund_id,))
    return SandboxRefund(*rows[0]) if rows else None


def refunds_of_charge(connection: Connection, charge_id: int) -> list[SandboxRefund]:
    """A charge's refunds, oldest first."""
    return [SandboxRefund(*row) for row in connection.rows(REFUNDS_OF_CHARGE, (charge_id,))]


def insert_dispute(connection: Connection, dispute: SandboxDispute) -> None:
    """A new dispute. The caller holds its charge's lock."""
    connection.run(INSERT_DISPUTE, dispute)


def update_dispute(connection: Connection, dispute: SandboxDispute) -> None:
    """Write a dispute's state."""
    connection.run(SET_DISPUTE, (dispute.state, dispute.id))


def lock_dispute(connection: Connection, dispute_id: int) -> SandboxDispute | None:
    """The dispute of this id, locked until the transaction ends."""
    rows = connection.rows(LOCK_DISPUTE, (dispute_id,))
    return SandboxDispute(*rows[0]) if rows else None


def disputes_of_charge(connection: Connection, charge_id: int) -> list[SandboxDispute]:
    """A charge's disputes, oldest first."""
    return [SandboxDispute(*row) for row in connection.rows(DISPUTES_OF_CHARGE, (charge_id,))]


def switches(connection: Connection) -> Switches:
    """How the sandbox behaves now."""
    rows = connection.rows(SWITCHES)
    return Switches(rows[0][0], bool(rows[0][1])) if rows else Switches(NORMAL, False)


def put_switches(connection: Connection, new: Switches, now_ms: int, actor: str) -> None:
    """Write how the sandbox behaves from now on."""
    connection.run(PUT_SWITCHES, (*new, now_ms, actor))
