"""`/api/v1/switches`: what makes calls, its keys, and from where it speaks Diameter and RADIUS; by
the operator. A key's text, and a secret that is made, are in the answer that makes them, and never
shown again."""

import secrets
from typing import Annotated, Any, Literal

from pydantic import Field

from talktime.console.api.door import Asked, Resource
from talktime.console.api.keys import (
    HOUR_MS,
    Key,
    KeyMade,
    SentRotation,
    key_made,
    key_shown,
)
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
from talktime.console.databases import current
from talktime.core.keys import OPERATOR, SWITCH_SCOPES, ApiKey
from talktime.core.limits import (
    HOST_TEXT_MAX,
    KEY_NAME_TEXT_MAX,
    NAME_TEXT_MAX,
    PEER_NETWORKS_MAX,
    PEER_SECRET_TEXT_MAX,
    SWITCH_NAME_TEXT_MAX,
)
from talktime.core.peers import RADIUS, Peer
from talktime.core.refusal import Refusal
from talktime.operations.keys import (
    ENTROPY_BYTES,
    create_key,
    create_switch,
    find_key,
    find_switch_of_id,
    list_switch_keys,
    list_switches,
    revoke_key,
    rotate_key,
)
from talktime.operations.peers import (
    SECRET_BYTES,
    NewPeer,
    create_peer,
    find_peer,
    new_secret,
    revoke_peer,
)
from talktime.operations.sealing import Seal
from talktime.store.keys import Switch as ASwitch
from talktime.store.peers import peers_of_switch

switches = Resource(
    "Switches", "What makes calls; its keys; Diameter and RADIUS.", at_organisation=False
)
Answer = dict[str, Any]
BY = (OPERATOR,)
UNKNOWN = ("unknown_switch",)
NetworkText = Annotated[str, Field(max_length=64, examples=["192.0.2.0/24"])]


class Switch(Shown):
    """A switch or conference bridge, and whose it is."""

    switch_id: IdText
    name: str
    operator: str
    created: Moment


class SwitchPeer(Shown):
    """From where a switch speaks Diameter or RADIUS; never its secret. `name` is the Origin-Host of
    a Diameter peer; `addresses` are networks, none for one that comes from anywhere by TLS; `plus`:
    numbers without + are international; `disconnect_to` is where requests to end a call go."""

    peer_id: IdText
    protocol: str
    name: str
    realm: str
    addresses: list[str]
    tls: bool
    plus: bool
    disconnect_to: str
    created: Moment
    revoked: Moment | None


class SwitchPeerMade(SwitchPeer):
    """A peer that was just made; `secret` where one was made for it, which cannot be had again:
    null where the same request was answered before."""

    secret: str | None


class SentSwitch(Sent):
    """A switch to be made."""

    name: str = Field(min_length=1, max_length=SWITCH_NAME_TEXT_MAX)
    operator: str = Field(min_length=1, max_length=NAME_TEXT_MAX, description="Whose it is.")


class SentSwitchKey(Sent):
    """A switch's key to be made."""

    name: str = Field(min_length=1, max_length=KEY_NAME_TEXT_MAX)
    scopes: list[str] = Field(
        list(SWITCH_SCOPES),
        min_length=1,
        max_length=len(SWITCH_SCOPES),
        json_schema_extra={"items": {"type": "string", "enum": list(SWITCH_SCOPES)}},
    )
    expires: SentMoment | None = None


class SentPeer(Sent):
    """A peer to be made. Diameter takes `realm` and `tls`, RADIUS `secret` and `disconnect_to`."""

    protocol: Literal["diameter", "radius"]
    name: str = Field(min_length=1, max_length=HOST_TEXT_MAX)
    realm: str = Field("", max_length=HOST_TEXT_MAX)
    addresses: list[NetworkText] = Field([], max_length=PEER_NETWORKS_MAX)
    secret: str = Field(
        "", max_length=PEER_SECRET_TEXT_MAX, description="Without it, RADIUS gets one made."
    )
    tls: bool = False
    plus: bool = True
    disconnect_to: str = Field("", max_length=HOST_TEXT_MAX)


