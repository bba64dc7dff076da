"""A cell's writer: the process that engine/writer_process.py starts, and that ends with it.

python -m talktime.cli.serve_writer <the number of its socket>
"""

import secrets
import socket
import sys

from talktime.cli.serve_log import set_up_log
from talktime.cli.serve_tuning import (
    collect_between_batches,
    keep_what_is_loaded,
    switch_threads_soon,
)
from talktime.core.ids import NODES
from talktime.engine.writer import OwnWriter
from talktime.engine.writer_child import Received, Sending, Unsaid, assigned, serve_batches


def main() -> None:
    """Write until the other process lets go."""
    set_up_log()
    connection = socket.socket(fileno=int(sys.argv[1]))
    received = Received(connection)
    content = received.first()
    if content is None:
        return  # the other process has let go of this one before it was ready
    assignment = assigned(content)
    writer = OwnWriter(
        assignment,
        Unsaid(f"cell {assignment.cell}"),
        lambda: secrets.randbelow(NODES),
        sync_apart=True,
    )
    switch_threads_soon()
    keep_what_is_loaded()
    serve_batches(received, Sending(connection), writer, collect_between_batches())
    writer.close()


if __name__ == "__main__":
    main()
