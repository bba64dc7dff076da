"""An organisation's lots, open and used up: what was bought, what calls took, what is left."""

from typing import NamedTuple

from talktime.core.directory import Organisation
from talktime.core.documents import Document
from talktime.core.ids import ID_MAX
from talktime.core.limits import PAGE_ROWS_MAX
from talktime.store import wallet_lines as store
from talktime.store.database import Connection
from talktime.store.documents import invoice_of_lot_id
from talktime.store.wallet_hours import spent_of_lots
from talktime.store.wallet_lines import LotLine

OPEN, EXPIRED, USED, GONE = ("open", "expired", "used", "gone")


class LotView(NamedTuple):
    """A lot with what calls took of it, and the payment that bought it (None where none did)."""

    lot: LotLine
    used_micros: int
    payment_id: int | None

    @property
    def gone_micros(self) -> int:
        """What neither calls took nor is left: forfeited, given back, or taken to pay a debt."""
        return self.lot.amount_micros - self.lot.remaining_micros - self.used_micros

    def state(self, now_ms: int) -> str:
        """open while something is left to spend, or held by a call; expired where it is left but
        past its time; used where calls took all of it; else gone."""
        if self.lot.remaining_micros:
            held = self.lot.held_micros == self.lot.remaining_micros
            return OPEN if held or self.lot.expires_ms > now_ms else EXPIRED
        return GONE if self.gone_micros else USED


def list_lots(
    cell: Connection,
    organisation: Organisation,
    *,
    open_: bool = False,
    before: int | None = None,
    limit: int = PAGE_ROWS_MAX,
) -> list[LotView]:
    """An organisation's lots, the latest first, at most PAGE_ROWS_MAX; with `open_` those with
    something left. `before` is the id of the last one of the page before.

    The connection must not be in a transaction: all is read from one moment.
    """
    before_id = ID_MAX if before is None else before
    with cell.snapshot():
        lots = store.lots_before(
            cell, organisation.id, before_id, min(limit, PAGE_ROWS_MAX), open_=open_
        )
        return _viewed(cell, organisation.id, lots)


def find_lot(cell: Connection, organisation: Organisation, lot_id: int) -> LotView | None:
    """One lot; None where the organisation has none of this id. The connection must not be in a
    transaction."""
    with cell.snapshot():
        found = store.lots_of_ids(cell, organisation.id, [lot_id]).get(lot_id)
        return None if found is None else _viewed(cell, organisation.id, [found])[0]


def invoice_of(cell: Connection, organisation: Organisation, lot_id: int) -> Document | None:
    """The invoice of a lot."""
    with cell.reading():
        return invoice_of_lot_id(cell, organisation.id, lot_id)


def documents_of(cell: Connection, organisation: Organisation, payment_id: int) -> list[Document]:
    """The documents that name a payment, by number: its invoice, and credit notes."""
    with cell.reading():
        return store.documents_of_payment(cell, organisation.id, payment_id)


def _viewed(cell: Connection, organisation_id: int, lots: list[LotLine]) -> list[LotView]:
    ids = [lot.id for lot in lots]
    used = spent_of_lots(cell, organisation_id, ids) if ids else {}
    payments = store.payments_of_lots(cell, organisation_id, ids) if ids else {}
    return [LotView(lot, used.get(lot.id, 0), payments.get(lot.id)) for lot in lots]
