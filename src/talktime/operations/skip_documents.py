"""Leave out numbers of documents that a restore would give once more.

A cell that was restored counts on from its last document in the backup. What was issued since is
lost in it, but not where it was sent to.
"""

from typing import NamedTuple

from talktime.core.documents import number_text
from talktime.core.limits import ACTOR_TEXT_MAX, DOCUMENTS_SKIPPED_MAX, REASON_TEXT_MAX
from talktime.core.refusal import Refusal
from talktime.operations.audit import note
from talktime.operations.input_checks import check_text, first
from talktime.store.database import Connection
from talktime.store.documents import last_number, skip_numbers


class Skipped(NamedTuple):
    """The numbers from `first_number` on that no document gets, and why."""

    first_number: int
    numbers: int
    reason: str


def skip_documents(
    connection: Connection, cell: str, number: int, *, reason: str, actor: str, now_ms: int
) -> Skipped | Refusal:
    """Give this number to the next document of the cell, and those before it that are not given to
    none. What is left out is written down. Where it is the next number already nothing changes, so
    that asking again does no harm.

    The caller opens and commits the cell's transaction. Refuses: invalid_value for a number that
    was given, or is more than DOCUMENTS_SKIPPED_MAX ahead. Raises Outage.
    """
    refusal = first(
        check_text("the reason", reason, REASON_TEXT_MAX),
        check_text("the actor", actor, ACTOR_TEXT_MAX),
    )
    if refusal is not None:
        return refusal
    next_number = last_number(connection) + 1
    count = number - next_number
    if not 0 <= count <= DOCUMENTS_SKIPPED_MAX:
        lowest = number_text(cell, next_number)
        highest = number_text(cell, next_number + DOCUMENTS_SKIPPED_MAX)
        detail = f"the next document can have a number from {lowest} to {highest}"
        return Refusal("invalid_value", detail)
    if count:
        skip_numbers(connection, next_number, number - 1, reason, actor, now_ms)
    return Skipped(next_number, count, reason)


def note_skipped(control: Connection, cell: str, skipped: Skipped) -> None:
    """Keep who left numbers out, where they were: beside the row in the cell, whose changes are
    each of one organisation. The caller opens and commits the control plane's transaction."""
    if skipped.numbers:
        next_number = number_text(cell, skipped.first_number + skipped.numbers)
        before = {"next": number_text(cell, skipped.first_number)}
        after = {"next": next_number, "reason": skipped.reason}
        note(control, None, "documents.skipped", next_number, before=before, after=after)
