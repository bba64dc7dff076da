"""The shell: `talktime`. Heavy imports wait until a command needs them."""

import errno
import json
import os
import sys
from collections.abc import Sequence

STOPPED_EXIT, USAGE_EXIT, FAILURE_EXIT = 130, 2, 1
NO_ROOM = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command; ends the process with 0, 1 (it failed), 2 (it was called wrongly) or 130
    (Ctrl-C).

    What can be expected to go wrong is one line on stderr that says what to do, never a traceback.
    With --json it is a document too.
    """
    given = sys.argv[1:] if arguments is None else arguments
    _open_closed_streams()
    try:
        try:
            _run(given)
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read our output has gone (`talktime ... | head`): there is nobody to tell, also
        # not of what is still to be written.
        _let_go_of_stdout()
        sys.exit(FAILURE_EXIT)
    except KeyboardInterrupt:
        sys.exit(STOPPED_EXIT)  # while the command was loaded: later it says so itself
    except Exception as error:
        if isinstance(error, OSError) and error.errno in NO_ROOM and error.filename is None:
            _let_go_of_stdout()
            print(f"talktime: {_output_lost(error)}", file=sys.stderr)
            sys.exit(FAILURE_EXIT)
        if not _told(error, as_json="--json" in given):
            raise
        sys.exit(FAILURE_EXIT)


def _open_closed_streams() -> None:
    """Let what was closed (`>&-`, some supervisors) be /dev/null: there is something to write to,
    and no file or socket that is opened gets the number of one, and what is printed with it."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, "w" if number else "r", closefd=False))


def _let_go_of_stdout() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _output_lost(error: OSError) -> str:
    # By now money may have moved.
    return (
        f"the output cannot be written: {error.strerror}. What the command did is done: look "
        "before you repeat it."
    )


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
