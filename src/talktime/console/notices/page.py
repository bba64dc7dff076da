"""What the pages about notices show, in the reader's own wording."""

from collections.abc import Iterable, Mapping
from typing import Any

from talktime.core.deliveries import MAIL
from talktime.operations.deliveries import Told
from talktime.operations.notice_words import language_of, title_of
from talktime.operations.send_deliveries import event_body
from talktime.operations.wording import Wording
from talktime.store.deliveries import Delivery
from talktime.store.notices import StoredNotice

STATES = {
    "due": ("Waits", "warn"),
    "sent": ("Sent", "good"),
    "failed": ("Failed", "bad"),
    "dropped": ("Not sent", ""),
}
Shown = dict[str, Any]


def told_shown(told: Iterable[Told], urls: Mapping[str, str], wording: Wording) -> list[Shown]:
    """The list of notices, each with its deliveries."""
    return [
        {
            **notice_shown(each.stored, wording),
            "deliveries": [delivery_shown(one, urls, wording) for one in each.deliveries],
        }
        for each in told
    ]


def notice_shown(stored: StoredNotice, wording: Wording) -> Shown:
    """What happened, and when."""
    return {
        "title": title_of(stored.notice.kind, language_of("en")),
        "kind": stored.notice.kind,
        "at": wording.moment(stored.notice.at_ms),
        "spread": stored.spread_ms is not None,
    }


def delivery_shown(delivery: Delivery, urls: Mapping[str, str], wording: Wording) -> Shown:
    """One delivery: to whom, how it stands, why, when it is tried next."""
    name, look = STATES[delivery.state]
    return {
        "id": delivery.id,
        "mail": delivery.channel == MAIL,
        "to": urls.get(delivery.target, delivery.target),
        "state": name,
        "look": look,
        "due": delivery.state == "due",
        "why": "" if delivery.state == "sent" else delivery.detail,
        "tries": delivery.tries,
        "tried": wording.moment(delivery.tried_ms) if delivery.tried_ms is not None else "",
        "next": wording.moment(delivery.due_ms) if delivery.due_ms is not None else "",
    }


def event_shown(stored: StoredNotice) -> str:
    """What a program is sent, as text."""
    return event_body(stored.notice).decode()
