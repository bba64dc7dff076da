"""The shell: `talktime`. Heavy imports wait until a command needs them."""

import json
import os
import sys
from collections.abc import Sequence

STOPPED_EXIT, USAGE_EXIT, FAILURE_EXIT = 130, 2, 1


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command; ends the process with 0, 1 (it failed), 2 (it was called wrongly) or 130
    (Ctrl-C).

    What can be expected to go wrong is one line on stderr that says what to do, never a traceback.
    With --json it is a document too.
    """
    given = sys.argv[1:] if arguments is None else arguments
    try:
        try:
            _run(given)
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read our output has gone (`talktime ... | head`): there is nobody to tell, also
        # not of what is still to be written.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(FAILURE_EXIT)
    except KeyboardInterrupt:
        sys.exit(STOPPED_EXIT)  # while the command was loaded: later it says so itself
    except Exception as error:
        if not _told(error, as_json="--json" in given):
            raise
        sys.exit(FAILURE_EXIT)


def _run(arguments: Sequence[str]) -> None:
    # What this output's encoding does not know is a question mark in it: by now money has moved.
    getattr(sys.stdout, "reconfigure", lambda errors: None)(errors="replace")
    for argument in arguments:
        if any("\ud800" <= character <= "\udfff" for character in argument):
            print(f"talktime: the argument {argument!a} is not UTF-8", file=sys.stderr)
            sys.exit(USAGE_EXIT)
    from talktime.cli.app import command

    command()(arguments, prog_name="talktime")


def _told(error: Exception, *, as_json: bool) -> bool:
    """Say what went wrong; False, and nothing said, where that is a bug."""
    from talktime.cli.failures import reason_for

    reason = reason_for(error)
    if reason is None:
        return False
    details = getattr(error, "details", ())
    for line in (*details, f"talktime: {reason}"):
        print(line, file=sys.stderr)
    if as_json:
        failed = {"reason": reason, "code": getattr(error, "code", None), "details": details}
        print(json.dumps(failed, ensure_ascii=False, indent=2), flush=True)
    return True
