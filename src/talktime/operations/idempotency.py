"""What stands for a request beside its idempotency key: the same key with another is refused."""

import hashlib


def request_hash(*asked: object) -> int:
    """All that was asked, in 64 bits with a sign, as a column keeps it.

    >>> request_hash("purchase", 5) == request_hash("purchase", 5) != request_hash("purchase", 6)
    True
    """
    digest = hashlib.blake2b(repr(asked).encode(errors="replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