@switches.reads("/switches", listing("switches", Switch), by=BY)
def get_switches(asked: Asked, page: AskedPage) -> Answer:
    """All switches, by name."""
    with asked.control.reading():
        found = list_switches(asked.control, after=page.cursor, limit=page.limit)
    answer: Answer = asked.page(page, "switches", found, lambda each: each.name)
    return {**answer, "switches": [_switch(each) for each in found]}


@switches.does(
    *("POST", "/switches", Switch),
    by=BY,
    makes="control_plane",
    refusals=("already_exists",),
    sent={"name": "Oslo 1", "operator": "Contoso Voice"},
)
def post_switch(asked: Asked, sent: SentSwitch) -> Answer | Refusal:
    """Make a switch known, for which keys and peers are made then."""
    made = create_switch(
        asked.control, **sent.model_dump(), now_ms=asked.now_ms, next_id=asked.next_id
    )
    return made if isinstance(made, Refusal) else _switch(made)


@switches.reads("/switches/{int:switch_id}", Switch, by=BY, refusals=UNKNOWN)
def get_switch(asked: Asked, switch_id: PathId) -> Answer | Refusal:
    """One switch."""
    found = _found(asked, switch_id)
    return found if isinstance(found, Refusal) else _switch(found)


@switches.reads("/switches/{int:switch_id}/keys", listing("keys", Key), by=BY, refusals=UNKNOWN)
def get_switch_keys(asked: Asked, switch_id: PathId, page: AskedPage) -> Answer | Refusal:
    """A switch's keys, the newest first; revoked and expired ones too."""
    switch = _found(asked, switch_id)
    if isinstance(switch, Refusal):
        return switch
    with asked.control.reading():
        found = list_switch_keys(asked.control, switch.id, before=page.before, limit=page.limit)
    answer: Answer = asked.page(page, "keys", found, lambda each: each.id)
    return {**answer, "keys": [key_shown(asked, each) for each in found]}


@switches.does(
    *("POST", "/switches/{int:switch_id}/keys", KeyMade),
    by=BY,
    makes="control_plane",
    secret="key",
    refusals=UNKNOWN,
    sent={"name": "main", "scopes": ["calls", "quotes"]},
)
def post_switch_key(asked: Asked, switch_id: PathId, sent: SentSwitchKey) -> Answer | Refusal:
    """Make a key with which a switch charges calls and asks prices.

    Its text is in this answer, and never shown again.
    """
    switch = find_switch_of_id(asked.control, switch_id)
    if isinstance(switch, Refusal):
        return switch
    made = create_key(
        *(asked.control, switch),
        name=sent.name,
        scopes=sent.scopes,
        expires_ms=sent.expires,
        now_ms=asked.now_ms,
        next_id=asked.next_id,
        entropy=secrets.token_bytes(ENTROPY_BYTES),
    )
    return key_made(asked, made)


@switches.does(
    *("POST", "/switches/{int:switch_id}/keys/{int:key_id}/rotate", KeyMade),
    by=BY,
    makes="control_plane",
    secret="key",
    refusals=("unknown_key",),
    sent={"keep_hours": 24},
)
def post_switch_key_rotation(
    asked: Asked, switch_id: PathId, key_id: PathId, sent: SentRotation
) -> Answer | Refusal:
    """Make a key like this one of the switch; the old one expires after a while.

    The text of the new one is in this answer, and never shown again.
    """
    old = _key(asked, switch_id, key_id)
    if isinstance(old, Refusal):
        return old
    made = rotate_key(
        *(asked.control, old.id),
        old_expires_ms=asked.now_ms + sent.keep_hours * HOUR_MS,
        now_ms=asked.now_ms,
        next_id=asked.next_id,
        entropy=secrets.token_bytes(ENTROPY_BYTES),
    )
    return key_made(asked, made)


@switches.does(
    *("POST", "/switches/{int:switch_id}/keys/{int:key_id}/revoke", Key),
    by=BY,
    refusals=("unknown_key",),
)
def post_switch_key_revocation(asked: Asked, switch_id: PathId, key_id: PathId) -> Answer | Refusal:
    """Let a switch's key open nothing from now on."""
    with asked.control.transaction():
        key = _key(asked, switch_id, key_id)
        if isinstance(key, Refusal):
            return key
        revoked = revoke_key(asked.control, key.id, now_ms=asked.now_ms)
    return revoked if isinstance(revoked, Refusal) else key_shown(asked, revoked)


