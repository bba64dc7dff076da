"""Usage records added up by day, so that a report need not read them.

The sums follow a cursor over the records' ids. An id is made within the transaction that commits
it, so records become visible a little out of order; the cursor stays behind all that can still
come: ten seconds (in which the clocks of several engines may differ), and as long as the oldest
transaction that is still writing. What is read is counted again under the lock, so that a record
that appeared in between stops the cursor. Should a clock have gone wrong by more, `check_books`
tells, and `talktime usage rebuild` makes the sums anew.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from talktime.core.catalogue import Catalogue
from talktime.core.directory import Organisation
from talktime.core.ids import COUNTER_BITS, EPOCH_MS, NODE_BITS
from talktime.core.limits import USAGE_SUM_BATCH_MAX
from talktime.core.usage_spans import month_span, scopes_of
from talktime.operations.calling_places import Places
from talktime.operations.sweep import Sweep, Swept
from talktime.store import usage_days as store
from talktime.store.catalogue import load_catalogues
from talktime.store.database import Connection
from talktime.store.organisations import organisation_of_id
from talktime.store.usage_days import (
    ALL_USERS,
    DAY_MS,
    NO_USER,
    NOTHING,
    SumKey,
    Sums,
    ToSum,
    UserKey,
)
from talktime.store.work_marks import USAGE_DAY, lock_mark, mark, oldest_writer_ms, put_mark

LAG_MS = 10_000


class _Read(NamedTuple):
    after_id: int
    records: list[ToSum]
    locations: Mapping[int, str]


def sum_usage(sweep: Sweep) -> Swept:
    """Add the newest usage records to the sums of their days.

    Works in pages, each its own transaction; counts the records. Raises Outage.
    """
    cell = sweep.connection
    with cell.reading():
        lag_ms = LAG_MS + oldest_writer_ms(cell)
    with cell.reading():
        read = _page(cell, max(sweep.clock_ms() - lag_ms - EPOCH_MS, 0))
    if not read.records:
        return Swept(0)
    if sweep.control is None:
        raise RuntimeError("usage is added up by a runner that knows the control plane")
    sums = added_up(read.records, _places_of(sweep.control(), read, sweep.clock_ms()))
    last_id = read.records[-1].id
    with cell.transaction():
        moved = lock_mark(cell, USAGE_DAY, sweep.clock_ms()) != read.after_id
        if moved or store.count_between(cell, read.after_id, last_id) != len(read.records):
            return Swept(0, more=not sweep.stopping())
        store.add_sums(cell, sums.items(), of_users(sums).items())
        put_mark(cell, USAGE_DAY, last_id, sweep.clock_ms())
    more = len(read.records) == USAGE_SUM_BATCH_MAX and not sweep.stopping()
    return Swept(len(read.records), more=more)


def forget_sums(cell: Connection, now_ms: int) -> None:
    """Take the sums away, so that `sum_usage` makes them anew from the first record on. Reports add
    up the records themselves meanwhile, as far as they can. Raises Outage."""
    with cell.transaction():
        lock_mark(cell, USAGE_DAY, now_ms)
        store.clear_sums(cell)
        put_mark(cell, USAGE_DAY, 0, now_ms)


def added_up(records: Iterable[ToSum], places_of: Callable[[int], Places]) -> dict[SumKey, Sums]:
    """The sums of records, each in its user's row and in that of all users."""
    sums: dict[SumKey, Sums] = {}
    for record in records:
        key = sum_key(record, places_of(record.organisation_id))
        each = sums_of(record)
        for row in (key, key._replace(user_id=ALL_USERS)):
            sums[row] = sums.get(row, NOTHING).plus(each)
    return sums


def of_users(sums: Mapping[SumKey, Sums]) -> dict[UserKey, Sums]:
    """What each user has of these sums, by day and by month."""
    found: dict[UserKey, Sums] = {}
    for key, each in sums.items():
        if key.user_id == ALL_USERS:
            continue
        for scope in scopes_of(key.type, key.context):
            for span in (key.day, month_span(key.day)):
                row = UserKey(key.organisation_id, scope, span, key.user_id)
                found[row] = found.get(row, NOTHING).plus(each)
    return found


def sum_key(record: ToSum, places: Places) -> SumKey:
    """In which of its user's rows a record is; its day is that of the call's start."""
    country = places.country(record.type, record.from_digits, record.to_digits)
    return SumKey(
        record.organisation_id,
        record.started_ms // DAY_MS,
        record.user_id or NO_USER,
        country,
        places.context(record.type, record.user_id, country),
        record.capability,
        record.type,
    )


def sums_of(record: ToSum) -> Sums:
    """What one record adds: a correction is a difference, and no call."""
    return Sums(1, int(record.kind == "call"), *record[9:])


def _page(cell: Connection, before_ms: int) -> _Read:
    after_id, _ = mark(cell, USAGE_DAY) or (0, 0)
    before_id = before_ms << (NODE_BITS + COUNTER_BITS)
    records = store.records_between(cell, after_id, before_id, USAGE_SUM_BATCH_MAX)
    users = {record.user_id for record in records if record.user_id is not None}
    return _Read(after_id, records, store.locations_of(cell, users) if users else {})


def _places_of(control: Connection, read: _Read, now_ms: int) -> Callable[[int], Places]:
    with control.reading():
        catalogue = load_catalogues(control).in_force(now_ms)
        owners = {record.organisation_id for record in read.records}
        found = {
            owner_id: Places(
                organisation_of_id(control, owner_id) or _unknown(owner_id),
                catalogue,
                read.locations,
            )
            for owner_id in owners
        }
    return found.__getitem__


def _unknown(organisation_id: int) -> Organisation:
    """The directory has lost it: its usage is added up all the same."""
    return Organisation(organisation_id, "", "", "", "", "", "prepaid", False, "")


def places_here(
    cell: Connection, owner: Organisation, catalogue: Catalogue, user_ids: Iterable[int]
) -> Places:
    """The map of one organisation, with the locations of these users."""
    return Places(owner, catalogue, store.locations_of(cell, user_ids))
