"""Every movement of an organisation's wallet with the balance that it left, the latest first.

The balance after the latest movement is the wallet's own; from there on each earlier one is found
by taking the movement away. Where a page begins further back, the balance there is the sum of all
before it, of which whole hours are added up already (operations/sum_wallets.py): a page costs what
is on it, and an hour, however much came before and after.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from talktime.core.ledger import DEBT, SYSTEM_ACCOUNTS, Transfer
from talktime.core.limits import PAGE_ROWS_MAX
from talktime.operations.till import NoWallet
from talktime.store import wallet_lines as lines
from talktime.store.database import Connection
from talktime.store.reports import wallet_now
from talktime.store.wallet_hours import (
    HOUR_MS,
    Place,
    balance_before,
    hours_of_lot,
    transfers_before,
    transfers_of_lot_before,
)
from talktime.store.wallet_lines import CallLine, LotLine

LATEST = Place(2**62)
"""After all movements."""
_LAST_SYSTEM = max(SYSTEM_ACCOUNTS)


class Moved(NamedTuple):
    """One movement: what it did to the balance, and what that was then, in micros (None where a lot
    alone is looked at); of which lot, and for which call."""

    transfer: Transfer
    effect_micros: int
    balance_micros: int | None
    lot: LotLine | None
    call: CallLine | None


class Movements(NamedTuple):
    """A page of movements, and the place before which the next begins; None where none does."""

    moved: tuple[Moved, ...]
    balance_micros: int
    older: Place | None


def effect_micros(transfer: Transfer) -> int:
    """What a transfer did to the balance: lots and debt are inside of the wallet."""
    gained = _inside(transfer.credit_account) - _inside(transfer.debit_account)
    return gained * transfer.amount_micros


def list_transactions(
    cell: Connection,
    organisation_id: int,
    *,
    before: Place = LATEST,
    since_ms: int = 0,
    limit: int = PAGE_ROWS_MAX,
) -> Movements:
    """The movements before a place and not before `since_ms`, at most PAGE_ROWS_MAX, with the
    balance that all before that place had made. Raises NoWallet.

    The connection must not be in a transaction: all is read from one moment.
    """
    limit = min(limit, PAGE_ROWS_MAX)
    with cell.snapshot():
        if before == LATEST:
            wallet = wallet_now(cell, organisation_id)
            if wallet is None:
                raise NoWallet(f"organisation {organisation_id} has no wallet in its cell")
            balance_micros = wallet[1]
        else:
            balance_micros = balance_before(cell, organisation_id, before)
        found = transfers_before(cell, organisation_id, since_ms, before, limit + 1)
        page = found[:limit]
        told = _told(cell, organisation_id, page)
    moved, after_micros = [], balance_micros
    for each in told:
        moved.append(each._replace(balance_micros=after_micros))
        after_micros -= each.effect_micros
    return Movements(tuple(moved), balance_micros, _older(found, page))


def each_transaction(
    cell: Connection, organisation_id: int, *, before: Place = LATEST, since_ms: int = 0
) -> Iterator[tuple[Moved, ...]]:
    """All movements before a place and not before `since_ms`, page by page. Raises NoWallet."""
    place: Place | None = before
    while place is not None:
        page = list_transactions(cell, organisation_id, before=place, since_ms=since_ms)
        yield page.moved
        place = page.older


def list_lot_movements(
    cell: Connection,
    organisation_id: int,
    lot_id: int,
    *,
    before: Place = LATEST,
    limit: int = PAGE_ROWS_MAX,
) -> Movements:
    """What moved in one lot before a place, as `list_transactions`; without a balance. Looks into
    the hours alone in which the lot was used."""
    limit, found = min(limit, PAGE_ROWS_MAX), list[Transfer]()
    with cell.snapshot():
        at_ms = min(before.at_ms, LATEST.at_ms)
        # One more than there are movements: of the first, all may be after the place.
        hours = hours_of_lot(cell, organisation_id, lot_id, at_ms, limit + 2)
        for hour in hours:
            end = Place((hour + 1) * HOUR_MS)
            place = min(before, end)
            missing = limit + 1 - len(found)
            found += transfers_of_lot_before(
                cell, organisation_id, lot_id, hour * HOUR_MS, place, missing
            )
            if len(found) > limit:
                break
        page = found[:limit]
        told = _told(cell, organisation_id, page)
    return Movements(tuple(told), 0, _older(found, page))


def _told(cell: Connection, organisation_id: int, page: Sequence[Transfer]) -> list[Moved]:
    lot_ids = {account for t in page for account in (t.debit_account, t.credit_account)}
    known = sorted(account for account in lot_ids if account > _LAST_SYSTEM)
    usage_ids = sorted({t.usage_id for t in page if t.usage_id is not None})
    lots = lines.lots_of_ids(cell, organisation_id, known) if known else {}
    calls = lines.usage_of_ids(cell, organisation_id, usage_ids) if usage_ids else {}
    return [
        Moved(
            each,
            effect_micros(each),
            None,
            lots.get(each.debit_account) or lots.get(each.credit_account),
            calls.get(each.usage_id or 0),
        )
        for each in page
    ]


def _older(found: Sequence[Transfer], page: Sequence[Transfer]) -> Place | None:
    return Place(page[-1].at_ms, page[-1].id) if len(found) > len(page) else None


def _inside(account: int) -> int:
    return account == DEBT or account > _LAST_SYSTEM
