"""A queue and its writer. Mirrors src/talktime/engine/lane.py."""

import asyncio
import sqlite3
import threading
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import chain

import pytest

from talktime.core.commands import CallCommand
from talktime.engine.connector import Outages
from talktime.engine.engine import Sources
from talktime.engine.lane import BATCH_SIZES, Lane
from talktime.engine.reply import Reply
from talktime.engine.writer import OwnWriter, Writer
from talktime.engine.writer_process import WriterProcess
from tests.commands import NOW_MS, ORGANISATION, authorize, extend, settle
from tests.served import SOURCES
from tests.stores import Store
from tests.writers import assignment, fill

QUEUE_MAX = 100
AT_NOW_MS = Sources(lambda: NOW_MS, SOURCES.draw_node)


@contextmanager
def lane_on(
    store: Store,
    loop: asyncio.AbstractEventLoop,
    sources: Sources = AT_NOW_MS,
    writer: Writer | None = None,
    *,
    alone: bool = True,
) -> Iterator[Lane]:
    """A working lane of the store's first cell; its writer is on its thread, unless it has one."""
    own = OwnWriter(assignment(store), Outages("cell main"), sources.draw_node)
    lane = Lane("main", writer or own, sources.clock_ms, QUEUE_MAX, alone=alone)
    lane.start(loop)
    try:
        yield lane
    finally:
        lane.stop()


def statuses(done: Sequence[Reply]) -> list[int]:
    """The status of each answer."""
    return [each.status for each in done]


@contextmanager
def held_up(store: Store) -> Iterator[None]:
    """While this lasts the cell's writer waits for a lock."""
    cell = store.cell("main")
    with cell.transaction():
        cell.run(
            "UPDATE wallet SET balance_micros = balance_micros WHERE organisation_id = ?",
            [ORGANISATION],
        )
        yield


@contextmanager
def locked(store: Store) -> Iterator[None]:
    """While this lasts another program has the cell locked: a writer in any process waits."""
    path = store.settings.cells["main"].path
    assert path is not None
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


@pytest.mark.layouts("sqlite", "postgres")
def test_what_arrives_while_a_batch_commits_is_the_next_batch(store: Store) -> None:
    fill(store)

    async def arrive() -> list[Reply]:
        with lane_on(store, asyncio.get_running_loop()) as lane:
            with held_up(store):
                first = lane.submit([authorize("C0")])
                await until_taken(lane)
                later = [lane.submit([authorize(f"C{number}")]) for number in range(1, 40)]
            answers = [await first, *[await answered for answered in later]]
            assert lane.sizes.total == 40
            assert sum(lane.sizes.counts) == 2
        return [done for answer in answers for done in answer]

    assert statuses(asyncio.run(arrive())) == [200] * 40


@pytest.mark.layouts("sqlite")
@pytest.mark.parametrize(
    ("apart", "alone", "batches"),
    [
        (True, True, [1, 32, 16, 8, 8]),
        (True, False, [1, 64]),
        (False, True, [1, 64]),
    ],
)
def test_a_writer_beside_the_loop_gets_a_second_batch_and_where_it_is_the_only_one_the_half_of_many(
    store: Store, apart: bool, alone: bool, batches: list[int]
) -> None:
    fill(store)
    writer = WriterProcess(assignment(store), Outages("cell main")) if apart else None
    assert writer is None or writer.ahead_from == 8

    async def arrive() -> list[int]:
        loop = asyncio.get_running_loop()
        with lane_on(store, loop, writer=writer, alone=alone) as lane:
            with locked(store):
                first = lane.submit([authorize("C0")])
                await until_taken(lane)
                later = [lane.submit([authorize(f"C{n}")]) for n in range(1, 65)]
                if apart:
                    await until_fewer_wait(lane, len(later))
            for answered in (first, *later):
                assert statuses(await answered) == [200]
            return lane.sizes.counts

    expected = [0] * (len(BATCH_SIZES) + 1)
    for size in batches:
        expected[bisect_left(BATCH_SIZES, size)] += 1
    assert asyncio.run(arrive()) == expected


@pytest.mark.layouts("sqlite")
def test_few_commands_wait_for_the_batch_before_them(store: Store) -> None:
    """They are better off as a part of the next one."""
    fill(store)
    writer = WriterProcess(assignment(store), Outages("cell main"))

    async def arrive() -> list[int]:
        with lane_on(store, asyncio.get_running_loop(), writer=writer) as lane:
            with locked(store):
                first = lane.submit([authorize("C0")])
                await until_taken(lane)
                few = [lane.submit([authorize(f"C{n}")]) for n in range(1, writer.ahead_from)]
                assert lane.depth == len(few)
            for answered in (first, *few):
                assert statuses(await answered) == [200]
            return lane.sizes.counts

    counts = asyncio.run(arrive())
    assert (counts[0], counts[bisect_left(BATCH_SIZES, 7)], sum(counts)) == (1, 1, 2)


