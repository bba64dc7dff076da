"""One call as it stands: what was granted, what is held; or, when it is over, its usage records."""

from typing import Any

import msgspec

from talktime.core.calls import Call, UsageRecord
from talktime.core.masking import number_text
from talktime.core.money import decimal_text
from talktime.operations.render import price, utc_text
from talktime.store.database import Connection
from talktime.store.load import WALLETS
from talktime.store.usage import read_call, read_usage_of_call


def show_call(connection: Connection, switch_id: int, call_key: str) -> str | None:
    """The JSON body for a switch's own call; None where this cell has none.

    Money is decimal text of the organisation's currency, times are RFC 3339 in UTC, lengths are
    whole seconds.
    """
    call = read_call(connection, switch_id, call_key)
    if call is None:
        return None
    currency = str(connection.rows(WALLETS, [[call.organisation_id]])[0][1])
    body: dict[str, Any] = {
        "call_id": call.call_key,
        "state": call.state,
        "sequence": call.last_sequence,
        "type": call.type,
        "conference_id": call.conference_id or None,
        "from": number_text(call.from_digits),
        "to": number_text(call.to_digits),
        "started_at": utc_text(call.started_ms),
        "answered_at": _time(call.answered_ms),
        "closed_at": _time(call.closed_ms),
        "valid_until": utc_text(call.deadline_ms),
        "granted_seconds": call.granted_s,
        "used_seconds": call.reported_s,
        "held": decimal_text(call.held_micros),
        "charge": decimal_text(call.charged_micros),
        "price": price(call.rate, currency),
        "usage": _usage(connection, call),
    }
    return msgspec.json.encode(body).decode()


def _usage(connection: Connection, call: Call) -> list[dict[str, Any]]:
    if call.usage_id is None:
        return []
    records = read_usage_of_call(connection, call.organisation_id, call.id)
    return [_record(record) for record in records]


def _record(record: UsageRecord) -> dict[str, Any]:
    return {
        "usage_id": str(record.id),
        "kind": record.kind,
        "started_at": utc_text(record.started_ms),
        "ended_at": utc_text(record.ended_ms),
        "used_seconds": record.used_s,
        "billed_seconds": record.billed_s,
        "connection_fee": decimal_text(record.fee_micros),
        "included_seconds": record.pool_s,
        "pool": record.pool,
        "charge": decimal_text(record.charge_micros),
        "paid_after_use": decimal_text(record.post_micros),
        "currency": record.currency,
        "destination": record.destination,
        "cause": record.cause,
        "capability": record.capability,
        "flags": record.flags,
        "because": record.because,
    }


def _time(at_ms: int | None) -> str | None:
    return None if at_ms is None else utc_text(at_ms)
