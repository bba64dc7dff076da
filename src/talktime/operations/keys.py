"""Switches and their API keys: make a key, replace it, revoke it.

A key's text is shown once, when it is made; kept is its SHA-256. The text has 256 bits of chance,
so no slow hash is needed. The caller opens and commits the control plane's transaction.
"""

import base64
import hashlib
from collections.abc import Callable, Iterable
from typing import NamedTuple

from talktime.core.keys import SCOPES, SWITCH_SCOPES, ApiKey
from talktime.core.limits import (
    KEY_NAME_TEXT_MAX,
    NAME_TEXT_MAX,
    PAGE_ROWS_MAX,
    SWITCH_NAME_TEXT_MAX,
)
from talktime.core.refusal import Refusal
from talktime.operations.audit import note
from talktime.operations.input_checks import check_one_of, check_text, first
from talktime.store.database import Connection
from talktime.store.keys import (
    Switch,
    insert_key,
    insert_switch,
    key_of_id,
    keys_by_id,
    switch_named,
    switches_by_name,
    update_key,
)
from talktime.store.revisions import KEYS, lock

KEY_PREFIX = "tt_"
ENTROPY_BYTES = 32


class NewKey(NamedTuple):
    """A key that was just made, and its text, which cannot be had again."""

    key: ApiKey
    text: str


def key_text(entropy: bytes) -> str:
    """The text of a key made of 32 bytes of chance: `tt_` and 43 characters that fit in a URL.

    >>> key_text(bytes(32))
    'tt_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'
    """
    if len(entropy) != ENTROPY_BYTES:
        raise ValueError(f"a key is made of {ENTROPY_BYTES} bytes, not {len(entropy)}")
    return KEY_PREFIX + base64.urlsafe_b64encode(entropy).decode().rstrip("=")


def secret_hash(text: str) -> str:
    """How a key's text is kept and looked up: its SHA-256 in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def create_switch(
    control: Connection, *, name: str, operator: str, now_ms: int, next_id: Callable[[], int]
) -> Switch | Refusal:
    """Make a switch known; keys are made for it. Refuses: invalid_value, already_exists."""
    refusal = first(
        check_text("the switch's name", name, SWITCH_NAME_TEXT_MAX),
        check_text("the operator", operator, NAME_TEXT_MAX),
    )
    if refusal is not None:
        return refusal
    lock(control, KEYS)
    if switch_named(control, name) is not None:
        return Refusal("already_exists", f"there is a switch named {name!r}")
    switch = Switch(next_id(), name, operator, now_ms)
    insert_switch(control, switch)
    note(control, None, "switch.created", name, after={"operator": operator})
    return switch


def find_switch(control: Connection, name: str) -> Switch | Refusal:
    """The switch of this name. Refuses: unknown_switch."""
    found = switch_named(control, name)
    if found is None:
        return Refusal("unknown_switch", f"no switch is named {name[:SWITCH_NAME_TEXT_MAX]!r}")
    return found


def list_switches(
    control: Connection, *, after: str = "", limit: int = PAGE_ROWS_MAX
) -> list[Switch]:
    """Switches by name, at most PAGE_ROWS_MAX; `after` is the last name of the page before."""
    return switches_by_name(control, after, min(limit, PAGE_ROWS_MAX))


def create_key(
    control: Connection,
    switch: Switch,
    *,
    name: str,
    scopes: Iterable[str] = SWITCH_SCOPES,
    expires_ms: int | None = None,
    now_ms: int,
    next_id: Callable[[], int],
    entropy: bytes,
) -> NewKey | Refusal:
    """Make a key for a switch, of 32 bytes of chance (`entropy`), with at least one scope.

    `expires_ms` is when it stops to open anything; None for never. Refuses: invalid_value.
    """
    granted = frozenset(scopes)
    refusal = first(
        check_text("the key's name", name, KEY_NAME_TEXT_MAX),
        check_one_of("a scope", min(granted - set(SCOPES), default=SCOPES[0]), SCOPES),
    )
    if refusal is not None:
        return refusal
    if not granted:
        return Refusal("invalid_value", f"a key needs a scope: {', '.join(SCOPES)}")
    if expires_ms is not None and expires_ms <= now_ms:
        return Refusal("invalid_value", "the key would have expired before it is made")
    text = key_text(entropy)
    key = ApiKey(next_id(), switch.id, name, secret_hash(text), granted, expires_ms, None)
    insert_key(control, key, now_ms)
    after = {"scopes": sorted(granted), "expires_ms": expires_ms, "switch": switch.name}
    note(control, None, "key.created", name, after=after)
    return NewKey(key, text)


def rotate_key(
    control: Connection,
    key_id: int,
    *,
    old_expires_ms: int,
    now_ms: int,
    next_id: Callable[[], int],
    entropy: bytes,
) -> NewKey | Refusal:
    """Make a key of the same switch, name and scopes, and let the old one expire at a time.

    `old_expires_ms` leaves the switch time to change over; a key that expires sooner does so.
    Refuses: unknown_key; invalid_value for a key that opens nothing any more.
    """
    lock(control, KEYS)
    old = key_of_id(control, key_id)
    if old is None:
        return _unknown(key_id)
    if not old.usable(now_ms):
        return Refusal(
            "invalid_value", f"key {key_id} is revoked or expired; make a new one instead"
        )
    until_ms = max(old_expires_ms, now_ms)
    if old.expires_ms is not None:
        until_ms = min(until_ms, old.expires_ms)
    update_key(control, old._replace(expires_ms=until_ms))
    text = key_text(entropy)
    new = ApiKey(next_id(), old.switch_id, old.name, secret_hash(text), old.scopes, None, None)
    insert_key(control, new, now_ms)
    note(
        *(control, None, "key.rotated", old.name),
        before={"expires_ms": old.expires_ms},
        after={"expires_ms": until_ms},
        always=True,
    )
    return NewKey(new, text)


def revoke_key(control: Connection, key_id: int, *, now_ms: int) -> ApiKey | Refusal:
    """Let a key open nothing from now on. A key that was revoked before keeps its time.

    Refuses: unknown_key.
    """
    lock(control, KEYS)
    key = key_of_id(control, key_id)
    if key is None:
        return _unknown(key_id)
    if key.revoked_ms is not None:
        return key
    revoked = key._replace(revoked_ms=now_ms)
    update_key(control, revoked)
    note(control, None, "key.revoked", key.name, always=True)
    return revoked


def find_key(control: Connection, key_id: int) -> ApiKey | Refusal:
    """The key of this id. Refuses: unknown_key."""
    return key_of_id(control, key_id) or _unknown(key_id)


def list_keys(control: Connection, *, after: int = 0, limit: int = PAGE_ROWS_MAX) -> list[ApiKey]:
    """Keys, oldest first, at most PAGE_ROWS_MAX; `after` is the last id of the page before."""
    return keys_by_id(control, after, min(limit, PAGE_ROWS_MAX))


def _unknown(key_id: int) -> Refusal:
    return Refusal("unknown_key", f"there is no key {key_id}")
