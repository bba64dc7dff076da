"""`GET /v1/calls:ending`: which of a switch's running calls it is to end, once there are any."""

import asyncio
import re
from collections import Counter
from hashlib import sha256
from urllib.parse import parse_qs

import msgspec

from talktime.core.limits import (
    ENDING_CURSOR_TEXT_MAX,
    ENDING_QUERY_BYTES_MAX,
    ENDING_WAIT_S_MAX,
    ENDING_WAITERS_MAX,
)
from talktime.core.refusal import Refusal
from talktime.engine.endings import Endings
from talktime.gateways.http.answers import CallEnding, CallsEnding
from talktime.store.endings import Ending

CURSOR_DIGITS = 16
WAIT = re.compile(r"\d{1,3}", re.ASCII)


class Asked(msgspec.Struct):
    """What the query says: how long to wait, and what the switch was told before."""

    wait_s: int = 0
    cursor: str = ""


class LongPoll:
    """Answers at once where the calls to end are others than the switch knows; else when they
    change, or when its wait is over."""

    def __init__(self, endings: Endings) -> None:
        self._endings = endings
        self._waiting: Counter[int] = Counter()

    async def answer(
        self, switch_id: int, query: bytes, ended: asyncio.Event
    ) -> CallsEnding | Refusal:
        """The calls of a switch that are to end. Refuses: invalid_request, queue_full.

        Who sends no more on its connection (`ended`) has most likely left it, and is answered at
        once: else a switch that gives up and asks again would be kept out by what it has given up.
        """
        asked = asked_of(query)
        if isinstance(asked, Refusal):
            return asked
        found = calls_ending(self._endings.of_switch(switch_id))
        if found.cursor != asked.cursor or not asked.wait_s:
            return found
        if self._waiting[switch_id] >= ENDING_WAITERS_MAX:
            detail = f"{ENDING_WAITERS_MAX} requests of this switch wait for calls to end"
            return Refusal("queue_full", detail)
        changed = asyncio.Event()
        stop_listening = self._endings.listen(changed.set)
        leaving = asyncio.ensure_future(ended.wait())
        leaving.add_done_callback(lambda _: changed.set())
        self._waiting[switch_id] += 1
        try:
            async with asyncio.timeout(asked.wait_s):
                while found.cursor == asked.cursor and not (
                    self._endings.stopped or ended.is_set()
                ):
                    await changed.wait()
                    changed.clear()
                    found = calls_ending(self._endings.of_switch(switch_id))
        except TimeoutError:
            pass
        finally:
            self._waiting[switch_id] -= 1
            stop_listening()
            leaving.cancel()
        return found


def asked_of(query: bytes) -> Asked | Refusal:
    """Read `wait` (seconds) and `cursor`. Refuses: invalid_request."""
    texts = parse_qs(query[:ENDING_QUERY_BYTES_MAX].decode("latin-1"), keep_blank_values=True)
    unknown = sorted(set(texts) - {"wait", "cursor"})
    if unknown or len(query) > ENDING_QUERY_BYTES_MAX:
        return Refusal("invalid_request", "the query has 'wait' and 'cursor', nothing else")
    wait = texts.get("wait", ["0"])[-1]
    if not (WAIT.fullmatch(wait) and int(wait) <= ENDING_WAIT_S_MAX):
        detail = f"'wait' must be whole seconds, at most {ENDING_WAIT_S_MAX}"
        return Refusal("invalid_request", detail)
    cursor = texts.get("cursor", [""])[-1]
    if len(cursor) > ENDING_CURSOR_TEXT_MAX:
        return Refusal("invalid_request", "'cursor' must be that of the last answer")
    return Asked(int(wait), cursor)


def calls_ending(endings: tuple[Ending, ...]) -> CallsEnding:
    """The answer. Its cursor changes with the calls; that of none is empty."""
    calls = [
        CallEnding(call_id=each.call_key, code=each.code, detail=Refusal(each.code, "").kind.title)
        for each in endings
    ]
    keys = msgspec.json.encode([each.call_key for each in endings])
    cursor = sha256(keys).hexdigest()[:CURSOR_DIGITS] if endings else ""
    return CallsEnding(calls=calls, cursor=cursor)
