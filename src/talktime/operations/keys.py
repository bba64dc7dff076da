"""Switches, and API keys of theirs, of organisations and of the operator's programs: make a key,
replace it, revoke it.

A key's text is shown once, when it is made; kept is its SHA-256. The text has 256 bits of chance,
so no slow hash is needed. The caller opens and commits the control plane's transaction.
"""

import base64
import hashlib
from collections.abc import Callable, Iterable
from typing import NamedTuple

from talktime.core.audit import Facts
from talktime.core.directory import Organisation
from talktime.core.ids import ID_MAX
from talktime.core.keys import (
    OPERATOR_SCOPES,
    ORGANISATION_SCOPES,
    SWITCH_SCOPES,
    ApiKey,
)
from talktime.core.limits import (
    KEY_NAME_TEXT_MAX,
    NAME_TEXT_MAX,
    PAGE_ROWS_MAX,
    SWITCH_NAME_TEXT_MAX,
)
from talktime.core.limits import ORGANISATION_KEYS_MAX as KEYS_MAX
from talktime.core.refusal import Refusal
from talktime.operations.audit import acting_person, note
from talktime.operations.input_checks import check_one_of, check_text, first
from talktime.store.database import Connection
from talktime.store.keys import (
    Switch,
    created_of,
    insert_key,
    insert_switch,
    key_of_id,
    keys_by_id,
    keys_of_organisation,
    keys_of_switch,
    set_used,
    switch_named,
    switch_of_id,
    switches_by_name,
    update_key,
)
from talktime.store.revisions import KEYS, lock

USE_NOTED_EACH_MS = 3_600_000
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


def find_switch_of_id(control: Connection, switch_id: int) -> Switch | Refusal:
    """The switch of this id. Refuses: unknown_switch."""
    found = switch_of_id(control, switch_id)
    return found or Refusal("unknown_switch", f"there is no switch {switch_id}")


def list_switches(
    control: Connection, *, after: str = "", limit: int = PAGE_ROWS_MAX
) -> list[Switch]:
    """Switches by name, at most PAGE_ROWS_MAX; `after` is the last name of the page before."""
    return switches_by_name(control, after, min(limit, PAGE_ROWS_MAX))


def create_key(
    control: Connection,
    owner: Switch | Organisation | None,
    *,
    name: str,
    scopes: Iterable[str] = SWITCH_SCOPES,
    expires_ms: int | None = None,
    now_ms: int,
    next_id: Callable[[], int],
    entropy: bytes,
) -> NewKey | Refusal:
    """Make a key of 32 bytes of chance (`entropy`), with at least one scope: for a switch, for an
    organisation's own programs, or (None) for the operator's.

    `expires_ms` is when it stops to open anything; None for never. Refuses: invalid_value, also
    where the organisation has ORGANISATION_KEYS_MAX keys that open something.
    """
    granted, possible = frozenset(scopes), scopes_for(owner)
    refusal = first(
        check_text("the key's name", name, KEY_NAME_TEXT_MAX),
        check_one_of("a scope", min(granted - set(possible), default=possible[0]), possible),
    )
    if refusal is not None:
        return refusal
    if not granted:
        return Refusal("invalid_value", f"a key needs a scope: {', '.join(possible)}")
    if expires_ms is not None and expires_ms <= now_ms:
        return Refusal("invalid_value", "the key would have expired before it is made")
    lock(control, KEYS)
    organisation_id = owner.id if isinstance(owner, Organisation) else None
    if organisation_id is not None and _usable(control, organisation_id, now_ms) >= KEYS_MAX:
        detail = f"an organisation has at most {KEYS_MAX} keys in use; revoke one first"
        return Refusal("invalid_value", detail)
    key = ApiKey(
        next_id(),
        owner.id if isinstance(owner, Switch) else 0,
        name,
        secret_hash(text := key_text(entropy)),
        granted,
        expires_ms,
        None,
        organisation_id,
        made_by=acting_person(),
    )
    insert_key(control, key, now_ms)
    after: Facts = {"scopes": sorted(granted), "expires_ms": expires_ms}
    if isinstance(owner, Switch):
        after = {**after, "switch": owner.name}
    note(control, organisation_id, "key.created", _subject(key), after=after)
    return NewKey(key, text)


def rotate_key(
    control: Connection,
    key_id: int,
    *,
    organisation_id: int | None = None,
    old_expires_ms: int,
    now_ms: int,
    next_id: Callable[[], int],
    entropy: bytes,
) -> NewKey | Refusal:
    """Make a key of the same owner, name and scopes (but those that a new key cannot have), which
    lives as long as the old one was to; let the old one expire at a time.

    `old_expires_ms` leaves its programs time to change over; a key that expires sooner does so.
    With `organisation_id`, only that organisation's keys are known. Refuses: unknown_key;
    invalid_value for a key that opens nothing any more, or whose like would open nothing.
    """
    lock(control, KEYS)
    old = find_key(control, key_id, organisation_id=organisation_id)
    if isinstance(old, Refusal):
        return old
    if not old.usable(now_ms):
        return Refusal(
            "invalid_value", f"key {key_id} is revoked or expired; make a new one instead"
        )
    scopes = _scopes_again(old)
    if isinstance(scopes, Refusal):
        return scopes
    until_ms = max(old_expires_ms, now_ms)
    if old.expires_ms is not None:
        until_ms = min(until_ms, old.expires_ms)
    update_key(control, old._replace(expires_ms=until_ms))
    text = key_text(entropy)
    new = old._replace(
        id=next_id(),
        secret_hash=secret_hash(text),
        scopes=scopes,
        expires_ms=_as_long_again(control, old, now_ms),
        revoked_ms=None,
        used_ms=None,
        made_by=acting_person(),
    )
    insert_key(control, new, now_ms)
    note(
        *(control, old.organisation_id, "key.rotated", _subject(old)),
        before={"expires_ms": old.expires_ms},
        after={"expires_ms": until_ms, "new_key": str(new.id)},
    )
    return NewKey(new, text)


