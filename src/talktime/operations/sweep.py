"""Supervision works in batches, each its own transaction, and one bad row stops no other."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

from talktime.config import Settings
from talktime.core.books import Terms
from talktime.core.commands import Command
from talktime.operations.execute import DEFAULT_TERMS, Done, execute
from talktime.store.database import Connection, Outage

Of = TypeVar("Of", bound=Command)


class Sweep(NamedTuple):
    """What a sweep works with. `stopping` is asked between batches: what is done stays done.

    `clock_ms` gives milliseconds since the epoch, `next_id` ids that are new in the cell. Where a
    runner made it, `settings` is the installation, and `control` opens a connection to the control
    plane at its first call: kept by the worker, closed with it, replaced after an Outage. `cell` is
    the cell's name, for the log.
    """

    connection: Connection
    clock_ms: Callable[[], int]
    next_id: Callable[[], int]
    terms: Terms = DEFAULT_TERMS
    stopping: Callable[[], bool] = lambda: False
    settings: Settings | None = None
    control: Callable[[], Connection] | None = None
    cell: str = ""


class Swept(NamedTuple):
    """How many rows were done, and in words what could not be.

    `more` asks to be run again at once: a page was full, so there may be another.
    """

    rows: int
    failures: tuple[str, ...] = ()
    more: bool = False


def execute_batch(
    sweep: Sweep,
    commands: Sequence[Of],
    failures: list[str],
    still: Callable[[Sequence[Of]], Sequence[Of]] | None = None,
) -> list[Done]:
    """Execute the commands in one transaction; where that fails, each in one of its own.

    `still` is asked in the transaction, before: it gives what is to be executed instead, for what
    called for the commands may have gone since. What fails alone is added to `failures`, in words,
    and left out of the result: it is a fault of the program or of that row. Raises Outage where
    the database does not answer.
    """
    try:
        with sweep.connection.transaction():
            wanted = still(commands) if still else commands
            return execute(sweep.connection, wanted, sweep.clock_ms(), sweep.next_id, sweep.terms)
    except Outage:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it was, the other commands are done
        if len(commands) == 1:
            failures.append(f"{commands[0]}: {error!r}")
            return []
    return [done for each in commands for done in execute_batch(sweep, [each], failures, still)]
