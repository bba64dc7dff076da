"""What an organisation pays with: cards, which a provider keeps, and agreements to pay invoices."""

from collections.abc import Callable

from talktime.core.directory import Organisation
from talktime.core.ids import ID_MAX
from talktime.core.limits import (
    ACTOR_TEXT_MAX,
    AGREEMENT_TEXT_MAX,
    PAGE_ROWS_MAX,
    PAYMENT_METHODS_MAX,
    PO_NUMBER_TEXT_MAX,
)
from talktime.core.payments import CANCELLED, CARD, INVOICE, REFUSED, PaymentMethod, PaymentTry
from talktime.core.refusal import Refusal
from talktime.operations.audit import note
from talktime.operations.input_checks import check_text, first
from talktime.operations.till import Counter, open_till
from talktime.store.database import Connection
from talktime.store.load import LOCK_WALLETS
from talktime.store.payments import (
    insert_method,
    method_of_id,
    methods_of,
    payments_before,
    set_method,
    tries_of,
)

FORGET_AGAIN_MS = 3_600_000
"""A provider that did not forget a card is asked again so long after."""


def add_invoice(
    cell: Connection,
    organisation: Organisation,
    *,
    agreement: str,
    po_number: str = "",
    actor: str,
    now_ms: int,
    next_id: Callable[[], int],
) -> PaymentMethod | Refusal:
    """As `agree`, in a transaction of its own. Refuses: invalid_value."""
    with cell.transaction():
        return agree(
            *(cell, organisation),
            agreement=agreement,
            po_number=po_number,
            actor=actor,
            now_ms=now_ms,
            next_id=next_id,
        )


def agree(
    cell: Connection,
    organisation: Organisation,
    *,
    agreement: str,
    po_number: str,
    actor: str,
    now_ms: int,
    next_id: Callable[[], int],
) -> PaymentMethod | Refusal:
    """Let the organisation pay by invoice, under an agreement, with a PO number or none (R10),
    inside the caller's transaction. It becomes the last of its methods. Refuses: invalid_value."""
    refusal = first(
        check_text("the agreement number", agreement, AGREEMENT_TEXT_MAX),
        check_text("the PO number", po_number, PO_NUMBER_TEXT_MAX) if po_number else None,
        check_text("the actor", actor, ACTOR_TEXT_MAX),
    )
    if refusal is not None:
        return refusal
    method = PaymentMethod(
        next_id(),
        organisation.id,
        INVOICE,
        "active",
        0,
        *("", "", "", "", ""),
        None,
        None,
        agreement,
        po_number,
        now_ms,
        actor,
    )
    added = add_method(cell, method)
    if not isinstance(added, Refusal):
        after = {"agreement": agreement, "po_number": po_number}
        note(cell, organisation.id, "payment_method.added", added.name, after=after)
    return added


def add_method(cell: Connection, method: PaymentMethod) -> PaymentMethod | Refusal:
    """Add a method after the others, inside the caller's transaction. Refuses: invalid_value for
    more than there may be."""
    cell.rows(LOCK_WALLETS, [[method.organisation_id]])
    known = methods_of(cell, method.organisation_id)
    if len(known) >= PAYMENT_METHODS_MAX:
        detail = f"there are {PAYMENT_METHODS_MAX} payment methods already: remove one first"
        return Refusal("invalid_value", detail)
    method.priority = max((each.priority for each in known), default=-1) + 1
    insert_method(cell, method)
    return method


def list_methods(cell: Connection, organisation: Organisation) -> list[PaymentMethod]:
    """The methods in the order in which they are tried: the first, then its backups."""
    with cell.reading():
        return methods_of(cell, organisation.id)


def declined_for_good(cell: Connection, organisation: Organisation) -> dict[int, PaymentTry]:
    """The last charge, by method, of each card that the bank declined for good when it was charged
    last, as far as the organisation's last PAGE_ROWS_MAX payments know."""
    with cell.reading():
        payments = payments_before(cell, organisation.id, ID_MAX, PAGE_ROWS_MAX)
        tries = tries_of(cell, organisation.id, [each.id for each in payments])
    closed = [each for each in tries if each.closed_ms is not None and each.state != CANCELLED]
    last = {each.method_id: each for each in sorted(closed, key=lambda each: each.id)}
    return {method_id: each for method_id, each in last.items() if each.state == REFUSED}


def remove_method(counter: Counter, method_id: int) -> PaymentMethod | Refusal:
    """Use a method no more. A charge that is on its way is finished; auto-recharge goes on with the
    next card; where there is none, it pauses (D3). A job then has the provider forget the card.

    Refuses: unknown_payment_method.
    """
    with open_till(counter) as collector:
        method = collector.till.method(method_id)
        if method is None:
            return _unknown(method_id)
        method.state = "removed"
        if method.kind == CARD:
            method.forget_ms = counter.now_ms
        set_method(counter.cell, method)
        collector.till.methods.remove(method)
        collector.card_removed(method)
        owner = counter.organisation.id
        note(counter.cell, owner, "payment_method.removed", method.name, always=True)
    return method


def note_forgotten(counter: Counter, method_id: int, forgotten: bool) -> None:
    """Write down that a removed card's provider has forgotten it, or is to be asked again later.
    Its own transaction."""
    with counter.cell.transaction():
        counter.cell.rows(LOCK_WALLETS, [[counter.organisation.id]])
        method = method_of_id(counter.cell, counter.organisation.id, method_id)
        if method is not None and method.forget_ms is not None:
            method.forget_ms = None if forgotten else counter.now_ms + FORGET_AGAIN_MS
            set_method(counter.cell, method)


def make_first(counter: Counter, method_id: int) -> list[PaymentMethod] | Refusal:
    """Try this method before all others; they keep their order. Refuses: unknown_payment_method."""
    with open_till(counter) as collector:
        methods = collector.till.methods
        chosen = collector.till.method(method_id)
        if chosen is None:
            return _unknown(method_id)
        before = {"first": methods[0].name}
        methods.sort(key=lambda method: method is not chosen)
        for priority, method in enumerate(methods):
            if method.priority != priority:
                method.priority = priority
                set_method(counter.cell, method)
        note(
            *(counter.cell, counter.organisation.id, "payment_method.first", chosen.name),
            before=before,
            after={"first": chosen.name},
            always=True,
        )
    return methods


def find_method(counter: Counter, method_id: int) -> PaymentMethod | Refusal:
    """One of the organisation's methods, a removed one too. Refuses: unknown_payment_method."""
    with counter.cell.reading():
        found = method_of_id(counter.cell, counter.organisation.id, method_id)
    return found or _unknown(method_id)


def _unknown(method_id: int) -> Refusal:
    return Refusal("unknown_payment_method", f"there is no payment method {method_id}")
