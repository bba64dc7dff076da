"""When to write a log line about what others do again and again: the first of a kind at once, then
at most one a minute, with the number of those between."""

from talktime.core.limits import COMPLAINTS_CACHED_MAX

EVERY_S = 60.0


class Complaints:
    """What was complained about, by where it came from and why, and how often since."""

    def __init__(self) -> None:
        self._since: dict[tuple[str, str], tuple[float, int]] = {}

    def note(self, host: str, reason: str, at_s: float) -> int | None:
        """It has happened again: how often since the last line, where another is due now."""
        kind = (host, reason)
        last_s, more = self._since.get(kind, (-EVERY_S, 0))
        if at_s - last_s < EVERY_S:
            self._since[kind] = (last_s, more + 1)
            return None
        if kind not in self._since and len(self._since) >= COMPLAINTS_CACHED_MAX:
            self._since = {k: v for k, v in self._since.items() if at_s - v[0] < EVERY_S}
            if len(self._since) >= COMPLAINTS_CACHED_MAX:
                return None
        self._since[kind] = (at_s, 0)
        return more
