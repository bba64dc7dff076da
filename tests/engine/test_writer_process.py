"""A writer in a process of its own. Mirrors src/talktime/engine/writer_process.py."""

import os
import signal
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, get_type_hints

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from talktime.core.commands import CallCommand
from talktime.core.payers import Payers
from talktime.core.rating import Rate
from talktime.engine.batch_messages import KINDS, Batch
from talktime.engine.reply import Reply
from talktime.store.turns import turns_of
from tests.books_check import proven
from tests.commands import NOW_MS, ORGANISATION, authorize, extend, settle
from tests.stores import Store, Stores
from tests.writers import Told, fill, no_thread_to_be_had, own_writer, writer_process

GONE_S_MAX = 30
BIGINTS = st.integers(-(2**63), 2**63 - 1)


def any_of(kind: type[Any]) -> st.SearchStrategy[Any]:
    """Any value of a kind, its whole numbers such as the books take."""
    hints = get_type_hints(kind)
    whole = {name: BIGINTS for name, hint in hints.items() if hint is int}
    maybe = {name: st.none() | BIGINTS for name, hint in hints.items() if hint == int | None}
    nested = {name: any_of(hint) for name, hint in hints.items() if hint in (Rate, Payers)}
    return st.builds(kind, **whole, **maybe, **nested)


COMMANDS = st.one_of([any_of(kind) for kind in KINDS])


def whole_calls(names: Sequence[str]) -> list[CallCommand]:
    """Each call from its authorize to its settle, in turn, and the last settle again."""
    commands: list[CallCommand] = []
    for name in names:
        commands += [authorize(name), extend(name, 1, used_s=60), settle(name, 2, used_s=61)]
    return [*commands, commands[-1]]


@given(st.lists(COMMANDS, max_size=12))
def test_any_commands_arrive_as_they_were(commands: list[CallCommand]) -> None:
    there = msgspec.msgpack.encode(Batch.of(commands, NOW_MS))
    batch = msgspec.msgpack.decode(there, type=Batch)
    assert batch.commands() == commands
    assert batch.now_ms == NOW_MS


@pytest.mark.parametrize("layout", ["sqlite", "postgres"])
def test_it_answers_as_a_writer_of_this_process_does(stores: Stores, layout: str) -> None:
    first, second = stores.make(layout), stores.make(layout)
    for store in (first, second):
        fill(store)
    commands = whole_calls(["C1", "C2"])
    with writer_process(second) as writer:
        told = writer.run(commands)
    own = own_writer(first)
    expected = own.run(commands, NOW_MS)
    own.close()
    assert [without_ids(reply) for reply in told] == [without_ids(reply) for reply in expected]
    assert told[-1] == Reply(200, told[-2].body, "replayed")
    proven(second.cell("main"))
    for store in (first, second):
        stores.drop(store)


def without_ids(reply: Reply) -> tuple[Any, ...]:
    """A reply but for the id of its usage record, which every writer draws for itself."""
    body = msgspec.json.decode(reply.body)
    body.pop("usage_id", None)
    return reply.status, body, reply.kind


@pytest.mark.layouts("sqlite", "postgres")
def test_whose_a_call_is_comes_back_with_the_answer(store: Store) -> None:
    fill(store)
    lost = [extend("C1", 1, used_s=10), settle("C2", 1), settle("C1", 2, used_s=20)]
    with writer_process(store) as writer:
        writer.run([authorize("C1")])
        for command in lost:
            command.organisation_id = None
        replies = writer.run([lost[0], authorize("C3"), *lost[1:]])
    assert [reply.status for reply in replies] == [200, 200, 200, 200]
    assert replies[2].unknown
    assert [command.organisation_id for command in lost] == [ORGANISATION, None, ORGANISATION]


@pytest.mark.layouts("sqlite", "postgres")
def test_one_that_was_killed_is_unavailable_at_most_once_and_loses_nothing(store: Store) -> None:
    fill(store)
    with writer_process(store) as writer:
        assert [reply.status for reply in writer.run([authorize("C1")])] == [200]
        first = writer.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        (reply,) = writer.run([settle("C1", 1, used_s=61)])
        if reply.status != 200:
            assert (reply.status, reply.code) == (503, "unavailable")
            (reply,) = writer.run([settle("C1", 1, used_s=61)])
        assert reply.status == 200
        assert writer.pid not in (None, first)
    proven(store.cell("main"))


def wait_until_gone(pid: int) -> None:
    """Wait until a process has ended, whether or not somebody has asked for its exit code."""
    for _ in range(GONE_S_MAX * 1000):
        stat = Path(f"/proc/{pid}/stat")
        if not stat.exists() or stat.read_text().rsplit(") ", 1)[1].startswith("Z"):
            return
        threading.Event().wait(0.001)
    raise AssertionError(f"{pid} lives")


