"""The log of a SQLite file (the file beside it that ends in -wal), put on the disk by somebody else
than the connection that writes it.

With `synchronous=NORMAL` a commit only appends to the log; it survives the end of the process, and
the end of the machine once the log is on the disk. Who answers then waits for that, and the
connection goes on meanwhile. Moving pages from the log to their place still comes after the log is
on the disk: SQLite itself sees to that.
"""

import os
from pathlib import Path


class LogFile:
    """The log that an open connection writes: the same file for as long as that is open."""

    def __init__(self, database: Path) -> None:
        self._descriptor = os.open(f"{database}-wal", os.O_RDONLY)

    def sync(self) -> None:
        """Return when all that was committed until now is on the disk. From any thread; OSError
        where the disk fails."""
        os.fdatasync(self._descriptor)

    def __del__(self) -> None:
        # By the last who has it: the connection may have been closed while another thread syncs.
        if hasattr(self, "_descriptor"):
            os.close(self._descriptor)
