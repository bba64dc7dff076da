"""What is dear to make and only copied: made once for all processes that share the tests."""

import atexit
import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

VARIABLE = "SHARED_BY_TESTS"


def shared_folder() -> Path:
    """A folder that this process and those it starts from now on share; gone at its end."""
    if VARIABLE not in os.environ:
        made = tempfile.mkdtemp(prefix="talktime-shared-")
        os.environ[VARIABLE] = made
        atexit.register(shutil.rmtree, made, ignore_errors=True)
    return Path(os.environ[VARIABLE])


def made_once(name: str, make: Callable[[Path], None]) -> Path:
    """A folder that `make` filled, in this process or in another: nobody may change it.

    Who comes while it is made waits for it; where making it failed, the next one tries anew.
    """
    folder = shared_folder() / name
    with folder.with_name(f"{name}.made").open("a+") as mark:
        fcntl.flock(mark, fcntl.LOCK_EX)
        mark.seek(0)
        if not mark.read():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            mark.write("made")
    return folder
