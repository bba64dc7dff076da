"""A queue and its writer. Mirrors src/talktime/engine/lane.py."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from itertools import chain

import pytest

from talktime.core.commands import CallCommand
from talktime.core.limits import BATCH_MAX
from talktime.engine.connector import Outages
from talktime.engine.engine import Sources
from talktime.engine.lane import AWAY_SECONDS, GIVEN_MAX, Lane
from talktime.engine.reply import Reply
from talktime.engine.writer import BATCH_SIZES, Told, Writer
from talktime.engine.writer_process import WriterProcess
from talktime.engine.writer_thread import WriterThread
from tests.commands import NOW_MS, ORGANISATION, authorize, extend, settle
from tests.served import SOURCES
from tests.stores import Store
from tests.writers import assignment, fill

QUEUE_MAX = 100
AT_NOW_MS = Sources(lambda: NOW_MS, SOURCES.draw_node)


@asynccontextmanager
async def lane_on(
    store: Store,
    sources: Sources = AT_NOW_MS,
    writer: Writer | None = None,
    queue_max: int = QUEUE_MAX,
) -> AsyncIterator[Lane]:
    """A working lane of the store's first cell; its writer is on a thread, unless it has one."""
    own = WriterThread.of(assignment(store), Outages("cell main"), sources.draw_node)
    lane = Lane("main", writer or own, sources.clock_ms, queue_max)
    lane.start(asyncio.get_running_loop())
    try:
        yield lane
    finally:
        await lane.stop()


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


async def the_rest_of_the_loop() -> None:
    """Let the loop do what it has to do by now."""
    passed = asyncio.Event()
    asyncio.get_running_loop().call_soon(passed.set)
    await passed.wait()


@pytest.mark.layouts("sqlite", "postgres")
@pytest.mark.parametrize("apart", [False, True])
def test_what_arrives_while_a_batch_is_executed_is_the_next_batch(
    store: Store, apart: bool
) -> None:
    fill(store)
    writer = WriterProcess(assignment(store), Outages("cell main")) if apart else None

    async def arrive() -> None:
        async with lane_on(store, writer=writer) as lane:
            assert statuses(await lane.submit([authorize("C")])) == [200]
            with held_up(store):
                asked = []
                for number in range(40):
                    asked.append(lane.submit([authorize(f"C{number}")]))
                    await the_rest_of_the_loop()
            assert [statuses(await answered) for answered in asked] == [[200]] * 40
            assert lane.sizes.total == 41
            # Some were executed when they came; all others together.
            assert sum(lane.sizes.counts) <= 3

    asyncio.run(arrive())


class Given(WriterThread):
    """A writer that notes how many commands it is given at a time."""

    def begin(self, commands: Sequence[CallCommand], now_ms: int, told: Told) -> None:
        self.counts = [*getattr(self, "counts", []), len(commands)]
        super().begin(commands, now_ms, told)


@pytest.mark.layouts("sqlite")
def test_a_writer_with_nothing_to_do_is_given_what_comes_first_at_once(store: Store) -> None:
    fill(store)
    writer = Given.of(assignment(store), Outages("cell main"), lambda: 1)

    async def arrive() -> None:
        async with lane_on(store, writer=writer) as lane:
            for batch in range(2):
                asked = [lane.submit([authorize(f"C{batch}-{n}")]) for n in range(5)]
                assert len(writer.counts) == 2 * batch + 1
                for answered in asked:
                    assert statuses(await answered) == [200]

    asyncio.run(arrive())
    assert writer.counts == [1, 4, 1, 4]


@pytest.mark.layouts("sqlite")
def test_a_writer_is_given_two_batches_at_most_and_the_rest_when_it_has_answered(
    store: Store,
) -> None:
    fill(store)
    commands = GIVEN_MAX + BATCH_MAX + 1

    async def arrive() -> None:
        async with lane_on(store, queue_max=commands) as lane:
            asked = [lane.submit([authorize(f"C{number}")]) for number in range(commands)]
            for answered in asked:
                assert statuses(await answered) == [200]
            assert lane.depth == 0
            assert lane.sizes.counts[BATCH_SIZES.index(BATCH_MAX)] >= commands // BATCH_MAX - 1
            assert sum(lane.sizes.counts[BATCH_SIZES.index(BATCH_MAX) + 1 :]) == 0

    asyncio.run(arrive())


