"""Good rows of the tables about people, their changes and their reports, and what breaks them."""

from typing import Any

from talktime.console.cell import models as cell
from talktime.console.control_plane import models as control_plane
from tests.console.payment_rows import START_MS

CHANGE = {
    "id": 91,
    "organisation_id": 1,
    "actor_kind": "account",
    "actor": "admin@contoso.example",
    "place": "192.0.2.7",
    "action": "recharge.set",
    "subject": "",
    "before": "{}",
    "after": '{"enabled": true}',
    "at_ms": START_MS,
}
PEOPLE_AND_USAGE: dict[Any, dict[str, Any]] = {
    cell.AuditEntry: CHANGE,
    control_plane.AuditEntry: CHANGE,
    cell.UsageDay: {
        "organisation_id": 1,
        "day": 20_000,
        "user_id": 31,
        "country": "DE",
        "context": "International",
        "capability": "MCOPSTNPP",
        "type": "user_out",
        "records": 1,
        "calls": 1,
        "used_s": 61,
        "billed_s": 120,
        "pool_s": 0,
        "charge_micros": 30_000,
        "post_micros": 0,
    },
    cell.UsageUser: {
        "organisation_id": 1,
        "scope": "out",
        "span": 20_000,
        "user_id": 31,
        "records": 1,
        "calls": 1,
        "used_s": 61,
        "billed_s": 120,
        "pool_s": 0,
        "charge_micros": 30_000,
        "post_micros": 0,
    },
    cell.SavedView: {
        "id": 92,
        "organisation_id": 1,
        "name": "Calls to Germany",
        "page": "usage",
        "query": "country=DE",
        "created_by": "admin@contoso.example",
        "created_ms": START_MS,
    },
    control_plane.Invitation: {
        "id": 93,
        "organisation_id": 1,
        "email": "billing@contoso.example",
        "role": "billing_admin",
        "secret_hash": "0" * 64,
        "invited_by": "admin@contoso.example",
        "created_ms": START_MS,
        "expires_ms": START_MS + 1,
        "accepted_ms": None,
        "revoked_ms": None,
    },
    control_plane.AccountMail: {
        "id": 94,
        "to_email": "billing@contoso.example",
        "kind": "invitation",
        "sealed_content": "sealed",
        "state": "due",
        "tries": 0,
        "due_ms": START_MS,
        "created_ms": START_MS,
        "tried_ms": None,
        "detail": "",
    },
    control_plane.Creation: {
        "owner_id": 1,
        "idempotency_key": "switch 1",
        "body_hash": -1,
        "answer": "{}",
        "asked_ms": START_MS,
    },
    control_plane.GivenAlone: {
        "id": 95,
        "person": "first@operator.example",
        "organisation_id": 1,
        "idempotency_key": "goodwill 1",
        "currency": "USD",
        "amount_micros": 1,
        "at_ms": START_MS,
    },
    control_plane.LimitRequest: {
        "id": 96,
        "code": "USD",
        "valid_from_ms": START_MS,
        "entry_text": "currency: []",
        "state": "asked",
        "asked_by": "first@operator.example",
        "asked_ms": START_MS,
        "decided_by": "",
        "decided_ms": None,
    },
}

PEOPLE_BREACHES: list[tuple[Any, dict[str, Any], str]] = [
    (control_plane.Account, {"staff_role": "king"}, "account_staff_role_known"),
    (control_plane.ApiKey, {"organisation_id": 1}, "api_key_of_a_switch_or_an_organisation"),
    (control_plane.Invitation, {"role": "guest"}, "invitation_role_known"),
    (control_plane.AccountMail, {"state": "lost"}, "account_mail_state_known"),
    (control_plane.GivenAlone, {"amount_micros": 0}, "given_alone_amount_positive"),
    (control_plane.LimitRequest, {"state": "approved"}, "limit_request_state_known"),
]
PEOPLE_DOUBLES: list[tuple[Any, dict[str, Any], str]] = [
    (cell.SavedView, {"id": 2}, "saved_view_once_by_name"),
    (control_plane.Invitation, {"id": 2}, "invitation_once_by_secret"),
    (control_plane.GivenAlone, {"id": 2}, "given_alone_once_by_key"),
]
PEOPLE_EMPTY: dict[Any, set[str]] = {
    control_plane.AuditEntry: {"organisation_id"},
    control_plane.Invitation: {"accepted_ms", "revoked_ms"},
    control_plane.AccountMail: {"due_ms", "tried_ms"},
    control_plane.LimitRequest: {"decided_ms"},
}
