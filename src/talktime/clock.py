"""The clock of business: the time that entry points take for now, and hand down.

It is the machine's. Outside production a *test clock* may run ahead of it, so that months pass in a
minute: where TALKTIME_TEST_CLOCK=1, and for the demo. How far it is ahead stands in a file of the
data folder, which every process of the installation follows. Books and ids are ordered by time, so
that clock only moves forward. Without a test clock the file is not read.
"""

import fcntl
import json
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from talktime.config import ConfigError, Settings, owner_only

FILE, LOCK_FILE = "test_clock.json", "test_clock.lock"
LOOK_EVERY_NS = 50_000_000
LAST_MS = 3_786_912_000_000
"""2090-01-01: ids have room for some years more."""
SPAN = re.compile(r"([0-9]{1,5})(d|h|min)")
UNIT_MS = {"d": 86_400_000, "h": 3_600_000, "min": 60_000}
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HOW_TO_HAVE_ONE = (
    "the test clock is off, as it must be in production. For a test installation set "
    "TALKTIME_TEST_CLOCK=1 for each of its processes, or serve the demo (`talktime serve --demo`)"
)


class ClockError(ConfigError):
    """The clock cannot be set so; the message says why."""


class MovableClock:
    """How far the clock of one installation is ahead of the machine's."""

    def __init__(self, settings: Settings) -> None:
        self._path = settings.data / FILE
        self._books = books_of(settings)
        self._ahead_ms = 0
        self._look_ns = 0

    def ahead_ms(self) -> int:
        """How far it is ahead now. The file is looked at 20 times a second at most."""
        if time.monotonic_ns() >= self._look_ns:
            self.look()
        return self._ahead_ms

    def look(self) -> None:
        """Look at the file now. What cannot be read leaves the clock as it is."""
        self._look_ns = time.monotonic_ns() + LOOK_EVERY_NS
        try:
            kept = json.loads(self._path.read_bytes())
            self._ahead_ms = int(kept["ahead_ms"]) if kept["of"] == self._books else 0
        except FileNotFoundError:
            self._ahead_ms = 0
        except (OSError, ValueError, KeyError, TypeError):
            return

    def move_to(self, at_ms: int) -> None:
        """Make it this moment now; ClockError where that is not ahead of what it shows."""
        self._move(lambda now: at_ms)

    def _move(self, where_to: Callable[[int], int]) -> None:
        with self._locked():
            now = real_ms() + self._ahead_ms
            at_ms = where_to(now)
            if at_ms <= now:
                raise ClockError(
                    f"the clock shows {utc(now)} and only moves forward: books and ids are "
                    "ordered by time. Name a later moment"
                )
            if at_ms > LAST_MS:
                raise ClockError(f"the clock cannot be moved beyond {utc(LAST_MS)}")
            self._write(self._ahead_ms + at_ms - now)

    def move(self, words: str) -> None:
        """Move it by a span (30d, 12h, 45min) or to a moment (2027-03-01, 2027-03-01T00:00Z)."""
        span = SPAN.fullmatch(words.strip())
        if span is not None:
            by_ms = int(span[1]) * UNIT_MS[span[2]]
            self._move(lambda now: now + by_ms)
            return
        try:
            at = datetime.fromisoformat(words.strip())
            at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
            self.move_to((at - EPOCH) // timedelta(milliseconds=1))
        except (ValueError, OverflowError) as error:
            raise ClockError(
                f"{words[:40]!r} is neither a span nor a time: write 30d, 12h, 45min, "
                "2027-03-01 or 2027-03-01T12:00Z"
            ) from error

    def reset(self) -> None:
        """Let it show the machine's time again. Whether the books allow that, the caller knows."""
        with self._locked():
            self._path.unlink(missing_ok=True)
            self.look()

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with open(self._path.with_name(LOCK_FILE), "w", opener=owner_only) as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                self.look()
                yield
        except OSError as error:
            raise ClockError(f"{self._path} cannot be written: {error.strerror}") from error

    def _write(self, ahead_ms: int) -> None:
        made = self._path.with_name(f"{FILE}.{os.getpid()}")
        with open(made, "w", encoding="utf-8", opener=owner_only) as file:
            json.dump({"ahead_ms": ahead_ms, "of": self._books}, file)
        made.replace(self._path)
        self.look()


_followed: list[MovableClock] = []  # the clock of `follow`; empty for the machine's


def follow(settings: Settings) -> None:
    """Take the time of this installation from now on: its test clock's, if it may have one."""
    _followed[:] = [MovableClock(settings)] if settings.test_clock else []


def movable_clock() -> MovableClock:
    """The clock that this process follows; ClockError where it is the machine's."""
    if not _followed:
        raise ClockError(HOW_TO_HAVE_ONE)
    return _followed[0]


def is_movable() -> bool:
    """Whether this process follows a test clock."""
    return bool(_followed)


def now_ms() -> int:
    """Now, in milliseconds since the epoch, UTC."""
    real = time.time_ns() // 1_000_000
    return real + _followed[0].ahead_ms() if _followed else real


def real_ms() -> int:
    """Now by the machine's clock, whatever a test clock shows."""
    return time.time_ns() // 1_000_000


def ahead_ms() -> int:
    """How far now is ahead of the machine's clock: 0 in production."""
    return _followed[0].ahead_ms() if _followed else 0


def ahead_in_words(ahead_ms: int) -> str:
    """How far a clock is ahead, for people.

    >>> ahead_in_words(30 * UNIT_MS["d"]), ahead_in_words(86_400_000 + 3_600_000 + 1)
    ('30 days ahead', '1 day 1 hour ahead')
    >>> ahead_in_words(0), ahead_in_words(1_500)
    ('in step with real time', 'less than a minute ahead')
    """
    if ahead_ms == 0:
        return "in step with real time"
    parts, rest = [], ahead_ms
    for unit, name in (("d", "day"), ("h", "hour"), ("min", "minute")):
        number, rest = divmod(rest, UNIT_MS[unit])
        if number:
            parts.append(f"{number:,} {name}{'' if number == 1 else 's'}")
    return f"{' '.join(parts) or 'less than a minute'} ahead"


def utc(at_ms: int) -> str:
    """A moment as the clock's messages write it.

    >>> utc(86_400_000)
    '1970-01-02T00:00Z'
    """
    return (EPOCH + timedelta(milliseconds=at_ms)).strftime("%Y-%m-%dT%H:%MZ")


def books_of(settings: Settings) -> str:
    """Which books a clock belongs to: a file that lies beside those of others is not theirs."""
    path: Path | None = settings.control_plane.path
    return settings.control_plane.shown if path is None else f"sqlite:{path.absolute()}"
