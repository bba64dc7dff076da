"""Supervision works in batches, each its own transaction, and one bad row stops no other."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from talktime.config import Settings
from talktime.core.books import Terms
from talktime.core.commands import Command
from talktime.operations.execute import DEFAULT_TERMS, Done, execute
from talktime.store.database import Connection, Outage


class Sweep(NamedTuple):
    """What a sweep works with. `stopping` is asked between batches: what is done stays done.

    `clock_ms` gives milliseconds since the epoch, `next_id` ids that are new in the cell. Where a
    runner made it, `settings` is the installation, and `control` opens a connection to the control
    plane at its first call: kept by the worker, closed with it, replaced after an Outage.
    """

    connection: Connection
    clock_ms: Callable[[], int]
    next_id: Callable[[], int]
    terms: Terms = DEFAULT_TERMS
    stopping: Callable[[], bool] = lambda: False
    settings: Settings | None = None
    control: Callable[[], Connection] | None = None


class Swept(NamedTuple):
    """How many rows were done, and in words what could not be.

    `more` asks to be run again at once: a page was full, so there may be another.
    """

    rows: int
    failures: tuple[str, ...] = ()
    more: bool = False


def execute_batch(sweep: Sweep, commands: Sequence[Command], failures: list[str]) -> list[Done]:
    """Execute the commands in one transaction; where that fails, each in one of its own.

    What fails alone is added to `failures`, in words, and left out of the result: it is a fault of
    the program or of that row. Raises Outage where the database does not answer.
    """
    try:
        return _execute(sweep, commands)
    except Outage:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it was, the other commands are done
        if len(commands) == 1:
            failures.append(f"{commands[0]}: {error!r}")
            return []
    return [done for each in commands for done in execute_batch(sweep, [each], failures)]


def _execute(sweep: Sweep, commands: Sequence[Command]) -> list[Done]:
    with sweep.connection.transaction():
        return execute(sweep.connection, commands, sweep.clock_ms(), sweep.next_id, sweep.terms)
