"""One good row for each table. A test changes what it is about."""

from typing import Any

from talktime.console.cell import models as cell
from talktime.console.control_plane import models as control_plane

CELL = "cell_main"
START_MS = 1_800_000_000_000
DAY_MS = 24 * 60 * 60 * 1000

GOOD: dict[Any, dict[str, Any]] = {
    cell.Wallet: {
        "organisation_id": 1,
        "currency": "EUR",
        "balance_micros": 100_000_000,
        "held_micros": 0,
        "debt_micros": 0,
    },
    cell.Lot: {
        "id": 11,
        "organisation_id": 1,
        "source": "purchase",
        "priority": 0,
        "promotional": False,
        "amount_micros": 100_000_000,
        "remaining_micros": 100_000_000,
        "held_micros": 0,
        "purchased_ms": START_MS,
        "expires_ms": START_MS + 365 * DAY_MS,
        "idempotency_key": "first",
        "body_hash": -1,
        "reason": "",
        "actor": "operator",
        "spent": False,
    },
    cell.Call: {
        "id": 21,
        "organisation_id": 1,
        "switch_id": 1,
        "call_key": "C1",
        "state": "open",
        "type": "outbound",
        "user_id": 31,
        "from_digits": "4721234567",
        "to_digits": "493012345678",
        "rate": "[]",
        "last_sequence": 0,
        "started_ms": START_MS,
        "granted_s": 300,
        "reported_s": 0,
        "held_micros": 75_000,
        "charged_micros": 0,
        "parts": "[]",
        "deadline_ms": START_MS + 360_000,
        "sweep_ms": START_MS + 360_000,
    },
    cell.Answer: {
        "call_id": 21,
        "sequence": 0,
        "organisation_id": 1,
        "body_hash": 7,
        "status": 200,
        "body": "{}",
        "at_ms": START_MS,
    },
    cell.Transfer: {
        "id": 41,
        "organisation_id": 1,
        "debit_account": 11,
        "credit_account": 2,
        "amount_micros": 30_000,
        "kind": "usage",
        "usage_id": 51,
        "at_ms": START_MS,
    },
    cell.UsageRecord: {
        "id": 51,
        "organisation_id": 1,
        "call_id": 21,
        "switch_id": 1,
        "call_key": "C1",
        "kind": "call",
        "type": "outbound",
        "user_id": 31,
        "from_digits": "4721234567",
        "to_digits": "493012345678",
        "destination": "Germany",
        "prefix": "49",
        "rate": "[]",
        "currency": "EUR",
        "started_ms": START_MS,
        "ended_ms": START_MS + 61_000,
        "used_s": 61,
        "billed_s": 120,
        "fee_micros": 0,
        "charge_micros": 30_000,
        "cause": "normal",
        "capability": "CREDITS",
        "flags": "[]",
        "because": '["49 Germany at 0.015/min, 60/60, 61 s billed as 120 s: 0.03 EUR"]',
    },
    cell.User: {
        "id": 31,
        "organisation_id": 1,
        "name": "front-desk@contoso.example",
        "display_name": "Front desk",
        "usage_location": "NO",
        "licences": '["CREDITS"]',
        "kind": "person",
        "active": True,
        "revision": 1,
    },
    control_plane.Organisation: {
        "id": 1,
        "name": "Contoso",
        "cell": "main",
        "currency": "EUR",
        "time_zone": "Europe/Oslo",
        "country": "NO",
        "commerce_model": "prepaid",
        "active": True,
        "rate_card": "standard",
        "created_ms": START_MS,
        "revision": 1,
    },
    control_plane.Number: {
        "digits": "4721234567",
        "organisation_id": 1,
        "user_id": 31,
        "kind": "user",
        "active": True,
        "revision": 1,
    },
    control_plane.Switch: {
        "id": 1,
        "name": "Oslo 1",
        "operator": "Contoso Voice",
        "created_ms": START_MS,
    },
    control_plane.ApiKey: {
        "id": 1,
        "switch_id": 1,
        "name": "first",
        "secret_hash": "0" * 64,
        "scopes": '["calls"]',
        "created_ms": START_MS,
        "revision": 1,
    },
    control_plane.RateCard: {
        "id": 1,
        "name": "standard",
        "currency": "EUR",
        "valid_from_ms": START_MS,
        "imported_ms": START_MS,
        "source": "rates.csv",
        "row_count": 1,
        "revision": 1,
    },
    control_plane.Rate: {
        "id": 1,
        "card_id": 1,
        "direction": "outbound",
        "prefix": "49",
        "destination": "Germany",
        "kind": "fixed",
        "country": "DE",
        "per_minute_micros": 15_000,
        "fee_micros": 0,
        "first_increment_s": 60,
        "next_increment_s": 60,
        "valid_from_ms": START_MS,
    },
    control_plane.Account: {
        "id": 1,
        "email": "admin@contoso.example",
        "is_active": True,
        "created_ms": START_MS,
        "password": "!",
    },
    control_plane.Membership: {"id": 1, "account_id": 1, "organisation_id": 1, "role": "admin"},
}


def alias_of(model: Any) -> str:
    return CELL if model._meta.app_label == "cell" else "default"


def insert(model: Any, **changes: Any) -> Any:
    """Insert the good row of this table, changed."""
    return model.objects.using(alias_of(model)).create(**{**GOOD[model], **changes})


def count_of(model: Any) -> int:
    number: int = model.objects.using(alias_of(model)).count()
    return number
