"""What was told to whom: lists of notices with their deliveries, and sending one again by hand.

The caller opens and commits the cell's transaction.
"""

from collections import defaultdict
from typing import NamedTuple

from talktime.core.deliveries import DUE, MAIL
from talktime.core.limits import PAGE_ROWS_MAX
from talktime.core.refusal import Refusal
from talktime.operations.endpoints import ACTIVE, find_endpoint
from talktime.operations.notice_words import Place, Reader, Words, words
from talktime.operations.recipients import list_recipients
from talktime.store import deliveries as store
from talktime.store.database import Connection
from talktime.store.deliveries import Delivery
from talktime.store.notices import ID_MAX, StoredNotice, latest_notices, notices_of_ids

AGAIN = "to be sent again"


class Told(NamedTuple):
    """A notice, and what became of it at each address and endpoint."""

    id: int
    stored: StoredNotice
    deliveries: list[Delivery]


def list_told(
    cell: Connection, organisation_id: int, *, before: int = ID_MAX, limit: int = PAGE_ROWS_MAX
) -> list[Told]:
    """An organisation's notices, the newest first, at most PAGE_ROWS_MAX; `before` is the last id
    of the page before."""
    page = latest_notices(cell, organisation_id, before, min(limit, PAGE_ROWS_MAX))
    of_notice: dict[int, list[Delivery]] = defaultdict(list)
    ids = [each.id for each in page]
    for delivery in store.deliveries_of_notices(cell, organisation_id, ids):
        of_notice[delivery.outbox_id].append(delivery)
    return [Told(each.id, each, of_notice[each.id]) for each in page]


def find_delivery(
    cell: Connection, organisation_id: int, delivery_id: int
) -> tuple[Delivery, StoredNotice] | Refusal:
    """The delivery of this id, with its notice. Refuses: unknown_delivery."""
    found = store.delivery_of_id(cell, organisation_id, delivery_id)
    notices = notices_of_ids(cell, [organisation_id], [found.outbox_id]) if found else {}
    if found is None or found.outbox_id not in notices:
        return Refusal("unknown_delivery", f"there is no delivery {delivery_id}")
    return found, notices[found.outbox_id]


def deliveries_of_endpoint(
    cell: Connection, organisation_id: int, endpoint_id: int, *, before: int = ID_MAX
) -> list[Delivery] | Refusal:
    """What was, or is to be, sent to an endpoint, the newest first, at most PAGE_ROWS_MAX.

    Refuses: unknown_endpoint.
    """
    endpoint = find_endpoint(cell, organisation_id, endpoint_id)
    if isinstance(endpoint, Refusal):
        return endpoint
    return store.deliveries_of_target(
        cell, organisation_id, "webhook", str(endpoint_id), before, PAGE_ROWS_MAX
    )


def redeliver(
    cell: Connection, organisation_id: int, delivery_id: int, *, now_ms: int
) -> Delivery | Refusal:
    """Let a delivery be sent again, with the same ids, as soon as a job looks.

    One that is due already stays as it is. Refuses: unknown_delivery, unknown_endpoint,
    unknown_recipient; invalid_value where its endpoint is disabled.
    """
    found = find_delivery(cell, organisation_id, delivery_id)
    if isinstance(found, Refusal):
        return found
    delivery, _ = found
    if delivery.state == DUE:
        return delivery
    if delivery.channel == MAIL:
        if delivery.target not in {each.email for each in list_recipients(cell, organisation_id)}:
            return Refusal("unknown_recipient", f"{delivery.target} is no recipient any more")
    else:
        endpoint = find_endpoint(cell, organisation_id, int(delivery.target))
        if isinstance(endpoint, Refusal):
            return endpoint
        if endpoint.state != ACTIVE:
            return Refusal("invalid_value", f"webhook endpoint {endpoint.id} is disabled")
    store.deliver_again(cell, organisation_id, delivery.id, AGAIN, now_ms)
    return delivery._replace(state=DUE, tries=0, detail=AGAIN, due_ms=now_ms)


def mail_of(
    cell: Connection, delivery: Delivery, stored: StoredNotice, place: Place
) -> Words | Refusal:
    """The mail of a delivery as its reader gets it, in what is now their language.

    Refuses: unknown_recipient where there is no such reader any more, or it is no mail.
    """
    for person in list_recipients(cell, delivery.organisation_id):
        if person.email == delivery.target and delivery.channel == MAIL:
            reader = Reader(person.email, person.language, person.time_zone, person.roles)
            return words(stored.notice, reader, place)
    return Refusal("unknown_recipient", f"{delivery.target} is no recipient any more")