async def until_taken(lane: Lane) -> None:
    """Wait until the writer has taken what was queued."""
    await until_fewer_wait(lane, 1)


async def until_fewer_wait(lane: Lane, commands: int) -> None:
    """Wait until the writer has taken some of these."""
    while lane.depth >= commands:
        await asyncio.get_running_loop().run_in_executor(None, threading.Event().wait, 0.001)


@pytest.mark.layouts("sqlite", "postgres")
def test_a_full_queue_refuses_and_takes_nothing(store: Store) -> None:
    fill(store)

    async def arrive() -> None:
        with lane_on(store, asyncio.get_running_loop()) as lane:
            with held_up(store):
                first = lane.submit([authorize("C0")])
                await until_taken(lane)
                taken = lane.submit([authorize(f"C{number}") for number in range(1, 61)])
                refused = lane.submit([authorize(f"R{number}") for number in range(41)])
                also_taken = lane.submit([authorize(f"D{number}") for number in range(40)])
                also_refused = lane.submit([authorize("R")])
            for answered in (first, taken, also_taken):
                assert set(statuses(await answered)) == {200}
            for answered in (refused, also_refused):
                for done in await answered:
                    assert (done.status, done.code) == (429, "queue_full")
            again = await lane.submit([authorize("R")])
            assert statuses(again) == [200]

    asyncio.run(arrive())
    rows = store.cell("main").rows("SELECT COUNT(*) FROM call")
    assert rows == [(102,)]


@pytest.mark.layouts("sqlite", "postgres")
def test_a_request_larger_than_the_queue_is_taken_by_an_empty_one(store: Store) -> None:
    fill(store)

    async def arrive() -> list[Reply]:
        with lane_on(store, asyncio.get_running_loop()) as lane:
            return await lane.submit([authorize(f"C{n}") for n in range(2 * QUEUE_MAX)])

    assert statuses(asyncio.run(arrive())) == [200] * 2 * QUEUE_MAX


@pytest.mark.layouts("sqlite", "postgres")
def test_a_lane_that_stops_answers_what_it_took_and_takes_nothing_more(store: Store) -> None:
    fill(store)

    async def arrive() -> None:
        loop = asyncio.get_running_loop()
        with lane_on(store, loop) as lane:
            with held_up(store):
                taken = [lane.submit([authorize(f"C{number}")]) for number in range(50)]
                stopping = loop.run_in_executor(None, lane.stop)
                late = lane.submit([authorize("late")])
                while statuses(await late) == [200]:
                    late = lane.submit([authorize("late")])
            await stopping
            assert [statuses(await answered) for answered in taken] == [[200]] * 50
            (done,) = await lane.submit([authorize("later")])
            assert (done.status, done.code) == (503, "unavailable")

    asyncio.run(arrive())


@pytest.mark.layouts("sqlite", "postgres")
def test_one_command_that_fails_harms_none_of_its_neighbours(store: Store) -> None:
    fill(store)
    broken = authorize("broken")
    broken.rate = None  # type: ignore[assignment]
    group: list[CallCommand] = [
        *(authorize("C1"), broken, authorize("C2")),
        *(extend("C1", 1, used_s=10), settle("C2", 1, used_s=61)),
    ]

    async def arrive() -> tuple[list[Reply], list[Reply]]:
        with lane_on(store, asyncio.get_running_loop()) as lane:
            with held_up(store):
                first = lane.submit([authorize("C0")])
                await until_taken(lane)
                neighbour = lane.submit([settle("C0", 1, used_s=61)])
                mixed = lane.submit(group)
            await first
            return await neighbour, await mixed

    neighbour, mixed = asyncio.run(arrive())
    assert statuses(neighbour) == [200]
    assert statuses(mixed) == [200, 503, 200, 200, 200]
    assert store.cell("main").rows("SELECT call_key FROM call ORDER BY call_key") == [
        ("C0",),
        ("C1",),
        ("C2",),
    ]


@pytest.mark.layouts("sqlite", "postgres")
def test_two_processes_with_the_same_node_go_on_with_new_ones(store: Store) -> None:
    fill(store)
    nodes = [chain([5], range(100, 200)), chain([5], range(200, 300))]

    async def arrive() -> list[Reply]:
        loop = asyncio.get_running_loop()
        first, second = [Sources(lambda: NOW_MS, node.__next__) for node in nodes]
        with lane_on(store, loop, first) as one, lane_on(store, loop, second) as other:
            done = await one.submit([authorize("C1")])
            return done + await other.submit([authorize(name) for name in ("D1", "D2", "D3")])

    assert statuses(asyncio.run(arrive())) == [200, 200, 200, 200]
