"""The sandbox's webhooks: queued with what they tell of, signed by the Standard Webhooks
specification when they are sent, and read again at our own door.

They may be sent twice, late, out of order or never, as the sandbox's switches say.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from typing import NamedTuple

from talktime.core.charges import BadSignature, Event
from talktime.core.limits import SANDBOX_EVENTS_MAX
from talktime.core.sandbox import AGAIN_MS, GATHER_MS, LATE, LATE_MS, NEVER, OUT_OF_ORDER, TWICE
from talktime.store.database import Connection
from talktime.store.sandbox import SandboxCard, SandboxCharge, switches
from talktime.store.sandbox_events import (
    SandboxEvent,
    delete_events,
    due_sendings,
    insert_event,
    mark_sent,
    put_off,
)

SECRET_PREFIX = "whsec_"
TOLERANCE_S = 300
KEPT_MS = 30 * 86_400_000


class Sending(NamedTuple):
    """One webhook to be sent: to be handed to `event_sent` or `event_not_sent` afterwards."""

    id: int
    body: bytes
    headers: dict[str, str]


def webhook_secret(installation_key: str) -> str:
    """The secret with which an installation's sandbox signs, made of a key of the installation.

    >>> webhook_secret("x").startswith("whsec_"), len(webhook_secret("x"))
    (True, 50)
    """
    made = hmac.new(installation_key.encode(), b"webhooks of the sandbox", hashlib.sha256)
    return SECRET_PREFIX + base64.b64encode(made.digest()).decode()


def queue_charge_event(
    control: Connection,
    kind: str,
    charge: SandboxCharge,
    *,
    now_ms: int,
    next_id: Callable[[], int],
) -> None:
    """Queue a webhook that tells of a charge, as the switches say now. In the caller's
    transaction."""
    about = {
        "charge_ref": f"sbx_charge_{charge.id}",
        "setup_ref": "",
        "try_id": str(charge.try_id),
        "organisation_id": str(charge.organisation_id),
    }
    _queue(control, kind, about, now_ms, next_id)


def queue_card_event(
    control: Connection, kind: str, card: SandboxCard, *, now_ms: int, next_id: Callable[[], int]
) -> None:
    """Queue a webhook that tells of a card. In the caller's transaction."""
    about = {
        "charge_ref": "",
        "setup_ref": f"sbx_setup_{card.id}",
        "try_id": "",
        "organisation_id": str(card.organisation_id),
    }
    _queue(control, kind, about, now_ms, next_id)


def _queue(
    control: Connection,
    kind: str,
    about: dict[str, str],
    now_ms: int,
    next_id: Callable[[], int],
) -> None:
    mode, ref = switches(control).webhooks, f"sbx_event_{next_id()}"
    body = json.dumps({"id": ref, "type": kind, "data": about}, separators=(",", ":"))
    delay_ms = {LATE: LATE_MS, OUT_OF_ORDER: GATHER_MS}.get(mode, 0)
    due_ms = None if mode == NEVER else now_ms + delay_ms
    for _ in range(2 if mode == TWICE else 1):
        insert_event(control, SandboxEvent(next_id(), ref, kind, body, 0, now_ms, due_ms, None))


def due_events(
    control: Connection, secret: str, *, now_ms: int, limit: int = SANDBOX_EVENTS_MAX
) -> list[Sending]:
    """What is to be sent to our own door by now, signed; newest first where the sandbox is to send
    out of order. Nothing is changed: what is not said to be sent is handed out again.
    """
    found = due_sendings(control, now_ms, min(limit, SANDBOX_EVENTS_MAX))
    if switches(control).webhooks == OUT_OF_ORDER:
        found.reverse()
    return [
        Sending(each.id, each.body.encode(), signed(each.event_ref, each.body, secret, now_ms))
        for each in found
    ]


def event_sent(control: Connection, sending_id: int, *, now_ms: int) -> None:
    """Keep that a webhook was taken; forget what was made a month ago."""
    mark_sent(control, sending_id, now_ms)
    delete_events(control, now_ms - KEPT_MS)


def event_not_sent(control: Connection, sending_id: int, *, now_ms: int) -> None:
    """Keep that a webhook was not taken: it is due again after a minute."""
    put_off(control, sending_id, now_ms + AGAIN_MS)


def signed(ref: str, body: str, secret: str, now_ms: int) -> dict[str, str]:
    """The headers of Standard Webhooks for a body: its id, the time in seconds, the signature."""
    at_s = now_ms // 1000
    return {
        "content-type": "application/json",
        "webhook-id": ref,
        "webhook-timestamp": str(at_s),
        "webhook-signature": _signature(ref, at_s, body.encode(), secret),
    }


def read_sandbox_event(
    body: bytes, headers: Mapping[str, str], secret: str, *, now_s: int
) -> Event | BadSignature:
    """What a webhook says, if it was signed with this secret at most five minutes ago (`now_s`:
    seconds since the epoch)."""
    named = {key.lower(): value for key, value in headers.items()}
    ref, at = named.get("webhook-id", ""), named.get("webhook-timestamp", "")
    if not (at.isascii() and at.isdecimal()):
        return BadSignature("the header webhook-timestamp is no time")
    expected = _signature(ref, int(at), body, secret)
    if not any(
        hmac.compare_digest(each.encode(), expected.encode())
        for each in named.get("webhook-signature", "").split(" ")
    ):
        return BadSignature("the header webhook-signature does not fit the body and the secret")
    if int(at) < now_s - TOLERANCE_S:
        return BadSignature(f"it was signed {now_s - int(at)} seconds ago")
    try:
        said = json.loads(body)
        about = said["data"]
        return Event(
            said["id"],
            said["type"],
            about["charge_ref"],
            about["setup_ref"],
            int(about["try_id"]) if about["try_id"] else None,
            int(about["organisation_id"]),
        )
    except (ValueError, KeyError, TypeError):
        return BadSignature("the body is no event of the sandbox's")


def _signature(ref: str, at_s: int, body: bytes, secret: str) -> str:
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    content = f"{ref}.{at_s}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
