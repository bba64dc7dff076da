"""What payment providers say that happened: hints, never facts. Each leads to a question.

An event comes in at a door that knows no provider (console/api/payment_events.py): it is kept as it
came, and answered. A job reads its signature and puts it into the cell of its payment; what is
true is then asked of the provider.
"""

import json
from collections.abc import Callable, Iterable, Mapping

from talktime.core.charges import Event
from talktime.core.limits import (
    PAYMENT_EVENT_BODY_BYTES_MAX,
    PAYMENT_EVENT_HEADERS_TEXT_MAX,
    PAYMENT_EVENTS_WAITING_MAX,
)
from talktime.core.refusal import Refusal
from talktime.operations.input_checks import can_be_stored
from talktime.store.database import Connection
from talktime.store.event_inbox import Posted, count_posted, insert_posted
from talktime.store.provider_events import Owner, forget_events, hasten, insert_event, owner_of

SIGNING_HEADERS = ("webhook-id", "webhook-timestamp")
SIGNATURE_ENDING = "signature"
FORGET_MS = 30 * 86_400_000
"""Providers send an event again for some days, never for so long."""


def receive_event(
    control: Connection,
    provider: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    received_ms: int,
    next_id: Callable[[], int],
) -> Refusal | None:
    """Keep what was posted, to be read by a job at once; opens its own transaction on the control
    plane. `received_ms` is the time by the real clock, which providers sign with.

    Refuses: body_too_large; invalid_request for what is no text; queue_full where too many wait.
    """
    if len(body) > PAYMENT_EVENT_BODY_BYTES_MAX:
        most = f"{PAYMENT_EVENT_BODY_BYTES_MAX:,}"
        return Refusal("body_too_large", f"an event has {most} bytes at most")
    try:
        text = body.decode()
    except UnicodeDecodeError:
        text = "\0"
    kept = json.dumps(
        {
            key.lower(): value
            for key, value in headers.items()
            if key.lower().endswith(SIGNATURE_ENDING) or key.lower() in SIGNING_HEADERS
        }
    )
    if not can_be_stored(text) or len(kept) > PAYMENT_EVENT_HEADERS_TEXT_MAX:
        return Refusal("invalid_request", "this is no event")
    with control.transaction():
        if count_posted(control) >= PAYMENT_EVENTS_WAITING_MAX:
            return Refusal("queue_full", "too many events wait to be read")
        insert_posted(control, Posted(next_id(), provider, text, kept, received_ms, received_ms))
    return None


def keep_event(
    cells: Iterable[Connection],
    provider: str,
    event: Event,
    *,
    now_ms: int,
    next_id: Callable[[], int],
) -> Owner | None:
    """Put an event whose signature is right into the cell that has its payment or card, once, and
    have that looked at now. Returns whose it is; None where no cell knows: it is another
    installation's, or about what we do not look at.
    """
    for cell in cells:
        with cell.transaction():
            owner = owner_of(cell, provider, event)
            if owner is None:
                continue
            if insert_event(cell, next_id(), provider, event, owner, now_ms):
                hasten(cell, owner, now_ms)
        return owner
    return None


def forget_payment_events(cell: Connection, now_ms: int) -> int:
    """Delete events that were acted on a month ago; how many."""
    with cell.transaction():
        return forget_events(cell, now_ms - FORGET_MS)
