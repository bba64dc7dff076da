"""CSV files that a command reads: their content, how far it is, and what is wrong with them."""

from pathlib import Path

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from talktime.cli.failures import Failure
from talktime.cli.output import console
from talktime.operations.csv_rows import BadFile


def content_of(file: Path, bytes_max: int) -> bytes:
    """The file's content; Failure where that is too much."""
    if file.stat().st_size > bytes_max:
        raise Failure(f"{file} is larger than {bytes_max:,} bytes. Split it.")
    return file.read_bytes()


def bad_file(file: Path, bad: BadFile) -> Failure:
    """Every bad row by line and reason, as many as are kept."""
    details = [f"line {error.line}: {error.reason}" for error in bad.errors]
    if bad.count > len(details):
        details.append(f"... and {bad.count - len(details):,} more")
    rows = "1 row is" if bad.count == 1 else f"{bad.count:,} rows are"
    return Failure(f"{file}: {rows} wrong; nothing was imported, nothing has changed", details)


def progress_bar() -> Progress:
    """How many rows are done, on a terminal; nothing elsewhere."""
    out = console(stderr=True)
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        console=out,
        transient=True,
        disable=not out.is_terminal,
    )
