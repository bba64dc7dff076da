"""Times as people write them."""

from datetime import UTC, datetime, timedelta

from talktime.cli.failures import Failure

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment_ms(text: str) -> int:
    """A date or a moment as milliseconds since the epoch; without a zone it is UTC.

    >>> moment_ms("2026-11-22T10:00:00Z"), moment_ms("1970-01-02")
    (1795341600000, 86400000)
    """
    try:
        at = datetime.fromisoformat(text)
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
        return (at - EPOCH) // timedelta(milliseconds=1)
    except (ValueError, OverflowError):
        raise Failure(
            f"{text[:40]!r} is no time: write 2026-01-31 or 2026-01-31T12:00:00Z"
        ) from None
