"""Files that a command writes, where they are none."""

import os

from talktime.cli.whole_files import write_whole


def test_a_pipe_is_written_and_stays_one(tmp_path):
    pipe = tmp_path / "statement.csv"
    os.mkfifo(pipe)
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_whole(pipe, [b"call,", b"charge\n"])
    assert os.read(reading, 100) == b"call,charge\n"
    os.close(reading)
    assert pipe.is_fifo()
    assert list(tmp_path.iterdir()) == [pipe]