@pytest.mark.layouts("sqlite", "postgres")
def test_a_full_queue_refuses_and_takes_nothing(store: Store) -> None:
    fill(store)

    async def arrive() -> None:
        async with lane_on(store) as lane:
            with held_up(store):
                taken = lane.submit([authorize(f"C{number}") for number in range(60)])
                refused = lane.submit([authorize(f"R{number}") for number in range(41)])
                also_taken = lane.submit([authorize(f"D{number}") for number in range(40)])
                also_refused = lane.submit([authorize("R")])
                assert lane.depth == QUEUE_MAX
            for answered in (taken, also_taken):
                assert set(statuses(await answered)) == {200}
            for answered in (refused, also_refused):
                for done in await answered:
                    assert (done.status, done.code) == (429, "queue_full")
            again = await lane.submit([authorize("R")])
            assert statuses(again) == [200]

    asyncio.run(arrive())
    rows = store.cell("main").rows("SELECT COUNT(*) FROM call")
    assert rows == [(101,)]


@pytest.mark.layouts("sqlite", "postgres")
def test_a_request_larger_than_the_queue_is_taken_by_an_empty_one(store: Store) -> None:
    fill(store)

    async def arrive() -> list[Reply]:
        async with lane_on(store) as lane:
            return await lane.submit([authorize(f"C{n}") for n in range(2 * QUEUE_MAX)])

    assert statuses(asyncio.run(arrive())) == [200] * 2 * QUEUE_MAX


@pytest.mark.layouts("sqlite", "postgres")
def test_a_lane_that_stops_answers_what_it_took_and_takes_nothing_more(store: Store) -> None:
    fill(store)

    async def arrive() -> None:
        loop = asyncio.get_running_loop()
        async with lane_on(store) as lane:
            with held_up(store):
                taken = [lane.submit([authorize(f"C{number}")]) for number in range(50)]
                stopping = loop.create_task(lane.stop())
                await the_rest_of_the_loop()
                (late,) = await lane.submit([authorize("late")])
                assert (late.status, late.code) == (503, "unavailable")
                assert not stopping.done()
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
        async with lane_on(store) as lane:
            with held_up(store):
                first = lane.submit([authorize("C0")])
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
        first, second = [Sources(lambda: NOW_MS, node.__next__) for node in nodes]
        async with lane_on(store, first) as one, lane_on(store, second) as other:
            done = await one.submit([authorize("C1")])
            return done + await other.submit([authorize(name) for name in ("D1", "D2", "D3")])

    assert statuses(asyncio.run(arrive())) == [200, 200, 200, 200]


@pytest.mark.layouts("sqlite")
def test_a_lane_that_nobody_asks_any_more_is_ready_again_after_a_while(store: Store) -> None:
    path = store.settings.cells["main"].path
    assert path is not None

    async def ask_and_wait() -> None:
        loop = asyncio.get_running_loop()
        real_s = loop.time
        async with lane_on(store) as lane:
            aside = path.rename(path.with_suffix(".aside"))
            assert statuses(await lane.submit([authorize()])) == [503]
            assert lane.away
            aside.rename(path)
            loop.time = lambda: real_s() + AWAY_SECONDS + 1  # type: ignore[method-assign]
            assert not lane.away

    asyncio.run(ask_and_wait())


@pytest.mark.layouts("sqlite")
def test_what_writes_nothing_ends_no_outage(store: Store) -> None:
    """On a full disk the settle of a call that nobody knows is answered, and an authorize is not:
    whoever asks whether the process is ready must not hear yes in between."""
    path = store.settings.cells["main"].path
    assert path is not None
    fill(store)

    async def ask() -> None:
        loop = asyncio.get_running_loop()
        real_s = loop.time
        async with lane_on(store) as lane:
            aside = path.rename(path.with_suffix(".aside"))
            assert statuses(await lane.submit([authorize("C1")])) == [503]
            aside.rename(path)
            assert statuses(await lane.submit([settle("nobody")])) == [200]
            assert lane.away
            loop.time = lambda: real_s() + AWAY_SECONDS + 1  # type: ignore[method-assign]
            assert statuses(await lane.submit([settle("nobody")])) == [200]
            assert not lane.away
            loop.time = real_s  # type: ignore[method-assign]
            assert lane.away
            assert statuses(await lane.submit([authorize("C1")])) == [200]
            assert not lane.away

    asyncio.run(ask())