@pytest.mark.layouts("sqlite")
def test_signals_to_both_are_for_the_process_that_began_it(store: Store) -> None:
    fill(store)
    with writer_process(store) as writer:
        pid = writer.pid
        assert pid is not None
        for command in (authorize("C1"), settle("C1", 1, used_s=61)):
            for stop in (signal.SIGINT, signal.SIGTERM):
                os.kill(pid, stop)
            (reply,) = writer.run([command])
            assert (reply.status, writer.pid) == (200, pid)
    wait_until_gone(pid)


@pytest.mark.layouts("sqlite", "postgres")
def test_a_command_that_cannot_be_sent_harms_none_of_its_neighbours(store: Store) -> None:
    fill(store)
    broken = authorize("C2")
    broken.body_hash = 2**80
    with writer_process(store) as writer:
        group = [authorize("C1"), broken, authorize("C3")]
        assert [reply.status for reply in writer.run(group)] == [200, 503, 200]
    names = store.cell("main").rows("SELECT call_key FROM call ORDER BY call_key")
    assert names == [("C1",), ("C3",)]


@pytest.mark.layouts("sqlite", "postgres")
def test_what_cannot_be_read_is_not_executed_after_what_came_behind_it(store: Store) -> None:
    fill(store)
    broken = authorize("C2")
    broken.rate = None  # type: ignore[assignment]
    with capture_logs() as logs, writer_process(store) as writer:
        writer.run([authorize("C1")])
        assert writer.pid is not None
        os.kill(writer.pid, signal.SIGSTOP)
        groups = [[broken, extend("C1", 1, used_s=60)], [settle("C1", 1, used_s=61)]]
        waits = [writer.begin(group) for group in groups]
        os.kill(writer.pid, signal.SIGCONT)
        first, second = [wait() for wait in waits]
        assert [(reply.status, reply.code) for reply in first] == [(503, "unavailable")] * 2
        assert [reply.status for reply in second] == [200]
    assert [(line["event"], line["calls"]) for line in logs] == [("batch not read", ["C2", "C1"])]
    assert store.cell("main").rows("SELECT call_key, state FROM call") == [("C1", "settled")]
    proven(store.cell("main"))


@pytest.mark.layouts("sqlite")
def test_a_database_that_is_away_is_told_here_and_comes_back(store: Store) -> None:
    fill(store)
    told: list[str] = []

    path = store.settings.cells["main"].path
    assert path is not None
    with writer_process(store, Told(told)) as writer:
        assert [reply.status for reply in writer.run([authorize("C1")])] == [200]
        away = path.with_name("away")
        path.rename(away)
        for _ in range(2):
            (reply,) = writer.run([settle("C1", 1, used_s=61)])
            assert (reply.status, reply.code) == (503, "unavailable")
        away.rename(path)
        assert [reply.status for reply in writer.run([settle("C1", 1, used_s=61)])] == [200]
    assert "removed" in told[0]
    assert told[-1] == "back"
    assert len(told) == len(set(told)), "each reason once"


@pytest.mark.layouts("sqlite")
def test_a_turn_that_does_not_come_is_told_and_the_next_one_works(store: Store) -> None:
    fill(store)
    told: list[str] = []
    path = store.settings.cells["main"].path
    assert path is not None
    with writer_process(store, Told(told)) as writer:
        with turns_of(path).turn(1_000) as held:
            assert held
            waits = [writer.begin([authorize("C1")]), writer.begin([authorize("C2")])]
            for wait in waits:
                (reply,) = wait()
                assert (reply.status, reply.code) == (503, "unavailable")
        assert [reply.status for reply in writer.run([authorize("C1")])] == [200]
    assert told == ["it is locked by another writer", "back"]


@pytest.mark.layouts("sqlite")
def test_it_takes_its_turn_with_the_writers_of_this_process(store: Store) -> None:
    fill(store)
    path = store.settings.cells["main"].path
    assert path is not None
    turns, answered = turns_of(path), threading.Event()
    with writer_process(store) as writer:

        def ask() -> None:
            assert [reply.status for reply in writer.run([authorize("C1")])] == [200]
            answered.set()

        asking = threading.Thread(target=ask)
        with turns.turn(1_000) as held:
            assert held
            asking.start()
            while not turns.wanted:
                threading.Event().wait(0.001)
            assert not answered.is_set()
        asking.join(GONE_S_MAX)
        assert answered.is_set()


@pytest.mark.layouts("sqlite")
def test_without_anything_sent_a_writer_ends_with_its_lane(
    store: Store, capfd: pytest.CaptureFixture[str]
) -> None:
    with writer_process(store) as writer:
        pid = writer.pid
        assert pid is not None
    wait_until_gone(pid)
    assert capfd.readouterr().err == ""


