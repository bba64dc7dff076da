"""What an API key opens, and how long. Mirrors src/talktime/core/keys.py."""

import pytest

from talktime.core.keys import SCOPES, ApiKey


@pytest.mark.parametrize(
    ("expires_ms", "revoked_ms", "usable"),
    [
        (None, None, True),
        (1_001, None, True),
        (1_000, None, False),
        (None, 1_001, True),
        (None, 1_000, False),
        (2_000, 500, False),
    ],
)
def test_a_key_opens_until_it_expires_or_is_revoked(expires_ms, revoked_ms, usable):
    key = ApiKey(1, 2, "main", "", frozenset(SCOPES), expires_ms, revoked_ms)
    assert key.usable(1_000) is usable
