"""The shell: `talktime`. Heavy imports wait until a command needs them."""

import os
import sys
from collections.abc import Sequence

USAGE_EXIT, FAILURE_EXIT = 2, 1


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command; ends the process with 0, 1 (it failed) or 2 (it was called wrongly).

    What can be expected to go wrong is one line on stderr that says what to do, never a traceback.
    """
    from talktime.cli.app import command
    from talktime.cli.failures import reason_for

    try:
        try:
            command()(arguments, prog_name="talktime")
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read our output has gone (`talktime ... | head`): there is nobody to tell, also
        # not of what is still to be written.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(FAILURE_EXIT)
    except Exception as error:
        line = reason_for(error)
        if line is None:
            raise
        for detail in getattr(error, "details", ()):
            print(detail, file=sys.stderr)
        print(f"talktime: {line}", file=sys.stderr)
        sys.exit(FAILURE_EXIT)
