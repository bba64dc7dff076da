"""Take back credits that were entered by mistake: a lot that an operator funded, granted or
adjusted, wholly or in part. What a payment has bought is refunded (operations/refunds.py)."""

from typing import NamedTuple

from talktime.core.audit import Facts
from talktime.core.collecting import Collector
from talktime.core.commands import ExpireLots
from talktime.core.documents import credit_note, number_text
from talktime.core.ids import ID_MAX
from talktime.core.ledger import Lot, Wallet
from talktime.core.limits import (
    ACTOR_TEXT_MAX,
    IDEMPOTENCY_KEY_TEXT_MAX,
    REASON_TEXT_MAX,
)
from talktime.core.notices import notice
from talktime.core.refusal import Refusal
from talktime.core.taking_back import (
    TAKE_BACK,
    TakenBack,
    free_micros,
    take_back_lot,
    why_not,
    why_nothing,
)
from talktime.operations.audit import note
from talktime.operations.billing_profiles import buyer_of
from talktime.operations.documents import issue
from talktime.operations.execute import DEFAULT_TERMS
from talktime.operations.idempotency import request_hash
from talktime.operations.input_checks import check_text, first
from talktime.operations.till import Counter, NoWallet, counter_refusal, open_till
from talktime.store.documents import invoice_of_lot_id
from talktime.store.load import load, load_lot
from talktime.store.taken_back import (
    EnteredLot,
    gone_micros,
    insert_taken_back,
    lots_entered,
    taken_back_of_key,
    taken_back_of_lot,
)


class Took(NamedTuple):
    """What was taken back; `replayed` when the key had done it before."""

    taken: TakenBack
    replayed: bool


class Possible(NamedTuple):
    """A lot, what can be taken back of it without a debt, and with one, in micros."""

    lot: Lot
    free_micros: int
    left_micros: int


def take_back(
    counter: Counter,
    lot_id: int,
    amount_micros: int,
    *,
    reason: str,
    actor: str,
    idempotency_key: str,
    owe: bool = False,
) -> Took | Refusal:
    """Take back `amount_micros` of a lot that was entered by hand; opens its own transaction.

    It comes out of what is free of the lot. What is spent, or held by calls, becomes a debt where
    the operator says so (`owe`); without, it is refused. What was forfeited is not owed. The same
    key and request again is the same.

    Refuses: unknown_lot; lot_spent; payment_not_possible for what a payment bought;
    nothing_to_take_back; amount_out_of_bounds; invalid_value; idempotency_key_reused;
    unknown_organisation.
    """
    owner = counter.organisation.id
    body_hash = request_hash(TAKE_BACK, lot_id, amount_micros, reason, owe)
    refusal = first(
        check_text("the reason", reason, REASON_TEXT_MAX),
        check_text("the actor", actor, ACTOR_TEXT_MAX),
        check_text("the idempotency key", idempotency_key, IDEMPOTENCY_KEY_TEXT_MAX),
    )
    if refusal is not None:
        return refusal
    try:
        with open_till(counter) as collector:
            known = taken_back_of_key(counter.cell, owner, idempotency_key)
            if known is not None:
                return _again(known, body_hash)
            possible = _possible(counter, collector.wallet, lot_id)
            if isinstance(possible, Refusal):
                return possible
            lot, currency = possible.lot, counter.organisation.currency
            refusal = why_not(lot, amount_micros, possible.left_micros, currency, owe=owe)
            if refusal is not None:
                return refusal
            wanted = TakenBack(
                *(counter.next_id(), owner, lot_id, amount_micros, 0, 0),
                *(idempotency_key, body_hash, reason, actor, counter.now_ms),
            )
            taken = take_back_lot(collector, lot, wanted)
            _write(counter, collector, taken)
            return Took(taken, False)
    except NoWallet as error:
        return counter_refusal(error)


