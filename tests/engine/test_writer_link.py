"""The socket to a writer's process, and its end. Mirrors src/talktime/engine/writer_link.py."""

import os
import signal
import sys
import threading
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from talktime.engine.writer_process import BEGIN_AGAIN_S_MAX
from tests.books_check import proven
from tests.commands import authorize, settle
from tests.stores import Store
from tests.writers import Told, fill, no_thread_to_be_had, writer_process


@pytest.mark.layouts("sqlite")
def test_the_log_says_how_a_process_ended(store: Store) -> None:
    with capture_logs() as logs, writer_process(store) as writer:
        for lost in range(3):
            assert writer.pid is not None
            os.kill(writer.pid, signal.SIGKILL)
            while len(logs) == lost:
                threading.Event().wait(0.001)
            writer.run([authorize("C1")])
    said = [(line["event"], line["exit_code"]) for line in logs if "exit_code" in line]
    assert said == [("writer lost", -signal.SIGKILL)] * 3


@pytest.mark.layouts("sqlite")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_without_a_thread_to_see_a_process_end_its_commands_are_answered(store: Store) -> None:
    fill(store)
    with writer_process(store) as writer:
        writer.run([authorize("C1")])
        assert writer.pid is not None
        os.kill(writer.pid, signal.SIGSTOP)
        wait = writer.begin([authorize("C2")])
        with no_thread_to_be_had():
            os.kill(writer.pid, signal.SIGKILL)
            (reply,) = wait()
        assert (reply.status, reply.code) == (503, "unavailable")
        assert [reply.status for reply in writer.run([authorize("C2")])] == [200]


@pytest.mark.layouts("sqlite")
@pytest.mark.parametrize("python", ["/bin/false", "/nowhere"])
def test_while_none_lives_all_are_answered_and_then_one_works(
    store: Store, python: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(store)
    with writer_process(store) as writer:
        writer.run([authorize("C1")])
        assert writer.pid is not None
        monkeypatch.setattr(sys, "executable", python)
        os.kill(writer.pid, signal.SIGKILL)
        for _ in range(3):
            waits = [writer.begin([settle("C1", n, used_s=61)]) for n in range(1, 200)]
            assert {reply.code for wait in waits for reply in wait()} == {"unavailable"}
        monkeypatch.undo()
        writer.later(BEGIN_AGAIN_S_MAX)
        reply = writer.run([settle("C1", 1, used_s=61)])[0]
        if reply.status != 200:
            (reply,) = writer.run([settle("C1", 1, used_s=61)])
        assert reply.status == 200
    proven(store.cell("main"))


@pytest.mark.layouts("sqlite")
def test_while_none_can_be_begun_it_is_told_once_and_all_are_answered_at_once(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(store)
    monkeypatch.setattr(sys, "executable", "/nowhere")
    told: list[str] = []
    with writer_process(store, Told(told)) as writer:
        for n in range(20):
            (reply,) = writer.run([authorize(f"C{n}")])
            assert (reply.status, reply.code, writer.pid) == (503, "unavailable", None)
        monkeypatch.undo()
        # Tried at the start and for the first of these; now a second must pass.
        why = "its writer cannot be begun: [Errno 2] No such file or directory: '/nowhere'"
        assert told == [why, why]
        assert [reply.status for reply in writer.run([authorize("C1")])] == [503]
        writer.later(1)
        assert [reply.status for reply in writer.run([authorize("C1")])] == [200]
        assert told[2:] == ["back"]
    assert store.cell("main").rows("SELECT call_key FROM call") == [("C1",)]


@pytest.mark.layouts("sqlite")
def test_one_that_ends_before_it_answers_is_begun_again_less_and_less_often(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(store)
    begun, python = tmp_path / "begun", tmp_path / "python"
    python.write_text(f"#!/bin/sh\necho begun >> {begun}\n")
    python.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(python))
    with writer_process(store) as writer:
        times = []
        for _ in range(24):
            for n in range(3):
                assert [reply.status for reply in writer.run([authorize(f"C{n}")])] == [503]
            times.append(begun.read_text().count("begun"))
            writer.later(1)
        # At the start, at once, and then after 1, 2, 4, 8 and 8 seconds.
        assert times == [2] + [3] * 2 + [4] * 4 + [5] * 8 + [6] * 8 + [7]
        monkeypatch.undo()
        writer.later(BEGIN_AGAIN_S_MAX)
        assert [reply.status for reply in writer.run([authorize("C1")])] == [200]
        assert writer.pid is not None
        os.kill(writer.pid, signal.SIGKILL)
        # One that had worked is followed at once.
        replies = [writer.run([authorize("C2")])[0] for _ in range(2)]
        assert replies[1].status == 200
    proven(store.cell("main"))
