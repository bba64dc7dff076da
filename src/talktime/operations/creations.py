"""What a program asks for under an idempotency key (a switch, a key, a peer; an agreement to pay
invoices, a card being added, a webhook's new secret) is made once. The same again gets the same
answer but for its secret, which is kept nowhere it could be read from."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from talktime.core.limits import IDEMPOTENCY_KEY_TEXT_MAX
from talktime.core.refusal import Refusal
from talktime.operations.idempotency import request_hash
from talktime.operations.input_checks import check_text
from talktime.operations.money_requests import KEPT_MS
from talktime.store.creations import Creation, Creations

Answer = dict[str, Any]


def make_once(
    kept: Creations,
    key: str,
    asked: bytes,
    act: Callable[[], Answer | Refusal],
    *,
    secret: str,
    seal_keys: Sequence[str],
    now_ms: int,
) -> tuple[Answer | Refusal, bool]:
    """Make what a request asks for (`act`), or answer as before; and whether it was answered
    before: then the field `secret` of the answer is None.

    The caller opens and commits the transaction, which makes the thing and keeps its key, or does
    neither. `kept` is what the owner had made where the thing is; `seal_keys` are the
    installation's, the newest first. A key is known for KEPT_MS; a refusal leaves it free. Refuses:
    invalid_value; idempotency_key_reused for the key of another request; what `act` refuses.
    """
    refusal = check_text("the idempotency key", key, IDEMPOTENCY_KEY_TEXT_MAX)
    if refusal is not None:
        return refusal, False
    # Whoever comes with the same key at the same time waits here.
    kept.wait()
    kept.forget_before(now_ms - KEPT_MS)
    # A request may hold a secret of somebody's choice (RADIUS), which a bare hash in the database
    # would let be guessed; so the hash is one that needs the installation's key.
    hashes = [request_hash(seal_key, asked) for seal_key in seal_keys]
    known = kept.of_key(key)
    if known is not None:
        if known.body_hash in hashes:
            return json.loads(known.answer), True
        detail = f"key {key!r} was used for another request before"
        return Refusal("idempotency_key_reused", detail), False
    made = act()
    if not isinstance(made, Refusal):
        answer = {**made, secret: None} if secret else made
        kept.keep(Creation(key, hashes[0], json.dumps(answer), now_ms))
    return made, False
