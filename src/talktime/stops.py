"""What ends a service: Ctrl-C, its supervisor, its terminal that is closed."""

import signal
from collections.abc import Callable
from types import FrameType

STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def on_stop(handler: Callable[[int, FrameType | None], None]) -> None:
    """Have this called when the process is to end. Who began it with nohup wants it to outlive its
    terminal: then SIGHUP stays ignored."""
    for stop in STOPS:
        if stop != signal.SIGHUP or signal.getsignal(stop) is not signal.SIG_IGN:
            signal.signal(stop, handler)
