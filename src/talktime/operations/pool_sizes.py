"""How large the pools of included minutes are, and who shares them, by counts of licences alone.

What was used of them stands in their meters (operations/minute_pools.py). No database: what a
change would make of the pools is asked with other counts.
"""

from collections import Counter
from collections.abc import Iterable
from typing import NamedTuple

from talktime.core.catalogue import Catalogue
from talktime.core.directory import Directory, Organisation, User
from talktime.core.included import Included, all_minutes
from talktime.core.meters import month_of
from talktime.store.user_search import HeldSet

_NOBODY_ID = 0


class PoolSize(NamedTuple):
    """One pool: the licence that brings it, its area and counter as in its meter's key, its key in
    the month, how many users share it, and its minutes. Where `each` has a pool of their own, the
    minutes are those of one user, and the key is no meter's."""

    licence: str
    area: str
    counter: str
    key: str
    users: int
    minutes: int
    each: bool


def pool_sizes(
    organisation: Organisation, catalogue: Catalogue, held: Iterable[HeldSet], now_ms: int
) -> list[PoolSize]:
    """The pools that users with these licences have this month, by key (R36, R37, R51)."""
    sets = [each for each in held if each.users > 0]
    directory = Directory()
    directory.apply([organisation])
    for each in sets:
        directory.count(organisation.id, each.usage_location, each.licences, each.users)
    users: Counter[str] = Counter()
    found: dict[str, Included] = {}
    for each in sets:
        for pool in _pools_of(directory, catalogue, organisation, each, month_of(now_ms)):
            users[pool.pool] += each.users
            found[pool.pool] = pool
    return [_size(found[key], users[key]) for key in sorted(found)]


def after_moves(
    held: Iterable[HeldSet], moves: Iterable[tuple[HeldSet | None, HeldSet]]
) -> list[HeldSet]:
    """The counts after users have moved from one set to another, or are new (from None).

    >>> plan, none = HeldSet("US", "person", True, frozenset("P"), 3), frozenset()
    >>> one = plan._replace(users=1)
    >>> [(sorted(x.licences), x.users) for x in after_moves([plan], [(one, one._replace(
    ...     licences=none))])]
    [(['P'], 2), ([], 1)]
    """
    counted: Counter[HeldSet] = Counter()
    for each in held:
        counted[each._replace(users=0)] += each.users
    for old, new in moves:
        if old is not None:
            counted[old._replace(users=0)] -= old.users
        counted[new._replace(users=0)] += new.users
    return [each._replace(users=users) for each, users in counted.items()]


def _pools_of(
    directory: Directory,
    catalogue: Catalogue,
    organisation: Organisation,
    held: HeldSet,
    month: str,
) -> list[Included]:
    user = User(
        *(_NOBODY_ID, organisation.id, "", "", held.usage_location, held.licences, held.kind, True),
    )
    return all_minutes(directory, catalogue, organisation, user, month)


def _size(pool: Included, users: int) -> PoolSize:
    _, _, licence, area, counter, *of_one = pool.pool.split("/")
    return PoolSize(licence, area, counter, pool.pool, users, pool.total_s // 60, bool(of_one))
