"""A request that moves money is done once for its idempotency key, and answered the same again."""

from collections.abc import Callable

from talktime.core.limits import IDEMPOTENCY_KEY_TEXT_MAX
from talktime.core.refusal import Refusal
from talktime.operations.idempotency import request_hash
from talktime.operations.input_checks import check_text
from talktime.store.database import Connection
from talktime.store.money_requests import (
    forget_request,
    forget_requests_before,
    keep_answer,
    one_at_a_time,
    reserve,
)

KEPT_MS = 30 * 86_400_000
"""So long a request is known by its key; a purchase by its key for good."""


def answer_once(
    cell: Connection,
    organisation_id: int,
    key: str,
    asked: bytes,
    act: Callable[[], str | Refusal],
    now_ms: int,
) -> tuple[str | Refusal, bool]:
    """Do what a request asks for (`act`, in transactions of its own), or answer as before; and
    whether it was answered before.

    A second one that comes while the first is done waits for its answer. A refusal changes nothing,
    so its key is free again. Where the process ended in between, the same request again acts again:
    what `act` does twice must come to the same. Refuses:
    idempotency_key_missing; invalid_value; idempotency_key_reused for the key of another request;
    what `act` refuses.
    """
    if not key:
        return Refusal("idempotency_key_missing", "there is no header Idempotency-Key"), False
    refusal = check_text("the idempotency key", key, IDEMPOTENCY_KEY_TEXT_MAX)
    if refusal is not None:
        return refusal, False
    body_hash = request_hash(asked)
    with one_at_a_time(cell, request_hash(organisation_id, key)):
        return _answer(cell, organisation_id, key, body_hash, act, now_ms)


def _answer(
    cell: Connection,
    organisation_id: int,
    key: str,
    body_hash: int,
    act: Callable[[], str | Refusal],
    now_ms: int,
) -> tuple[str | Refusal, bool]:
    with cell.transaction():
        forget_requests_before(cell, organisation_id, now_ms - KEPT_MS)
        known = reserve(cell, organisation_id, key, body_hash, now_ms)
    if known.body_hash != body_hash:
        detail = f"key {key!r} was used for another request before"
        return Refusal("idempotency_key_reused", detail), False
    if known.answer:
        return known.answer, True
    answer = act()
    with cell.transaction():
        if isinstance(answer, Refusal):
            forget_request(cell, organisation_id, key)
        else:
            keep_answer(cell, organisation_id, key, answer)
    return answer, False
