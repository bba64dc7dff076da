"""Who was blocked and let call again, as the audit log has it: nothing of it is ever changed or
taken away (R84)."""

from typing import NamedTuple

from talktime.core.directory import User
from talktime.core.limits import PAGE_ROWS_MAX
from talktime.store.audit import LAST, users_switched_before
from talktime.store.database import Connection
from talktime.store.numbers import first_numbers
from talktime.store.users import holders_named


class BlockedUser(NamedTuple):
    """One time at which a user was blocked, or let call again: by whom, when (ms).

    `name` is the sign-in name of then; `user` and `digits` are the user of that name and their
    number as they are now, None and '' where there is none. `reason` is what was said, '' for
    nothing.
    """

    id: int
    name: str
    user: User | None
    digits: str
    blocked: bool
    actor: str
    at_ms: int
    reason: str = ""


def blocked_users(
    control: Connection,
    cell: Connection,
    organisation_id: int,
    *,
    from_ms: int = 0,
    before: tuple[int, int] = LAST,
    limit: int = PAGE_ROWS_MAX,
) -> list[BlockedUser]:
    """The log since a moment, the newest first, at most `limit`; the next page is before the last
    one's (at_ms, id). Reads; raises Outage."""
    with cell.reading():
        changes = users_switched_before(cell, organisation_id, from_ms, before, limit)
        names = sorted({each.subject for each in changes})
        users = {each.user.name: each.user for each in holders_named(cell, organisation_id, names)}
    with control.reading():
        digits = first_numbers(control, organisation_id, [user.id for user in users.values()])
    log = []
    for change in changes:
        user = users.get(change.subject)
        number = digits.get(user.id, "") if user is not None else ""
        blocked = change.after["active"] is False
        log.append(
            BlockedUser(
                *(change.id, change.subject, user, number, blocked),
                *(change.actor.name, change.at_ms, str(change.after.get("reason") or "")),
            )
        )
    return log
