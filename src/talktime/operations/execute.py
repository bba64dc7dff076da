"""Execute a batch of commands: load the books, decide each command in turn, save what changed.

The caller opens and commits the transaction, and gives no answer before it has committed. A batch
of one and a batch of a thousand are the same code, and one batch of n leaves the same books as n
batches of one.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, cast

from talktime.config import Settings
from talktime.core.books import Terms
from talktime.core.commands import Command
from talktime.core.decide import decide
from talktime.core.notices import Notice
from talktime.core.outcomes import (
    CallEnding,
    Funded,
    HoldExpired,
    LimitsSet,
    LotsExpired,
    Outcome,
    Replayed,
    StoredAnswer,
)
from talktime.operations.render import CallOutcome, reply
from talktime.store.database import Connection
from talktime.store.kept import Kept
from talktime.store.load import load
from talktime.store.save import save
from talktime.store.users import user_of_id

DEFAULT_TERMS = Terms()
UNANSWERED = frozenset((Funded, HoldExpired, CallEnding, LimitsSet, LotsExpired))
"""Outcomes of what no switch asked for."""


def terms_of(settings: Settings) -> Terms:
    """The installation's terms."""
    return Terms(settings.slice_s, settings.grace_s, settings.pool_warning_percent)


class Done(NamedTuple):
    """What came of one command: the outcome, and for a call's command the answer to send."""

    outcome: Outcome
    status: int
    body: str

    @property
    def replayed(self) -> bool:
        """Whether the answer was given before."""
        return type(self.outcome) is Replayed


def execute(
    connection: Connection,
    commands: Sequence[Command],
    now_ms: int,
    next_id: Callable[[], int],
    terms: Terms = DEFAULT_TERMS,
    kept: Kept | None = None,
) -> list[Done]:
    """Apply the commands in their order to one cell, inside the caller's transaction; one Done for
    each.

    Times are milliseconds since the epoch; `next_id` makes ids that are new in the cell. Refusals
    are outcomes. Raises Outage where the database fails: the caller's transaction is rolled back
    and nothing has changed. With `kept` (of this connection alone), who commits says so to it.
    """
    books = load(connection, commands, next_id, terms, kept=kept)
    outcomes = [decide(books, command, now_ms) for command in commands]
    if books.notices:
        books.notices = [_with_name(connection, each) for each in books.notices]
    done: list[Done] = []
    save(connection, books, now_ms, lambda: _render(outcomes, books.new_answers, done))
    if kept is not None:
        kept.saved(books)
    return done


def _render(outcomes: list[Outcome], new_answers: list[StoredAnswer], done: list[Done]) -> None:
    """Render the outcomes, in order, and put them with the answers that are kept of them."""
    answers = iter(new_answers)
    answer = next(answers, None)
    for outcome in outcomes:
        if type(outcome) in UNANSWERED:
            done.append(Done(outcome, 200, ""))
            continue
        status, body = reply(cast(CallOutcome, outcome))
        if answer is not None and answer.outcome is outcome:
            answer.status, answer.body = status, body
            answer = next(answers, None)
        done.append(Done(outcome, status, body))


def _with_name(connection: Connection, notice: Notice) -> Notice:
    """The books know users by their ids; people are told their names."""
    user_id = notice.facts.get("user_id")
    if type(user_id) is not int:
        return notice
    user = user_of_id(connection, notice.organisation_id, user_id)
    name = (user.display_name or user.name) if user is not None else str(user_id)
    return notice._replace(facts={**notice.facts, "user": name})
