"""What is kept of the books, held against the database."""

from talktime.core.books import Terms
from talktime.core.commands import ExpireHold, ExpireLots
from talktime.core.meters import Meter
from talktime.store.database import Connection
from talktime.store.kept import Kept
from talktime.store.load import load

METERS = (
    "SELECT organisation_id, key, used, held, total, warned_ms, full_ms FROM meter "
    "WHERE organisation_id = ?"
)


def differences(kept: Kept, connection: Connection) -> list[tuple[object, object]]:
    """Each thing that is kept and is not what a new connection would read, with that. Only what
    nobody else has written to since is compared."""
    found: list[tuple[object, object]] = []
    for organisation_id, books in kept.books.items():
        with connection.reading():
            read = load(
                connection,
                [
                    ExpireLots(organisation_id),
                    *(ExpireHold(*key, organisation_id) for key in books.calls),
                ],
                int,
                Terms(),
                lock=False,
            )
            meters = {row[1]: Meter(*row) for row in connection.rows(METERS, [organisation_id])}
        wallet = read.wallets[organisation_id]
        if wallet.version == books.wallet.version:
            pairs = [
                (books.wallet, wallet),
                *((call, read.calls.get(key)) for key, call in books.calls.items()),
                *((m, meters.get(k, Meter(organisation_id, k))) for k, m in books.meters.items()),
            ]
            found += [(ours, theirs) for ours, theirs in pairs if ours != theirs]
    return found
