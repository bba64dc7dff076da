"""`/api/v1/health`: whether the API can work."""

from importlib.metadata import version

from talktime.console.api.door import Asked, Resource
from talktime.console.api.shapes import Moment, Shown
from talktime.console.databases import current
from talktime.console.kept_connections import lent
from talktime.store.database import Outage
from talktime.store.revisions import revisions

health = Resource("Health", "Whether the API can work.", at_organisation=False)


class Health(Shown):
    """Whether the databases answer; `away` names cells that do not."""

    version: str
    time: Moment
    healthy: bool
    away: list[str]


@health.reads("/health", Health, by=())
def get_health(asked: Asked) -> dict[str, object]:
    """Whether the databases answer. Any key will do."""
    away = []
    for name, address in current().cells.items():
        try:
            with lent(address) as cell, cell.reading():
                revisions(cell)
        except Outage:
            away.append(name)
    # An organisation's own key learns nothing about others' cells.
    told = [] if asked.key.organisation_id is not None else away
    return {"version": version("talktime"), "time": asked.now_ms, "healthy": not away, "away": told}
