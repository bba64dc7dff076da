"""Whoever read what a command prints has gone."""

import os
import subprocess

import pytest

from tests.serving import COMMAND
from tests.stores import Store

ENDED_S_MAX = 60


@pytest.mark.layouts("sqlite")
@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["organisation", "list", "--json"], ["organisation", "list"]],
    ids=" ".join,
)
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
