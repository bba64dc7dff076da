"""Give each new notice to those who are told: one delivery for each address and each endpoint."""

from collections import defaultdict
from collections.abc import Callable, Iterable

from talktime.core.deliveries import DUE, MAIL, WEBHOOK
from talktime.core.limits import SPREAD_BATCH_MAX
from talktime.core.notices import KINDS, ROLES
from talktime.operations.endpoints import takes
from talktime.operations.recipients import Person, people_of
from talktime.operations.sweep import Sweep, Swept
from talktime.store.database import Connection
from talktime.store.deliveries import Delivery, insert_deliveries
from talktime.store.notices import (
    StoredNotice,
    anything_to_spread,
    notices_to_spread,
    set_spread,
)
from talktime.store.recipients import Recipient, endpoints_of, recipients_of


def spread_notices(sweep: Sweep) -> Swept:
    """Spread every new notice of a cell; counts the notices.

    A person gets one mail, whatever roles they have (R25). Works in pages, each a transaction;
    several runners take different pages. Raises Outage.
    """
    spread = 0
    with sweep.connection.reading():
        if not anything_to_spread(sweep.connection):
            return Swept(0)
    while not sweep.stopping():
        with sweep.connection.transaction():
            page = notices_to_spread(sweep.connection, SPREAD_BATCH_MAX)
            if page:
                spread_page(sweep.connection, page, sweep.clock_ms(), sweep.next_id)
        spread += len(page)
        if len(page) < SPREAD_BATCH_MAX:
            break
    return Swept(spread)


def spread_page(
    cell: Connection, page: list[StoredNotice], now_ms: int, next_id: Callable[[], int]
) -> None:
    """Write the deliveries of these notices, due now, and that the notices are spread."""
    owners = {each.notice.organisation_id for each in page}
    people = people_by_owner(recipients_of(cell, owners))
    endpoints = endpoints_of(cell, owners)
    made = []
    for stored in page:
        owner, kind = stored.notice.organisation_id, stored.notice.kind
        targets = [(MAIL, each.email) for each in people[owner] if concerns(kind, each)]
        targets += [
            (WEBHOOK, str(each.id))
            for each in endpoints
            if each.organisation_id == owner and takes(each, kind)
        ]
        made += [new_delivery(next_id(), stored, *target, now_ms) for target in targets]
    insert_deliveries(cell, made)
    set_spread(cell, page, now_ms)


def people_by_owner(rows: Iterable[Recipient]) -> dict[int, list[Person]]:
    """The people of each organisation, of rows in order."""
    of_owner: dict[int, list[Recipient]] = defaultdict(list)
    for row in rows:
        of_owner[row.organisation_id].append(row)
    return defaultdict(list, {owner: people_of(each) for owner, each in of_owner.items()})


def concerns(kind: str, person: Person) -> bool:
    """Whether notices of this kind go to one of the person's roles; unknown kinds to all."""
    roles = KINDS[kind].roles if kind in KINDS else ROLES
    return bool(set(roles) & set(person.roles))


def new_delivery(
    id_: int, stored: StoredNotice, channel: str, target: str, now_ms: int
) -> Delivery:
    """A delivery that is due now."""
    owner = stored.notice.organisation_id
    return Delivery(id_, owner, stored.id, channel, target, DUE, 0, "", now_ms, None)
