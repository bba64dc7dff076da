"""The keys with which programs call the APIs: what one may do, and for how long."""

from typing import NamedTuple

SCOPES = CALLS, QUOTES, READ, USERS, BILLING, NOTICES, OPERATOR = (
    *("calls", "quotes", "read", "users", "billing", "notices", "operator"),
)
SWITCH_SCOPES = (CALLS, QUOTES)
"""What a switch needs: it is charged, and asks what a call would cost."""
ORGANISATION_SCOPES = (READ, USERS, BILLING, NOTICES)
"""What an organisation's own key can have. `read` looks at all that is the organisation's; `users`
reads and writes its users and groups; `billing` buys credits and says how it pays; `notices` says
who is told of what. A key that is no organisation's opens every organisation with them."""
OPERATOR_SCOPES = (*ORGANISATION_SCOPES, OPERATOR)
"""What a key of the operator's own programs can have: with `operator`, it makes organisations, says
that money is there, gives it away and pays it back."""


class ApiKey(NamedTuple):
    """A key, known by the SHA-256 (hex) of its text alone: a switch's; an organisation's, which
    opens that one alone (`switch_id` is 0); or the operator's (neither). Times in ms since the
    epoch; `used_ms` is when it last opened the management API, to the hour."""

    id: int
    switch_id: int
    name: str
    secret_hash: str
    scopes: frozenset[str]
    expires_ms: int | None
    revoked_ms: int | None
    organisation_id: int | None = None
    used_ms: int | None = None
    # Who made it, and so knows its text.
    made_by: str | None = None

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
