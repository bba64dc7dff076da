"""Read all that a batch of commands touches, under the locks of its wallets.

The lock comes first and the reads after it, each a statement of its own: on PostgreSQL a SELECT
that locks and reads in one statement can return what was true before it waited (architecture.md,
section 3).
"""

from collections.abc import Callable, Iterable, Sequence
from typing import cast, get_args

import msgspec

from talktime.core.books import Books, CallKey, Terms
from talktime.core.calls import EXPIRED, Call
from talktime.core.commands import (
    NOT_OF_A_SWITCH,
    WALLET_COMMANDS,
    Authorize,
    CallCommand,
    Command,
    EndCall,
    ExpireHold,
    Fund,
    Refund,
    SetLimits,
)
from talktime.core.ledger import Lot, Wallet
from talktime.core.meters import Meter
from talktime.core.outcomes import StoredAnswer
from talktime.core.payers import Payers
from talktime.core.rating import Rate
from talktime.store.database import Both, Connection, Keys, Params, Row, Statement
from talktime.store.kept import Kept, KeptBooks
from talktime.store.tables import CALL, LOT, METER, WALLET

_WALLET_COMMANDS = frozenset(get_args(WALLET_COMMANDS))
_NOT_OF_A_SWITCH = frozenset(get_args(NOT_OF_A_SWITCH))

VERSIONS = (
    "SELECT organisation_id, version FROM wallet "
    "WHERE organisation_id = ANY(?) ORDER BY organisation_id"
)
LOCK_WALLETS = f"{VERSIONS} FOR UPDATE"
WALLETS = f"SELECT {', '.join(WALLET.columns)} FROM wallet WHERE organisation_id = ANY(?)"
_decode_parts = msgspec.json.Decoder(list[tuple[int, int]]).decode
_LOT_COLUMNS = ", ".join(LOT.columns)
OPEN_LOTS = f"SELECT {_LOT_COLUMNS} FROM lot WHERE organisation_id = ANY(?) AND NOT spent"
LOTS_BY_ID = (
    f"SELECT {_LOT_COLUMNS} FROM lot WHERE organisation_id = ANY(?) AND id = ANY(?) AND spent"
)
LOTS_BY_KEY = (
    f"SELECT {_LOT_COLUMNS} FROM lot WHERE organisation_id = ANY(?) AND idempotency_key = ANY(?)"
)
_RATE, _PARTS, _PAYERS, _SWEEP = map(
    list(CALL.columns).index, ("rate", "parts", "payers", "sweep_ms")
)
_CALL_COLUMNS = ", ".join(f"c.{column}" for column in CALL.columns)
# Whoever's they are: a call_id that another organisation's call has is refused, not taken twice.
CALLS = Both(
    f"SELECT {_CALL_COLUMNS} FROM unnest(?::bigint[], ?::text[]) AS k(switch_id, call_key) "
    "JOIN call c ON c.switch_id = k.switch_id AND c.call_key = k.call_key",
    f"SELECT {_CALL_COLUMNS} FROM json_each(?) k CROSS JOIN call c "
    "ON c.switch_id = k.value ->> 0 AND c.call_key = k.value ->> 1",
)
OWNERS = Both(
    "SELECT c.switch_id, c.call_key, c.organisation_id "
    "FROM unnest(?::bigint[], ?::text[]) AS k(switch_id, call_key) "
    "JOIN call c ON c.switch_id = k.switch_id AND c.call_key = k.call_key",
    "SELECT c.switch_id, c.call_key, c.organisation_id FROM json_each(?) k "
    "CROSS JOIN call c ON c.switch_id = k.value ->> 0 AND c.call_key = k.value ->> 1",
)
_METER_COLUMNS = ", ".join(f"m.{column}" for column in METER.columns)
METERS = Both(
    f"SELECT {_METER_COLUMNS} FROM unnest(?::bigint[], ?::text[]) AS k(organisation_id, key) "
    "JOIN meter m ON m.organisation_id = k.organisation_id AND m.key = k.key",
    f"SELECT {_METER_COLUMNS} FROM json_each(?) k CROSS JOIN meter m "
    "ON m.organisation_id = k.value ->> 0 AND m.key = k.value ->> 1",
)
_ANSWER_COLUMNS = "a.call_id, a.organisation_id, a.sequence, a.body_hash, a.status, a.body"
ANSWERS = Both(
    f"SELECT {_ANSWER_COLUMNS} FROM unnest(?::bigint[], ?::bigint[], ?::integer[]) "
    "AS k(organisation_id, call_id, sequence) JOIN answer a ON a.call_id = k.call_id "
    "AND a.sequence = k.sequence AND a.organisation_id = k.organisation_id",
    f"SELECT {_ANSWER_COLUMNS} FROM json_each(?) k CROSS JOIN answer a "
    "ON a.call_id = k.value ->> 1 AND a.sequence = k.value ->> 2 "
    "AND a.organisation_id = k.value ->> 0",
)


