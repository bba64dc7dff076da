"""Files that a command writes, where they are none, are there already, or cannot be."""

import os

import pytest

from talktime.cli.failures import Failure
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


def test_what_a_link_names_is_written_and_the_link_stays(tmp_path):
    """A shell's /dev/stdout is one."""
    there = tmp_path / "of-this-month.csv"
    there.write_bytes(b"before")
    (tmp_path / "latest.csv").symlink_to(there)
    write_whole(tmp_path / "latest.csv", [b"after"])
    assert (tmp_path / "latest.csv").is_symlink()
    assert there.read_bytes() == b"after"


def test_who_could_not_read_a_file_before_cannot_read_it_after(tmp_path):
    file = tmp_path / "statement.csv"
    file.write_bytes(b"before")
    file.chmod(0o600)
    write_whole(file, [b"after"])
    assert file.read_bytes() == b"after"
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("name", ["file/statement.csv", "x" * 256, "nowhere/statement.csv"])
def test_a_place_that_cannot_be_is_said_to_be_none(tmp_path, name):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(Failure, match="cannot be written"):
        write_whole(tmp_path / name, [b"after"])
