"""A writer in a process of its own, so that its Python and the event loop's run side by
side.

Batches go there and their replies come back in order, over the socket of writer_link.py. When the
process ends by itself, the batches that it had are answered `unavailable` (a commit may have been
its last act: the same request again tells), and the next one begins another process; not at once
where that one answered nothing either, or could not be begun.
"""

import asyncio
import pickle
import threading
from collections import deque
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import msgspec
import structlog

from talktime.core.commands import CallCommand
from talktime.engine.batch_messages import Batch, decode_ran, encode, lost_in
from talktime.engine.connector import Outages
from talktime.engine.measures import Distribution
from talktime.engine.reply import Reply, shares, unavailable
from talktime.engine.writer import AWAY, BATCH_SIZES, FAILED, Assignment, Told
from talktime.engine.writer_link import Link
from talktime.store.sqlite import BUSY_MS_MAX
from talktime.store.turns import turns_of

log = structlog.get_logger(__name__)

BEGIN_AGAIN_S_MAX = 8


class Begun(NamedTuple):
    """Commands that are not answered yet."""

    content: bytes
    commands: Sequence[CallCommand]
    now_ms: int
    told: Told


class WriterProcess:
    """The writer of a cell, as this process sees it. `outages` is told of the database.

    It executes together what has come while it was busy, and need not wait for it.

    A SQLite file's writers take turns in this process, and the other writes for it: from the first
    batch that it gets until it has none, or somebody waits for the turn.
    """

    def __init__(self, assignment: Assignment, outages: Outages) -> None:
        self.sizes = Distribution(BATCH_SIZES)
        path = assignment.address.path
        self._turns = turns_of(path) if path is not None else None
        self._has_turn = self._asks_for_turn = False
        self._assignment = assignment
        self._outages = outages
        self.away = ""
        self._link: Link | None = None
        # Until when none is begun, by the loop's clock, and how long that is the next time.
        self._again_s = self._wait_s = 0.0
        self._waiting: list[Begun] = []
        self._sent: deque[Begun] = deque()

    @property
    def pid(self) -> int | None:
        """The number of the process, where there is one."""
        return self._link.process.pid if self._link is not None else None

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin the process, which is ready a moment later."""
        self._loop = loop
        try:
            self._open()
        except Exception as error:  # noqa: BLE001 - this never fails
            self._lost(error)

    def begin(self, commands: Sequence[CallCommand], now_ms: int, told: Told) -> None:
        """Send commands, or keep them until it is this writer's turn."""
        if self._resting():
            self._loop.call_soon(told, [unavailable(command, FAILED) for command in commands])
            return
        try:
            content = encode(Batch.of(commands, now_ms))
        except (ValueError, TypeError, OverflowError) as error:
            # Now, not when it is answered: what comes after must not overtake it.
            log.warning("batch not sent", commands=len(commands), error=repr(error))
            self._one_by_one(commands, now_ms, told)
            return
        self._waiting.append(Begun(content, commands, now_ms, told))
        self._send_waiting()

    async def close(self) -> None:
        """Let the process end."""
        if self._link is not None:
            self._link.close()
            await asyncio.to_thread(self._link.ended)
            self._link = None

    def _send_waiting(self) -> None:
        while self._waiting and self._my_turn():
            waiting, self._waiting = self._waiting, []
            self._sent += waiting
            try:
                (self._link or self._open()).send([begun.content for begun in waiting])
            except Exception as error:  # noqa: BLE001 - whatever it was, these must be answered
                self._lost(error)

    def _my_turn(self) -> bool:
        """Whether something may be sent now; else it will be when the turn has come."""
        if self._turns is None:
            return True
        if self._has_turn:
            return not (self._sent and self._turns.wanted)
        if not self._asks_for_turn:
            self._has_turn = self._turns.take(0)
            if not self._has_turn:
                self._ask_for_turn()
        return self._has_turn

    def _ask_for_turn(self) -> None:
        self._asks_for_turn = True
        try:
            threading.Thread(target=self._wait_for_turn, name="turn", daemon=True).start()
        except RuntimeError:
            # The system has no thread to give: nobody can wait for it.
            self._loop.call_soon(self._turn_came, False)

    def _wait_for_turn(self) -> None:
        """On a thread of its own."""
        assert self._turns is not None
        came = self._turns.take(BUSY_MS_MAX)
        try:
            self._loop.call_soon_threadsafe(self._turn_came, came)
        except RuntimeError:
            # The event loop is closed: nobody waits any more.
            if came:
                self._turns.give_back()

    def _turn_came(self, came: bool) -> None:
        self._asks_for_turn, self._has_turn = False, came
        if came:
            self._send_waiting()
            self._let_turn_go()
            return
        self._tell("it is locked by another writer")
        waiting, self._waiting = self._waiting, []
        for begun in waiting:
            begun.told([unavailable(command, AWAY) for command in begun.commands])

    def _let_turn_go(self) -> None:
        if self._turns is not None and self._has_turn and not self._sent:
            self._has_turn = False
            self._turns.give_back()

    def _heard(self, content: bytes) -> None:
        try:
            ran = decode_ran(content)
        except msgspec.DecodeError as error:
            self._lost(error)
            return
        self._wait_s = 0
        if ran.away != self.away:
            self._tell(ran.away)
        done = [self._sent.popleft()]
        count = len(done[0].commands)
        while count < len(ran.replies):
            done.append(self._sent.popleft())
            count += len(done[-1].commands)
        self._let_turn_go()
        self._send_waiting()
        if not ran.replies:
            # Not sent again: what was sent behind it is done, and one of a call goes by its order.
            calls = [command.call_key for command in done[0].commands]
            log.error("batch not read", lane=self._assignment.lane, calls=calls)
            done[0].told([unavailable(command, FAILED) for command in done[0].commands])
            return
        self.sizes.add(len(ran.replies))
        if ran.owners:
            lost = lost_in([command for begun in done for command in begun.commands])
            for command, owner in zip(lost, ran.owners, strict=True):
                command.organisation_id = owner
        each = shares(ran.replies, [len(begun.commands) for begun in done])
        for begun, own in zip(done, each, strict=True):
            begun.told(own)

    def _one_by_one(self, commands: Sequence[CallCommand], now_ms: int, told: Told) -> None:
        """Each command of a batch that could not be sent."""
        if len(commands) == 1:
            log.error("command failed", lane=self._assignment.lane, call=commands[0].call_key)
            self._loop.call_soon(told, [unavailable(commands[0], FAILED)])
            return
        replies: dict[int, Reply] = {}

        def told_one(place: int, found: list[Reply]) -> None:
            replies[place] = found[0]
            if len(replies) == len(commands):
                told([replies[each] for each in range(len(commands))])

        for place, command in enumerate(commands):
            self.begin([command], now_ms, partial(told_one, place))

    def _tell(self, away: str) -> None:
        self.away = away
        if away:
            self._outages.begin(self, away)
        else:
            self._outages.end(self)

    def _resting(self) -> bool:
        """Whether it is too early to begin a process."""
        return self._link is None and self._loop.time() < self._again_s

    def _open(self) -> Link:
        try:
            self._link = link = Link(self._loop, self._heard, self._lost)
        except Exception as error:
            self._tell(f"its writer cannot be begun: {error}")
            raise
        link.send([pickle.dumps(self._assignment)])
        return link

    def _lost(self, error: BaseException) -> None:
        """The process is gone, and with it what it had, or none could be begun. The next batch
        begins another: the second time in a row that none answered anything, only after a while."""
        link, self._link = self._link, None
        if link is not None:
            link.kill(partial(self._say_lost, error))
        self._again_s = self._loop.time() + self._wait_s
        self._wait_s = min(max(1, 2 * self._wait_s), BEGIN_AGAIN_S_MAX)
        unanswered = [*self._sent]
        self._sent.clear()
        if self._resting():
            unanswered += self._waiting
            self._waiting = []
        self._let_turn_go()
        for begun in unanswered:
            self._loop.call_soon(begun.told, [unavailable(c, FAILED) for c in begun.commands])
        self._send_waiting()

    def _say_lost(self, error: BaseException, code: int | None) -> None:
        """From any thread."""
        log.error("writer lost", lane=self._assignment.lane, error=repr(error), exit_code=code)
