"""The engine: finds whose call it is, and hands each command to a lane of its cell.

Asyncio ends here. An Engine belongs to one event loop: its coroutines and `resolve` run there.
Below it are the lanes of each cell with their writers, a reader thread for each, and the threads
that follow the databases for the caches.
"""

import asyncio
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import NamedTuple

import structlog

from talktime.config import Settings
from talktime.core.commands import Authorize, CallCommand
from talktime.core.keys import ApiKey
from talktime.core.limits import CALL_OWNERS_CACHED_MAX, QUEUE_MAX
from talktime.core.refusal import Refusal
from talktime.engine.catalogue_cache import CatalogueCache
from talktime.engine.checkpoints import Checkpoints
from talktime.engine.connector import Connector, Outages
from talktime.engine.directory_cache import DirectoryCache
from talktime.engine.endings import Endings
from talktime.engine.key_cache import KeyCache
from talktime.engine.lane import Lane
from talktime.engine.lanes import Lanes
from talktime.engine.measures import Messages
from talktime.engine.owners import Owners, key_of, second_of_a_call
from talktime.engine.peer_cache import PeerCache
from talktime.engine.poller import Follow, Poller
from talktime.engine.rate_cache import RateCache
from talktime.engine.reader import Reader, found_in, found_in_all
from talktime.engine.reply import DECIDED, Reply, unavailable
from talktime.engine.writer import FAILED, Assignment, Writer
from talktime.engine.writer_thread import WriterThread
from talktime.operations.execute import terms_of
from talktime.operations.quote import Quoted, quote
from talktime.operations.resolve import CallRequest, refused_outright, resolve
from talktime.operations.sealing import Seal
from talktime.operations.show_call import show_call
from talktime.store.database import Connection
from talktime.store.usage import NamedCall, calls_named, owner_of_call
from talktime.store.version import Migrations

log = structlog.get_logger(__name__)

NOT_DECIDED = (429, 503)


class Sources(NamedTuple):
    """Where an engine gets the time (ms since the epoch) and the node of its ids from."""

    clock_ms: Callable[[], int]
    draw_node: Callable[[], int]


WriterOf = Callable[[Assignment, Outages], Writer]


