"""Files that a command writes: whole, or not at all."""

import os
from collections.abc import Iterable
from pathlib import Path

from talktime.cli.failures import Failure


def write_whole(file: Path, pieces: Iterable[bytes]) -> None:
    """Write the file beside its place and move it there when it is whole: interrupted, it leaves
    what was there before. Failure where the folder takes no file."""
    made = file.with_name(f"{file.name}.{os.getpid()}")
    try:
        with made.open("wb") as opened:
            opened.writelines(pieces)
        made.replace(file)
    except OSError as error:
        raise Failure(f"{file} cannot be written: {error.strerror}") from error
    finally:
        made.unlink(missing_ok=True)
