"""What the pages about notices and webhooks show, in the reader's own wording."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.http import HttpRequest
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from talktime.core.deliveries import MAIL
from talktime.core.ids import ID_MAX, id_in
from talktime.core.notices import KINDS
from talktime.operations.deliveries import Told
from talktime.operations.notice_words import language_of, title_of
from talktime.operations.send_deliveries import event_body
from talktime.operations.wording import Wording
from talktime.store.deliveries import Delivery
from talktime.store.notices import StoredNotice

STATES = {
    "due": (_("Waits"), "warn"),
    "sent": (_("Sent"), "good"),
    "failed": (_("Failed"), "bad"),
    "dropped": (_("Not sent"), ""),
}
ROLE_WORDS = {
    "billing": (_("Billing"), _("Who pays: payments, credits, cards, statements.")),
    "voice": (_("Voice"), _("Who looks after the telephones: minutes, limits, blocked calls.")),
    "admin": (_("Everything"), _("Gets every notice, also about webhooks.")),
}
STATUS_DIGITS = 3
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
        "title": kind_title(stored.notice.kind),
        "kind": stored.notice.kind,
        "test": stored.notice.kind == "notice.test",
        "at": wording.moment(stored.notice.at_ms),
        "spread": stored.spread_ms is not None,
    }


def kind_title(kind: str) -> str:
    """A kind of notice in the page's language."""
    return title_of(kind, language_of(get_language() or "en"))


def kinds_shown() -> list[Shown]:
    """Every kind of notice, with whom it is told to."""
    return [
        {
            "name": each.name,
            "title": kind_title(each.name),
            "roles": [ROLE_WORDS[role][0] for role in each.roles],
            "programs": each.to_programs,
        }
        for each in KINDS.values()
    ]


def delivery_shown(delivery: Delivery, urls: Mapping[str, str], wording: Wording) -> Shown:
    """One delivery: to whom, how it stands, what was answered, when it is tried next."""
    name, look = STATES[delivery.state]
    status = delivery.detail.removeprefix("given up after ").partition(": ")[2] or delivery.detail
    code = status[:STATUS_DIGITS]
    return {
        "id": delivery.id,
        "mail": delivery.channel == MAIL,
        "to": urls.get(delivery.target, delivery.target),
        "state": name,
        "look": look,
        "due": delivery.state == "due",
        "why": "" if delivery.state == "sent" else delivery.detail,
        "code": code if delivery.channel != MAIL and code.isdigit() and len(code) == 3 else "",
        "tries": delivery.tries,
        "tried": wording.moment(delivery.tried_ms) if delivery.tried_ms is not None else "",
        "took": "" if delivery.took_ms is None else wording.decimal(delivery.took_ms),
        "answer": delivery.answer,
        "next": wording.moment(delivery.due_ms) if delivery.due_ms is not None else "",
    }


def event_shown(stored: StoredNotice) -> str:
    """What a program is sent, as text."""
    return event_body(stored.notice).decode()


def before_in(request: HttpRequest) -> int:
    """The id before which a page of a list begins; after all ids where the address names none."""
    before = id_in(request.GET.get("before", ""))
    return ID_MAX if before is None else before
