"""What a switch may report of a call: no more than can have been talked, no answer before its
beginning. Pure."""

from talktime.core.books import Terms
from talktime.core.calls import REFUSED, Call
from talktime.core.commands import Answer, CallCommand, Extend, Settle
from talktime.core.limits import (
    ANSWER_BEFORE_CALL_MS_MAX,
    CALL_FUTURE_MS_MAX,
    CALL_PAST_MS_MAX,
    CALL_SECONDS_MAX,
)
from talktime.core.refusal import Refusal

_TOO_FAR = "'answered_at' is too far from the service's clock"
_TOO_EARLY = f"'answered_at' may be at most {ANSWER_BEFORE_CALL_MS_MAX // 1000} s before the call"


def out_of_range(terms: Terms, call: Call, command: CallCommand, now_ms: int) -> Refusal | None:
    """Decide whether what is reported of a call that is known can be so; None where it can.

    Seconds are whole, counted from the answer. A refused call owes nothing, whatever is reported
    of it. Where the service's clock went back since the call began, now counts as its beginning.
    Refuses: USED_SECONDS_OUT_OF_RANGE, TIME_OUT_OF_RANGE. Source: D7.
    """
    if isinstance(command, (Extend, Settle)):
        if call.state == REFUSED or (type(command) is Extend and command.capped):
            return None
        return too_many_seconds(terms, call, command.used_s)
    if type(command) is Answer and command.answered_ms is not None:
        if not -CALL_PAST_MS_MAX <= command.answered_ms - now_ms <= CALL_FUTURE_MS_MAX:
            return Refusal("time_out_of_range", _TOO_FAR)
        earliest_ms = min(call.started_ms, now_ms) - ANSWER_BEFORE_CALL_MS_MAX
        if command.answered_ms < earliest_ms:
            return Refusal("time_out_of_range", _TOO_EARLY)
    return None


def too_many_seconds(terms: Terms, call: Call, used_s: int) -> Refusal | None:
    """Decide whether so many seconds of a call are more than are accepted; None where they are not.

    Refuses: USED_SECONDS_OUT_OF_RANGE. Source: D7.
    """
    most_s = most_seconds(terms, call)
    if used_s <= most_s:
        return None
    return Refusal(
        "used_seconds_out_of_range",
        f"{used_s} s are reported; {call.granted_s} s were granted, "
        f"and at most {most_s} s are accepted",
    )


def most_seconds(terms: Terms, call: Call) -> int:
    """How many seconds of a call are accepted: those granted, a slice and the grace more (D7).

    The clock is no bound: calls are reported long after they were made. A free call needs no
    grant to go on; it is bounded by the longest call.
    """
    free = not (call.rate.per_minute_micros or call.rate.fee_micros or call.payers.pool)
    granted_s = CALL_SECONDS_MAX if free else call.granted_s
    return granted_s + terms.slice_s + terms.grace_s
