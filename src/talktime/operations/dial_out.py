"""What meetings called: the calls out of conferences, by organizer (R83)."""

from typing import NamedTuple

from talktime.core.catalogue import Catalogue
from talktime.core.directory import Organisation
from talktime.operations.calling_places import Places
from talktime.operations.usage_report import Asked, Reader
from talktime.store.database import Connection
from talktime.store.usage_days import Sums
from talktime.store.usage_rows import Person, people_of


class OrganizerSum(NamedTuple):
    """What the meetings of one organizer called in one context (Domestic, International or ''), in
    one currency. `person` is None for one that is gone; charges include the fees."""

    user_id: int
    person: Person | None
    location: str
    context: str
    currency: str
    sums: Sums


def dial_out_report(
    cell: Connection,
    owner: Organisation,
    catalogue: Catalogue,
    from_day: int,
    to_day: int,
    location: str = "",
) -> list[OrganizerSum]:
    """The organizers' sums of UTC days (both included), the most expensive first; with a location,
    of users there alone. Reads one snapshot. Raises Outage."""
    with cell.snapshot():
        reader = Reader(cell, owner, catalogue)
        found = reader.by_organizer(Asked(from_day, to_day))
        people = people_of(cell, owner.id, {user_id for user_id, _ in found})
    places = Places(owner, catalogue, {p.id: p.usage_location for p in people.values()})
    rows = [
        OrganizerSum(
            *(user_id, people.get(user_id), places.location(user_id), context),
            *(owner.currency, sums),
        )
        for (user_id, context), sums in found.items()
    ]
    rows.sort(key=lambda row: (-row.sums.charge_micros, -row.sums.used_s, row.user_id, row.context))
    return [row for row in rows if location in ("", row.location)]
