"""`.../keys`: an organisation's own API keys. A key's text is in the answer that makes it, and
never shown again."""

import secrets
from typing import Any

from pydantic import Field

from talktime.console.api.door import Asked, Resource
from talktime.console.api.shapes import (
    AskedPage,
    IdText,
    Moment,
    PathId,
    Sent,
    SentMoment,
    Shown,
    listing,
)
from talktime.console.people.mail import sealed_mail
from talktime.core.keys import OPERATOR, ORGANISATION_SCOPES, ApiKey
from talktime.core.limits import KEEP_HOURS_MAX, KEY_NAME_TEXT_MAX
from talktime.core.refusal import Refusal
from talktime.operations.key_mail import KEY_CREATED, KEY_ROTATED, tell_owners
from talktime.operations.keys import (
    ENTROPY_BYTES,
    NewKey,
    create_key,
    find_key,
    list_own_keys,
    revoke_key,
    rotate_key,
    state_of,
)

HOUR_MS = 3_600_000
keys = Resource("API keys", "The organisation's own keys.")
Answer = dict[str, Any]


class Key(Shown):
    """A key; never its text. `last_used` is to the hour."""

    key_id: IdText
    name: str
    scopes: list[str]
    state: str
    expires: Moment | None
    revoked: Moment | None
    last_used: Moment | None


class KeyMade(Key):
    """A key that was just made, with its text, which cannot be had again: null where the same
    request was answered before."""

    key: str | None


class SentKey(Sent):
    """A key to be made."""

    name: str = Field(min_length=1, max_length=KEY_NAME_TEXT_MAX)
    scopes: list[str] = Field(
        min_length=1,
        max_length=len(ORGANISATION_SCOPES),
        json_schema_extra={"items": {"type": "string", "enum": list(ORGANISATION_SCOPES)}},
    )
    expires: SentMoment | None = None


class SentRotation(Sent):
    """How long the old key still works."""

    keep_hours: int = Field(24, ge=0, le=KEEP_HOURS_MAX)


UNKNOWN = ("unknown_key",)


@keys.reads("/keys", listing("keys", Key))
def get_keys(asked: Asked, page: AskedPage) -> Answer:
    """The organisation's own keys, the newest first; revoked and expired ones too."""
    with asked.control.reading():
        found = list_own_keys(asked.control, asked.owner.id, before=page.before, limit=page.limit)
    answer: Answer = asked.page(page, "keys", found, lambda each: each.id)
    return {**answer, "keys": [key_shown(asked, each) for each in found]}


@keys.does(
    *("POST", "/keys", KeyMade),
    by=(OPERATOR,),
    makes="control_plane",
    secret="key",
    sent={"name": "Portal", "scopes": ["read", "billing"]},
)
def post_key(asked: Asked, sent: SentKey) -> Answer | Refusal:
    """Make a key that opens this organisation alone.

    Its text is in this answer, and never shown again. The organisation's owners are told by mail.
    People make keys in the console.
    """
    made = create_key(
        *(asked.control, asked.owner),
        name=sent.name,
        scopes=sent.scopes,
        expires_ms=sent.expires,
        now_ms=asked.now_ms,
        next_id=asked.next_id,
        entropy=secrets.token_bytes(ENTROPY_BYTES),
    )
    if not isinstance(made, Refusal):
        tell_owners(asked.control, made.key, KEY_CREATED, sealed_mail())
    return key_made(asked, made)


@keys.reads("/keys/{int:key_id}", Key, refusals=UNKNOWN)
def get_key(asked: Asked, key_id: PathId) -> Answer | Refusal:
    """One key."""
    with asked.control.reading():
        found = find_key(asked.control, key_id, organisation_id=asked.owner.id)
    return found if isinstance(found, Refusal) else key_shown(asked, found)


@keys.does(
    *("POST", "/keys/{int:key_id}/rotate", KeyMade),
    by=(OPERATOR,),
    makes="control_plane",
    secret="key",
    refusals=UNKNOWN,
    sent={"keep_hours": 24},
)
def post_key_rotation(asked: Asked, key_id: PathId, sent: SentRotation) -> Answer | Refusal:
    """Make a key of the same name and scopes; the old one expires after a while.

    The new one lives as long as the old one was to. No key replaces itself: people rotate an
    organisation's keys in the console.
    """
    made = rotate_key(
        *(asked.control, key_id),
        organisation_id=asked.owner.id,
        old_expires_ms=asked.now_ms + sent.keep_hours * HOUR_MS,
        now_ms=asked.now_ms,
        next_id=asked.next_id,
        entropy=secrets.token_bytes(ENTROPY_BYTES),
    )
    if not isinstance(made, Refusal):
        tell_owners(asked.control, made.key, KEY_ROTATED, sealed_mail())
    return key_made(asked, made)


@keys.does(
    *("POST", "/keys/{int:key_id}/revoke", Key),
    by=(OPERATOR, *ORGANISATION_SCOPES),
    refusals=UNKNOWN,
)
def post_key_revocation(asked: Asked, key_id: PathId) -> Answer | Refusal:
    """Let a key open nothing from now on.

    A key may revoke itself; others take the scope `operator`.
    """
    refusal = _not_own(asked, key_id)
    if refusal is not None:
        return refusal
    with asked.control.transaction():
        revoked = revoke_key(
            asked.control, key_id, organisation_id=asked.owner.id, now_ms=asked.now_ms
        )
    return revoked if isinstance(revoked, Refusal) else key_shown(asked, revoked)


def _not_own(asked: Asked, key_id: int) -> Refusal | None:
    if OPERATOR in asked.key.scopes or asked.key.id == key_id:
        return None
    return Refusal("scope_missing", "the key lacks the scope 'operator', and is another one")


def key_made(asked: Asked, made: NewKey | Refusal) -> Answer | Refusal:
    """A key that was just made, with its text."""
    return made if isinstance(made, Refusal) else {**key_shown(asked, made.key), "key": made.text}


def key_shown(asked: Asked, key: ApiKey) -> Answer:
    """A key without its text."""
    return {
        "key_id": str(key.id),
        "name": key.name,
        "scopes": sorted(key.scopes),
        "state": state_of(key, asked.now_ms),
        "expires": key.expires_ms,
        "revoked": key.revoked_ms,
        "last_used": key.used_ms,
    }
