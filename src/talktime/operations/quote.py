"""What a call would cost and who would pay, without making it: a dry run of authorize."""

from typing import Any

import msgspec

from talktime.core.books import Terms
from talktime.core.commands import Authorize
from talktime.core.money import decimal_text
from talktime.core.outcomes import Granted, Refused
from talktime.core.rating import billed_seconds, price_micros
from talktime.core.refusal import Refusal
from talktime.operations.execute import dry_run
from talktime.operations.render import reply
from talktime.store.database import Connection

NOT_IN_A_QUOTE = ("call_id", "sequence", "valid_until")

NO_ID = 0
"""Nothing that a dry run makes is kept, so nothing needs an id."""


def quote(
    connection: Connection,
    command: Authorize,
    for_s: int | None,
    now_ms: int,
    terms: Terms,
) -> str | Refusal:
    """The JSON body of an authorize that holds nothing; with `for_s` also its cost.

    `balance` is what is available now: nothing was taken from it. `cost` is exact in micros (R60,
    R61, D9) and does not ask whether the balance would last. Refuses what authorize would refuse.
    """
    outcome = dry_run(connection, command, now_ms, lambda: NO_ID, terms)
    if isinstance(outcome, Refused):
        return outcome.refusal
    if not isinstance(outcome, Granted):
        raise TypeError(f"an authorize came to {outcome!r}")
    body: dict[str, Any] = msgspec.json.decode(reply(outcome)[1])
    for name in NOT_IN_A_QUOTE:
        del body[name]
    held_micros = sum(part.amount_micros for part in outcome.paid_by)
    body["decision"] = "would_grant"
    body["balance"]["available"] = decimal_text(outcome.available_micros + held_micros)
    if for_s is not None:
        billed_s = billed_seconds(for_s, outcome.rate)
        body["cost"] = {
            "seconds": for_s,
            "billed_seconds": billed_s,
            "charge": decimal_text(price_micros(billed_s, outcome.rate)),
        }
    return msgspec.json.encode(body).decode()
