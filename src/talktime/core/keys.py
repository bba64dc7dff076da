"""The keys with which programs call the APIs: what one may do, and for how long."""

from typing import NamedTuple

SCOPES = CALLS, QUOTES, USERS, BILLING, OPERATOR = (
    *("calls", "quotes", "users", "billing", "operator"),
)
SWITCH_SCOPES = (CALLS, QUOTES)
"""What a switch needs. With `users`, a key reads and writes the users of every organisation; with
`billing`, it buys credits and says how every organisation pays; with `operator`, it says that money
is there, gives it away and pays it back."""


class ApiKey(NamedTuple):
    """A switch's key, known by the SHA-256 (hex) of its text alone. Times in ms since the epoch."""

    id: int
    switch_id: int
    name: str
    secret_hash: str
    scopes: frozenset[str]
    expires_ms: int | None
    revoked_ms: int | None

    def usable(self, now_ms: int) -> bool:
        """Whether the key opens anything at this time: neither revoked nor expired.

        >>> ApiKey(1, 2, "main", "", frozenset(SCOPES), 1_000, None).usable(999)
        True
        >>> ApiKey(1, 2, "main", "", frozenset(SCOPES), 1_000, None).usable(1_000)
        False
        """
        if self.revoked_ms is not None and self.revoked_ms <= now_ms:
            return False
        return self.expires_ms is None or now_ms < self.expires_ms
