"""`make try-kamailio` that is ended in the midst of a call: nothing of it goes on."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tests.switches.programs import wait_until
from tests.switches.try_kamailio import INTERRUPTED

PATIENCE_S = 60


def running_in(folder: Path) -> list[str]:
    """The processes that name this folder in their arguments or their environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            said = (process / "cmdline").read_bytes(), (process / "environ").read_bytes()
            if any(os.fsencode(folder) in each for each in said):
                found.append(said[0].replace(b"\0", b" ").decode(errors="replace"))
    return found


@pytest.mark.parametrize("ends", [signal.SIGINT, signal.SIGHUP])
def test_who_ends_it_or_closes_the_terminal_leaves_nothing_running(
    tmp_path: Path, ends: signal.Signals
) -> None:
    said = tmp_path / "said"
    with said.open("wb") as out:
        trying = subprocess.Popen(
            [sys.executable, "-m", "tests.switches.try_kamailio"],
            stdout=out,
            stderr=subprocess.STDOUT,
            env={**os.environ, "TMPDIR": str(tmp_path), "PYTHONUNBUFFERED": "1"},
        )
    try:
        wait_until(lambda: b"200 OK" in said.read_bytes(), "an answered call", PATIENCE_S)
        assert any("kamailio" in each for each in running_in(tmp_path))
        trying.send_signal(ends)
        assert trying.wait(PATIENCE_S) == INTERRUPTED
    finally:
        trying.kill()
    assert b"Interrupted. Nothing is left running." in said.read_bytes()
    assert running_in(tmp_path) == []
    assert list(tmp_path.iterdir()) == [said]
