"""An organisation's pools of included minutes in a month: who shares them, what is left."""

import re
from collections import Counter
from typing import NamedTuple

from talktime.core.catalogue import Catalogue
from talktime.core.directory import Directory, Organisation, User
from talktime.core.included import Included, all_minutes
from talktime.core.meters import Meter, minutes_prefix, month_of
from talktime.core.refusal import Refusal
from talktime.operations.users import list_users
from talktime.store.database import Connection
from talktime.store.meters import meters_with_prefix

MONTH = re.compile(r"[0-9]{4}-(0[1-9]|1[0-2])")


class MinutePool(NamedTuple):
    """One pool: its meter, how many users share it, seconds in all, used and held by running
    calls, and since when (ms) it has been used to the warned per cent and whole. `ended_by` is the
    meter of the plan's other counter, where that is used up and ends these minutes too (R42, D12);
    else ''."""

    key: str
    members: int
    total_s: int
    used_s: int
    held_s: int
    warned_ms: int | None
    full_ms: int | None
    ended_by: str = ""

    @property
    def left_s(self) -> int:
        """Seconds that new calls can have."""
        return 0 if self.ended_by else max(self.total_s - self.used_s - self.held_s, 0)


class PoolOf(NamedTuple):
    """What a pool is of, as the report of minute pools has it (R82): where its minutes are (a
    country's code, of meetings' minutes `all`), the plan's code, name and capability, and the
    counter: domestic, international or conference."""

    area: str
    licence: str
    description: str
    counter: str
    capability: str


def pool_of(pool: MinutePool, catalogue: Catalogue) -> PoolOf:
    """What a pool is of; a plan that is not sold any more is named by its code.

    >>> pool = MinutePool("2027-01/minutes/GONE/US/domestic", 1, 600, 0, 0, None, None)
    >>> pool_of(pool, Catalogue([]))[1:]
    ('GONE', 'GONE', 'domestic', 'GONE')
    """
    _month, _minutes, plan, area, counter, *_user = pool.key.split("/")
    licence = catalogue.licences.get(plan)
    description = licence.name if licence else plan
    capability = licence.capability if licence and licence.capability else plan
    return PoolOf(area, plan, description, counter, capability)


def minute_pools(
    cell: Connection, organisation: Organisation, catalogue: Catalogue, now_ms: int
) -> list[MinutePool]:
    """The pools of this month by key, unused ones too, as large as licences make them now (R36,
    R48, R51); a plan that is not pooled has one for each user (R37).

    The caller's transaction or `reading` is open on the organisation's cell.
    """
    month = month_of(now_ms)
    users = _users(cell, organisation)
    directory = Directory()
    directory.apply([organisation], users=users)
    members: Counter[str] = Counter()
    found: dict[str, Included] = {}
    for user in users:
        for pool in all_minutes(directory, catalogue, organisation, user, month):
            members[pool.pool] += 1
            found[pool.pool] = pool
    meters = {m.key: m for m in meters_with_prefix(cell, organisation.id, minutes_prefix(month))}
    pools = []
    for key in sorted({*found, *meters}):
        meter, included = meters.get(key), found.get(key)
        used_s, held_s = (meter.used, meter.held) if meter else (0, 0)
        total_s = max(included.total_s if included else 0, used_s + held_s)
        crossings = (meter.warned_ms, meter.full_ms) if meter else (None, None)
        ended_by = _ended_by(included, meters) if included else ""
        pools.append(MinutePool(key, members[key], total_s, used_s, held_s, *crossings, ended_by))
    return pools


def pools_asked(
    cell: Connection, organisation: Organisation, catalogue: Catalogue, month: str, now_ms: int
) -> list[MinutePool] | Refusal:
    """The pools of a month (2026-11; '' for this one): of this month as `minute_pools` has them, of
    an earlier one as `pools_of_month` has. The caller reads in a transaction. Refuses:
    invalid_value for what is no month, or has not begun."""
    now = month_of(now_ms)
    if month and not MONTH.fullmatch(month):
        return Refusal("invalid_value", f"a month is written as {now}, not {month[:10]!r}")
    if month > now:
        return Refusal("invalid_value", f"{month} has not begun")
    if month in ("", now):
        return minute_pools(cell, organisation, catalogue, now_ms)
    return pools_of_month(cell, organisation.id, month)


def _ended_by(included: Included, meters: dict[str, Meter]) -> str:
    """The guard of a pool, where it is used up by its size of now (which is never below what is
    used and held); '' otherwise."""
    guard = meters.get(included.guard)
    if guard is None or guard.held or guard.used < included.guard_total_s:
        return ""
    return guard.key


def pools_of_month(cell: Connection, organisation_id: int, month: str) -> list[MinutePool]:
    """The pools of a month that is over (2026-10), as they were used; of those that nobody used
    nothing is kept. Nobody shares them any more. The caller reads in a transaction."""
    return [
        MinutePool(
            *(meter.key, 0, max(meter.total or 0, meter.used), meter.used, meter.held),
            *(meter.warned_ms, meter.full_ms),
        )
        for meter in meters_with_prefix(cell, organisation_id, minutes_prefix(month))
    ]


def _users(cell: Connection, organisation: Organisation) -> list[User]:
    users: list[User] = []
    while page := list_users(cell, organisation, after=users[-1].name if users else ""):
        users += page
    return users
