"""Answers as they leave: status, headers, bytes."""

from collections.abc import Awaitable, Callable, MutableMapping
from functools import cache
from typing import Any

import msgspec

from talktime.core.refusal import Refusal
from talktime.engine.reply import DECIDED, Reply
from talktime.operations.render import problem

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

Header = tuple[bytes, bytes]

JSON = (b"content-type", b"application/json")
PROBLEM = (b"content-type", b"application/problem+json")
REPLAYED = (b"idempotent-replayed", b"true")

RETRY_AFTER_S = {429: 1, 503: 2}
"""How long a switch is asked to wait when nothing could be decided."""
EXTRA_HEADERS = {
    401: (b"www-authenticate", b"Bearer"),
    408: (b"connection", b"close"),
    **{status: (b"retry-after", str(after).encode()) for status, after in RETRY_AFTER_S.items()},
}


class Answer(msgspec.Struct, frozen=True, gc=False):
    """One answer. `code` is its refusal's, for the counts."""

    status: int
    body: bytes
    headers: tuple[Header, ...]
    code: str = ""


def answer_of(status: int, body: str, replayed: bool = False, code: str = "") -> Answer:
    """The JSON body of an outcome, with the headers that go with its status."""
    return Answer(status, body.encode(), _headers(status, replayed), code)


def answer_to(reply: Reply) -> Answer:
    """What the books said of one request, as its answer."""
    status = reply.status
    if reply.kind == DECIDED:
        return Answer(status, reply.body.encode(), _headers(status, False))
    return answer_of(status, reply.body, reply.replayed, reply.code)


@cache
def _headers(status: int, replayed: bool) -> tuple[Header, ...]:
    headers = [JSON if status < 400 else PROBLEM]
    if status in EXTRA_HEADERS:
        headers.append(EXTRA_HEADERS[status])
    if replayed:
        headers.append(REPLAYED)
    return tuple(headers)


def refuse(refusal: Refusal, call_key: str | None = None, sequence: int | None = None) -> Answer:
    """A refusal as an answer."""
    status, body = problem(refusal, call_key, sequence)
    return answer_of(status, body, code=refusal.code)
