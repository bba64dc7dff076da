"""Keep who changed what, in the transaction of the change itself.

Entry points say who acts (`acting`), for the thread in which they call an operation; what changes
something calls `note` beside its write. So an entry stands exactly where its change does.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

from talktime.core.audit import SERVICE, Actor, Change, Facts, differing
from talktime.store.audit import insert_change
from talktime.store.database import Connection


class Acting(NamedTuple):
    """Who acts, and what stamps their changes."""

    actor: Actor
    clock_ms: Callable[[], int]
    next_id: Callable[[], int]


_acting: ContextVar[Acting | None] = ContextVar("acting", default=None)


@contextmanager
def acting(actor: Actor, clock_ms: Callable[[], int], next_id: Callable[[], int]) -> Iterator[None]:
    """Say who acts while the block runs."""
    token = _acting.set(Acting(actor, clock_ms, next_id))
    try:
        yield
    finally:
        _acting.reset(token)


def note(
    connection: Connection,
    organisation_id: int | None,
    action: str,
    subject: str = "",
    *,
    before: Facts | None = None,
    after: Facts | None = None,
    always: bool = False,
) -> None:
    """Keep one change in the transaction that is open, with what differs between before and after.

    Nothing is kept where nothing differs, unless `always`; nor where nobody is said to act: jobs
    leave their traces in what they write.
    """
    now = _acting.get()
    if now is None or now.actor == SERVICE:
        return
    was, is_ = differing(before or {}, after or {})
    if not (was or is_ or always):
        return
    insert_change(
        connection,
        Change(
            *(now.next_id(), organisation_id, now.actor, action, subject, was, is_),
            at_ms=now.clock_ms(),
        ),
    )
