"""Good rows of the tables of payment providers, and what these tables refuse."""

from typing import Any

from talktime.console.control_plane.models import (
    ProviderSetting,
    SandboxCard,
    SandboxCharge,
    SandboxDispute,
    SandboxEvent,
    SandboxRefund,
    SandboxSwitches,
)

START_MS = 1_800_000_000_000

PROVIDERS: dict[Any, dict[str, Any]] = {
    ProviderSetting: {
        "name": "stripe",
        "active": True,
        "sealed": "sealed",
        "changed_ms": START_MS,
        "changed_by": "operator",
    },
    SandboxSwitches: {
        "name": "sandbox",
        "webhooks": "normal",
        "down": False,
        "changed_ms": START_MS,
        "changed_by": "operator",
    },
    SandboxCard: {
        "id": 2_001,
        "setup_id": 71,
        "organisation_id": 1,
        "customer_ref": "sbx_customer_1",
        "name": "Contoso",
        "return_url": "",
        "state": "added",
        "script": "approve",
        "declines_left": 0,
        "last4": "4242",
        "exp_year": 2030,
        "exp_month": 12,
        "created_ms": START_MS,
    },
    SandboxCharge: {
        "id": 2_002,
        "try_id": 81,
        "organisation_id": 1,
        "card_id": 2_001,
        "amount_micros": 50_000_000,
        "currency": "EUR",
        "description": "Communications Credits",
        "return_url": "",
        "state": "succeeded",
        "code": "",
        "refunded_micros": 0,
        "created_ms": START_MS,
    },
    SandboxRefund: {
        "id": 2_003,
        "refund_id": 91,
        "charge_id": 2_002,
        "amount_micros": 10_000_000,
        "created_ms": START_MS,
    },
    SandboxDispute: {
        "id": 2_004,
        "charge_id": 2_002,
        "amount_micros": 50_000_000,
        "state": "open",
        "created_ms": START_MS,
    },
    SandboxEvent: {
        "id": 2_005,
        "event_ref": "sbx_event_2006",
        "kind": "charge.succeeded",
        "body": "{}",
        "tries": 0,
        "created_ms": START_MS,
        "due_ms": START_MS,
    },
}

PROVIDER_BREACHES: list[tuple[Any, dict[str, Any], str]] = [
    (ProviderSetting, {"name": "piggy bank"}, "provider_setting_name_known"),
    (SandboxSwitches, {"webhooks": "by post"}, "sandbox_switches_webhooks_known"),
    (SandboxSwitches, {"name": "other"}, "sandbox_switches_one_row"),
    (SandboxCard, {"state": "lost"}, "sandbox_card_state_known"),
    (SandboxCard, {"script": "sing"}, "sandbox_card_script_known"),
    (SandboxCard, {"declines_left": -1}, "sandbox_card_declines_not_negative"),
    (SandboxCharge, {"state": "perhaps"}, "sandbox_charge_state_known"),
    (SandboxCharge, {"state": "declined"}, "sandbox_charge_declined_for_a_reason"),
    (SandboxCharge, {"amount_micros": 0}, "sandbox_charge_amount_positive"),
    (SandboxCharge, {"refunded_micros": 50_000_001}, "sandbox_charge_refunded_within_charged"),
    (
        SandboxCharge,
        {"state": "confirming", "refunded_micros": 1},
        "sandbox_charge_refunded_within_charged",
    ),
    (SandboxRefund, {"amount_micros": 0}, "sandbox_refund_amount_positive"),
    (SandboxDispute, {"state": "asked"}, "sandbox_dispute_state_known"),
    (SandboxDispute, {"amount_micros": 0}, "sandbox_dispute_amount_positive"),
    (SandboxEvent, {"sent_ms": START_MS}, "sandbox_event_due_until_sent"),
]
PROVIDER_DOUBLES: list[tuple[Any, dict[str, Any], str]] = [
    (ProviderSetting, {"name": "sandbox"}, "provider_setting_one_active"),
    (SandboxCard, {"id": 3}, "sandbox_card_once_by_setup"),
    (SandboxCharge, {"id": 3}, "sandbox_charge_once_by_try"),
    (SandboxRefund, {"id": 3}, "sandbox_refund_once_by_refund"),
]
PROVIDER_EMPTY: dict[Any, set[str]] = {
    SandboxEvent: {"due_ms", "sent_ms"},
    SandboxRefund: {"refund_id"},
}
"""Columns that may be empty."""
