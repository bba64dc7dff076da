"""`talktime pools`: the included minutes of an organisation, who shares them and what is left."""

from typing import Annotated, Any

import typer

from talktime.cli.failures import unless_refused
from talktime.cli.installation import cell, control_plane, installation, organisation_of
from talktime.cli.output import Json, moment, show, table
from talktime.clock import now_ms
from talktime.operations.minute_pools import MinutePool, PoolOf, pool_of, pools_asked
from talktime.store.catalogue import load_catalogues

BAR_CELLS = 10


def pools_command(
    organisation: Annotated[str, typer.Argument(help="Its name.", metavar="ORGANISATION")],
    month: Annotated[str, typer.Option(help="Of an earlier month: 2026-11.")] = "",
    json: Json = False,
) -> None:
    """Show this month's pools of included minutes: total, used, held, left, and how many share; of
    an earlier month those that were used."""
    settings, at_ms = installation(), now_ms()
    with control_plane(settings) as control:
        owner = organisation_of(control, organisation)
        with control.reading():
            catalogue = load_catalogues(control).in_force(at_ms)
    with cell(settings, owner.cell) as connection, connection.reading():
        pools = unless_refused(pools_asked(connection, owner, catalogue, month, at_ms))
    whats = [pool_of(pool, catalogue) for pool in pools]
    documents = [document(pool, what) for pool, what in zip(pools, whats, strict=True)]
    rows = [
        (
            what.area,
            plan_of(pool, what),
            what.counter,
            what.capability,
            pool.members,
            minutes(pool.total_s),
            minutes(pool.used_s),
            minutes(pool.held_s),
            minutes(pool.left_s),
            ended_with(pool) if pool.ended_by else bar(pool.used_s, pool.total_s),
        )
        for pool, what in zip(pools, whats, strict=True)
    ]
    columns = (
        *("Area", "Plan", "Counter", "Capability", "Users", "Minutes", "Used", "Held", "Left"),
        "",
    )
    right = ("Users", "Minutes", "Used", "Held", "Left")
    empty = "No user has a licence with included minutes."
    if month:
        empty = f"No included minutes were used in {month}."
    show(
        json,
        {"organisation": owner.name, "pools": documents},
        table(columns, rows, title=f"Minute pools of {owner.name}", right=right, empty=empty),
    )


def document(pool: MinutePool, what: PoolOf) -> dict[str, Any]:
    """A pool for programs."""
    return {
        "pool": pool.key,
        **what._asdict(),
        "users": pool.members,
        "total_seconds": pool.total_s,
        "used_seconds": pool.used_s,
        "held_seconds": pool.held_s,
        "left_seconds": pool.left_s,
        "warned_at": moment(pool.warned_ms),
        "used_up_at": moment(pool.full_ms),
        "ended_by": pool.ended_by or None,
    }


def ended_with(pool: MinutePool) -> str:
    """What is said of minutes that the plan's other counter has ended (R42)."""
    return f"ended with the {pool.ended_by.split('/')[4]} minutes"


def plan_of(pool: MinutePool, what: PoolOf) -> str:
    """The plan's name; of one that is not pooled with the id of the user whose minutes they are.

    >>> pool = MinutePool("2027-01/minutes/P1/US/domestic/7", 1, 600, 0, 0, None, None)
    >>> plan_of(pool, PoolOf("US", "P1", "Plan one", "domestic", "P1"))
    'Plan one, user 7'
    """
    _month, _minutes, _plan, _area, _counter, *user = pool.key.split("/")
    return ", user ".join((what.description, *user))


def bar(used_s: int, total_s: int) -> str:
    """How much is used, to look at.

    >>> bar(300, 600), bar(0, 0)
    ('#####..... 50 %', '.......... 0 %')
    """
    percent = used_s * 100 // total_s if total_s else 0
    filled = min(percent * BAR_CELLS // 100, BAR_CELLS)
    return f"{'#' * filled}{'.' * (BAR_CELLS - filled)} {percent} %"


def minutes(seconds: int) -> str:
    """Seconds as minutes.

    >>> minutes(7_200), minutes(90), minutes(720_000)
    ('120', '1:30', '12,000')
    """
    whole, rest = divmod(seconds, 60)
    return f"{whole:,}:{rest:02}" if rest else f"{whole:,}"
