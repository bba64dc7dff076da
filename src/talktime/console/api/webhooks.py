"""`.../webhooks`: where the organisation's programs are told. A secret is in the answer that makes
it, and never shown again."""

import secrets
from typing import Annotated, Any

from pydantic import Field

from talktime.console.api.door import Asked, Resource
from talktime.console.api.notices import SEES, Delivery, delivery_shown, tested
from talktime.console.api.shapes import (
    AskedPage,
    IdText,
    Moment,
    PathId,
    Sent,
    Shown,
    listing,
)
from talktime.console.databases import current
from talktime.core.deliveries import WEBHOOK
from talktime.core.keys import NOTICES
from talktime.core.limits import WEBHOOK_URL_TEXT_MAX
from talktime.core.notices import KINDS
from talktime.core.refusal import Refusal
from talktime.operations.deliveries import deliveries_of_endpoint
from talktime.operations.endpoints import (
    BY_SOMEBODY,
    ENTROPY_BYTES,
    NewSecret,
    add_endpoint,
    disable_endpoint,
    enable_endpoint,
    find_endpoint,
    list_endpoints,
    remove_endpoint,
    rotate_secret,
)
from talktime.operations.sealing import Seal
from talktime.store.recipients import Endpoint

webhooks = Resource("Webhooks", "Where the organisation's programs are told, with deliveries.")
Answer = dict[str, Any]
EVENTS = [name for name, kind in KINDS.items() if kind.to_programs]
Kinds = Annotated[
    list[str],
    Field(
        description="Kinds of events; none for all.",
        json_schema_extra={"items": {"type": "string", "enum": EVENTS}},
    ),
]


class Webhook(Shown):
    """An endpoint. `events` is empty for all; the secret is shown once, when it is made."""

    webhook_id: IdText
    url: str
    events: list[str]
    state: str
    detail: str
    created: Moment
    created_by: str
    old_secret_until: Moment | None


class NewWebhook(Webhook):
    """An endpoint with its new secret, which is shown this once."""

    secret: str


class RotatedWebhook(Webhook):
    """An endpoint with its new secret, which is shown this once: null where the same request was
    answered before."""

    secret: str | None


class SentWebhook(Sent):
    """An endpoint as sent."""

    url: str = Field(max_length=WEBHOOK_URL_TEXT_MAX)
    events: Kinds = []


class SentState(Sent):
    """Whether an endpoint is told."""

    active: bool


WEBHOOK_LIST = listing("webhooks", Webhook, paged=False)
UNKNOWN = ("unknown_endpoint",)


@webhooks.reads("/webhooks", WEBHOOK_LIST, by=SEES)
def get_webhooks(asked: Asked) -> Answer:
    """All endpoints, the oldest first."""
    with asked.cell.reading():
        return {"webhooks": [_webhook(e) for e in list_endpoints(asked.cell, asked.owner.id)]}


@webhooks.does(
    *("POST", "/webhooks", NewWebhook),
    by=(NOTICES,),
    refusals=("already_exists",),
    sent={"url": "https://hooks.contoso.example/talktime", "events": ["balance.low"]},
)
def post_webhook(asked: Asked, sent: SentWebhook) -> Answer | Refusal:
    """Let a program be told.

    The secret that proves messages is in this answer, and never shown again.
    """
    with asked.cell.transaction():
        made = add_endpoint(
            *(asked.cell, asked.owner.id, sent.url),
            kinds=sent.events,
            actor=asked.actor,
            allowed_hosts=current().webhooks_allow,
            seal=Seal(current().seal_keys()),
            now_ms=asked.now_ms,
            next_id=asked.next_id,
            entropy=secrets.token_bytes(ENTROPY_BYTES),
        )
    return _secret(made)


@webhooks.reads("/webhooks/{int:webhook_id}", Webhook, by=SEES, refusals=UNKNOWN)
def get_webhook(asked: Asked, webhook_id: PathId) -> Answer | Refusal:
    """One endpoint."""
    with asked.cell.transaction():
        return _turned(find_endpoint(asked.cell, asked.owner.id, webhook_id))


@webhooks.does(
    *("PATCH", "/webhooks/{int:webhook_id}", Webhook),
    by=(NOTICES,),
    refusals=UNKNOWN,
    sent={"active": True},
)
def patch_webhook(asked: Asked, webhook_id: PathId, sent: SentState) -> Answer | Refusal:
    """Tell an endpoint again, or nothing more for now."""
    with asked.cell.transaction():
        if sent.active:
            return _turned(enable_endpoint(asked.cell, asked.owner.id, webhook_id))
        place = (asked.cell, asked.owner.id, webhook_id)
        return _turned(disable_endpoint(*place, reason=f"{BY_SOMEBODY}{asked.actor}"))


@webhooks.does("DELETE", "/webhooks/{int:webhook_id}", Webhook, by=(NOTICES,), refusals=UNKNOWN)
def delete_webhook(asked: Asked, webhook_id: PathId) -> Answer | Refusal:
    """Tell an endpoint nothing more, for good."""
    with asked.cell.transaction():
        return _turned(remove_endpoint(asked.cell, asked.owner.id, webhook_id))


@webhooks.does(
    *("POST", "/webhooks/{int:webhook_id}/rotate", RotatedWebhook),
    by=(NOTICES,),
    makes="cell",
    secret="secret",
    refusals=UNKNOWN,
)
def post_webhook_rotation(asked: Asked, webhook_id: PathId) -> Answer | Refusal:
    """Make a new secret.

    The one before proves messages too, for 24 hours.
    """
    made = rotate_secret(
        *(asked.cell, asked.owner.id, webhook_id),
        seal=Seal(current().seal_keys()),
        now_ms=asked.now_ms,
        entropy=secrets.token_bytes(ENTROPY_BYTES),
    )
    return _secret(made)


@webhooks.reads(
    *("/webhooks/{int:webhook_id}/deliveries", listing("deliveries", Delivery)),
    by=SEES,
    refusals=UNKNOWN,
)
def get_webhook_deliveries(asked: Asked, webhook_id: PathId, page: AskedPage) -> Any:
    """What was, or is to be, sent to an endpoint, the newest first."""
    with asked.cell.transaction():
        found = deliveries_of_endpoint(asked.cell, asked.owner.id, webhook_id, before=page.before)
    if isinstance(found, Refusal):
        return found
    rows = found[: page.limit]
    answer = asked.page(page, "deliveries", rows, lambda each: each.id)
    return {**answer, "deliveries": [delivery_shown(each) for each in rows]}


@webhooks.does(
    *("POST", "/webhooks/{int:webhook_id}/test", Delivery),
    by=(NOTICES,),
    refusals=UNKNOWN,
)
def post_webhook_test(asked: Asked, webhook_id: PathId) -> Answer | Refusal:
    """Send a test to an endpoint, signed as all messages are."""
    return tested(asked, WEBHOOK, str(webhook_id))


def _webhook(endpoint: Endpoint) -> Answer:
    return {
        "webhook_id": str(endpoint.id),
        "url": endpoint.url,
        "events": list(endpoint.kinds),
        "state": endpoint.state,
        "detail": endpoint.detail,
        "created": endpoint.created_ms,
        "created_by": endpoint.created_by,
        "old_secret_until": endpoint.old_until_ms,
    }


def _turned(endpoint: Endpoint | Refusal) -> Answer | Refusal:
    return endpoint if isinstance(endpoint, Refusal) else _webhook(endpoint)


def _secret(made: NewSecret | Refusal) -> Answer | Refusal:
    if isinstance(made, Refusal):
        return made
    return {**_webhook(made.endpoint), "secret": made.secret}