def what_can_be_taken_back(counter: Counter, lot_id: int) -> Possible | Refusal:
    """A lot that was entered by hand, and how much of it can be taken back now.

    Refuses: unknown_lot; payment_not_possible for what a payment bought; nothing_to_take_back;
    unknown_organisation.
    """
    cell, owner = counter.cell, counter.organisation.id
    with cell.reading():
        books = load(cell, [ExpireLots(owner)], counter.next_id, DEFAULT_TERMS, lock=False)
        wallet = books.wallets.get(owner)
        if wallet is None:
            return Refusal("unknown_organisation", f"organisation {owner} has no wallet")
        possible = _possible(counter, wallet, lot_id)
    if isinstance(possible, Refusal):
        return possible
    return why_nothing(possible.lot, possible.left_micros) or possible


def list_taken_back(counter: Counter, lot_id: int) -> list[TakenBack]:
    """All that was taken back of a lot, in its order."""
    with counter.cell.reading():
        return taken_back_of_lot(counter.cell, counter.organisation.id, lot_id)


def list_entered(counter: Counter, limit: int) -> list[EnteredLot]:
    """The organisation's lots that somebody entered by hand, the latest first."""
    with counter.cell.reading():
        return lots_entered(counter.cell, counter.organisation.id, limit)


def _possible(counter: Counter, wallet: Wallet, lot_id: int) -> Possible | Refusal:
    owner = counter.organisation.id
    unknown = Refusal("unknown_lot", f"the organisation has no lot {lot_id}")
    if not 0 < lot_id <= ID_MAX:  # no column could have it
        return unknown
    try:
        lot = load_lot(counter.cell, wallet, lot_id)
    except KeyError:
        return unknown
    left_micros = lot.amount_micros - gone_micros(counter.cell, owner, lot_id, lot.expires_ms)
    return Possible(lot, free_micros(lot, left_micros), left_micros)


def _again(known: TakenBack, body_hash: int) -> Took | Refusal:
    if known.body_hash == body_hash:
        return Took(known, True)
    detail = f"key {known.idempotency_key!r} has taken back something else before"
    return Refusal("idempotency_key_reused", detail)


def _write(counter: Counter, collector: Collector, taken: TakenBack) -> None:
    """Its row, its document, and what is told and kept of it."""
    insert_taken_back(counter.cell, taken)
    _credit(counter, taken)
    _say(counter, collector, taken)


def _credit(counter: Counter, taken: TakenBack) -> None:
    """The credit note of the lot's invoice; of nothing where nobody had to pay for it."""
    organisation = counter.organisation
    invoice = invoice_of_lot_id(counter.cell, organisation.id, taken.lot_id)
    if invoice is None:
        return
    facts = credit_note(
        invoice,
        TAKE_BACK,
        taken.amount_micros,
        organisation.currency,
        counter.seller,
        buyer_of(counter.cell, organisation),
        organisation.time_zone,
        invoice_number=number_text(organisation.cell, invoice.number),
        reason=taken.reason,
    )
    issue(*(counter.cell, organisation.id, facts), now_ms=counter.now_ms, next_id=counter.next_id)


def _say(counter: Counter, collector: Collector, taken: TakenBack) -> None:
    """Tell the organisation, as it was told that the credits came; keep who did it."""
    owner, currency = counter.organisation.id, counter.organisation.currency
    owed_micros = min(taken.debt_micros, collector.wallet.debt_micros)  # the rest is paid already
    told = notice(
        *(owner, "credits.taken_back", f"credits.taken_back/{taken.id}", taken.at_ms),
        lot_id=taken.lot_id,
        amount_micros=taken.amount_micros,
        voided_micros=taken.amount_micros - owed_micros,
        debt_micros=owed_micros,
        currency=currency,
        reason=taken.reason,
    )
    collector.books.tell(told)
    after: Facts = {
        "amount_micros": taken.amount_micros,
        "debt_micros": taken.debt_micros,
        "currency": currency,
        "reason": taken.reason,
    }
    note(counter.cell, owner, "credits.taken_back", str(taken.lot_id), after=after)
