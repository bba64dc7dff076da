"""A switch, key or peer that a program asks for under an idempotency key is made once. The same
again gets the same answer but for its secret, which is kept nowhere it could be read from."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from talktime.core.limits import IDEMPOTENCY_KEY_TEXT_MAX
from talktime.core.refusal import Refusal
from talktime.operations.idempotency import request_hash
from talktime.operations.input_checks import check_text
from talktime.operations.money_requests import KEPT_MS
from talktime.store.creations import (
    Creation,
    creation_of_key,
    forget_creations_before,
    insert_creation,
)
from talktime.store.database import Connection
from talktime.store.revisions import KEYS, lock

Answer = dict[str, Any]


def make_once(
    control: Connection,
    owner_id: int,
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
    neither. `owner_id` is the organisation's, 0 for what is the operator's; `seal_keys` are the
    installation's, the newest first. A key is known for KEPT_MS; a refusal leaves it free. Refuses:
    invalid_value; idempotency_key_reused for the key of another request; what `act` refuses.
    """
    refusal = check_text("the idempotency key", key, IDEMPOTENCY_KEY_TEXT_MAX)
    if refusal is not None:
        return refusal, False
    # Whoever comes with the same key at the same time waits here; `act` takes this lock too.
    lock(control, KEYS)
    forget_creations_before(control, now_ms - KEPT_MS)
    # A request may hold a secret of somebody's choice (RADIUS), which a bare hash in the database
    # would let be guessed; so the hash is one that needs the installation's key.
    hashes = [request_hash(seal_key, asked) for seal_key in seal_keys]
    known = creation_of_key(control, owner_id, key)
    if known is not None:
        if known.body_hash in hashes:
            return json.loads(known.answer), True
        detail = f"key {key!r} was used for another request before"
        return Refusal("idempotency_key_reused", detail), False
    made = act()
    if not isinstance(made, Refusal):
        kept = {**made, secret: None} if secret else made
        insert_creation(control, Creation(owner_id, key, hashes[0], json.dumps(kept), now_ms))
    return made, False