def load(
    connection: Connection,
    commands: Sequence[Command],
    next_id: Callable[[], int],
    terms: Terms,
    *,
    lock: bool = True,
    kept: Kept | None = None,
) -> Books:
    """The books of a batch, its wallets locked in ascending organisation id (or, for a dry run,
    not).

    What is `kept` of them, and current, is not read again. A call command that does not say whose
    call it is gets its `organisation_id` set here.
    """
    _find_owners(connection, commands)
    books = Books(next_id, terms)
    organisation_ids = sorted(
        {c.organisation_id for c in commands if c.organisation_id is not None}
    )
    if not organisation_ids:
        return books
    known = kept.take(organisation_ids, connection.data_version()) if kept is not None else {}
    keys = _call_keys(commands, known, books)
    unknown_ids = [each for each in organisation_ids if each not in known]
    unsure_ids = [each for each in organisation_ids if each not in known or not known[each].sure]
    versions = [(LOCK_WALLETS if lock else VERSIONS, [unsure_ids])] if unsure_ids else []
    current = _read(connection, books, unknown_ids, keys, versions)
    changed_ids = _outdated(known, unsure_ids, current)
    for organisation_id, of_one in known.items():
        books.wallets[organisation_id] = of_one.wallet
    if changed_ids:
        keys = Keys(key for key, call in books.calls.items() if call.organisation_id in changed_ids)
        for key in keys:
            del books.calls[key]
        _read(connection, books, changed_ids, keys, [])
    _load_meters(connection, commands, known, books)
    _load_the_rare(connection, commands, books, organisation_ids)
    for wallet in books.wallets.values():
        if len(wallet.lots) > 1:
            wallet.lots.sort(key=Lot.order)
    return books


def _read(
    connection: Connection,
    books: Books,
    organisation_ids: list[int],
    keys: Keys,
    before: Sequence[tuple[Statement, Params]],
) -> list[Row]:
    """Read the wallets with their open lots, and the calls, into the books, in one round trip.
    Returns the rows of what is read before them."""
    asked = [*before]
    if organisation_ids:
        asked += [(WALLETS, [organisation_ids]), (OPEN_LOTS, [organisation_ids])]
    if keys:
        asked.append((CALLS, [keys]))
    read = iter(connection.rows_of_all(asked))
    first = [row for _ in before for row in next(read)]
    if organisation_ids:
        for row in next(read):
            books.wallets[row[0]] = Wallet(*row)
        for row in next(read):
            books.wallets[row[1]].lots.append(_lot(row))
    if keys:
        for row in next(read):
            call = call_of_row(row)
            books.calls[call.switch_id, call.call_key] = call
    return first


def _outdated(known: dict[int, KeptBooks], unsure_ids: list[int], versions: list[Row]) -> list[int]:
    """Forget what somebody else has written to since; returns whose it is."""
    now: dict[int, int] = dict(versions)
    outdated = [o for o in unsure_ids if o in known and now.get(o) != known[o].wallet.version]
    for organisation_id in outdated:
        del known[organisation_id]
    return outdated


def load_lot(connection: Connection, wallet: Wallet, lot_id: int) -> Lot:
    """The wallet's lot of this id, loaded beside its open ones where it is spent.

    Raises KeyError where there is none.
    """
    if not any(lot.id == lot_id for lot in wallet.lots):
        for row in connection.rows(LOTS_BY_ID, [[wallet.organisation_id], [lot_id]]):
            wallet.lots.append(_lot(row))
        wallet.lots.sort(key=Lot.order)
    return wallet.lot(lot_id)


