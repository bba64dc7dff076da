"""What a call would cost and who would pay, without making it: a dry run of authorize."""

from typing import Any, NamedTuple

import msgspec

from talktime.core.books import Terms
from talktime.core.calls import Call
from talktime.core.commands import Authorize
from talktime.core.decide import decide
from talktime.core.money import decimal_text
from talktime.core.outcomes import Granted, Paid, Refused
from talktime.core.paying import Purse, lasts_s, parts_paid, purse_of
from talktime.core.rating import billed_seconds, price_micros
from talktime.operations.render import paid, problem, reply
from talktime.store.database import Connection
from talktime.store.load import load

NOT_IN_A_QUOTE = ("call_id", "sequence", "valid_until")

NOBODY = "nobody"
"""The payer of what no minutes cover and no money may pay: the call would end there."""

NO_ID = 0
"""Nothing that a dry run makes is kept, so nothing needs an id."""


class Quoted(NamedTuple):
    """The answer to a quote; `code` is its refusal's."""

    status: int
    body: str
    code: str = ""


def quote(
    connection: Connection,
    command: Authorize,
    for_s: int | None,
    now_ms: int,
    terms: Terms,
) -> Quoted:
    """The JSON body of an authorize that holds nothing; with `for_s` also what so long a call costs
    and who would pay it.

    `balance` is what is available now: nothing was taken from it. `lasts_seconds` is how long the
    call could go on with all that is there. `cost` is exact in micros (R60, R61, D9) and does not
    ask whether the balance would last. Refuses what authorize would refuse, with the gates passed.
    """
    books = load(connection, [command], lambda: NO_ID, terms, lock=False)
    outcome = decide(books, command, now_ms)
    if isinstance(outcome, Refused):
        status, text = problem(outcome.refusal, because=outcome.because)
        return Quoted(status, text, outcome.refusal.code)
    if not isinstance(outcome, Granted):
        raise TypeError(f"an authorize came to {outcome!r}")
    call = books.calls[command.switch_id, command.call_key]
    purse = purse_of(books, call, outcome.available_micros)
    body: dict[str, Any] = msgspec.json.decode(reply(outcome)[1])
    for name in NOT_IN_A_QUOTE:
        del body[name]
    held_micros = call.held_micros - call.post_micros
    body["decision"] = "would_grant"
    body["balance"]["available"] = decimal_text(outcome.available_micros + held_micros)
    body["lasts_seconds"] = lasts_s(call, purse)
    if for_s is not None:
        body["cost"] = _cost(call, purse, for_s)
    return Quoted(200, msgspec.json.encode(body).decode())


def _cost(call: Call, purse: Purse, for_s: int) -> dict[str, Any]:
    """What a call of so many seconds costs, and who pays: credits first, then what is paid after
    use."""
    billed_s = billed_seconds(for_s, call.rate)
    pool_s = min(billed_s, purse.pool_s)
    charge_micros = price_micros(billed_s - pool_s, call.rate)
    after_use_micros = 0
    if call.payers.post_usage:
        credit_micros = call.held_micros - call.post_micros + purse.credit_micros
        after_use_micros = max(charge_micros - credit_micros, 0)
    by_credit_micros = charge_micros - after_use_micros
    if call.payers.money_code and charge_micros:
        parts = (
            *parts_paid(call, 0, pool_s, pool_s, 0, 0),
            Paid(NOBODY, billed_s - pool_s, charge_micros),
        )
    else:
        parts = parts_paid(call, 0, billed_s, pool_s, by_credit_micros, after_use_micros)
    return {
        "seconds": for_s,
        "billed_seconds": billed_s,
        "charge": decimal_text(charge_micros),
        "paid_by": [paid(part) for part in parts],
    }