class Engine:
    """Everything between a gateway and the operations.

    `expected` says which migrations a database of each kind (`control_plane`, `cell`) must have,
    `writer_of` makes the writer of a lane: on a thread, where nothing else is said; each
    lane's queue takes `queue_max`.
    """

    def __init__(
        self,
        settings: Settings,
        sources: Sources,
        expected: Mapping[str, Migrations],
        *,
        queue_max: int = QUEUE_MAX,
        writer_of: WriterOf | None = None,
    ) -> None:
        self.clock_ms = sources.clock_ms
        self.refreshed = threading.Condition()
        """Notified when a cache has changed, or a database is away or back."""
        self.keys = KeyCache()
        self.rates = RateCache()
        self.catalogue = CatalogueCache()
        self.directory = DirectoryCache(settings.cells)
        self.peers = PeerCache(Seal(settings.seal_keys()))
        self.endings = Endings(settings.cells)
        self.messages = Messages()
        self._terms = terms_of(settings)
        self._owners = Owners(CALL_OWNERS_CACHED_MAX)
        self._asking: set[asyncio.Task[None]] = set()
        self._loaded = False  # whether all that finds callers has been read; that stays so

        outages = {cell: Outages(f"cell {cell}") for cell in settings.cells}
        control_outages = Outages("control plane")

        def connector(cell: str) -> Connector:
            told = outages[cell]
            address = settings.cells[cell]
            return Connector(told.database, address, "cell", expected["cell"], told)

        def control() -> Connector:
            app, told = "control_plane", control_outages
            return Connector(told.database, settings.control_plane, app, expected[app], told)

        def lanes(cell: str) -> Lanes:
            make = writer_of or partial(WriterThread.of, draw_node=sources.draw_node)
            count = settings.writers_of(cell)
            first = Assignment(cell, settings.cells[cell], expected["cell"], self._terms, 1, count)
            numbers = range(1, count + 1)
            writers = [make(first._replace(number=n), outages[cell]) for n in numbers]
            return Lanes.of_cell(cell, writers, sources.clock_ms, queue_max)

        self.lanes = {cell: lanes(cell) for cell in settings.cells}
        self._readers = {cell: Reader(cell, connector(cell)) for cell in settings.cells}
        files = [cell for cell, at in settings.cells.items() if at.dialect == "sqlite"]
        self._checkpoints = [Checkpoints(cell, connector(cell)) for cell in files]
        self._pollers = self._followers(control, connector, settings.cells)

    def _followers(
        self,
        control: Callable[[], Connector],
        connector: Callable[[str], Connector],
        cells: Iterable[str],
    ) -> list[Poller]:
        """What keeps the caches as the databases are."""
        shared = [
            *(self.keys.refresh, self.peers.refresh),
            *(self.directory.refresh, self.catalogue.refresh),
        ]
        users, endings = self.directory.refresh_users, self.endings.refresh
        in_cells = [
            Follow(connector(cell), [partial(users, cell), partial(endings, cell)])
            for cell in cells
        ]
        follows = {
            "directory": [Follow(control(), shared)],
            # Apart: a card of a million prefixes takes a while, and a revoked key must not wait.
            "rates": [Follow(control(), [self.rates.refresh])],
            "users": in_cells,
        }
        return [Poller(name, each, self.refreshed) for name, each in follows.items()]

    async def start(self) -> None:
        """Fill the caches and begin to work; what is away now is waited for."""
        loop = asyncio.get_running_loop()
        self.endings.start(loop)
        for lane in chain.from_iterable(self.lanes.values()):
            lane.start(loop)
        for checkpoints in self._checkpoints:
            checkpoints.start()
        await asyncio.gather(*(asyncio.to_thread(poller.start) for poller in self._pollers))

    async def stop(self) -> None:
        """Take nothing more, answer what was taken, close everything."""
        lanes = chain.from_iterable(self.lanes.values())
        await asyncio.gather(*(lane.stop() for lane in lanes))
        for reader in self._readers.values():
            await asyncio.to_thread(reader.stop)
        for checkpoints in self._checkpoints:
            await asyncio.to_thread(checkpoints.stop)
        for poller in self._pollers:
            await asyncio.to_thread(poller.stop)

    def not_ready(self) -> dict[str, str]:
        """The parts that keep this process from working, each with the reason."""
        parts = {name: why for poller in self._pollers for name, why in poller.away.items()}
        caches = (self.keys, self.rates, self.catalogue, self.directory)
        for missing in (part for cache in caches for part in cache.missing):
            parts.setdefault(missing, "not loaded yet")
        # What can be read may still be full, or only to be read.
        for cell, lanes in self.lanes.items():
            for lane in lanes:
                if lane.away:
                    parts.setdefault(f"cell {cell}", lane.away)
        return parts

    def key(self, secret: bytes) -> ApiKey | None:
        """The API key of this text, if it opens anything now."""
        return self.keys.find(secret, self.clock_ms())

    def resolve(self, request: CallRequest, switch_id: int, body_hash: int) -> Authorize | Refusal:
        """An authorize, complete, from what a switch asked; or why it cannot be decided."""
        if not self._loaded:
            missing = [*self.directory.missing, *self.rates.missing, *self.catalogue.missing]
            if missing:
                return Refusal("unavailable", f"not loaded yet: {', '.join(missing)}")
            self._loaded = True
        command = resolve(
            self.directory.directory,
            self.rates.cards,
            self.catalogue.catalogues,
            request,
            switch_id,
            self.clock_ms(),
            body_hash,
        )
        if type(command) is Authorize:
            owner = self._owners.remember((switch_id, command.call_key), command.organisation_id)
            if owner != command.organisation_id:
                command.perhaps_of = owner
        return command

    async def reconsider(
        self, refusal: Refusal, request: CallRequest, switch_id: int, body_hash: int
    ) -> Authorize | Refusal:
        """An authorize that nobody's wallet could be found for may repeat one that was answered
        before: then it goes to that call, and gets the same answer again."""
        if refusal.code == "unavailable":
            return refusal
        owner = await self.whose(switch_id, request.call_key)
        if isinstance(owner, Refusal):
            return owner
        if owner is None:
            return refusal
        return refused_outright(refusal, request, switch_id, owner, self.clock_ms(), body_hash)

    async def whose(self, switch_id: int, call_key: str) -> int | Refusal | None:
        """The organisation of a switch's call, in whichever cell; None where none knows the call.
        Its requests go there from now on. Refuses unavailable."""
        owner: int | Refusal | None = self._owners.get((switch_id, call_key))
        if owner is None:
            read = partial(owner_of_call, switch_id=switch_id, call_key=call_key)
            owner = await found_in(self._readers.values(), read)
            if isinstance(owner, int):
                self._owners.remember((switch_id, call_key), owner)
        return owner

    async def named(
        self, switch_id: int, key: str, again: str
    ) -> tuple[list[NamedCall], set[str]] | Refusal:
        """The calls of a key that is used again (store/usage.py), of all cells that answer, by
        their ids; and which cells do not. Requests of theirs go there from now on. Refuses
        queue_full."""
        read = partial(calls_named, switch_id=switch_id, call_key=key, again=again)
        found = await found_in_all(self._readers, read)
        if isinstance(found, Refusal):
            return found
        calls, away = sorted(chain(*found[0])), found[1]
        for call in calls:
            self._owners.correct((switch_id, call.call_key), call.organisation_id)
        return calls, away

    def ask(self, command: CallCommand, tell: Callable[[Reply], None]) -> None:
        """Execute one command; `tell` gets its answer, on the loop, after the commit."""
        lane = self._lane_of(command)
        if lane is None or (type(command) is Authorize and command.perhaps_of is not None):
            self._ask_on(command, tell)
        else:
            lane.put((command,), partial(self._told, command, tell))

    def _told(
        self, command: CallCommand, tell: Callable[[Reply], None], found: list[Reply]
    ) -> None:
        reply = found[0]
        if reply.kind == DECIDED:
            tell(reply)
        elif type(command) is Authorize or not reply.unknown:
            tell(self._checked(command, reply))
        else:
            self._ask_on(command, tell)

    def _ask_on(self, command: CallCommand, tell: Callable[[Reply], None]) -> None:
        async def asking() -> None:
            ask = self.calls if type(command) is Authorize else self._ask_in_turn
            try:
                reply = (await ask([command]))[0]
            except Exception:
                log.exception(
                    "command failed", command=type(command).__name__, call=command.call_key
                )
                reply = unavailable(command, FAILED)
            tell(reply)

        task = asyncio.get_running_loop().create_task(asking())
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    async def calls(self, commands: Sequence[CallCommand]) -> list[Reply]:
        """Execute the commands of one request, in their order and, within a lane, together."""
        replies: list[Reply] = []
        while after := second_of_a_call(commands):
            replies += await self._together(commands[:after])
            commands = commands[after:]
        return [*replies, *await self._together(commands)]

    async def _together(self, commands: Sequence[CallCommand]) -> list[Reply]:
        found: list[Reply | None] = [None] * len(commands)
        places: dict[Lane, list[int]] = {}
        lost: list[int] = []
        for place, command in enumerate(commands):
            if type(command) is Authorize and command.perhaps_of is not None:
                found[place] = await self._found_elsewhere(command, command.perhaps_of)
                if found[place] is not None:
                    continue
            lane = self._lane_of(command)
            (places.setdefault(lane, []) if lane else lost).append(place)
        # What stood before its own authorize was rightly unknown, and must not be asked again.
        begun = {key_of(command) for command in commands if isinstance(command, Authorize)}
        waits = [lane.submit([commands[place] for place in at]) for lane, at in places.items()]
        for answers, at in zip(waits, places.values(), strict=True):
            for place, reply in zip(at, await answers, strict=True):
                found[place] = self._checked(commands[place], reply)
                if reply.unknown and key_of(commands[place]) not in begun:
                    lost.append(place)
        if lost:
            lost.sort()
            asked = await self._ask_in_turn([commands[place] for place in lost])
            for place, reply in zip(lost, asked, strict=True):
                found[place] = reply
        return [reply for reply in found if reply is not None]

    async def quote(self, command: Authorize, for_s: int | None) -> Quoted | Refusal:
        """What a dry run of an authorize comes to."""
        cell = self.cell_of(command.organisation_id)
        if cell is None:
            return Refusal("unavailable", "the organisation's cell is not served here")

        def read(connection: Connection) -> Quoted:
            return quote(connection, command, for_s, self.clock_ms(), self._terms)

        return await self._readers[cell].read(read)

    async def show(self, switch_id: int, call_key: str) -> str | Refusal:
        """The body that shows a switch's call as it stands."""
        read = partial(show_call, switch_id=switch_id, call_key=call_key)
        found = await found_in(self._readers.values(), read)
        return found or Refusal("unknown_call", "this switch has no call of this call_id")

    def cell_of(self, organisation_id: int) -> str | None:
        """The cell of an organisation; None where it is not served here."""
        organisation = self.directory.directory.organisation(organisation_id)
        return organisation.cell if organisation and organisation.cell in self.lanes else None

    def _lane_of(self, command: CallCommand) -> Lane | None:
        """The lane of the command's organisation, where that is known."""
        owner = command.organisation_id
        if owner is None:
            owner = command.organisation_id = self._owners.get(key_of(command))
            if owner is None:
                return None
        organisation = self.directory.directory.organisation(owner)
        lanes = self.lanes.get(organisation.cell) if organisation is not None else None
        return lanes.of_organisation(owner) if lanes is not None else None

    async def _found_elsewhere(self, command: Authorize, owner: int) -> Reply | None:
        """What an authorize is answered in another cell, where the call may be `owner`'s already;
        None where it is not there, or that is in its own cell, which finds it whoever's it is.

        Asked behind what that owner's lane was given before. The cell can answer from the call
        alone: the wallet of the command's organisation is not there.
        """
        cell = self.cell_of(owner)
        if cell is None or cell == self.cell_of(command.organisation_id):
            return None
        reply = (await self.lanes[cell].of_organisation(owner).submit([command]))[0]
        there = reply.kind != "unknown_organisation"
        self._owners.correct(key_of(command), owner if there else command.organisation_id)
        return reply if there else None

    async def _ask_in_turn(self, commands: Sequence[CallCommand]) -> list[Reply]:
        """Ask each cell for calls that are not where they were looked for, until one has them.

        Only when every cell has answered is a call unknown; while one is away it may be there.
        """
        answers: dict[int, Reply] = {}
        left = []
        for place, command in enumerate(commands):
            if isinstance(command, Authorize):
                answers[place] = unavailable(command, "the organisation's cell is not served here")
            else:
                self._owners.forget(key_of(command))
                left.append(place)
        for lanes in self.lanes.values():
            if not left:
                break
            asked = [commands[place] for place in left]
            for command in asked:
                command.organisation_id = None
            found = await lanes.of_lost(key_of(asked[0])).submit(asked)
            for place, reply in zip(left, found, strict=True):
                if place not in answers or not reply.unknown:
                    answers[place] = reply
                self._remember(commands[place], reply)
            left = [
                place
                for place, reply in zip(left, found, strict=True)
                if reply.unknown or reply.status in NOT_DECIDED
            ]
        return [answers[place] for place in range(len(commands))]

    def _checked(self, command: CallCommand, reply: Reply) -> Reply:
        if reply.kind == "call_id_taken":
            self._owners.forget(key_of(command))
        return reply

    def _remember(self, command: CallCommand, reply: Reply) -> None:
        if command.organisation_id is not None and not reply.unknown:
            self._owners.remember(key_of(command), command.organisation_id)
