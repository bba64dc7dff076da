"""A writer's process from within. Mirrors src/talktime/engine/writer_child.py."""

import gc
import os
import subprocess
import sys
import threading
from pathlib import Path
from socket import socketpair

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talktime.engine.batch_messages import Frames, framed
from talktime.engine.connector import Outages
from talktime.engine.writer import OwnWriter
from talktime.engine.writer_child import QUICK_SECONDS, Received, Sending
from talktime.store.log_file import LogFile
from tests.commands import NOW_MS, authorize, extend, settle
from tests.served import SOURCES
from tests.stores import Store
from tests.writers import assignment, fill, own_writer

GONE_S_MAX = 30
TRIES = 10_000


class Disk(LogFile):
    """A log that is on the disk when the test says so."""

    def __init__(self) -> None:
        self.synced, self.asked = threading.Event(), threading.Event()

    def sync(self) -> None:
        self.asked.set()
        assert self.synced.wait(GONE_S_MAX)


def test_replies_are_sent_in_order_and_each_when_the_disk_has_it() -> None:
    ours, theirs = socketpair()
    received, sending, first, second = Received(ours), Sending(theirs), Disk(), Disk()
    sending.put(b"nothing was written", set())
    assert received.some() == [b"nothing was written"]
    sending.put(b"first", {first})
    assert first.asked.wait(GONE_S_MAX)
    sending.put(b"second", {second})
    sending.put(b"third", set())
    assert not received.more
    first.synced.set()
    assert received.first() == b"first"
    assert second.asked.wait(GONE_S_MAX)
    assert not received.more
    second.synced.set()
    assert [received.first() for _ in range(2)] == [b"second", b"third"]
    theirs.close()
    assert received.some() == []
    ours.close()


class TimedDisk(LogFile):
    """A log whose every sync takes so long by its own clock; `by` are the threads that waited."""

    def __init__(self) -> None:
        self.takes_s = self.now_s = 0.0
        self.by: list[threading.Thread] = []

    def sync(self) -> None:
        self.now_s += self.takes_s
        self.by.append(threading.current_thread())


def test_a_quick_disk_is_waited_for_by_who_writes_and_a_slow_one_beside() -> None:
    ours, theirs = socketpair()
    disk, here = TimedDisk(), threading.current_thread()
    received, sending = Received(ours), Sending(theirs, lambda: disk.now_s)

    def put() -> threading.Thread:
        sending.put(b"written", {disk})
        assert received.first() == b"written"
        return disk.by[-1]

    assert put() is not here
    for _ in range(TRIES):  # the other thread may not have noted yet that it has sent
        if put() is here:
            break
    assert put() is here
    disk.takes_s = 2 * QUICK_SECONDS
    assert put() is here
    assert [put() is here for _ in range(3)] == [False] * 3
    ours.close()
    theirs.close()


@given(st.lists(st.binary(max_size=40), max_size=8), st.lists(st.integers(1, 50), max_size=20))
def test_messages_are_cut_out_of_whatever_pieces_come(
    messages: list[bytes], lengths: list[int]
) -> None:
    stream, frames, found = b"".join(map(framed, messages)), Frames(), []
    for length in [*lengths, len(stream) + 1]:
        found += frames.cut(stream[:length])
        stream = stream[length:]
    assert found == messages


A_DISK_THAT_FAILS = """
import socket
import sys
from pathlib import Path
from talktime.cli.serve_log import set_up_log
from talktime.engine.writer_child import Received, Sending
from talktime.store.log_file import LogFile

set_up_log()
sending = Sending(socket.socket(fileno=int(sys.argv[1])))
sending.put(b"granted", {LogFile(Path(sys.argv[2]))})
sys.stdin.read()
"""


def test_what_the_disk_does_not_take_is_answered_by_nobody(tmp_path: Path) -> None:
    """A pipe is no file that could be put on a disk."""
    os.mkfifo(tmp_path / "no-disk-wal")
    kept_open = os.open(tmp_path / "no-disk-wal", os.O_RDWR)
    ours, theirs = socketpair()
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-c", A_DISK_THAT_FAILS, str(theirs.fileno()), tmp_path / "no-disk"],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    with ours:
        assert Received(ours).some() == []
    _, said = process.communicate(timeout=GONE_S_MAX)
    os.close(kept_open)
    assert process.returncode == 1
    assert "log not on the disk" in said


@pytest.mark.layouts("sqlite")
def test_what_of_a_batch_that_was_taken_apart_is_written_is_to_be_synced_too(store: Store) -> None:
    fill(store)
    broken = authorize("broken")
    broken.rate = None  # type: ignore[assignment]
    writer = OwnWriter(assignment(store), Outages("cell main"), SOURCES.draw_node, sync_apart=True)
    for batch, statuses in (([authorize("C1")], [200]), ([authorize("C2"), broken], [200, 503])):
        assert [reply.status for reply in writer.run(batch, NOW_MS)] == statuses
        assert len(writer.unsynced) == 1
    writer.close()


def test_a_batch_leaves_nothing_that_only_the_collector_finds(store: Store) -> None:
    """The collector looks once at what is new, and never again (cli/serve_tuning.py)."""
    fill(store)
    writer = own_writer(store)
    whole = [authorize(), extend(used_s=60), settle(sequence=2, used_s=90)]
    odd = [whole[-1], authorize("C2", 1), extend("C3"), authorize("C4")]
    writer.run([*whole, *odd], NOW_MS)
    gc.collect()
    gc.disable()
    try:
        for number in range(20):
            calls = [authorize(f"{number}"), settle(f"{number}", used_s=60)]
            writer.run([*calls, *odd], NOW_MS)
        assert gc.collect() == 0
    finally:
        gc.enable()
    writer.close()
