"""`.../pools` and `licensing`: included minutes, and what licences let users do."""

from typing import Annotated, Any

from ninja import Query
from pydantic import Field

from talktime.console.api.door import Asked, Resource
from talktime.console.api.shapes import Moment, Shown, listing
from talktime.core.keys import READ, USERS
from talktime.core.refusal import Refusal
from talktime.operations.licensing_table import licensing_table
from talktime.operations.minute_pools import pool_of, pools_asked
from talktime.store.catalogue import load_catalogues

SEES = (READ, USERS)
pools = Resource("Plans and pools", "Included minutes; which licences are needed for what.")
Answer = dict[str, Any]
Country = Annotated[
    str, Query(pattern="^[A-Z]{2}$", description="Without it, the organisation's country.")
]


PoolMonth = Annotated[
    str, Query(pattern=r"^\d{4}-\d\d$", description="Without it, this month: 2026-11.")
]


class Pool(Shown):
    """Included minutes of a month (UTC), shared by users. `area` is where these are, a country's
    code, of meetings' minutes `all`; `counter` is domestic, international or conference; of
    `total_seconds` what is not used is available, what running calls hold is not left. Where a
    plan's other counter is used up and ends these minutes too, `ended_by` is its pool, and nothing
    is left."""

    pool: str = Field(validation_alias="key")
    area: str
    licence: str
    description: str
    counter: str
    capability: str
    users: int = Field(validation_alias="members")
    total_seconds: int = Field(validation_alias="total_s")
    used_seconds: int = Field(validation_alias="used_s")
    held_seconds: int = Field(validation_alias="held_s")
    left_seconds: int = Field(validation_alias="left_s")
    warned_at: Moment | None = Field(validation_alias="warned_ms")
    used_up_at: Moment | None = Field(validation_alias="full_ms")
    ended_by: str | None


class Way(Shown):
    """One way to a feature: a licence of each choice; who pays then."""

    one_of_each: list[list[str]] = Field(validation_alias="choices")
    paid_by: str


class Feature(Shown):
    """What a user can be let do, and all ways to it."""

    feature: str
    ways: list[Way]


@pools.reads("/pools", listing("pools", Pool, paged=False), by=SEES)
def get_pools(asked: Asked, month: PoolMonth = "") -> Answer | Refusal:
    """This month's pools of included minutes, unused ones too.

    Of an earlier month, those that were used.
    """
    catalogue = asked.catalogue
    with asked.cell.reading():
        found = pools_asked(asked.cell, asked.owner, catalogue, month, asked.now_ms)
    if isinstance(found, Refusal):
        return found
    return {
        "pools": [
            {
                **pool._asdict(),
                "left_s": pool.left_s,
                "ended_by": pool.ended_by or None,
                **pool_of(pool, catalogue)._asdict(),
            }
            for pool in found
        ]
    }


@pools.reads("/licensing", listing("features", Feature, paged=False), by=SEES)
def get_licensing(asked: Asked, country: Country | None = None) -> Answer | Refusal:
    """Which licences let a user in a country do what, and who pays then."""
    with asked.control.reading():
        catalogues = load_catalogues(asked.control)
    found = licensing_table(catalogues, country or asked.owner.country, asked.now_ms)
    if isinstance(found, Refusal):
        return found
    return {"features": [{"feature": row.feature.name, "ways": row.ways} for row in found]}
