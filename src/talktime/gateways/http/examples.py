"""One example for each request and answer of the document; a test sends and decodes them."""

from typing import Any

CALL_ID = "8f1c6b2e@switch.contoso.example"

_PRICE = {
    "currency": "USD",
    "per_minute": "0.015",
    "connection_fee": "0",
    "first_increment_s": 60,
    "next_increment_s": 60,
    "destination": "Germany",
    "prefix": "49",
}
_BALANCE = {"currency": "USD", "available": "99.925"}
_RATE_LINE = "49 Germany at 0.015/min, 60/60"
_GATES = [
    "caller: Front desk (front-desk@contoso.example) of Contoso",
    "number: +493012345678 exists (DE)",
    "policy: DialoutCPCandPSTNInternational allows any destination",
    "base licence: Domestic Calling Plan (MCOPSTN1)",
    "licence: Communications Credits (MCOPSTNC)",
]
_HELD = "credits: 0.075 USD held for 300 s of 100 USD available"
_PAID = [{"source": "credits", "seconds": 300, "amount": "0.075"}]
_CHARGE_LINE = f"{_RATE_LINE}, 61 s billed as 120 s: 0.03 USD"
_PARTIES = {"type": "user_out", "from": "+14255550100", "to": "+493012345678"}

REQUESTS: dict[str, dict[str, Any]] = {
    "authorize": {"sequence": 0, **_PARTIES, "requested_seconds": 3600},
    "answer": {"sequence": 1, "answered_at": "2026-11-22T10:00:07Z"},
    "extend": {"sequence": 2, "used_seconds": 240},
    "settle": {"sequence": 3, "used_seconds": 61, "cause": "normal_clearing"},
    "quotes": {**_PARTIES, "for_seconds": 600},
}
REQUESTS["batch"] = {
    "requests": [
        {"request": verb, "call_id": CALL_ID, **REQUESTS[verb]} for verb in ("authorize", "settle")
    ]
}

_GRANTED = {
    "call_id": CALL_ID,
    "sequence": 0,
    "decision": "granted",
    "to": "+493012345678",
    "granted_seconds": 300,
    "final": False,
    "valid_until": "2026-11-22T10:06:00Z",
    "price": _PRICE,
    "paid_by": _PAID,
    "balance": _BALANCE,
    "because": [*_GATES, _RATE_LINE, _HELD],
}
_SETTLED = {
    "call_id": CALL_ID,
    "sequence": 3,
    "decision": "settled",
    "billed_seconds": 120,
    "charge": "0.03",
    "paid_by": [{"source": "credits", "seconds": 120, "amount": "0.03"}],
    "balance": {"currency": "USD", "available": "99.97"},
    "usage_id": "118189770318643200",
    "because": [_CHARGE_LINE],
}
_USAGE = {
    "usage_id": "118189770318643200",
    "kind": "call",
    "started_at": "2026-11-22T10:00:07Z",
    "ended_at": "2026-11-22T10:01:08Z",
    "used_seconds": 61,
    "billed_seconds": 120,
    "connection_fee": "0",
    "included_seconds": 0,
    "pool": "",
    "charge": "0.03",
    "paid_after_use": "0",
    "currency": "USD",
    "destination": "Germany",
    "cause": "normal_clearing",
    "capability": "MCOPSTNPP",
    "flags": [],
    "because": [_CHARGE_LINE],
}

ANSWERS: dict[str, dict[str, Any]] = {
    "authorize": _GRANTED,
    "answer": {
        "call_id": CALL_ID,
        "sequence": 1,
        "decision": "noted",
        "valid_until": "2026-11-22T10:06:07Z",
    },
    "extend": {
        **_GRANTED,
        "sequence": 2,
        "valid_until": "2026-11-22T10:10:07Z",
        "balance": {"currency": "USD", "available": "99.865"},
        "paid_by": [{"source": "credits", "seconds": 300, "amount": "0.075"}],
        "because": [_RATE_LINE, "credits: 0.135 USD held for 540 s of 99.925 USD available"],
    },
    "settle": _SETTLED,
    "show": {
        "call_id": CALL_ID,
        "state": "settled",
        "sequence": 3,
        "type": "user_out",
        "conference_id": None,
        "from": "+14255550100",
        "to": "+493012345678",
        "started_at": "2026-11-22T10:00:00Z",
        "answered_at": "2026-11-22T10:00:07Z",
        "closed_at": "2026-11-22T10:01:09Z",
        "valid_until": "2026-11-22T10:10:07Z",
        "granted_seconds": 540,
        "used_seconds": 61,
        "held": "0",
        "charge": "0.03",
        "price": _PRICE,
        "usage": [_USAGE],
    },
    "quotes": {
        "decision": "would_grant",
        "to": "+493012345678",
        "granted_seconds": 300,
        "final": False,
        "price": _PRICE,
        "paid_by": _PAID,
        "balance": {"currency": "USD", "available": "100"},
        "because": [*_GATES, _RATE_LINE, _HELD],
        "lasts_seconds": 86400,
        "cost": {
            "seconds": 600,
            "billed_seconds": 600,
            "charge": "0.15",
            "paid_by": [{"source": "credits", "seconds": 600, "amount": "0.15"}],
        },
    },
    "batch": {
        "answers": [
            {"status": 200, "replayed": False, "body": _GRANTED},
            {"status": 200, "replayed": False, "body": _SETTLED},
        ]
    },
}
