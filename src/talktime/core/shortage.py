"""Why a call may not go on: who should have paid, and what keeps them from it. Pure."""

from talktime.core import explain
from talktime.core.calls import Call
from talktime.core.ledger import Wallet
from talktime.core.limits import CALL_SECONDS_MAX
from talktime.core.paying import Purse, price_of_s
from talktime.core.rating import billed_seconds
from talktime.core.refusal import Refusal


def too_short(
    wallet: Wallet, call: Call, purse: Purse, used_s: int, available_micros: int, whole_s: int = 0
) -> Refusal:
    """The refusal of a call whose next increment nobody can pay after `used_s` seconds; or all of
    `whole_s`, where that is asked for at once.

    In the order of D16: CALL_TOO_LONG at the longest call; why money may not be used at all, where
    minutes have ended; NO_TENANT_CREDIT_CAPABILITY where nothing was ever funded; the balance
    (INSUFFICIENT_CREDIT, POST_USAGE_OFF, STATEMENT_OVERDUE, POST_USAGE_CAP_REACHED);
    SPEND_LIMIT_REACHED.
    """
    payers, rate = call.payers, call.rate
    next_s = billed_seconds(used_s + 1, rate)
    if next_s > CALL_SECONDS_MAX:
        return Refusal(
            "call_too_long", f"a call may last {CALL_SECONDS_MAX} s; it has lasted {used_s} s"
        )
    refusal = payers.no_money
    if refusal is not None:
        return refusal
    if whole_s:
        next_s, used_s = billed_seconds(whole_s, rate), 0
    more_micros = price_of_s(next_s, purse.pool_s, rate) - call.held_micros
    if purse.credit_micros + purse.post_micros >= more_micros:
        return Refusal(
            "spend_limit_reached",
            explain.limit_reached(payers.spend_limit_micros or 0, more_micros, wallet.currency),
        )
    if payers.post_usage:
        return Refusal(
            "post_usage_cap_reached",
            explain.limit_reached(payers.post_usage_cap_micros or 0, more_micros, wallet.currency),
        )
    if wallet.first_funded_ms is None and payers.shortage == "insufficient_credit":
        return Refusal("no_tenant_credit_capability", "the organisation has never bought credits")
    detail = explain.shortage(rate, next_s - used_s, more_micros, available_micros, wallet.currency)
    return Refusal(payers.shortage, detail)
