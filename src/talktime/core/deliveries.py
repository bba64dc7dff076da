"""One notice to one address or endpoint: what may come of sending it, and when it is tried again.

A delivery is tried at least once: whoever crashes between sending and writing what came of it sends
again, with the same ids, by which the receiver knows a repetition.
"""

from typing import NamedTuple

from talktime.core.limits import ANSWER_TEXT_MAX

MAIL, WEBHOOK = "mail", "webhook"
DUE, SENT, FAILED, DROPPED = "due", "sent", "failed", "dropped"

MINUTE_S, HOUR_S = 60, 3_600
DAY_MS = 86_400_000

WEBHOOK_DELAYS_S = (
    *(0, 5, 5 * MINUTE_S, 30 * MINUTE_S, 2 * HOUR_S),
    *(5 * HOUR_S, 10 * HOUR_S, 14 * HOUR_S, 20 * HOUR_S, 24 * HOUR_S),
)
"""How long after the last try a webhook is tried, by how often it was: Standard Webhooks' own."""

MAIL_DELAYS_S = (
    *(0, MINUTE_S, 5 * MINUTE_S, 30 * MINUTE_S, 2 * HOUR_S),
    *(5 * HOUR_S, 10 * HOUR_S, 14 * HOUR_S, 20 * HOUR_S, 24 * HOUR_S),
)
"""The same for mail that the server put off; a server that is away costs no try."""

DELAYS_S = {MAIL: MAIL_DELAYS_S, WEBHOOK: WEBHOOK_DELAYS_S}
AWAY_DELAY_S = {MAIL: 30, WEBHOOK: 5}
"""When to try again what was held up by a server or an endpoint that was away for another."""

LEASE_MS = 180_000
"""Whoever took a delivery has so long for it; then others take it."""

CATCH_UP_MS = 3_600_000
"""A notice older than this is looked at before it is mailed: it may have been overtaken."""

DIGEST_AFTER_MS = 3 * DAY_MS
"""Mail about older notices is not sent one by one: one digest names them."""

ENDPOINT_QUIET_MS = 3 * DAY_MS
"""An endpoint that has taken nothing for so long is disabled when a delivery is given up."""

JITTER_MAX = 1_000
JITTER_PARTS = 5


class Sent(NamedTuple):
    """It was taken, in the receiver's words; `answer` is the body of a webhook's answer, as far as
    it is kept."""

    detail: str = ""
    answer: str = ""


class Later(NamedTuple):
    """It was not taken now and may be later. `away`: nothing else is, there, for the moment."""

    detail: str
    away: bool = False
    answer: str = ""


class Never(NamedTuple):
    """It will not be taken. `gone`: nothing will, there, any more."""

    detail: str
    gone: bool = False
    answer: str = ""


class NotTried(NamedTuple):
    """It was not tried, for what came of another: it is due again soon, and no try is counted."""

    detail: str


Outcome = Sent | Later | Never | NotTried


class Next(NamedTuple):
    """What a delivery's row becomes."""

    state: str
    tries: int
    detail: str
    due_ms: int | None


def next_of(channel: str, outcome: Outcome, *, tries: int, now_ms: int, jitter: int) -> Next:
    """What a delivery becomes after its try number `tries`.

    `jitter`, 0 to JITTER_MAX, makes a delay up to a fifth longer, so that not all come at once.

    >>> next_of("webhook", Later("503"), tries=2, now_ms=0, jitter=0).due_ms
    300000
    >>> next_of("webhook", Later("503"), tries=10, now_ms=0, jitter=0)
    Next(state='failed', tries=10, detail='given up after 10 tries: 503', due_ms=None)
    >>> next_of("mail", NotTried("the server is away"), tries=2, now_ms=0, jitter=0)
    Next(state='due', tries=1, detail='the server is away', due_ms=30000)
    """
    shown = "".join(each if each.isprintable() else " " for each in outcome.detail)
    detail = shown[:ANSWER_TEXT_MAX]
    if isinstance(outcome, Sent):
        return Next(SENT, tries, detail, None)
    if isinstance(outcome, Never):
        return Next(FAILED, tries, detail, None)
    delays_s = DELAYS_S[channel]
    if isinstance(outcome, NotTried):
        delay_s, tries = AWAY_DELAY_S[channel], tries - 1
    elif tries < len(delays_s):
        delay_s = delays_s[max(tries, 1)]
    else:
        given_up = f"given up after {tries} tries: {detail}"
        return Next(FAILED, tries, given_up[:ANSWER_TEXT_MAX], None)
    delay_ms = delay_s * 1000
    later_ms = delay_ms + delay_ms * jitter // (JITTER_MAX * JITTER_PARTS)
    return Next(DUE, tries, detail, now_ms + later_ms)
