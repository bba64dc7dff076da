"""Put money into a wallet by hand: an operator's purchase, grant or adjustment."""

import hashlib
from collections.abc import Callable

from talktime.core.commands import Fund
from talktime.core.directory import Organisation
from talktime.core.expiry import expires_ms
from talktime.core.funding import SOURCE_ACCOUNTS
from talktime.core.limits import (
    ACTOR_TEXT_MAX,
    AMOUNT_MICROS_MAX,
    IDEMPOTENCY_KEY_TEXT_MAX,
    LOT_PRIORITY_MAX,
    REASON_TEXT_MAX,
)
from talktime.core.money import decimal_text
from talktime.core.outcomes import Funded, Refused
from talktime.core.refusal import Refusal
from talktime.operations.execute import execute
from talktime.operations.input_checks import check_one_of, check_text, first
from talktime.store.database import Connection


def fund(
    cell: Connection,
    organisation: Organisation,
    *,
    amount_micros: int,
    source: str = "purchase",
    reason: str,
    actor: str,
    idempotency_key: str,
    lasts_until_ms: int | None = None,
    priority: int = 0,
    promotional: bool = False,
    now_ms: int,
    next_id: Callable[[], int],
) -> Funded | Refusal:
    """Put a new lot into the organisation's wallet, in a transaction of its own.

    `source`: purchase, grant, recharge or adjustment. The lot expires twelve months from now in
    the organisation's time zone (D5), or at `lasts_until_ms`. The same key and request again is
    the same lot: nobody funds twice by accident. Operators name who did it and why (R12); lots of
    lower `priority` are spent first, then those that expire earlier (D6).

    Refuses: invalid_value; unknown_organisation where the cell has no wallet for it;
    idempotency_key_reused for the same key with another request.
    """
    a_year_on_ms = expires_ms(now_ms, organisation.time_zone)
    asked = (source, amount_micros, reason, actor, lasts_until_ms, priority, promotional)
    command = Fund(
        organisation.id,
        idempotency_key,
        _hash(asked),
        source,
        amount_micros,
        a_year_on_ms if lasts_until_ms is None else lasts_until_ms,
        reason,
        actor,
        priority,
        promotional,
    )
    refusal = _malformed(command, now_ms)
    if refusal is not None:
        return refusal
    with cell.transaction():
        [done] = execute(cell, [command], now_ms, next_id)
    if isinstance(done.outcome, Refused):
        return done.outcome.refusal
    if not isinstance(done.outcome, Funded):
        raise TypeError(f"funding came to {done.outcome!r}")
    return done.outcome


def _malformed(command: Fund, now_ms: int) -> Refusal | None:
    refusal = first(
        check_one_of("the source", command.source, SOURCE_ACCOUNTS),
        check_text("the reason", command.reason, REASON_TEXT_MAX),
        check_text("the actor", command.actor, ACTOR_TEXT_MAX),
        check_text("the idempotency key", command.idempotency_key, IDEMPOTENCY_KEY_TEXT_MAX),
    )
    if refusal is not None:
        return refusal
    if not 0 < command.amount_micros <= AMOUNT_MICROS_MAX:
        most = decimal_text(AMOUNT_MICROS_MAX)
        return Refusal("invalid_value", f"the amount must be above 0 and at most {most}")
    if abs(command.priority) > LOT_PRIORITY_MAX:
        detail = f"the priority must be from -{LOT_PRIORITY_MAX} to {LOT_PRIORITY_MAX}"
        return Refusal("invalid_value", detail)
    if command.expires_ms <= now_ms:
        return Refusal("invalid_value", "the money would have expired before it is there")
    return None


def _hash(asked: tuple[object, ...]) -> int:
    """Stands for a request, in 64 bits: another request with the same key is told by it."""
    digest = hashlib.blake2b(repr(asked).encode(errors="replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
