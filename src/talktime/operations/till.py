"""One transaction on an organisation's payments: the wallet locked, the till loaded, something
decided, all of it saved with the documents and notices that come of it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

from talktime.core.collecting import Bought, Collector
from talktime.core.commands import ExpireLots
from talktime.core.directory import Organisation
from talktime.core.documents import Seller, number_text
from talktime.core.expiry import expires_ms
from talktime.core.figures import DEFAULT_FIGURES, Figures
from talktime.core.ledger import Wallet
from talktime.core.meters import month_of
from talktime.core.notices import notice
from talktime.core.recharging import DAY_MS, Bounds
from talktime.core.refusal import Refusal
from talktime.core.tending import tend
from talktime.operations.execute import DEFAULT_TERMS
from talktime.operations.invoices import UNNAMED, invoice_lot
from talktime.store.database import Connection
from talktime.store.load import load
from talktime.store.payments import load_till, save_till
from talktime.store.save import save

MOVING = "moving"
"""Why nothing can be bought while the commerce model is being changed."""
CLOSED = (MOVING, "draining", "post_usage")
"""The marks of the commerce model: nobody buys, the operator neither (D14). Set from the control
plane, taken away by operations/commerce_models.py alone."""


class Counter(NamedTuple):
    """Where an organisation pays: its cell, what it may buy at once, who sells, the time and the
    source of ids. `no_buying` is the code of why it can buy nothing; '' where it can. `figures`
    are the operator's."""

    cell: Connection
    organisation: Organisation
    bounds: Bounds
    now_ms: int
    next_id: Callable[[], int]
    seller: Seller = UNNAMED
    no_buying: str = ""
    figures: Figures = DEFAULT_FIGURES

    @property
    def lot_expires_ms(self) -> int:
        """When what is bought now expires (D5)."""
        return expires_ms(self.now_ms, self.organisation.time_zone, self.figures.lot_months)


class NoWallet(Exception):
    """The cell has no wallet for the organisation."""


@contextmanager
def open_till(counter: Counter, payment_ids: Sequence[int] = ()) -> Iterator[Collector]:
    """A transaction in which payments are decided; the `payment_ids` are loaded beside the open
    ones. At its end the wallet is tended: whatever happened, what is watched is right again (D2).

    Raises NoWallet, Outage.
    """
    cell, organisation, now_ms = counter.cell, counter.organisation, counter.now_ms
    with cell.transaction():
        books = load(cell, [ExpireLots(organisation.id)], counter.next_id, DEFAULT_TERMS)
        wallet = books.wallets.get(organisation.id)
        if wallet is None:
            raise NoWallet(f"organisation {organisation.id} has no wallet in its cell")
        till = load_till(cell, organisation.id, caps_since_ms(now_ms), payment_ids)
        collector = Collector(books, till, counter.lot_expires_ms, now_ms, counter.figures)
        _close_to_buying(wallet, counter.no_buying or None)
        yield collector
        tend(collector, counter.bounds)
        for bought in collector.bought:
            _invoice(counter, collector, bought)
        save(cell, books, now_ms)
        save_till(cell, till)


def counter_refusal(error: NoWallet) -> Refusal:
    """The refusal that says so to whoever asked."""
    return Refusal("unknown_organisation", str(error))


def caps_since_ms(now_ms: int) -> int:
    """Recharges since then count against the caps: of the last day, and of this month."""
    since_ms = now_ms - DAY_MS
    month = month_of(now_ms)
    while month_of(since_ms) == month:
        since_ms -= DAY_MS
    return since_ms


def _close_to_buying(wallet: Wallet, code: str | None) -> None:
    """Keep with the wallet why nothing can be bought. The marks of the commerce model stay: who
    comes with another may have read the control plane before it was changed, or while it was."""
    if wallet.no_buying not in (code, *CLOSED):
        wallet.no_buying, wallet.watch_changed = code, True


def _invoice(counter: Counter, collector: Collector, bought: Bought) -> None:
    payment, lot = bought.payment, bought.lot
    document = invoice_lot(
        counter.cell,
        counter.organisation,
        lot,
        seller=counter.seller,
        payment_id=payment.id,
        method=bought.method,
        po_number=payment.po_number,
        now_ms=counter.now_ms,
        next_id=counter.next_id,
    )
    facts: dict[str, str | int | None] = {
        "payment_id": payment.id,
        "amount_micros": payment.amount_micros,
        "currency": payment.currency,
        "balance_micros": collector.wallet.balance_micros,
        "expires_ms": lot.expires_ms,
        "document_number": number_text(counter.organisation.cell, document.number),
        "method": bought.method,
    }
    if payment.kind == "purchase":
        facts["po_number"] = payment.po_number or None
    kind = f"{payment.kind}.succeeded"
    told = notice(payment.organisation_id, kind, f"{kind}/{payment.id}", counter.now_ms, **facts)
    collector.books.tell(told)
