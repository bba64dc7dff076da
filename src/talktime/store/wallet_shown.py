"""A wallet and its till to look at: read without a lock, never written back."""

from collections.abc import Callable

from talktime.core.books import Terms
from talktime.core.commands import ExpireLots
from talktime.core.ledger import Wallet
from talktime.core.payments import Till
from talktime.store.database import Connection
from talktime.store.load import load
from talktime.store.payments import load_till

DEBT_OF = "SELECT debt_micros FROM wallet WHERE organisation_id = ?"


def wallet_shown(
    connection: Connection, organisation_id: int, next_id: Callable[[], int]
) -> Wallet | None:
    """The wallet with its lots as they stand."""
    books = load(connection, [ExpireLots(organisation_id)], next_id, Terms(), lock=False)
    return books.wallets.get(organisation_id)


def debt_of(connection: Connection, organisation_id: int) -> int:
    """What a wallet owes, in micros; nothing where there is none. The caller opens the reading, or
    the transaction."""
    rows = connection.rows(DEBT_OF, [organisation_id])
    return int(rows[0][0]) if rows else 0


def till_shown(connection: Connection, organisation_id: int, since_ms: int) -> Till:
    """The settings, methods and open payments as they stand."""
    return load_till(connection, organisation_id, since_ms)
