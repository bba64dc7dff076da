"""Pools of included minutes as bars."""

from talktime.console.databases import current
from talktime.console.doors import Desk, Shown
from talktime.console.said import said
from talktime.console.usage.pools_page import ended_with
from talktime.console.users.words import area_name
from talktime.core.meters import minutes_prefix, month_of
from talktime.operations.minute_pools import MinutePool

SHOWN_MAX = 6


def pools_shown(desk: Desk, pools: list[MinutePool]) -> Shown:
    """The fullest pools of this month, and how many there are beside."""
    by_use = sorted(pools, key=lambda pool: (-percent_of(pool), not pool.ended_by, pool.key))
    return {
        "month": desk.wording.month(month_of(desk.now_ms)),
        "shown": [pool_shown(desk, pool) for pool in by_use[:SHOWN_MAX]],
        "more": max(len(pools) - SHOWN_MAX, 0),
    }


def pool_shown(desk: Desk, pool: MinutePool) -> Shown:
    """One pool: whose it is, and how much of it is used."""
    plan, area, counter = parts_of(pool.key, desk.now_ms)
    licence = desk.catalogue.licences.get(plan)
    percent = percent_of(pool)
    full, warned = pool.used_s >= pool.total_s, current().pool_warning_percent
    return {
        "name": said(licence.name) if licence else plan,
        "area": area_name(desk.wording.locale, area),
        "counter": counter,
        "members": pool.members,
        "used": desk.wording.decimal(pool.used_s // 60),
        "total": desk.wording.decimal(pool.total_s // 60),
        "left": desk.wording.decimal(pool.left_s // 60),
        "percent": percent,
        "ended": ended_with(pool) if pool.ended_by else "",
        "tone": "bad" if full or pool.ended_by else ("warn" if percent >= warned else ""),
    }


def percent_of(pool: MinutePool) -> int:
    """How much of a pool is used or held, in whole percent, up to 100."""
    taken_s = pool.used_s + pool.held_s
    return min(taken_s * 100 // pool.total_s, 100) if pool.total_s else 0


def parts_of(key: str, now_ms: int) -> tuple[str, str, str]:
    """The plan, the area and the counter of a pool's key.

    >>> parts_of("2026-11/minutes/MCOPSTN1/US/domestic", 1_795_428_000_000)
    ('MCOPSTN1', 'US', 'domestic')
    """
    rest = key.removeprefix(minutes_prefix(month_of(now_ms))).split("/")
    plan, area, counter = (*rest, "", "", "")[:3]
    return plan, area, counter
