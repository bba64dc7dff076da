"""What was told to whom: lists of notices with their deliveries, and sending one again by hand.

The caller opens and commits the cell's transaction.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable
from typing import NamedTuple

from talktime.core.deliveries import DUE, MAIL, WEBHOOK
from talktime.core.ids import ID_MAX
from talktime.core.limits import PAGE_ROWS_MAX, TEST_NOTICE_EVERY_MS
from talktime.core.notices import notice
from talktime.core.refusal import Refusal
from talktime.operations.audit import note
from talktime.operations.endpoints import ACTIVE, find_endpoint
from talktime.operations.notice_words import Place, Reader, Words, words
from talktime.operations.recipients import list_recipients
from talktime.store import deliveries as store
from talktime.store.database import Connection
from talktime.store.deliveries import Delivery
from talktime.store.notices import (
    Only,
    StoredNotice,
    insert_spread,
    latest_notices,
    notices_of_ids,
)

AGAIN = "to be sent again"
ANY = Only()


class Told(NamedTuple):
    """A notice, and what became of it at each address and endpoint."""

    id: int
    stored: StoredNotice
    deliveries: list[Delivery]


def list_told(
    cell: Connection,
    organisation_id: int,
    *,
    before: int = ID_MAX,
    limit: int = PAGE_ROWS_MAX,
    only: Only = ANY,
) -> list[Told]:
    """An organisation's notices, the newest first, at most PAGE_ROWS_MAX; `before` is the last id
    of the page before."""
    page = latest_notices(cell, organisation_id, before, min(limit, PAGE_ROWS_MAX), only)
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
    cell: Connection,
    organisation_id: int,
    endpoint_id: int,
    *,
    before: int = ID_MAX,
    limit: int = PAGE_ROWS_MAX,
    state: str = "",
) -> list[Delivery] | Refusal:
    """What was, or is to be, sent to an endpoint, the newest first, at most PAGE_ROWS_MAX; in a
    `state`, or in any.

    Refuses: unknown_endpoint.
    """
    endpoint = find_endpoint(cell, organisation_id, endpoint_id)
    if isinstance(endpoint, Refusal):
        return endpoint
    return store.deliveries_of_target(
        *(cell, organisation_id, WEBHOOK, str(endpoint_id)),
        *(before, min(limit, PAGE_ROWS_MAX), state),
    )


def redeliver_failed(
    cell: Connection, organisation_id: int, endpoint_id: int, *, since_ms: int, now_ms: int
) -> int | Refusal:
    """Let all that failed at an endpoint be sent again, of what happened since a moment; how many.

    Refuses: unknown_endpoint; invalid_value where it is disabled.
    """
    endpoint = find_endpoint(cell, organisation_id, endpoint_id)
    if isinstance(endpoint, Refusal):
        return endpoint
    if endpoint.state != ACTIVE:
        return Refusal("invalid_value", f"webhook endpoint {endpoint.id} is disabled")
    count = store.failed_again(cell, organisation_id, endpoint_id, since_ms, AGAIN, now_ms)
    after = {"since_ms": since_ms, "deliveries": count}
    note(cell, organisation_id, "deliveries.again", endpoint.url, after=after)
    return count


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
    delivery, stored = found
    if delivery.state == DUE:
        return delivery
    refusal = _not_told(cell, organisation_id, delivery.channel, delivery.target)
    if refusal is not None:
        return refusal
    store.deliver_again(cell, organisation_id, delivery.id, AGAIN, now_ms)
    after = {"notice": stored.notice.kind}
    note(cell, organisation_id, "delivery.again", told_to(cell, delivery), after=after)
    return delivery._replace(state=DUE, tries=0, detail=AGAIN, due_ms=now_ms)


def send_test(
    cell: Connection,
    organisation_id: int,
    channel: str,
    target: str,
    *,
    actor: str,
    now_ms: int,
    next_id: Callable[[], int],
) -> Delivery | Refusal:
    """Send a test to one recipient (`mail`) or endpoint (`webhook`, its id): a notice that says so,
    by the same way as all others.

    Refuses: unknown_recipient, unknown_endpoint; invalid_value where the endpoint is disabled, or
    a test was sent there within the last minute.
    """
    refusal = _not_told(cell, organisation_id, channel, target)
    if refusal is not None:
        return refusal
    turn = now_ms // TEST_NOTICE_EVERY_MS
    key = f"notice.test/{hashlib.sha256(target.encode()).hexdigest()[:40]}/{turn}"
    told = notice(organisation_id, "notice.test", key, now_ms, asked_by=actor)
    stored = StoredNotice(next_id(), told, now_ms)
    if not insert_spread(cell, stored):
        return Refusal("invalid_value", "a test was sent there within this minute already")
    delivery = Delivery(
        *(next_id(), organisation_id, stored.id, channel, target, DUE, 0, "", now_ms, None)
    )
    store.insert_deliveries(cell, [delivery])
    note(cell, organisation_id, "notice.tested", told_to(cell, delivery), always=True)
    return delivery


def _not_told(cell: Connection, owner: int, channel: str, target: str) -> Refusal | None:
    """Why nothing can be sent to a recipient or an endpoint."""
    if channel == MAIL:
        if target not in {each.email for each in list_recipients(cell, owner)}:
            return Refusal("unknown_recipient", f"{target} is no recipient any more")
        return None
    endpoint = find_endpoint(cell, owner, int(target))
    if isinstance(endpoint, Refusal):
        return endpoint
    if endpoint.state != ACTIVE:
        return Refusal("invalid_value", f"webhook endpoint {endpoint.id} is disabled")
    return None


def told_to(cell: Connection, delivery: Delivery) -> str:
    """To whom a delivery goes, for people: an e-mail address, or an endpoint's address."""
    if delivery.channel == MAIL:
        return delivery.target
    endpoint = find_endpoint(cell, delivery.organisation_id, int(delivery.target))
    return delivery.target if isinstance(endpoint, Refusal) else endpoint.url


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
