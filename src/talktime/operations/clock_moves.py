"""Keep who moved the test clock. The clock itself stands in a file, so that its move cannot be
taken back with a transaction: it is kept as soon as it is made."""

from talktime.operations.audit import note
from talktime.store.database import Connection


def note_move(control: Connection, before_ms: int, after_ms: int) -> None:
    """Keep that the clock showed one moment and then another; opens its own transaction."""
    with control.transaction():
        note(
            *(control, None, "clock.moved"),
            before={"shown_ms": before_ms},
            after={"shown_ms": after_ms},
        )