def _call_keys(commands: Sequence[Command], known: dict[int, KeptBooks], books: Books) -> Keys:
    """The calls asked about: those that are known go into the books, the keys of the others are
    returned."""
    keys: dict[CallKey, None] = {}
    for command in commands:
        if type(command) in _WALLET_COMMANDS or command.organisation_id is None:
            continue
        of_a_call = cast(CallCommand | ExpireHold | EndCall | SetLimits, command)
        key = of_a_call.switch_id, of_a_call.call_key
        of_one = known.get(command.organisation_id)
        call = of_one.calls.get(key) if of_one is not None else None
        if call is None:
            keys[key] = None
        else:
            books.calls[key] = call
    return Keys(keys)


def _load_meters(
    connection: Connection,
    commands: Sequence[Command],
    known: dict[int, KeptBooks],
    books: Books,
) -> None:
    """The meters that the commands and the calls loaded move or look at."""
    wanted: dict[tuple[int, str], None] = {}
    for asker in (*commands, *books.calls.values()):
        if type(asker) is Authorize or type(asker) is Call:
            for key in asker.payers.meters:
                wanted[asker.organisation_id, key] = None
    keys = Keys()
    for organisation_id, key in wanted:
        of_one = known.get(organisation_id)
        meter = of_one.meters.get(key) if of_one is not None else None
        if meter is None:
            keys.append((organisation_id, key))
        else:
            books.meters[organisation_id, key] = meter
    if keys:
        for row in connection.rows(METERS, [keys]):
            books.meters[row[0], row[1]] = Meter(*row)


def _find_owners(connection: Connection, commands: Sequence[Command]) -> None:
    """Whose calls these are, where the command does not say. It never changes, so it is read
    before the lock."""
    lost: list[CallCommand | ExpireHold | EndCall | SetLimits] = [
        c
        for c in commands
        if c.organisation_id is None and not isinstance(c, WALLET_COMMANDS | Authorize)
    ]
    if lost:
        keys = Keys({(c.switch_id, c.call_key): None for c in lost})
        owners = {(row[0], row[1]): row[2] for row in connection.rows(OWNERS, [keys])}
        new = {
            (c.switch_id, c.call_key): c.organisation_id
            for c in commands
            if isinstance(c, Authorize)
        }
        for c in lost:
            key = (c.switch_id, c.call_key)
            c.organisation_id = owners.get(key) or new.get(key)


def _load_the_rare(
    connection: Connection, commands: Sequence[Command], books: Books, organisation_ids: list[int]
) -> None:
    """What few batches need: answers given before, lots that a late report may give back to, lots
    by funding key."""
    answers = Keys(dict.fromkeys(_answers_given(commands, books)))
    if answers:
        for row in connection.rows(ANSWERS, [answers]):
            call_id, organisation_id, sequence, body_hash, status, body = row
            books.answers[call_id, sequence] = StoredAnswer(
                call_id, organisation_id, sequence, body_hash, None, status, body
            )
    given_back = {(c.switch_id, c.call_key) for c in commands if type(c) is Refund}
    spent = [
        lot_id
        for key, call in books.calls.items()
        if call.state == EXPIRED or key in given_back
        for lot_id, _ in call.parts
    ]
    if spent:
        for row in connection.rows(LOTS_BY_ID, [organisation_ids, spent]):
            books.wallets[row[1]].lots.append(_lot(row))
    keys = [c.idempotency_key for c in commands if type(c) is Fund]
    if keys:
        for row in connection.rows(LOTS_BY_KEY, [organisation_ids, keys]):
            lot = _lot(row)
            books.lots_by_key[lot.organisation_id, lot.idempotency_key] = lot


def _answers_given(commands: Sequence[Command], books: Books) -> Iterable[tuple[int, int, int]]:
    for command in commands:
        if type(command) in _NOT_OF_A_SWITCH:
            continue
        asked = cast(CallCommand, command)
        call = books.calls.get((asked.switch_id, asked.call_key))
        if call is not None:
            if asked.sequence <= call.last_sequence:
                yield call.organisation_id, call.id, asked.sequence
            if call.settle_sequence is not None:
                yield call.organisation_id, call.id, call.settle_sequence


def _lot(row: Row) -> Lot:
    lot = Lot(*row[:-1])
    lot.promotional, lot.was_spent = bool(lot.promotional), bool(row[-1])
    return lot


def call_of_row(row: Row) -> Call:
    """A row of CALLS as the call it holds: the columns are the fields, in their order."""
    call = Call(*row[:_SWEEP])
    call.rate = Rate.parse(row[_RATE])
    call.parts = _decode_parts(row[_PARTS])
    call.payers = Payers.parse(row[_PAYERS])
    return call