@switches.reads(
    "/switches/{int:switch_id}/peers", listing("peers", SwitchPeer), by=BY, refusals=UNKNOWN
)
def get_peers(asked: Asked, switch_id: PathId, page: AskedPage) -> Answer | Refusal:
    """From where a switch speaks Diameter and RADIUS, the oldest first; revoked ones too."""
    switch = _found(asked, switch_id)
    if isinstance(switch, Refusal):
        return switch
    with asked.control.reading():
        found = peers_of_switch(asked.control, switch.id, page.limit, after=page.after)
    answer: Answer = asked.page(page, "peers", found, lambda each: each.id)
    return {**answer, "peers": [_peer(each) for each in found]}


@switches.does(
    *("POST", "/switches/{int:switch_id}/peers", SwitchPeerMade),
    by=BY,
    makes="control_plane",
    secret="secret",
    refusals=(*UNKNOWN, "already_exists"),
    sent={"protocol": "radius", "name": "nas-1", "addresses": ["192.0.2.7"]},
)
def post_peer(asked: Asked, switch_id: PathId, sent: SentPeer) -> Answer | Refusal:
    """Let a switch speak Diameter or RADIUS from some addresses.

    A RADIUS client without a `secret` gets one, which is in this answer, and never shown again.
    """
    switch = find_switch_of_id(asked.control, switch_id)
    if isinstance(switch, Refusal):
        return switch
    wanted = NewPeer(**sent.model_dump())
    secret = None
    if sent.protocol == RADIUS and not sent.secret:
        secret = new_secret(secrets.token_bytes(SECRET_BYTES))
        wanted = wanted._replace(secret=secret)
    made = create_peer(
        *(asked.control, Seal(current().seal_keys()), switch, wanted),
        now_ms=asked.now_ms,
        next_id=asked.next_id,
    )
    return made if isinstance(made, Refusal) else {**_peer(made), "secret": secret}


@switches.does(
    *("POST", "/switches/{int:switch_id}/peers/{int:peer_id}/revoke", SwitchPeer),
    by=BY,
    refusals=("unknown_peer",),
)
def post_peer_revocation(asked: Asked, switch_id: PathId, peer_id: PathId) -> Answer | Refusal:
    """Take nothing from a peer from now on.

    Its calls that run end at their deadlines.
    """
    with asked.control.transaction():
        found = find_peer(asked.control, peer_id)
        if isinstance(found, Refusal):
            return found
        if found.switch_id != switch_id:
            return Refusal("unknown_peer", f"the switch {switch_id} has no peer {peer_id}")
        revoked = revoke_peer(asked.control, peer_id, now_ms=asked.now_ms)
    return revoked if isinstance(revoked, Refusal) else _peer(revoked)


def _found(asked: Asked, switch_id: int) -> ASwitch | Refusal:
    with asked.control.reading():
        return find_switch_of_id(asked.control, switch_id)


def _key(asked: Asked, switch_id: int, key_id: int) -> ApiKey | Refusal:
    """A key of this switch alone: others, organisations' and the operator's are not found here."""
    found = find_key(asked.control, key_id)
    if isinstance(found, Refusal) or not switch_id or found.switch_id != switch_id:
        return Refusal("unknown_key", f"the switch {switch_id} has no key {key_id}")
    return found


def _switch(switch: ASwitch) -> Answer:
    return {
        "switch_id": str(switch.id),
        "name": switch.name,
        "operator": switch.operator,
        "created": switch.created_ms,
    }


def _peer(peer: Peer) -> Answer:
    return {
        "peer_id": str(peer.id),
        "protocol": peer.protocol,
        "name": peer.name,
        "realm": peer.realm,
        "addresses": [str(each) for each in peer.networks],
        "tls": peer.tls,
        "plus": peer.plus,
        "disconnect_to": peer.disconnect_to,
        "created": peer.created_ms,
        "revoked": peer.revoked_ms,
    }
