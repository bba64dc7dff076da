"""How the texts of notices are kept: one `Language` for each that mail is written in."""

from collections.abc import Mapping
from typing import NamedTuple

ORGANISATION, NOTICES, INVOICES, USER = "", "notices/", "invoices/", ""
CREDITS = "credits/"
ADD_FUNDS, RECHARGE, METHODS = f"{CREDITS}add/", f"{CREDITS}recharge/", f"{CREDITS}methods/"
PAYMENT, LOTS = f"{CREDITS}payments/{{payment_id}}/", f"{CREDITS}lots/"
WEBHOOK = "webhooks/{endpoint_id}/"

PLACES: Mapping[str, str] = {
    "recharge.succeeded": PAYMENT,
    "recharge.failed": METHODS,
    "recharge.failed/last": ADD_FUNDS,
    "recharge.paused": RECHARGE,
    "purchase.succeeded": PAYMENT,
    "purchase.succeeded/by_hand": LOTS,
    "purchase.failed": ADD_FUNDS,
    "recharge.no_card": METHODS,
    "purchase.invoiced": PAYMENT,
    "purchase.reminded": PAYMENT,
    "balance.zero": ADD_FUNDS,
    "balance.low": ADD_FUNDS,
    "lot.expiring": LOTS,
    "lot.expired": LOTS,
    "card.expiring": METHODS,
    "pool.warning": CREDITS,
    "spend_limit.reached": USER,
    "grant.added": LOTS,
    "refund.done": CREDITS,
    "refund.done/debt": ADD_FUNDS,
    "credits.taken_back": LOTS,
    "credits.taken_back/debt": ADD_FUNDS,
    "dispute.opened": CREDITS,
    "dispute.won": CREDITS,
    "dispute.lost": ADD_FUNDS,
    "statement.closed": INVOICES,
    "statement.due": INVOICES,
    "statement.overdue": INVOICES,
    "statement.blocked": INVOICES,
    "statement.paid": INVOICES,
    "statement.payment_undone": INVOICES,
    "webhook.disabled": WEBHOOK,
    "notice.test": NOTICES,
    "notices.digest": NOTICES,
}
"""Where a mail's link leads, by its kind and variant: a page below the organisation's."""


class Said(NamedTuple):
    """One notice: its subject, what happened, what it means, and the one step to take."""

    subject: str
    happened: str
    means: str
    step: str
    link: str


class Language(NamedTuple):
    """All texts of one language. `titles` is empty where core/notices.py has them already."""

    code: str
    said: Mapping[str, Said]
    titles: Mapping[str, str]
    facts: Mapping[str, str]
    reasons: Mapping[str, str]
    models: Mapping[str, str]
    counters: Mapping[str, str]
    minutes: str
    footer: str
    colon: str
