"""What calls have taken of an organisation's credits, day by day in its own time zone."""

from datetime import UTC, datetime, timedelta, tzinfo
from typing import NamedTuple

from talktime.core.directory import Organisation
from talktime.operations.wording import zone_named
from talktime.store.database import Connection
from talktime.store.wallet_hours import HOUR_MS, spent_by_hour

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class DaySpent(NamedTuple):
    """What was spent on a day: its first moment, its month (2026-11), micros; below zero where
    corrections gave back more."""

    first_ms: int
    month: str
    spent_micros: int


def spending_by_day(
    cell: Connection, organisation: Organisation, days: int, now_ms: int
) -> list[DaySpent]:
    """The last `days` days in the organisation's time zone, the last of them today. An hour counts
    for the day in which it begins. The connection must not be in a transaction."""
    zone = zone_named(organisation.time_zone)
    today = _day_of(now_ms, zone)
    firsts = [today - timedelta(days=back) for back in range(days - 1, -1, -1)]
    begin_ms = _moment_ms(firsts[0])
    spent_micros = {first.date(): 0 for first in firsts}
    with cell.snapshot():
        hours = spent_by_hour(cell, organisation.id, begin_ms)
    for hour, micros in hours:
        day = _day_of(hour * HOUR_MS, zone).date()
        if day in spent_micros:
            spent_micros[day] += micros
    return [
        DaySpent(_moment_ms(first), f"{first:%Y-%m}", spent_micros[first.date()])
        for first in firsts
    ]


def _day_of(at_ms: int, zone: tzinfo) -> datetime:
    local = (_EPOCH + timedelta(milliseconds=at_ms)).astimezone(zone)
    return local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)


def _moment_ms(local: datetime) -> int:
    return (local - _EPOCH) // timedelta(milliseconds=1)
