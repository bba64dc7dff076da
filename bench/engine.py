"""The engine in process: a lane and a writer on a thread, asked by callers that each wait for
their answer."""

import asyncio
import gc
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

import uvloop

from bench.installations import add_wallets, cell, clock_ms
from talktime.config import Settings
from talktime.console.migrations_expected import expected_migrations
from talktime.core.books import Terms
from talktime.core.commands import Authorize, CallCommand, Extend, Settle
from talktime.core.meters import month_of, spending_key
from talktime.core.payers import Payers
from talktime.core.rating import Rate
from talktime.engine.connector import Outages
from talktime.engine.lane import Lane
from talktime.engine.writer import Assignment
from talktime.engine.writer_thread import WriterThread

SWITCH, BODY_HASH = 1, 7
GERMANY = Rate("49", "Germany", 15_000, 0, 60, 60)
PASSED = (
    "caller: Front desk (front-desk@contoso.example) of Contoso Demo",
    "number: +493012345678 exists (DE)",
    "licence: Communications Credits (MCOPSTNC)",
)
_call_numbers = count()


def whole_call(organisation_id: int) -> list[CallCommand]:
    """The three commands of one call."""
    at_ms = clock_ms()
    payers = Payers(spending=spending_key(month_of(at_ms), organisation_id))
    key = f"{next(_call_numbers):x}-{organisation_id:x}@switch.example"
    who = (organisation_id, organisation_id, "user_out", "14255550100", "493012345678")
    return [
        Authorize(SWITCH, key, 0, BODY_HASH, *who, at_ms, GERMANY, 300, None, PASSED, payers),
        Extend(SWITCH, key, 1, BODY_HASH, 290, 300, organisation_id),
        Settle(SWITCH, key, 2, BODY_HASH, 431, "normal", organisation_id),
    ]


class Engine:
    """A lane with its writer, on a loop as the service has it."""

    def __init__(self, lane: Lane, runner: asyncio.Runner) -> None:
        self._lane = lane
        self._runner = runner

    def commands_per_second(
        self, organisation_ids: list[int], callers: int, seconds: float
    ) -> float:
        """Durable commands a second that `callers` reach with whole calls on these wallets."""
        gc.collect()
        gc.freeze()
        return self._runner.run(self._measure(organisation_ids, callers, seconds))

    async def _measure(self, organisation_ids: list[int], callers: int, seconds: float) -> float:
        started = time.perf_counter()
        stop_at, done = started + seconds, 0

        async def call(caller: int) -> None:
            nonlocal done
            chance = random.Random(caller)
            while time.perf_counter() < stop_at:
                for command in whole_call(chance.choice(organisation_ids)):
                    answer = (await self._lane.submit((command,)))[0]
                    if answer.status != 200:
                        raise RuntimeError(answer.body)
                    done += 1

        await asyncio.gather(*[call(caller) for caller in range(callers)])
        return done / (time.perf_counter() - started)


@contextmanager
def running(settings: Settings) -> Iterator[Engine]:
    """An engine that runs until it has been measured: what its writer keeps in one turn, it has in
    the next, as a service's does."""
    assigned = Assignment("main", settings.cells["main"], expected_migrations("cell"), Terms())
    writer = WriterThread.of(assigned, Outages("bench"), lambda: 1)
    lane = Lane("main", writer, clock_ms, 10_000)
    gc.set_threshold(50_000, 20, 100)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        lane.start(runner.get_loop())
        yield Engine(lane, runner)
        runner.run(lane.stop())


def prepare(settings: Settings, wallets: int) -> list[int]:
    """Wallets 1 to `wallets`, with plenty of money."""
    organisation_ids = list(range(1, wallets + 1))
    connection = cell(settings)
    add_wallets(connection, organisation_ids)
    connection.close()
    return organisation_ids
