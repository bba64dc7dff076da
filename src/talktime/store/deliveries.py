"""Deliveries: one notice to one address or endpoint. The caller opens and commits transactions.

A delivery that is due is taken by moving its `due_ms` into the future, in a transaction of its own;
what came of it is written only while nobody else has taken it since (`tries` tells).
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from talktime.core.deliveries import Next
from talktime.store.database import Both, Connection
from talktime.store.tables import Table

DELIVERY = Table(
    "delivery",
    {
        "id": "bigint",
        "organisation_id": "bigint",
        "outbox_id": "bigint",
        "channel": "text",
        "target": "text",
        "state": "text",
        "tries": "smallint",
        "detail": "text",
        "due_ms": "bigint",
        "tried_ms": "bigint",
        "took_ms": "integer",
        "answer": "text",
    },
)
_ONCE = " ON CONFLICT (outbox_id, channel, target) DO NOTHING"
INSERT_DELIVERIES = Both(DELIVERY.insert().postgres + _ONCE, DELIVERY.insert().sqlite + _ONCE)

_COLUMNS = ", ".join(DELIVERY.columns)
# A few of each target, so that a slow one keeps the others waiting for a moment alone.
# Of a backlog the first alone are looked at: to rank all of it would take seconds each time.
DUE_DELIVERIES = """
    SELECT id FROM (
        SELECT id, due_ms, ROW_NUMBER() OVER (
            PARTITION BY organisation_id, channel, target ORDER BY due_ms, id) AS place
        FROM (SELECT id, due_ms, organisation_id, channel, target FROM delivery
            WHERE due_ms <= ? ORDER BY due_ms LIMIT ?) first) ranked
    WHERE place <= ? ORDER BY due_ms, id LIMIT ?"""
_LOCKED = f"SELECT {_COLUMNS} FROM delivery WHERE due_ms <= ? AND id = ANY(?) ORDER BY id"
LOCK_DELIVERIES = Both(
    f"{_LOCKED} FOR UPDATE SKIP LOCKED",
    f"SELECT {_COLUMNS} FROM delivery WHERE due_ms <= ? "
    "AND id IN (SELECT value FROM json_each(?)) ORDER BY id",
)
ANYTHING_DUE = "SELECT 1 FROM delivery WHERE due_ms <= ? LIMIT 1"
TAKE_DELIVERIES = (
    "UPDATE delivery SET due_ms = ?, tried_ms = ?, tries = tries + 1 "
    "WHERE organisation_id = ANY(?) AND id = ANY(?) AND state = 'due'"
)
FINISH_DELIVERY = (
    "UPDATE delivery SET state = ?, tries = ?, detail = ?, due_ms = ?, took_ms = ?, answer = ? "
    "WHERE organisation_id = ? AND id = ? AND state = 'due' AND tries = ?"
)
DROP_DELIVERY = (
    "UPDATE delivery SET state = 'dropped', detail = ?, due_ms = NULL "
    "WHERE organisation_id = ? AND id = ? AND state = 'due'"
)
# Of what is told in a digest, the digests themselves are no part.
DROP_OLD_MAIL = """
    UPDATE delivery SET state = 'dropped', detail = ?, due_ms = NULL
    WHERE organisation_id = ? AND channel = 'mail' AND state = 'due' AND detail <> ?
        AND outbox_id IN (
        SELECT id FROM outbox
        WHERE organisation_id = ? AND at_ms < ? AND kind <> 'notices.digest')
    RETURNING outbox_id, target"""
END_DELIVERIES_OF_ENDPOINT = (
    "UPDATE delivery SET state = 'failed', detail = ?, due_ms = NULL "
    "WHERE organisation_id = ? AND channel = 'webhook' AND target = ? AND state = 'due'"
)
DELIVERY_OF_ID = f"SELECT {_COLUMNS} FROM delivery WHERE organisation_id = ? AND id = ?"
DELIVERIES_OF_NOTICES = (
    f"SELECT {_COLUMNS} FROM delivery WHERE organisation_id = ? AND outbox_id = ANY(?) ORDER BY id"
)
DELIVERIES_OF_TARGET = (
    f"SELECT {_COLUMNS} FROM delivery "
    "WHERE organisation_id = ? AND channel = ? AND target = ? AND id < ? "
    "AND (CAST(? AS text) = '' OR state = ?) ORDER BY id DESC LIMIT ?"
)
FAILED_AGAIN = """
    UPDATE delivery SET state = 'due', tries = 0, detail = ?, due_ms = ?
    WHERE organisation_id = ? AND channel = 'webhook' AND target = ? AND state = 'failed'
        AND outbox_id IN (SELECT id FROM outbox WHERE organisation_id = ? AND at_ms >= ?)"""
AGAIN = (
    "UPDATE delivery SET state = 'due', tries = 0, detail = ?, due_ms = ? "
    "WHERE organisation_id = ? AND id = ? AND state <> 'due'"
)
TAKEN_SINCE = (
    "SELECT 1 FROM delivery WHERE organisation_id = ? AND channel = 'webhook' AND target = ? "
    "AND state = 'sent' AND tried_ms >= ? LIMIT 1"
)


class Delivery(NamedTuple):
    """One notice to one target: an e-mail address, or an endpoint's id in digits."""

    id: int
    organisation_id: int
    outbox_id: int
    channel: str
    target: str
    state: str
    tries: int
    detail: str
    due_ms: int | None
    tried_ms: int | None
    took_ms: int | None = None
    """How long the last try took."""
    answer: str = ""
    """The body of the last answer of a webhook, as far as it is kept."""


