"""The switches' API keys, by the hash of their text, kept as the control plane has them."""

from hashlib import sha256

from talktime.core.keys import ApiKey
from talktime.store.database import Connection
from talktime.store.keys import keys_after
from talktime.store.revisions import KEYS, revisions


class KeyCache:
    """All keys of switches, revoked ones too: no other key charges a call. One thread refreshes it
    while others look up."""

    def __init__(self) -> None:
        self._keys: dict[str, ApiKey] = {}
        self._seen = 0
        self._counter_seen = -1

    @property
    def missing(self) -> list[str]:
        """`keys`, while they have not been read yet."""
        return [] if self._counter_seen >= 0 else ["keys"]

    def find(self, secret: bytes, now_ms: int) -> ApiKey | None:
        """The key of this text, where it opens anything at this time."""
        key = self._keys.get(sha256(secret).hexdigest())
        return key if key is not None and key.usable(now_ms) else None

    def refresh(self, control: Connection) -> bool:
        """Read the keys that changed; whether there were any."""
        counter = revisions(control)[KEYS]
        if counter == self._counter_seen:
            return False
        for page in keys_after(control, self._seen):
            for key in page.rows:
                if key.switch_id:
                    self._keys[key.secret_hash] = key
            self._seen = page.revision
        self._counter_seen = counter
        return True
