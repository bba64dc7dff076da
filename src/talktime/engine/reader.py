"""Reads of one cell (quotes, a call as it stands), on a thread and a connection of their own."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from talktime.core.limits import READS_WAITING_MAX
from talktime.core.refusal import Refusal
from talktime.engine.connector import Connector
from talktime.store.database import Connection, Outage

Found = TypeVar("Found")


class Reader:
    """The reads of one cell, one after the other; they never wait for its writer."""

    def __init__(self, name: str, connector: Connector) -> None:
        self._connector = connector
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"reader {name}")
        self._waiting = 0
        self._failures = 0

    async def read(self, reading: Callable[[Connection], Found]) -> Found | Refusal:
        """Run a read. Refuses queue_full (too many wait), unavailable (the database is away)."""
        if self._waiting and self._connector.reason:
            # Whether it is back is seen by one; others, who may ask further cells, need not wait.
            return Refusal("unavailable", "the database does not answer")
        if self._waiting >= READS_WAITING_MAX:
            return Refusal("queue_full", f"{self._waiting} reads are waiting for their turn")
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._thread, self._read, reading, self._failures)
        finally:
            self._waiting -= 1

    def _read(self, reading: Callable[[Connection], Found], failures: int) -> Found | Refusal:
        if failures != self._failures:
            # It waited for one that failed: to try again, each in turn, would take hours.
            return Refusal("unavailable", "the database does not answer")
        try:
            connection = self._connector.connection()
            with connection.reading():
                found = reading(connection)
        except Outage as outage:
            self._failures += 1
            self._connector.failed(outage)
            return Refusal("unavailable", "the database does not answer")
        self._connector.worked()
        return found

    def stop(self) -> None:
        """Finish what was asked, then close."""
        self._thread.shutdown(wait=True)
        self._connector.close()


async def found_in(
    readers: Iterable[Reader], reading: Callable[[Connection], Found | None]
) -> Found | Refusal | None:
    """What the first of these cells finds; None where none does. Refuses queue_full, unavailable
    where it may be in one that could not be asked."""
    refusal = None
    for reader in readers:
        found = await reader.read(reading)
        if isinstance(found, Refusal):
            refusal = found
        elif found is not None:
            return found
    return refusal


async def found_in_all(
    readers: Mapping[str, Reader], reading: Callable[[Connection], Found]
) -> tuple[list[Found], set[str]] | Refusal:
    """What each of these cells finds that answers; and the names of those that are away. Refuses
    queue_full: one that has much to do is not away."""
    found = await asyncio.gather(*(reader.read(reading) for reader in readers.values()))
    for each in found:
        if isinstance(each, Refusal) and each.code == "queue_full":
            return each
    away = {cell for cell, each in zip(readers, found, strict=True) if isinstance(each, Refusal)}
    return [each for each in found if not isinstance(each, Refusal)], away
