"""Where an organisation's programs are told: webhook endpoints, their secrets, their state.

A secret is shown once, when it is made, and kept sealed. The caller opens and commits the cell's
transaction.
"""

import base64
from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple

from talktime.core.limits import ANSWER_TEXT_MAX, ENDPOINTS_MAX, NAME_TEXT_MAX
from talktime.core.notices import KINDS
from talktime.core.refusal import Refusal
from talktime.operations.audit import note
from talktime.operations.input_checks import check_text, first
from talktime.operations.outward import target_of
from talktime.operations.sealing import Seal
from talktime.store import deliveries
from talktime.store.database import Connection
from talktime.store.recipients import (
    Endpoint,
    endpoint_of_id,
    endpoints_of,
    insert_endpoint,
    lock_wallet,
    set_endpoint_state,
    set_kinds,
    set_secrets,
)

SECRET_PREFIX = "whsec_"
ENTROPY_BYTES = 32
OVERLAP_MS = 24 * 3_600_000
"""How long the secret before a rotation signs too."""
ACTIVE, DISABLED, REMOVED = "active", "disabled", "removed"
BY_HAND, BY_SOMEBODY = "by hand", "by "
"""Why one is disabled on purpose, and how all such reasons begin."""


class NewSecret(NamedTuple):
    """An endpoint and its new secret, which cannot be had again."""

    endpoint: Endpoint
    secret: str


def secret_text(entropy: bytes) -> str:
    """A secret made of 32 bytes of chance, as Standard Webhooks writes it.

    >>> secret_text(bytes(32))
    'whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA='
    """
    if len(entropy) != ENTROPY_BYTES:
        raise ValueError(f"a secret is made of {ENTROPY_BYTES} bytes, not {len(entropy)}")
    return SECRET_PREFIX + base64.b64encode(entropy).decode()


def add_endpoint(
    cell: Connection,
    organisation_id: int,
    url: str,
    *,
    kinds: Iterable[str] = (),
    actor: str,
    allowed_hosts: Collection[str] = (),
    seal: Seal,
    now_ms: int,
    next_id: Callable[[], int],
    entropy: bytes,
) -> NewSecret | Refusal:
    """Let a program be told at this address, of these kinds (none: of all).

    Refuses: invalid_value, already_exists, unknown_organisation (it has no wallet in this cell).
    """
    target = target_of(url, allowed_hosts)
    kinds = sorted(set(kinds))
    refusal = first(
        target if isinstance(target, Refusal) else None,
        check_kinds(kinds),
        check_text("the actor", actor, NAME_TEXT_MAX),
    )
    if refusal is not None:
        return refusal
    if not lock_wallet(cell, organisation_id):
        return Refusal("unknown_organisation", f"there is no organisation {organisation_id} here")
    there = endpoints_of(cell, [organisation_id])
    if any(each.url == url for each in there):
        return Refusal("already_exists", "this address is told already")
    if len(there) >= ENDPOINTS_MAX:
        return Refusal("invalid_value", f"an organisation has at most {ENDPOINTS_MAX} endpoints")
    secret = secret_text(entropy)
    endpoint = Endpoint(
        *(next_id(), organisation_id, url, ACTIVE, "", tuple(kinds), seal.seal(secret)),
        *("", None, now_ms, actor),
    )
    insert_endpoint(cell, endpoint)
    note(cell, organisation_id, "webhook.added", url, after={"kinds": kinds})
    return NewSecret(endpoint, secret)


def rotate_secret(
    cell: Connection,
    organisation_id: int,
    endpoint_id: int,
    *,
    seal: Seal,
    now_ms: int,
    entropy: bytes,
) -> NewSecret | Refusal:
    """Make a new secret. The one before signs too, for OVERLAP_MS; one before that no more.

    Refuses: unknown_endpoint.
    """
    old = find_endpoint(cell, organisation_id, endpoint_id)
    if isinstance(old, Refusal):
        return old
    secret = secret_text(entropy)
    new = old._replace(
        secret=seal.seal(secret), old_secret=old.secret, old_until_ms=now_ms + OVERLAP_MS
    )
    set_secrets(cell, new)
    note(cell, organisation_id, "webhook.rotated", old.url, always=True)
    return NewSecret(new, secret)


