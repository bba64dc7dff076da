"""Whoever read what a command prints has gone, or was never there, or has no room for it."""

import os
import subprocess

import pytest

from tests.serving import COMMAND
from tests.stores import Store

ENDED_S_MAX = 60

any_output = pytest.mark.parametrize(
    "arguments",
    [["--help"], ["organisation", "list", "--json"], ["organisation", "list"]],
    ids=" ".join,
)


@pytest.mark.layouts("sqlite")
@any_output
def test_a_command_that_nobody_reads_ends_without_a_word(
    store: Store, arguments: list[str]
) -> None:
    """However little it prints: as `talktime ... | head -1` where head has read enough."""
    environ = {**os.environ, **store.environ}
    environ.pop("PYTHONUNBUFFERED", None)  # what is printed waits for the end, as a rule
    reads, writes = os.pipe()
    os.close(reads)
    with os.fdopen(writes, "w") as unread:
        done = subprocess.run(
            [COMMAND, *arguments],
            env=environ,
            stdout=unread,
            stderr=subprocess.PIPE,
            text=True,
            timeout=ENDED_S_MAX,
            check=False,
        )
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.layouts("sqlite")
@any_output
def test_output_for_which_there_is_no_room_is_one_line_on_stderr(
    store: Store, arguments: list[str]
) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [COMMAND, *arguments],
            env={**os.environ, **store.environ},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=ENDED_S_MAX,
            check=False,
        )
    assert done.stderr == (
        "talktime: the output cannot be written: No space left on device. What the command did "
        "is done: look before you repeat it.\n"
    )
    assert done.returncode == 1


@pytest.mark.layouts("sqlite")
@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_command_whose_streams_are_closed_works(store: Store, closed: str) -> None:
    """As a supervisor may start it: what it opens does not get the number of its output."""
    done = subprocess.run(
        ["/bin/sh", "-c", f'exec "$0" "$@" {closed}', COMMAND, "organisation", "list"],
        env={**os.environ, **store.environ},
        capture_output=True,
        text=True,
        timeout=ENDED_S_MAX,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert (done.stdout == "") is (" >&-" in f" {closed}")
