"""`.../recipients`, `webhooks` and `notices`: who is told of what, and what was told."""

import secrets
from typing import Annotated, Any

from ninja import Path
from pydantic import Field

from talktime.console.api.door import Asked, Resource
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
from talktime.core.deliveries import MAIL, WEBHOOK
from talktime.core.keys import NOTICES, READ
from talktime.core.limits import EMAIL_TEXT_MAX, WEBHOOK_URL_TEXT_MAX
from talktime.core.notices import KINDS, ROLES
from talktime.core.refusal import Refusal
from talktime.operations.deliveries import (
    Told,
    deliveries_of_endpoint,
    list_told,
    redeliver,
    send_test,
)
from talktime.operations.endpoints import (
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
from talktime.operations.recipients import (
    Person,
    add_recipient,
    list_recipients,
    remove_recipient,
)
from talktime.operations.sealing import Seal
from talktime.store.deliveries import Delivery as ADelivery
from talktime.store.recipients import Endpoint

SEES = (READ, NOTICES)
recipients = Resource("Recipients", "Who gets the organisation's mail.")
webhooks = Resource("Webhooks", "Where the organisation's programs are told, with deliveries.")
notices = Resource("Notices", "What was told, and what became of it.")
Answer = dict[str, Any]
EVENTS = [name for name, kind in KINDS.items() if kind.to_programs]
Roles = Annotated[
    list[str],
    Field(
        min_length=1,
        max_length=len(ROLES),
        json_schema_extra={"items": {"type": "string", "enum": list(ROLES)}},
    ),
]
Kinds = Annotated[
    list[str],
    Field(
        description="Kinds of events; none for all.",
        json_schema_extra={"items": {"type": "string", "enum": EVENTS}},
    ),
]


class Recipient(Shown):
    """Somebody who gets mail: once for each notice, however many roles they have."""

    email: str
    roles: list[str]
    language: str
    time_zone: str


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


class Delivery(Shown):
    """A notice on its way to an address or an endpoint, and what became of it."""

    delivery_id: IdText
    notice_id: IdText
    channel: str
    target: str
    state: str
    tries: int
    detail: str
    due: Moment | None
    tried: Moment | None


class Notice(Shown):
    """A notice: what happened, with its facts, and its deliveries."""

    notice_id: IdText
    kind: str
    at: Moment
    facts: dict[str, str | int | bool | None]
    deliveries: list[Delivery]


class SentRecipient(Sent):
    """Roles of an address; its language and clock, for all of them."""

    email: str = Field(max_length=EMAIL_TEXT_MAX, examples=["billing@contoso.example"])
    roles: Roles
    language: str = "en"
    time_zone: str | None = Field(None, description="Without it, the organisation's.")


class SentWebhook(Sent):
    """An endpoint as sent."""

    url: str = Field(max_length=WEBHOOK_URL_TEXT_MAX)
    events: Kinds = []


class SentState(Sent):
    """Whether an endpoint is told."""

    active: bool


WEBHOOK_LIST = listing("webhooks", Webhook, paged=False)
UNKNOWN = ("unknown_endpoint",)
Email = Annotated[str, Path(max_length=EMAIL_TEXT_MAX, description="A recipient's address.")]


@recipients.reads("/recipients", listing("recipients", Recipient, paged=False), by=SEES)
def get_recipients(asked: Asked) -> Answer:
    """Everybody who gets mail, by address."""
    with asked.cell.reading():
        return {"recipients": [_person(p) for p in list_recipients(asked.cell, asked.owner.id)]}


@recipients.does(
    *("POST", "/recipients", Recipient),
    by=(NOTICES,),
    sent={"email": "billing@contoso.example", "roles": ["billing"], "language": "en"},
)
def post_recipient(asked: Asked, sent: SentRecipient) -> Answer | Refusal:
    """Let an address get mail in these roles too."""
    with asked.cell.transaction():
        made = add_recipient(
            *(asked.cell, asked.owner.id, sent.email),
            roles=sent.roles,
            language=sent.language,
            time_zone=sent.time_zone or asked.owner.time_zone,
            now_ms=asked.now_ms,
            next_id=asked.next_id,
        )
    return made if isinstance(made, Refusal) else _person(made)


@recipients.does(
    *("DELETE", "/recipients/{email}", Recipient),
    by=(NOTICES,),
    refusals=("unknown_recipient",),
)
def delete_recipient(asked: Asked, email: Email) -> Answer | Refusal:
    """Let an address get no more mail."""
    with asked.cell.transaction():
        known = {each.email: each for each in list_recipients(asked.cell, asked.owner.id)}
        gone = remove_recipient(asked.cell, asked.owner.id, email)
        if isinstance(gone, Refusal):
            return gone
    return _person(known[email.strip().lower()])


@recipients.does(
    *("POST", "/recipients/{email}/test", Delivery),
    by=(NOTICES,),
    refusals=("unknown_recipient",),
)
def post_recipient_test(asked: Asked, email: Email) -> Answer | Refusal:
    """Send a test to an address, by the way that all notices go."""
    return _tested(asked, MAIL, email.strip().lower())


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
        return _turned(disable_endpoint(*place, reason=f"by {asked.actor}"))


@webhooks.does("DELETE", "/webhooks/{int:webhook_id}", Webhook, by=(NOTICES,), refusals=UNKNOWN)
def delete_webhook(asked: Asked, webhook_id: PathId) -> Answer | Refusal:
    """Tell an endpoint nothing more, for good."""
    with asked.cell.transaction():
        return _turned(remove_endpoint(asked.cell, asked.owner.id, webhook_id))


@webhooks.does(
    *("POST", "/webhooks/{int:webhook_id}/rotate", NewWebhook),
    by=(NOTICES,),
    refusals=UNKNOWN,
)
def post_webhook_rotation(asked: Asked, webhook_id: PathId) -> Answer | Refusal:
    """Make a new secret.

    The one before proves messages too, for 24 hours.
    """
    with asked.cell.transaction():
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
    return {**answer, "deliveries": [_delivery(each) for each in rows]}


@webhooks.does(
    *("POST", "/webhooks/{int:webhook_id}/test", Delivery),
    by=(NOTICES,),
    refusals=UNKNOWN,
)
def post_webhook_test(asked: Asked, webhook_id: PathId) -> Answer | Refusal:
    """Send a test to an endpoint, signed as all messages are."""
    return _tested(asked, WEBHOOK, str(webhook_id))


def _tested(asked: Asked, channel: str, target: str) -> Answer | Refusal:
    with asked.cell.transaction():
        done = send_test(
            *(asked.cell, asked.owner.id, channel, target),
            actor=asked.actor,
            now_ms=asked.now_ms,
            next_id=asked.next_id,
        )
    return done if isinstance(done, Refusal) else _delivery(done)


@notices.does(
    *("POST", "/deliveries/{int:delivery_id}/replay", Delivery),
    by=(NOTICES,),
    refusals=("unknown_delivery", "unknown_endpoint", "unknown_recipient"),
)
def post_replay(asked: Asked, delivery_id: PathId) -> Answer | Refusal:
    """Send a delivery again, with the same ids."""
    with asked.cell.transaction():
        done = redeliver(asked.cell, asked.owner.id, delivery_id, now_ms=asked.now_ms)
    return done if isinstance(done, Refusal) else _delivery(done)


@notices.reads("/notices", listing("notices", Notice), by=SEES)
def get_notices(asked: Asked, page: AskedPage) -> Answer:
    """What was told, the newest first, with what became of it."""
    with asked.cell.reading():
        found = list_told(asked.cell, asked.owner.id, before=page.before, limit=page.limit)
    answer: Answer = asked.page(page, "notices", found, lambda each: each.id)
    return {**answer, "notices": [_notice(each) for each in found]}


def _person(person: Person) -> Answer:
    return {**person._asdict(), "roles": list(person.roles)}


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


def _delivery(delivery: ADelivery) -> Answer:
    return {
        "delivery_id": str(delivery.id),
        "notice_id": str(delivery.outbox_id),
        "channel": delivery.channel,
        "target": delivery.target,
        "state": delivery.state,
        "tries": delivery.tries,
        "detail": delivery.detail,
        "due": delivery.due_ms,
        "tried": delivery.tried_ms,
    }


def _notice(told: Told) -> Answer:
    notice = told.stored.notice
    return {
        "notice_id": str(told.id),
        "kind": notice.kind,
        "at": notice.at_ms,
        "facts": notice.facts,
        "deliveries": [_delivery(each) for each in told.deliveries],
    }
