"""What stands for a request beside its idempotency key: the same key with another is refused."""

import hashlib

from talktime.core.limits import IDEMPOTENCY_KEY_TEXT_MAX
from talktime.core.refusal import Refusal
from talktime.operations.input_checks import check_text

OWN_KEYS = (
    *("payment ", "grant request ", "correction of ", "reinstatement of ", "recharge ", "try "),
)
"""How the keys begin that the service gives to what it does itself: nobody else may use them."""


def check_key(key: str) -> Refusal | None:
    """A caller's idempotency key: a text of theirs.

    >>> check_key("order 4711") is None, check_key("payment 4711").code
    (True, 'invalid_value')
    """
    if key.startswith(OWN_KEYS):
        own = key.partition(" ")[0]
        return Refusal("invalid_value", f"keys that begin with '{own} ' are the service's own")
    return check_text("the idempotency key", key, IDEMPOTENCY_KEY_TEXT_MAX)


def request_hash(*asked: object) -> int:
    """All that was asked, in 64 bits with a sign, as a column keeps it.

    >>> request_hash("purchase", 5) == request_hash("purchase", 5) != request_hash("purchase", 6)
    True
    """
    digest = hashlib.blake2b(repr(asked).encode(errors="replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
