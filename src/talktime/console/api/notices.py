"""`.../recipients` and `notices`: who gets mail of what, and what was told."""

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
from talktime.core.deliveries import MAIL
from talktime.core.keys import NOTICES, READ
from talktime.core.limits import EMAIL_TEXT_MAX
from talktime.core.notices import ROLES
from talktime.core.refusal import Refusal
from talktime.operations.deliveries import (
    Told,
    list_told,
    redeliver,
    send_test,
)
from talktime.operations.recipients import (
    Person,
    add_recipient,
    list_recipients,
    remove_recipient,
)
from talktime.store.deliveries import Delivery as ADelivery

SEES = (READ, NOTICES)
recipients = Resource("Recipients", "Who gets the organisation's mail.")
notices = Resource("Notices", "What was told, and what became of it.")
Answer = dict[str, Any]
Roles = Annotated[
    list[str],
    Field(
        min_length=1,
        max_length=len(ROLES),
        json_schema_extra={"items": {"type": "string", "enum": list(ROLES)}},
    ),
]


class Recipient(Shown):
    """Somebody who gets mail: once for each notice, however many roles they have."""

    email: str
    roles: list[str]
    language: str
    time_zone: str


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
    return tested(asked, MAIL, email.strip().lower())


def tested(asked: Asked, channel: str, target: str) -> Answer | Refusal:
    """Send a test to an address or an endpoint."""
    with asked.cell.transaction():
        done = send_test(
            *(asked.cell, asked.owner.id, channel, target),
            actor=asked.actor,
            now_ms=asked.now_ms,
            next_id=asked.next_id,
        )
    return done if isinstance(done, Refusal) else delivery_shown(done)


@notices.does(
    *("POST", "/deliveries/{int:delivery_id}/replay", Delivery),
    by=(NOTICES,),
    refusals=("unknown_delivery", "unknown_endpoint", "unknown_recipient"),
)
def post_replay(asked: Asked, delivery_id: PathId) -> Answer | Refusal:
    """Send a delivery again, with the same ids."""
    with asked.cell.transaction():
        done = redeliver(asked.cell, asked.owner.id, delivery_id, now_ms=asked.now_ms)
    return done if isinstance(done, Refusal) else delivery_shown(done)


@notices.reads("/notices", listing("notices", Notice), by=SEES)
def get_notices(asked: Asked, page: AskedPage) -> Answer:
    """What was told, the newest first, with what became of it."""
    with asked.cell.reading():
        found = list_told(asked.cell, asked.owner.id, before=page.before, limit=page.limit)
    answer: Answer = asked.page(page, "notices", found, lambda each: each.id)
    return {**answer, "notices": [_notice(each) for each in found]}


def _person(person: Person) -> Answer:
    return {**person._asdict(), "roles": list(person.roles)}


def delivery_shown(delivery: ADelivery) -> Answer:
    """A delivery as it is shown."""
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
        "deliveries": [delivery_shown(each) for each in told.deliveries],
    }