def choose_kinds(
    cell: Connection, organisation_id: int, endpoint_id: int, kinds: Iterable[str]
) -> Endpoint | Refusal:
    """Say of which kinds an endpoint is told from now on (none: of all).

    Refuses: unknown_endpoint, invalid_value.
    """
    chosen = sorted(set(kinds))
    found = find_endpoint(cell, organisation_id, endpoint_id)
    refusal = found if isinstance(found, Refusal) else check_kinds(chosen)
    if isinstance(found, Refusal) or refusal is not None:
        return refusal or found
    changed = found._replace(kinds=tuple(chosen))
    set_kinds(cell, changed)
    before, after = {"kinds": list(found.kinds)}, {"kinds": chosen}
    note(
        *(cell, organisation_id, "webhook.changed", found.url),
        before=before,
        after=after,
        always=True,
    )
    return changed


def enable_endpoint(cell: Connection, organisation_id: int, endpoint_id: int) -> Endpoint | Refusal:
    """Tell an endpoint again. What was not delivered meanwhile is sent by hand alone.

    Refuses: unknown_endpoint.
    """
    return _turn(cell, organisation_id, endpoint_id, ACTIVE, "webhook.enabled")


def disable_endpoint(
    cell: Connection, organisation_id: int, endpoint_id: int, *, reason: str
) -> Endpoint | Refusal:
    """Tell an endpoint nothing more; what was due to it fails. Refuses: unknown_endpoint."""
    return _turn(cell, organisation_id, endpoint_id, DISABLED, "webhook.disabled", reason)


def remove_endpoint(cell: Connection, organisation_id: int, endpoint_id: int) -> Endpoint | Refusal:
    """Tell an endpoint nothing more, for good. Refuses: unknown_endpoint."""
    return _turn(cell, organisation_id, endpoint_id, REMOVED, "webhook.removed")


def find_endpoint(cell: Connection, organisation_id: int, endpoint_id: int) -> Endpoint | Refusal:
    """The endpoint of this id, locked. Refuses: unknown_endpoint, for removed ones too."""
    found = endpoint_of_id(cell, organisation_id, endpoint_id)
    if found is None or found.state == REMOVED:
        return Refusal("unknown_endpoint", f"there is no webhook endpoint {endpoint_id}")
    return found


def list_endpoints(cell: Connection, organisation_id: int) -> list[Endpoint]:
    """An organisation's endpoints, oldest first; their secrets are sealed."""
    return endpoints_of(cell, [organisation_id])


def given_up(endpoint: Endpoint) -> bool:
    """Whether an endpoint is disabled because it failed, or for a reason that somebody wrote: by
    none who just pressed a button, or asked over the API."""
    return endpoint.state == DISABLED and not endpoint.detail.startswith(BY_SOMEBODY)


def secrets_of(endpoint: Endpoint, seal: Seal, now_ms: int) -> list[str]:
    """The secrets that sign now, the newest first: two while an old one runs out.

    Raises NotSealedHere.
    """
    secrets = [seal.opened(endpoint.secret)]
    if endpoint.old_until_ms is not None and now_ms < endpoint.old_until_ms:
        secrets.append(seal.opened(endpoint.old_secret))
    return secrets


def takes(endpoint: Endpoint, kind: str) -> bool:
    """Whether an endpoint is told of notices of this kind."""
    to_programs = kind not in KINDS or KINDS[kind].to_programs
    wanted = not endpoint.kinds or kind in endpoint.kinds
    return endpoint.state == ACTIVE and to_programs and wanted


def check_kinds(kinds: Iterable[str]) -> Refusal | None:
    """Kinds of notices that programs can be told of."""
    for kind in kinds:
        if kind not in KINDS or not KINDS[kind].to_programs:
            known = ", ".join(name for name, each in KINDS.items() if each.to_programs)
            return Refusal("invalid_value", f"{kind[:64]!r} is no kind of event; known are {known}")
    return None


def _turn(
    cell: Connection,
    organisation_id: int,
    endpoint_id: int,
    state: str,
    action: str,
    detail: str = "",
) -> Endpoint | Refusal:
    found = find_endpoint(cell, organisation_id, endpoint_id)
    if isinstance(found, Refusal):
        return found
    detail = detail[:ANSWER_TEXT_MAX]
    set_endpoint_state(cell, found, state, detail)
    note(
        *(cell, organisation_id, action, found.url),
        before={"state": found.state},
        after={"state": state},
        always=True,
    )
    if state != ACTIVE:
        deliveries.end_deliveries_of_endpoint(
            cell, organisation_id, endpoint_id, f"the endpoint was {state}"
        )
    return found._replace(state=state, detail=detail)