def insert_deliveries(connection: Connection, deliveries: Sequence[Delivery]) -> None:
    """Write deliveries, but those that are there already."""
    if deliveries:
        connection.write_all([(INSERT_DELIVERIES, [tuple(each) for each in deliveries])])


def anything_due(connection: Connection, now_ms: int) -> bool:
    """Whether there is a delivery to be sent now. Takes no lock."""
    return bool(connection.rows(ANYTHING_DUE, [now_ms]))


def due_deliveries(
    connection: Connection, now_ms: int, *, looked_at_max: int, of_each_max: int, rows_max: int
) -> list[int]:
    """The ids of deliveries that are due, at most `of_each_max` of one target. Takes no lock."""
    params = [now_ms, looked_at_max, of_each_max, rows_max]
    return [row[0] for row in connection.rows(DUE_DELIVERIES, params)]


def take_deliveries(
    connection: Connection, ids: Sequence[int], now_ms: int, until_ms: int
) -> list[Delivery]:
    """Take those of these deliveries that are due still, as they are with this try counted; nobody
    else does until `until_ms`."""
    due = [Delivery(*row) for row in connection.rows(LOCK_DELIVERIES, [now_ms, list(ids)])]
    if due:
        owners = sorted({each.organisation_id for each in due})
        ids = [each.id for each in due]
        connection.run(TAKE_DELIVERIES, [until_ms, now_ms, owners, ids])
    return [each._replace(due_ms=until_ms, tried_ms=now_ms, tries=each.tries + 1) for each in due]


def finish_delivery(connection: Connection, taken: Delivery, after: Next) -> bool:
    """Write what came of a delivery that was taken, with how long it took and the answer; False
    where another has taken it since."""
    values = (after.state, after.tries, after.detail, after.due_ms, taken.took_ms, taken.answer)
    key = (taken.organisation_id, taken.id, taken.tries)
    return connection.run(FINISH_DELIVERY, (*values, *key)) == 1


def drop_delivery(connection: Connection, delivery: Delivery, detail: str) -> None:
    """Do not send it, for this reason."""
    connection.run(DROP_DELIVERY, (detail, delivery.organisation_id, delivery.id))


def drop_old_mail(
    connection: Connection, organisation_id: int, before_ms: int, *, detail: str, but: str
) -> list[tuple[int, str]]:
    """Drop mail about notices older than a moment, but where the detail is `but`; the notice's id
    and the address of each."""
    params = (detail, organisation_id, but, organisation_id, before_ms)
    return [(row[0], row[1]) for row in connection.rows(DROP_OLD_MAIL, params)]


def end_deliveries_of_endpoint(
    connection: Connection, organisation_id: int, endpoint_id: int, detail: str
) -> int:
    """Let all that is due to an endpoint fail, for this reason; how many did."""
    return connection.run(END_DELIVERIES_OF_ENDPOINT, (detail, organisation_id, str(endpoint_id)))


def delivery_of_id(
    connection: Connection, organisation_id: int, delivery_id: int
) -> Delivery | None:
    """The delivery of this id."""
    rows = connection.rows(DELIVERY_OF_ID, (organisation_id, delivery_id))
    return Delivery(*rows[0]) if rows else None


def deliveries_of_notices(
    connection: Connection, organisation_id: int, outbox_ids: Iterable[int]
) -> list[Delivery]:
    """All deliveries of these notices."""
    rows = connection.rows(DELIVERIES_OF_NOTICES, [organisation_id, sorted(set(outbox_ids))])
    return [Delivery(*row) for row in rows]


def deliveries_of_target(
    connection: Connection,
    organisation_id: int,
    channel: str,
    target: str,
    before_id: int,
    rows_max: int,
    state: str = "",
) -> list[Delivery]:
    """A target's deliveries below an id, the newest first; `state` names those of one."""
    params = (organisation_id, channel, target, before_id, state, state, rows_max)
    return [Delivery(*row) for row in connection.rows(DELIVERIES_OF_TARGET, params)]


def deliver_again(
    connection: Connection, organisation_id: int, delivery_id: int, detail: str, now_ms: int
) -> bool:
    """Let a delivery that is over be due now, as if it had never been tried."""
    return connection.run(AGAIN, (detail, now_ms, organisation_id, delivery_id)) == 1


def failed_again(
    connection: Connection,
    organisation_id: int,
    endpoint_id: int,
    since_ms: int,
    detail: str,
    now_ms: int,
) -> int:
    """Let all that failed at an endpoint be due now, of notices since a moment; how many are."""
    key = (organisation_id, str(endpoint_id), organisation_id, since_ms)
    return connection.run(FAILED_AGAIN, (detail, now_ms, *key))


def taken_since(
    connection: Connection, organisation_id: int, endpoint_id: int, since_ms: int
) -> bool:
    """Whether an endpoint has taken anything since a moment."""
    return bool(connection.rows(TAKEN_SINCE, (organisation_id, str(endpoint_id), since_ms)))
