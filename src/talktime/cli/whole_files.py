"""Files that a command writes: whole, or not at all."""

import os
from collections.abc import Iterable
from pathlib import Path

from talktime.cli.failures import Failure


def write_whole(file: Path, pieces: Iterable[bytes]) -> None:
    """Write the file beside its place and move it there when it is whole: interrupted, it leaves
    what was there before. What is no file, such as a pipe, is written itself. Failure where it, or
    the folder, cannot be written."""
    made = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        if file.exists() and not file.is_file():
            with file.open("wb") as opened:
                opened.writelines(pieces)
            return
        with made.open("wb") as opened:
            opened.writelines(pieces)
        made.replace(file)
    except OSError as error:
        raise Failure(f"{file} cannot be written: {error.strerror}") from error
    finally:
        made.unlink(missing_ok=True)