@pytest.mark.layouts("sqlite")
def test_without_a_thread_to_wait_for_the_turn_it_is_away_and_then_works(store: Store) -> None:
    fill(store)
    path = store.settings.cells["main"].path
    assert path is not None
    with writer_process(store) as writer:
        with turns_of(path).turn(1_000) as held, no_thread_to_be_had():
            assert held
            (reply,) = writer.run([authorize("C1")])
            assert (reply.status, reply.code) == (503, "unavailable")
        assert [reply.status for reply in writer.run([authorize("C1")])] == [200]


@pytest.mark.layouts("sqlite", "postgres")
def test_what_comes_before_it_is_ready_is_executed_in_its_order(store: Store) -> None:
    fill(store)
    with writer_process(store) as writer:
        begun = [[authorize("C1")], [extend("C1", 1, used_s=60)], [settle("C1", 2, used_s=61)]]
        replies = [wait() for wait in [writer.begin(commands) for commands in begun]]
    assert [reply.status for (reply,) in replies] == [200, 200, 200]
    assert [msgspec.json.decode(reply.body)["sequence"] for (reply,) in replies] == [0, 1, 2]
    proven(store.cell("main"))


@pytest.mark.layouts("sqlite")
def test_what_came_while_it_was_busy_is_one_batch_but_not_what_cannot_be_read(store: Store) -> None:
    fill(store)
    with writer_process(store) as writer:
        writer.run([authorize("C0")])
        assert writer.pid is not None
        os.kill(writer.pid, signal.SIGSTOP)
        unreadable = authorize("unreadable")
        unreadable.rate = None  # type: ignore[assignment]
        names = [*(f"C{n}" for n in range(1, 20)), "unreadable", *(f"D{n}" for n in range(300))]
        waits = [
            writer.begin([unreadable if name == "unreadable" else authorize(name)])
            for name in names
        ]
        os.kill(writer.pid, signal.SIGCONT)
        statuses = [reply.status for wait in waits for reply in wait()]
        assert statuses == [503 if name == "unreadable" else 200 for name in names]
        sizes = writer.writer.sizes
        assert (sizes.total, sum(sizes.counts)) == (320, 4)
    assert store.cell("main").rows("SELECT COUNT(*) FROM call") == [(320,)]
    proven(store.cell("main"))


@pytest.mark.layouts("sqlite")
def test_more_than_the_socket_takes_at_once_is_sent_as_it_is_read(store: Store) -> None:
    fill(store)
    with writer_process(store) as writer:
        assert writer.pid is not None
        os.kill(writer.pid, signal.SIGSTOP)
        groups = [[authorize(f"C{n}-{m}") for m in range(256)] for n in range(8)]
        waits = [writer.begin(group) for group in groups]
        os.kill(writer.pid, signal.SIGCONT)
        assert [reply.status for wait in waits for reply in wait()] == [200] * 8 * 256
    assert store.cell("main").rows("SELECT COUNT(*) FROM call") == [(8 * 256,)]


@pytest.mark.layouts("sqlite", "postgres")
def test_all_that_one_had_when_it_was_killed_is_unavailable_and_the_next_begins(
    store: Store,
) -> None:
    fill(store)
    with writer_process(store) as writer:
        writer.run([authorize("C1")])
        first = writer.pid
        assert first is not None
        os.kill(first, signal.SIGSTOP)
        waits = [writer.begin([settle("C1", n, used_s=61)]) for n in (1, 2)]
        os.kill(first, signal.SIGKILL)
        replies = [wait() for wait in waits]
        assert [(reply.status, reply.code) for (reply,) in replies] == [(503, "unavailable")] * 2
        assert [r.status for r in writer.run([settle("C1", 1, used_s=61)])] == [200]
    proven(store.cell("main"))


@pytest.mark.layouts("sqlite")
def test_who_waits_for_the_turn_gets_it_however_much_there_is_to_write(store: Store) -> None:
    fill(store)
    path = store.settings.cells["main"].path
    assert path is not None
    ended, done = threading.Event(), 0

    def write(number: int) -> None:
        nonlocal done
        while not ended.is_set():
            with taking:
                done += 1
                wait = writer.begin([authorize(f"C{done}")])
            assert [reply.status for reply in wait()] == [200]

    taking = threading.Lock()
    with writer_process(store) as writer, ThreadPoolExecutor(2) as pool:
        writing = [pool.submit(write, number) for number in range(2)]
        try:
            for _ in range(20):
                before = done
                with turns_of(path).turn(GONE_S_MAX * 1000) as held:
                    assert held
                while done == before:
                    threading.Event().wait(0.001)
        finally:
            ended.set()
        for each in writing:
            each.result(GONE_S_MAX)