def revoke_key(
    control: Connection, key_id: int, *, organisation_id: int | None = None, now_ms: int
) -> ApiKey | Refusal:
    """Let a key open nothing from now on. A key that was revoked before keeps its time.

    With `organisation_id`, only that organisation's keys are known. Refuses: unknown_key.
    """
    lock(control, KEYS)
    key = find_key(control, key_id, organisation_id=organisation_id)
    if isinstance(key, Refusal) or key.revoked_ms is not None:
        return key
    revoked = key._replace(revoked_ms=now_ms)
    update_key(control, revoked)
    note(control, key.organisation_id, "key.revoked", _subject(key), always=True)
    return revoked


def find_key(
    control: Connection, key_id: int, *, organisation_id: int | None = None
) -> ApiKey | Refusal:
    """The key of this id; with `organisation_id`, only where it is that organisation's.

    Refuses: unknown_key.
    """
    key = key_of_id(control, key_id)
    if key is None or organisation_id not in (None, key.organisation_id):
        return Refusal("unknown_key", f"there is no key {key_id}")
    return key


def list_keys(control: Connection, *, after: int = 0, limit: int = PAGE_ROWS_MAX) -> list[ApiKey]:
    """Keys, oldest first, at most PAGE_ROWS_MAX; `after` is the last id of the page before."""
    return keys_by_id(control, after, min(limit, PAGE_ROWS_MAX))


def list_own_keys(
    control: Connection, organisation_id: int, *, before: int = ID_MAX, limit: int = PAGE_ROWS_MAX
) -> list[ApiKey]:
    """An organisation's own keys, the newest first; `before` is the last id of the page before."""
    return keys_of_organisation(control, organisation_id, before, min(limit, PAGE_ROWS_MAX))


def list_switch_keys(
    control: Connection, switch_id: int, *, before: int = ID_MAX, limit: int = PAGE_ROWS_MAX
) -> list[ApiKey]:
    """A switch's keys, the newest first; `before` is the last id of the page before."""
    return keys_of_switch(control, switch_id, before, min(limit, PAGE_ROWS_MAX))


def note_use(control: Connection, key: ApiKey, now_ms: int) -> None:
    """Keep that a key was used, in a transaction of its own, unless that was kept in this hour."""
    if key.used_ms is None or key.used_ms <= now_ms - USE_NOTED_EACH_MS:
        with control.transaction():
            set_used(control, key.id, now_ms, now_ms - USE_NOTED_EACH_MS)


def scopes_for(owner: Switch | Organisation | None) -> tuple[str, ...]:
    """The scopes that a new key can have: of a switch, of an organisation, of the operator (None).
    A switch's was able to have all of them before; such a key opens what it did until it ends.

    >>> scopes_for(None)
    ('read', 'users', 'billing', 'notices', 'operator')
    """
    if isinstance(owner, Switch):
        return SWITCH_SCOPES
    return OPERATOR_SCOPES if owner is None else ORGANISATION_SCOPES


def state_of(key: ApiKey, now_ms: int) -> str:
    """A key's state in one word: usable, revoked or expired."""
    if key.revoked_ms is not None:
        return "revoked"
    return "usable" if key.usable(now_ms) else "expired"


def _usable(control: Connection, organisation_id: int, now_ms: int) -> int:
    count, before = 0, ID_MAX
    while page := list_own_keys(control, organisation_id, before=before):
        count += sum(key.usable(now_ms) for key in page)
        before = page[-1].id
    return count


def _as_long_again(control: Connection, old: ApiKey, now_ms: int) -> int | None:
    """When a key ends that is made now in the place of an old one: never, where that never would;
    a key with an end does not lose it by being rotated."""
    if old.expires_ms is None:
        return None
    return now_ms + old.expires_ms - created_of(control, old.id)


def _subject(key: ApiKey) -> str:
    return f"{key.name} ({key.id})"


def _scopes_again(old: ApiKey) -> frozenset[str] | Refusal:
    """What of a key's scopes a new one can have."""
    scopes = old.scopes & set(SWITCH_SCOPES) if old.switch_id else old.scopes
    if not scopes:
        known = " and ".join(SWITCH_SCOPES)
        detail = f"a switch's key opens {known} alone; make one of the operator's instead"
        return Refusal("invalid_value", detail)
    return scopes
