"""The answers of the charging API: one status and one JSON body for each outcome, the same bytes
for every channel."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec

from talktime.core.masking import number_text
from talktime.core.money import decimal_text
from talktime.core.outcomes import (
    Granted,
    Noted,
    NothingToSettle,
    Paid,
    Refused,
    Replayed,
    Settled,
)
from talktime.core.rating import Rate
from talktime.core.refusal import Refusal

PROBLEM_TYPE = "https://talktime.example/refusals/"
"""The `type` of a refusal is an identifier, not an address to fetch (RFC 9457, 3.1.1)."""

NEVER_AUTHORIZED = (
    "this call was never authorized: nothing is owed; "
    "if it is authorized later, it must be settled again"
)

_encode = msgspec.json.Encoder().encode

CallOutcome = Granted | Noted | Settled | NothingToSettle | Refused | Replayed


def reply(outcome: CallOutcome) -> tuple[int, str]:
    """The HTTP status and the JSON body of a call's outcome (charging-api)."""
    match outcome:
        case Granted():
            body = _granted(outcome)
        case Settled():
            body = _settled(outcome)
        case Refused():
            return problem(outcome.refusal, outcome.call_key, outcome.sequence, outcome.because)
        case Noted():
            body = {
                "call_id": outcome.call_key,
                "sequence": outcome.sequence,
                "decision": "noted",
                "valid_until": utc_text(outcome.valid_until_ms),
            }
        case NothingToSettle():
            body = {
                "call_id": outcome.call_key,
                "sequence": outcome.sequence,
                "decision": "settled",
                "billed_seconds": 0,
                "charge": "0",
                "paid_by": [],
                "because": [NEVER_AUTHORIZED],
            }
        case Replayed():
            return outcome.answer.status, outcome.answer.body
    return 200, _encode(body).decode()


def _granted(granted: Granted) -> dict[str, Any]:
    return {
        "call_id": granted.call_key,
        "sequence": granted.sequence,
        "decision": "granted",
        "to": number_text(granted.to_digits),
        "granted_seconds": granted.granted_s,
        "final": granted.final,
        "valid_until": utc_text(granted.valid_until_ms),
        "price": price(granted.rate, granted.currency),
        "paid_by": [paid(part) for part in granted.paid_by],
        "balance": {
            "currency": granted.currency,
            "available": decimal_text(granted.available_micros),
        },
        "because": granted.because,
    }


def _settled(settled: Settled) -> dict[str, Any]:
    return {
        "call_id": settled.call_key,
        "sequence": settled.sequence,
        "decision": "settled",
        "billed_seconds": settled.billed_s,
        "charge": decimal_text(settled.charge_micros),
        "paid_by": [paid(part) for part in settled.paid_by],
        "balance": {
            "currency": settled.currency,
            "available": decimal_text(settled.available_micros),
        },
        "usage_id": str(settled.usage_id) if settled.usage_id is not None else None,
        "because": settled.because,
    }


def paid(part: Paid) -> dict[str, Any]:
    """One part of what a call costs, as the API shows it."""
    if part.source == "free":
        return {"source": "free", "seconds": part.seconds}
    if part.source == "pool":
        return {"source": "pool", "pool": part.pool, "seconds": part.seconds}
    return {
        "source": part.source,
        "seconds": part.seconds,
        "amount": decimal_text(part.amount_micros),
    }


@lru_cache(65_536)
def price(rate: Rate, currency: str) -> msgspec.Raw:
    """The price as the API shows it."""
    return msgspec.Raw(
        _encode(
            {
                "currency": currency,
                "per_minute": decimal_text(rate.per_minute_micros),
                "connection_fee": decimal_text(rate.fee_micros),
                "first_increment_s": rate.first_increment_s,
                "next_increment_s": rate.next_increment_s,
                "destination": rate.destination,
                "prefix": rate.prefix,
            }
        )
    )


def problem(
    refusal: Refusal,
    call_key: str | None = None,
    sequence: int | None = None,
    because: tuple[str, ...] = (),
) -> tuple[int, str]:
    """A refusal as application/problem+json (RFC 9457), with its code, the remedy, who can apply
    it, and the gates that the call had passed."""
    kind = refusal.kind
    body: dict[str, Any] = {
        "type": PROBLEM_TYPE + refusal.code,
        "title": kind.title,
        "status": kind.status,
        "code": refusal.code,
        "detail": refusal.detail,
        "remedy": kind.remedy,
        "who": kind.who,
    }
    if call_key is not None:
        body["call_id"] = call_key
    if sequence is not None:
        body["sequence"] = sequence
    if because:
        body["because"] = because
    return kind.status, _encode(body).decode()


def utc_text(at_ms: int) -> str:
    """A moment as RFC 3339 in UTC, in whole seconds, rounded down.

    >>> utc_text(1_795_428_000_999)
    '2026-11-23T10:00:00Z'
    """
    return _second_text(at_ms // 1000)


@lru_cache(8_192)
def _second_text(at_s: int) -> str:
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
