"""Keep who changed what, in the transaction of the change itself.

Entry points say who acts (`acting`), for the thread in which they call an operation; what changes
something calls `note` beside its write. So an entry stands exactly where its change does.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

from talktime.core.audit import SERVICE, Actor, Change, Facts, differing
from talktime.core.limits import ACTOR_TEXT_MAX
from talktime.store.audit import insert_change
from talktime.store.database import Connection


class Acting(NamedTuple):
    """Who acts, and what stamps their changes."""

    actor: Actor
    clock_ms: Callable[[], int]
    next_id: Callable[[], int]
    person: str


MADE_BY = ", made by "

_acting: ContextVar[Acting | None] = ContextVar("acting", default=None)


@contextmanager
def acting(
    actor: Actor, clock_ms: Callable[[], int], next_id: Callable[[], int], *, person: str = ""
) -> Iterator[None]:
    """Say who acts while the block runs; `person` is who stands behind a program."""
    token = _acting.set(Acting(actor, clock_ms, next_id, person or actor.name))
    try:
        yield
    finally:
        _acting.reset(token)


def person_of(actor: str) -> str:
    """The person in the words of who did something: of a key, who made it.

    >>> person_of("key portal (7), made by a@contoso.example"), person_of("a@contoso.example")
    ('a@contoso.example', 'a@contoso.example')
    """
    return actor.rpartition(MADE_BY)[2]


def acting_person() -> str | None:
    """Who acts, or who made the key with which a program acts; None where nobody is said to."""
    now = _acting.get()
    return None if now is None else now.person[:ACTOR_TEXT_MAX]


def who_acts() -> Actor | None:
    """Who acts now; None where nobody is said to."""
    now = _acting.get()
    return None if now is None else now.actor


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
