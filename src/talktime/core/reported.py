"""What a switch may report of a call: no more than can have been talked, no answer before its
beginning. Pure."""

from talktime.core.books import Terms
from talktime.core.calls import REFUSED, Call
from talktime.core.commands import Answer, CallCommand, Extend, Settle
from talktime.core.limits import ANSWER_BEFORE_CALL_MS_MAX, CALL_SECONDS_MAX
from talktime.core.refusal import Refusal

_TOO_EARLY = f"'answered_at' may be at most {ANSWER_BEFORE_CALL_MS_MAX // 1000} s before the call"


def out_of_range(terms: Terms, call: Call, command: CallCommand) -> Refusal | None:
    """Decide whether what is reported of a call that is known can be so; None where it can.

    Seconds are whole, counted from the answer. A refused call owes nothing, whatever is reported
    of it. Refuses: USED_SECONDS_OUT_OF_RANGE, TIME_OUT_OF_RANGE. Source: D7.
    """
    if isinstance(command, Extend | Settle):
        most_s = most_seconds(terms, call)
        if command.used_s <= most_s or call.state == REFUSED:
            return None
        return Refusal(
            "used_seconds_out_of_range",
            f"{command.used_s} s are reported; {call.granted_s} s were granted, "
            f"and at most {most_s} s are accepted",
        )
    if type(command) is Answer and command.answered_ms is not None:
        earliest_ms = call.started_ms - ANSWER_BEFORE_CALL_MS_MAX
        if command.answered_ms < earliest_ms:
            return Refusal("time_out_of_range", _TOO_EARLY)
    return None


def most_seconds(terms: Terms, call: Call) -> int:
    """How many seconds of a call are accepted: those granted, a slice and the grace more (D7).

    The clock is no bound: calls are reported long after they were made. A free call needs no
    grant to go on; it is bounded by the longest call.
    """
    free = not (call.rate.per_minute_micros or call.rate.fee_micros or call.payers.pool)
    granted_s = CALL_SECONDS_MAX if free else call.granted_s
    return granted_s + terms.slice_s + terms.grace_s
