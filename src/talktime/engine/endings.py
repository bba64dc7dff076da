"""The running calls that are to end before their grant does, for gateways to tell switches of."""

import asyncio
from collections.abc import Callable, Iterable

from talktime.store.database import Connection
from talktime.store.endings import Ending, calls_to_end


class Endings:
    """The calls of all cells that are to end and still run, by switch; each cell is read by one
    thread alone. Whoever wants to know of changes is called back on the event loop."""

    def __init__(self, cells: Iterable[str]) -> None:
        self._found: dict[str, dict[int, tuple[Ending, ...]]] = {cell: {} for cell in cells}
        self._callbacks: set[Callable[[], None]] = set()
        self.stopped = False
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Call back on this event loop from now on."""
        self._loop = loop

    def stop(self) -> None:
        """Let nobody wait any longer."""
        self.stopped = True
        self._call_back()

    def of_switch(self, switch_id: int) -> tuple[Ending, ...]:
        """The calls of this switch that are to end, the oldest first in each cell."""
        found = [endings.get(switch_id, ()) for endings in self._found.values()]
        return tuple([ending for each in found for ending in each])

    def listen(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Call back whenever the calls to end change; returns what stops that."""
        self._callbacks.add(callback)
        return lambda: self._callbacks.discard(callback)

    def refresh(self, cell: str, connection: Connection) -> bool:
        """Read which calls of a cell are to end; whether others than before."""
        found: dict[int, list[Ending]] = {}
        for ending in calls_to_end(connection):
            found.setdefault(ending.switch_id, []).append(ending)
        endings = {switch_id: tuple(each) for switch_id, each in found.items()}
        if endings == self._found[cell]:
            return False
        self._found[cell] = endings
        self._call_back()
        return True

    def _call_back(self) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._tell)

    def _tell(self) -> None:
        for callback in tuple(self._callbacks):
            callback()
