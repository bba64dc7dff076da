"""Files that a command writes: whole, or not at all."""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from stat import S_IMODE, S_ISREG

from talktime.cli.failures import Failure


def write_whole(file: Path, pieces: Iterable[bytes]) -> None:
    """Write the file beside its place and move it there when it is whole: interrupted, it leaves
    what was there before. Who may read that, may read this. What another file cannot stand for,
    such as a pipe, a link or what is not our own, is written itself. Failure where it, or the
    folder, cannot be written."""
    made = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        there = file.lstat() if os.path.lexists(file) else None
        if there is not None and not _is_our_file(there):
            with file.open("wb") as opened:
                opened.writelines(pieces)
            return
        with made.open("wb") as opened:
            if there is not None:
                os.fchmod(opened.fileno(), S_IMODE(there.st_mode))
            opened.writelines(pieces)
        made.replace(file)
    except OSError as error:
        raise Failure(f"{file} cannot be written: {error.strerror}") from error
    finally:
        with suppress(OSError):  # where there can be no such file, the first error says why
            made.unlink()


def _is_our_file(there: os.stat_result) -> bool:
    ours = (there.st_uid, there.st_gid) == (os.geteuid(), os.getegid())
    return S_ISREG(there.st_mode) and ours
