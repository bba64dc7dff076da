"""Take what is due to be sent, and write what came of it. What is between is no business of a
transaction: jobs/notices.py sends.

Late mail is not sent as if nothing had happened since: a notice that was overtaken is dropped, and
what is older than three days is named in one digest for each reader.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from talktime.core.deliveries import (
    CATCH_UP_MS,
    DIGEST_AFTER_MS,
    ENDPOINT_QUIET_MS,
    FAILED,
    LEASE_MS,
    MAIL,
    Later,
    Never,
    NotTried,
    Outcome,
    next_of,
)
from talktime.core.limits import (
    DELIVERIES_LOOKED_AT_MAX,
    DELIVERIES_OF_EACH_MAX,
    DELIVERIES_TAKEN_MAX,
    DIGEST_NOTICES_MAX,
)
from talktime.core.notices import Notice, notice
from talktime.core.overtaken import overtaken
from talktime.operations.deliveries import AGAIN
from talktime.operations.endpoints import ACTIVE, disable_endpoint
from talktime.operations.notice_words import DIGEST, Reader
from talktime.operations.recipients import Person
from talktime.operations.render import utc_text
from talktime.operations.spread_notices import concerns, new_delivery, people_by_owner
from talktime.store import deliveries as store
from talktime.store import notices as outbox
from talktime.store.database import Connection
from talktime.store.deliveries import Delivery
from talktime.store.notices import StoredNotice
from talktime.store.recipients import (
    Endpoint,
    endpoint_of_id,
    endpoints_of,
    lock_wallet,
    recipients_of,
)

IN_A_DIGEST = "more than three days late: named in a digest"


class MailTask(NamedTuple):
    """Mail to be sent. `old`: it is to be named in a digest instead."""

    delivery: Delivery
    notice: Notice
    reader: Reader
    old: bool


class HookTask(NamedTuple):
    """An event to be sent to an endpoint."""

    delivery: Delivery
    notice: Notice
    endpoint: Endpoint


class Tasks(NamedTuple):
    """What was taken to be sent, and what is not to be sent, with the reason."""

    mails: list[MailTask]
    hooks: list[HookTask]
    dropped: list[tuple[Delivery, str]]


def take_due(cell: Connection, now_ms: int) -> list[Delivery]:
    """Take a page of deliveries that are due: nobody else does for a while. They are chosen before
    anything is locked, then taken in a transaction of its own."""
    with cell.reading():
        ids = store.due_deliveries(
            cell,
            now_ms,
            looked_at_max=DELIVERIES_LOOKED_AT_MAX,
            of_each_max=DELIVERIES_OF_EACH_MAX,
            rows_max=DELIVERIES_TAKEN_MAX,
        )
    if not ids:
        return []
    with cell.transaction():
        return store.take_deliveries(cell, ids, now_ms, now_ms + LEASE_MS)


def tasks_of(cell: Connection, taken: Sequence[Delivery], now_ms: int) -> Tasks:
    """What each of these deliveries needs to be sent, read as it is now."""
    owners = {each.organisation_id for each in taken}
    notices = outbox.notices_of_ids(cell, owners, [each.outbox_id for each in taken])
    people = {
        (owner, person.email): person
        for owner, several in people_by_owner(recipients_of(cell, owners)).items()
        for person in several
    }
    endpoints = {str(each.id): each for each in endpoints_of(cell, owners)}
    late = _Late(cell, now_ms)
    tasks = Tasks([], [], [])
    for delivery in taken:
        stored = notices.get(delivery.outbox_id)
        if stored is None:
            tasks.dropped.append((delivery, "its notice is not there any more"))
        elif delivery.channel == MAIL:
            person = people.get((delivery.organisation_id, delivery.target))
            _mail(tasks, delivery, stored.notice, person, late)
        else:
            endpoint = endpoints.get(delivery.target)
            if endpoint is None or endpoint.organisation_id != delivery.organisation_id:
                tasks.dropped.append((delivery, "the endpoint was removed"))
            elif endpoint.state != ACTIVE:
                tasks.dropped.append((delivery, "the endpoint is disabled"))
            else:
                tasks.hooks.append(HookTask(delivery, stored.notice, endpoint))
    return tasks


class _Late:
    """What is known of late notices: read at most once for each organisation."""

    def __init__(self, cell: Connection, now_ms: int) -> None:
        self._cell, self.now_ms = cell, now_ms
        self._balances: dict[int, dict[int, int]] = {}
        self._later: dict[tuple[int, int], list[Notice]] = {}

    def reason(self, notice: Notice) -> str:
        """Why this is not to be mailed any more; empty where it is."""
        owner, at_ms = notice.organisation_id, notice.at_ms
        if at_ms > self.now_ms - CATCH_UP_MS:
            return ""
        if owner not in self._balances:
            self._balances[owner] = outbox.balances(self._cell, [owner])
        if (owner, at_ms) not in self._later:
            self._later[owner, at_ms] = outbox.notices_since(
                self._cell, owner, at_ms, DIGEST_NOTICES_MAX
            )
        later = [each for each in self._later[owner, at_ms] if each.key != notice.key]
        return overtaken(notice, later, self._balances[owner].get(owner), self.now_ms)


def _mail(
    tasks: Tasks, delivery: Delivery, notice: Notice, person: Person | None, late: _Late
) -> None:
    if person is None or not concerns(notice.kind, person):
        tasks.dropped.append((delivery, "this address is no recipient of it any more"))
        return
    by_hand = delivery.detail == AGAIN
    reason = "" if by_hand else late.reason(notice)
    if reason:
        tasks.dropped.append((delivery, reason))
        return
    reader = Reader(person.email, person.language, person.time_zone, person.roles)
    old = notice.at_ms < late.now_ms - DIGEST_AFTER_MS
    old = old and notice.kind != DIGEST and not by_hand
    tasks.mails.append(MailTask(delivery, notice, reader, old))


def drop(cell: Connection, dropped: Iterable[tuple[Delivery, str]]) -> None:
    """Write that these are not sent, with the reasons."""
    for delivery, reason in dropped:
        store.drop_delivery(cell, delivery, reason)


def digest(cell: Connection, organisation_id: int, now_ms: int, next_id: Callable[[], int]) -> int:
    """Put all late mail of an organisation into one digest for each reader; how many were late.

    Zero while some notices of that time are still to be spread: the digest waits for them.
    """
    before_ms = now_ms - DIGEST_AFTER_MS
    lock_wallet(cell, organisation_id)
    if outbox.owners_not_spread(cell, [organisation_id], before_ms):
        return 0
    late = store.drop_old_mail(cell, organisation_id, before_ms, detail=IN_A_DIGEST, but=AGAIN)
    notices = outbox.notices_of_ids(cell, [organisation_id], [each[0] for each in late])
    if not notices:
        return 0
    times_ms = [each.notice.at_ms for each in notices.values()]
    kinds = Counter(each.notice.kind for each in notices.values())
    id_ = next_id()
    told = notice(
        organisation_id,
        DIGEST,
        f"{DIGEST}:{id_}",
        now_ms,
        kinds=" ".join(f"{kind}={times}" for kind, times in sorted(kinds.items())),
        count=len(notices),
        first_ms=min(times_ms),
        last_ms=max(times_ms),
    )
    stored = StoredNotice(id_, told, now_ms)
    outbox.insert_spread(cell, stored)
    addresses = sorted({each[1] for each in late})
    store.insert_deliveries(
        cell, [new_delivery(next_id(), stored, MAIL, address, now_ms) for address in addresses]
    )
    return len(late)


def finish(
    cell: Connection,
    delivery: Delivery,
    outcome: Outcome,
    *,
    now_ms: int,
    jitter: int,
    next_id: Callable[[], int],
    took_ms: int | None = None,
) -> bool:
    """Write what came of a delivery, and how long it took; False where it is another's by now, and
    nothing is written.

    An endpoint that is gone, or has taken nothing for three days while a delivery was given up, is
    disabled, and its organisation told by mail.
    """
    if not isinstance(outcome, NotTried):
        delivery = delivery._replace(took_ms=took_ms, answer=outcome.answer)
    after = next_of(delivery.channel, outcome, tries=delivery.tries, now_ms=now_ms, jitter=jitter)
    over = after.state == FAILED and delivery.channel != MAIL
    owner = delivery.organisation_id
    # The endpoint is locked before its deliveries, by whoever changes both.
    endpoint = endpoint_of_id(cell, owner, int(delivery.target)) if over else None
    if not store.finish_delivery(cell, delivery, after):
        return False
    if endpoint is None or endpoint.state != ACTIVE:
        return True
    gone = isinstance(outcome, Never) and outcome.gone
    quiet_since_ms = now_ms - ENDPOINT_QUIET_MS
    if gone or (
        isinstance(outcome, Later)
        and not store.taken_since(cell, owner, endpoint.id, quiet_since_ms)
    ):
        _disable(cell, endpoint, after.detail, now_ms, next_id)
    return True


def _disable(
    cell: Connection, endpoint: Endpoint, reason: str, now_ms: int, next_id: Callable[[], int]
) -> None:
    owner = endpoint.organisation_id
    disable_endpoint(cell, owner, endpoint.id, reason=reason)
    key = f"webhook.disabled:{endpoint.id}:{now_ms}"
    told = notice(
        owner,
        "webhook.disabled",
        key,
        now_ms,
        url=endpoint.url,
        detail=reason,
        endpoint_id=endpoint.id,
    )
    outbox.insert_notices(cell, [told], next_id)


def event_body(notice: Notice) -> bytes:
    """The body of a webhook, the same bytes at every try: {type, timestamp, data}.

    Ids are text, for programs whose numbers end at 53 bits; amounts stay whole micros.

    >>> event_body(Notice(7, "balance.zero", "k", 0, {"balance_micros": 0, "lot_id": 5}))[:66]
    b'{"type":"balance.zero","timestamp":"1970-01-01T00:00:00Z","data":{'
    """
    data: dict[str, object] = {"organisation_id": str(notice.organisation_id)}
    for name, value in notice.facts.items():
        data[name] = str(value) if name.endswith("_id") and value is not None else value
    body = {"type": notice.kind, "timestamp": utc_text(notice.at_ms), "data": data}
    return msgspec.json.encode(body)


def by_target(tasks: Iterable[HookTask]) -> Mapping[int, list[HookTask]]:
    """The tasks of each endpoint, in the order in which they are due."""
    of_endpoint: dict[int, list[HookTask]] = defaultdict(list)
    for task in tasks:
        of_endpoint[task.endpoint.id].append(task)
    return of_endpoint
