"""Usage records added up by day, so that a report need not read them.

The sums follow the records' ids (operations/what_to_sum.py). Where a record is to be counted is
found outside the transaction that counts it: what is read can change no more.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import structlog

from talktime.core.catalogue import Catalogue
from talktime.core.directory import Organisation
from talktime.core.limits import USAGE_SUM_BATCH_MAX
from talktime.core.payers import FREE_CALL
from talktime.core.usage_spans import month_span, scopes_of
from talktime.operations.calling_places import Places
from talktime.operations.sweep import Sweep, Swept
from talktime.operations.what_to_sum import move_mark, span_to_sum, tell_of_passed
from talktime.store import usage_days as store
from talktime.store.catalogue import load_catalogues
from talktime.store.database import Connection
from talktime.store.organisations import organisation_of_id
from talktime.store.unsummed import are_noted, passed_ids, remove
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
from talktime.store.work_marks import USAGE_DAY, lock_mark, mark, put_mark

log = structlog.get_logger(__name__)


class _Read(NamedTuple):
    records: list[ToSum]
    locations: Mapping[int, str]


def sum_usage(sweep: Sweep) -> Swept:
    """Add the newest usage records to the sums of their days.

    Works in pages, each its own transaction; counts the records. Raises Outage.
    """
    passed = _sum_passed(sweep)
    newer = _sum_newer(sweep)
    more = (passed.more or newer.more) and not sweep.stopping()
    return Swept(passed.rows + newer.rows, more=more)


def _sum_newer(sweep: Sweep) -> Swept:
    """Add a page of what comes after the sums."""
    cell, now_ms = sweep.connection, sweep.clock_ms()
    span = span_to_sum(cell, USAGE_DAY, now_ms)
    if span is None:
        return Swept(0)
    with cell.reading():
        read = _read(cell, store.records_between(cell, *span[:2], USAGE_SUM_BATCH_MAX))
    sums = _sums(sweep, read)
    full = len(read.records) == USAGE_SUM_BATCH_MAX
    last_id = read.records[-1].id if full else span.to_id
    with cell.transaction():
        if lock_mark(cell, USAGE_DAY, now_ms) != span.after_id:
            return Swept(0, more=True)
        store.add_sums(cell, sums.items(), of_users(sums).items())
        move_mark(cell, USAGE_DAY, span, last_id)
    _tell_of_unpriced(sweep, read.records)
    return Swept(len(read.records), more=full)


def _sum_passed(sweep: Sweep) -> Swept:
    """Add a page of what came behind the sums."""
    cell, now_ms = sweep.connection, sweep.clock_ms()
    with cell.reading():
        after_id, _ = mark(cell, USAGE_DAY) or (0, 0)
        ids = passed_ids(cell, USAGE_DAY, after_id, USAGE_SUM_BATCH_MAX)
        read = _read(cell, store.records_of_ids(cell, ids) if ids else [])
    if not ids:
        return Swept(0)
    sums = _sums(sweep, read)
    with cell.transaction():
        if lock_mark(cell, USAGE_DAY, now_ms) < after_id or not are_noted(cell, USAGE_DAY, ids):
            return Swept(0, more=True)
        store.add_sums(cell, sums.items(), of_users(sums).items())
        remove(cell, USAGE_DAY, ids)
        tell_of_passed(sweep, USAGE_DAY, len(ids))
    _tell_of_unpriced(sweep, read.records)
    return Swept(len(ids), more=len(ids) == USAGE_SUM_BATCH_MAX)


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
        places.context(record.type, record.user_id, country, record.to_digits),
        record.capability,
        record.type,
    )


def sums_of(record: ToSum) -> Sums:
    """What one record adds: a correction is a difference, and no call."""
    return Sums(1, int(record.kind == "call"), *record[9:])


def _tell_of_unpriced(sweep: Sweep, records: list[ToSum]) -> None:
    """Log whose calls were free because they could not be priced (D10), as they are counted; sums
    made anew tell of them again."""
    free = [each for each in records if each.capability == FREE_CALL]
    for owner_id, calls in Counter(each.organisation_id for each in free).items():
        usage_id = max(each.id for each in free if each.organisation_id == owner_id)
        whose = {"organisation_id": owner_id, "calls": calls, "usage_id": usage_id}
        log.warning("calls not priced", cell=sweep.cell, **whose)


def _read(cell: Connection, records: list[ToSum]) -> _Read:
    users = {record.user_id for record in records if record.user_id is not None}
    return _Read(records, store.locations_of(cell, users) if users else {})


def _sums(sweep: Sweep, read: _Read) -> dict[SumKey, Sums]:
    if not read.records:
        return {}
    if sweep.control is None:
        raise RuntimeError("usage is added up by a runner that knows the control plane")
    return added_up(read.records, _places_of(sweep.control(), read, sweep.clock_ms()))


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
