"""Secrets at rest: sealed with a key of the installation, opened where they are used.

What is sealed is Fernet (AES-128-CBC with HMAC-SHA256) of the `cryptography` library; its key is
made of the installation's text by SHA-256, which is long and random already.
"""

import base64
import hashlib
from collections.abc import Sequence

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class NotSealedHere(Exception):
    """The sealed text was sealed with a key that this installation does not have (any more)."""


class Seal:
    """Seals with the first key, opens what any of them sealed, so that keys can be changed."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._fernet = MultiFernet([_fernet(key) for key in keys])

    def seal(self, secret: str) -> str:
        """The secret as it may be kept; another text each time."""
        return self._fernet.encrypt(secret.encode()).decode()

    def opened(self, sealed: str) -> str:
        """The secret again. Raises NotSealedHere."""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken as error:
            raise NotSealedHere(
                "a sealed secret cannot be opened: set TALKTIME_SEAL_KEY to the key it was sealed "
                "with, after the new one, or set the secret again"
            ) from error


def _fernet(key: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest()))
