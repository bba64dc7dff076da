"""What the organisation's page shows: read from the tables, in the reader's own wording."""

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import MISSING, fields
from typing import Any

from talktime.config import cell_alias
from talktime.console.cell.models import Lot, UsageRecord, User, Wallet
from talktime.console.control_plane.models import Number, Organisation
from talktime.console.start.shown import telephone
from talktime.core import ledger
from talktime.operations.wording import Amount, Wording, duration

LOTS_MAX = 50
USAGE_MAX = 20
USERS_MAX = 100
NUMBERS_MAX = 1_000
SOON_MS = 30 * 24 * 60 * 60 * 1000

LOT_FIELDS = [field.name for field in fields(ledger.Lot) if field.default is MISSING]
SOURCES = {
    "purchase": "Purchase",
    "grant": "Grant",
    "recharge": "Auto-recharge",
    "adjustment": "Adjustment",
}
COMMERCE_MODELS = {
    "prepaid": "Prepaid",
    "draining": "Moving to post-usage billing",
    "post_usage": "Post-usage billing",
}
NUMBER_KINDS = {"user": "User", "toll": "Toll", "toll_free": "Toll-free"}
Shown = dict[str, Any]


def organisation_page(organisation: Organisation, wording: Wording, now_ms: int) -> Shown:
    """All that the page shows. Raises django.db.Error where the organisation's cell is away."""
    users = list(in_cell(User, organisation).order_by("display_name", "id")[: USERS_MAX + 1])
    numbers = list(
        Number.objects.filter(organisation_id=organisation.id, active=True).order_by("digits")[
            :NUMBERS_MAX
        ]
    )
    return {
        **credits_shown(organisation, wording, now_ms),
        "usage": usage_shown(organisation, wording),
        "users": users_shown(users[:USERS_MAX], numbers),
        "users_cut": len(users) > USERS_MAX,
        "users_max": USERS_MAX,
        "service_numbers": [
            {"number": telephone(number.digits), "kind": NUMBER_KINDS[number.kind]}
            for number in numbers
            if number.user_id is None
        ],
    }


def in_cell(model: Any, organisation: Organisation) -> Any:
    """The organisation's rows of a cell's table, in its own cell."""
    rows = model.objects.using(cell_alias(organisation.cell))
    return rows.filter(organisation_id=organisation.id)


def credits_shown(organisation: Organisation, wording: Wording, now_ms: int) -> Shown:
    """The balance and the lots. What is available is what the engine would say at this instant."""
    row = in_cell(Wallet, organisation).first()
    rows = in_cell(Lot, organisation).filter(spent=False).order_by("expires_ms", "id")
    wallet = ledger.Wallet(
        organisation.id,
        row.currency if row else organisation.currency,
        row.balance_micros if row else 0,
        row.held_micros if row else 0,
        row.debt_micros if row else 0,
        lots=[ledger.Lot(**values) for values in rows.values(*LOT_FIELDS)],
    )

    def money(micros: int) -> Amount:
        return wording.money(micros, wallet.currency)

    return {
        "currency": wallet.currency,
        "available": money(wallet.available_micros(now_ms)),
        "held": money(wallet.held_micros),
        "debt": money(wallet.debt_micros) if wallet.debt_micros else None,
        "lots": [
            {
                "source": SOURCES[lot.source],
                "promotional": lot.promotional,
                "amount": money(lot.amount_micros),
                "remaining": money(lot.remaining_micros),
                "held": money(lot.held_micros),
                "purchased": wording.day(lot.purchased_ms),
                "expires": wording.moment(lot.expires_ms),
                "expired": lot.expires_ms <= now_ms,
                "soon": now_ms < lot.expires_ms <= now_ms + SOON_MS,
            }
            for lot in wallet.lots[:LOTS_MAX]
        ],
        "lots_cut": len(wallet.lots) - LOTS_MAX if len(wallet.lots) > LOTS_MAX else 0,
    }


def usage_shown(organisation: Organisation, wording: Wording) -> list[Shown]:
    records = list(in_cell(UsageRecord, organisation).order_by("-started_ms", "-id")[:USAGE_MAX])
    named = in_cell(User, organisation).filter(id__in={record.user_id for record in records})
    names = dict(named.values_list("id", "display_name"))
    return [
        {
            "id": record.id,
            "correction": record.kind == "correction",
            "started": wording.moment(record.started_ms),
            "user": names.get(record.user_id, ""),
            "from": telephone(record.from_digits),
            "to": telephone(record.to_digits),
            "destination": record.destination,
            "duration": duration(record.used_s),
            "charge": wording.money(record.charge_micros, record.currency),
            "because": json.loads(record.because),
            "flags": [in_words(flag) for flag in json.loads(record.flags)],
        }
        for record in records
    ]


def users_shown(users: Iterable[User], numbers: Iterable[Number]) -> list[Shown]:
    numbers_of: dict[int | None, list[str]] = defaultdict(list)
    for number in numbers:
        numbers_of[number.user_id].append(telephone(number.digits))
    return [
        {
            "display_name": user.display_name or user.name,
            "name": user.name,
            "location": user.usage_location,
            "licences": json.loads(user.licences),
            "numbers": numbers_of[user.id],
            "active": user.active,
            "resource_account": user.kind == "resource_account",
        }
        for user in users
    ]


def in_words(code: str) -> str:
    """A code of the API as a label.

    >>> in_words("settled_by_deadline")
    'Settled by deadline'
    """
    return code.replace("_", " ").capitalize()
