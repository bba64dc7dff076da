"""What becomes of a running call when what it was granted on changes: it is to end before its
grant does, for the organisation was switched off, money went back to whoever paid it, a limit was
lowered; or it may go on longer, for a limit was raised. Pure.

What was granted stays held and is charged as talked; only its next slice is refused. Which calls
these are is found by operations/end_calls.py; switches are told by the gateways.
"""

from talktime.core.books import Books
from talktime.core.calls import OPEN, Call
from talktime.core.commands import SetLimits
from talktime.core.outcomes import CallEnding, LimitsSet


def end(books: Books, call: Call, code: str) -> CallEnding:
    """Mark an open call to end by this refusal's code; the first one stays.

    For want of credit, only while the wallet owes more than all that is left in it: money may have
    come since the call was looked at.
    """
    if call.state != OPEN or call.ending is not None:
        return CallEnding(call.call_key, False)
    if code == "insufficient_credit" and books.wallets[call.organisation_id].balance_micros >= 0:
        return CallEnding(call.call_key, False)
    call.ending, call.ending_changed = code, True
    return CallEnding(call.call_key, True)


def set_limits(call: Call, command: SetLimits) -> LimitsSet:
    """Let an open call's next slice be granted within the limits of now, not of its beginning.

    What was granted stays, also where it is more than a lowered limit leaves.
    """
    payers = call.payers._replace(
        spend_limit_micros=command.spend_limit_micros,
        post_usage_cap_micros=command.post_usage_cap_micros,
    )
    if call.state != OPEN or payers == call.payers:
        return LimitsSet(call.call_key, False)
    call.payers, call.limits_changed = payers, True
    return LimitsSet(call.call_key, True)
