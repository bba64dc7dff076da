"""Pools of included minutes in words: what brings them, where they are, how large they are."""

from collections.abc import Iterable

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy

from talktime.console.doors import Desk, Shown
from talktime.console.users.words import area_name, licence_name
from talktime.core.meters import CONFERENCE, DOMESTIC, INTERNATIONAL
from talktime.operations.pool_sizes import PoolSize
from talktime.operations.preview_users import PoolChange

COUNTERS: dict[str, Promise] = {
    DOMESTIC: gettext_lazy("within the country"),
    INTERNATIONAL: gettext_lazy("abroad"),
    CONFERENCE: gettext_lazy("dial-out from meetings to zone A"),
}


def pool_shown(desk: Desk, pool: PoolSize) -> Shown:
    """One pool."""
    return {
        "licence": licence_name(desk.catalogue, pool.licence),
        "area": area_name(desk.wording.locale, pool.area),
        "counter": COUNTERS.get(pool.counter, pool.counter),
        "users": pool.users,
        "minutes": desk.wording.decimal(pool.minutes),
        "each": pool.each,
    }


def pool_changes_shown(desk: Desk, changes: Iterable[PoolChange]) -> list[Shown]:
    """Pools whose size changes, before and after, in minutes."""
    shown = []
    for before, after in changes:
        pool = after or before
        assert pool is not None
        was, becomes = _minutes(before), _minutes(after)
        shown.append(
            {
                **pool_shown(desk, pool),
                "before": desk.wording.decimal(was),
                "after": desk.wording.decimal(becomes),
                "less": becomes < was,
            }
        )
    return shown


def _minutes(pool: PoolSize | None) -> int:
    """The minutes of all who share it; of a pool of each user's own, of all of them together."""
    if pool is None:
        return 0
    return pool.minutes * pool.users if pool.each else pool.minutes
