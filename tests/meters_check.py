"""A second opinion on a cell's meters, apart from operations/check_books: sums over all rows."""

from collections import defaultdict

import msgspec

from talktime.store.database import Connection

METERS = "SELECT organisation_id, key, used, held, total FROM meter"
CALLS = (
    "SELECT organisation_id, payers, user_id, held_micros, pool_s, post_micros FROM call "
    "WHERE state = 'open'"
)
RECORDS = (
    "SELECT organisation_id, type, user_id, month, pool, pool_s, charge_micros, post_micros "
    "FROM usage_record"
)

Sums = dict[tuple[int, str], int]


def meter_faults(connection: Connection) -> list[str]:
    """What is wrong with this cell's meters, in words; empty when nothing is. Nobody may write
    meanwhile."""
    with connection.reading():
        meters, calls, records = [
            connection.rows(select, []) for select in (METERS, CALLS, RECORDS)
        ]
    used: Sums = defaultdict(int)
    for organisation, kind, user, month, pool, pool_s, charge_micros, post_micros in records:
        if pool:
            used[organisation, pool] += pool_s
        elif pool_s:
            return [f"a record of {organisation} has {pool_s} s of no pool"]
        used[organisation, f"{month}/post_usage"] += post_micros
        if kind.endswith("_out") or kind.startswith("user_out"):
            used[organisation, f"{month}/spending/{user}"] += charge_micros
    held: Sums = defaultdict(int)
    for organisation, payers, _user, held_micros, pool_s, post_micros in calls:
        pool, _, spending, post_usage = msgspec.json.decode(payers)[:4] if payers else [""] * 4
        held[organisation, pool] += pool_s
        held[organisation, post_usage] += post_micros
        held[organisation, spending] += held_micros + post_micros
    return [
        *_differing("used", used, {row[:2]: row[2] for row in meters}),
        *_differing("held", held, {row[:2]: row[3] for row in meters}),
        *(
            f"meter {key} of {organisation}: {used_now} + {held_now} is more than {total}"
            for organisation, key, used_now, held_now, total in meters
            if total is not None and used_now + held_now > total
        ),
    ]


def _differing(what: str, sums: Sums, meters: Sums) -> list[str]:
    """Meters that are not their sums; nothing was used of one that is not there."""
    return [
        f"meter {key} of {organisation}: {meters.get((organisation, key), 0)} {what}, not {micros}"
        for organisation, key in sorted({*sums, *meters})
        if key
        for micros in [sums.get((organisation, key), 0)]
        if meters.get((organisation, key), 0) != micros
    ]
