"""The engine in process: a lane and a writer on a thread, asked by callers that each wait for
their answer."""

import asyncio
import gc
import random
import time
from itertools import count

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


def commands_per_second(
    settings: Settings, organisation_ids: list[int], callers: int, seconds: float
) -> float:
    """Durable commands a second that `callers` reach with whole calls on these wallets."""
    assigned = Assignment("main", settings.cells["main"], expected_migrations("cell"), Terms())
    writer = WriterThread.of(assigned, Outages("bench"), lambda: 1)
    lane = Lane("main", writer, clock_ms, 10_000)
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    return asyncio.run(_measure(lane, organisation_ids, callers, seconds))


async def _measure(lane: Lane, organisation_ids: list[int], callers: int, seconds: float) -> float:
    lane.start(asyncio.get_running_loop())
    stop_at = time.perf_counter() + seconds
    done = 0

    async def call(caller: int) -> None:
        nonlocal done
        chance = random.Random(caller)
        while time.perf_counter() < stop_at:
            for command in whole_call(chance.choice(organisation_ids)):
                answer = (await lane.submit((command,)))[0]
                if answer.status != 200:
                    raise RuntimeError(answer.body)
                done += 1

    started = time.perf_counter()
    await asyncio.gather(*[call(caller) for caller in range(callers)])
    elapsed_s = time.perf_counter() - started
    await lane.stop()
    return done / elapsed_s


def prepare(settings: Settings, wallets: int) -> list[int]:
    """Wallets 1 to `wallets`, with plenty of money."""
    organisation_ids = list(range(1, wallets + 1))
    connection = cell(settings)
    add_wallets(connection, organisation_ids)
    connection.close()
    return organisation_ids
