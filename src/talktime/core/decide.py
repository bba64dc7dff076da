"""One command applied to the books: who is asked first, what was answered before, and in which
order.

(call, sequence) is the idempotency key of a switch's request (charging-api): the same request
again gets the same answer, the same key with another body is refused, and a gap in the numbers is
refused. A settle is taken in any order and any number of times: the first charges, the others
replay.
"""

from dataclasses import replace

from talktime.core import charging, debits, ending, funding, reported, settling, watch
from talktime.core.books import Books
from talktime.core.calls import OPEN, REFUSED, Call
from talktime.core.commands import (
    NEXT,
    Answer,
    Authorize,
    CallCommand,
    Command,
    EndCall,
    ExpireHold,
    ExpireLots,
    Extend,
    Fund,
    Refund,
    SetLimits,
    Settle,
)
from talktime.core.outcomes import (
    CallEnding,
    Granted,
    HoldExpired,
    LimitsSet,
    Noted,
    NothingToSettle,
    Outcome,
    Refused,
    Replayed,
    Settled,
    StoredAnswer,
)
from talktime.core.refusal import Refusal


def decide(books: Books, command: Command, now_ms: int) -> Outcome:
    """Apply one command to the books and say what came of it. Pure but for the books it is
    given."""
    outcome = _decide(books, command, now_ms)
    organisation_id = command.organisation_id
    wallet = books.wallets.get(organisation_id) if organisation_id is not None else None
    if wallet is not None and wallet.changed:
        watch.note(wallet, now_ms)
    return outcome


def _decide(books: Books, command: Command, now_ms: int) -> Outcome:
    match command:
        case Fund():
            return funding.fund(books, command, now_ms)
        case ExpireLots():
            return funding.expire_lots(books, command, now_ms)
        case ExpireHold():
            call = books.calls.get((command.switch_id, command.call_key))
            if call is None:
                return HoldExpired(command.call_key, False)
            return settling.expire(books, call, now_ms)
        case EndCall():
            call = books.calls.get((command.switch_id, command.call_key))
            if call is None:
                return CallEnding(command.call_key, False)
            return ending.end(books, call, command.code)
        case SetLimits():
            call = books.calls.get((command.switch_id, command.call_key))
            if call is None:
                return LimitsSet(command.call_key, False)
            return ending.set_limits(call, command)
    return _decide_call(books, command, now_ms)


def _decide_call(books: Books, command: CallCommand, now_ms: int) -> Outcome:
    call = books.calls.get((command.switch_id, command.call_key))
    if call is None:
        if type(command) is not Authorize:
            return _unseen(command)
        if command.organisation_id not in books.wallets:
            return _refused(
                command, "unknown_organisation", "the caller's organisation has no wallet"
            )
        if command.sequence != 0:
            return _refused(
                command, "sequence_skipped", "the first request on a call has sequence 0"
            )
        call = _new_call(books, command, now_ms)
    elif _sought_elsewhere(call, command):
        return _unseen(command)
    else:
        command = _counted(books, call, command)
        earlier = (
            _answered_before(books, call, command)
            or _out_of_order(books, call, command)
            or _out_of_range(books, call, command, now_ms)
        )
        if earlier is not None:
            return earlier
    outcome = _apply(books, call, command, now_ms)
    call.last_sequence = max(call.last_sequence, command.sequence)
    call.changed = True
    answer = StoredAnswer(
        call.id, call.organisation_id, command.sequence, command.body_hash, outcome
    )
    books.answers[call.id, command.sequence] = answer
    books.new_answers.append(answer)
    return outcome


def _sought_elsewhere(call: Call, command: CallCommand) -> bool:
    """Whether the command was sent to another organisation's wallet than the call's: that one
    alone was locked and loaded for it."""
    return type(command) is not Authorize and command.organisation_id not in (
        None,
        call.organisation_id,
    )


def _counted(books: Books, call: Call, command: CallCommand) -> CallCommand:
    """The command as the books count: numbered, its seconds since the answer. The one that came is
    left as it was, for it may be decided again."""
    if command.sequence == NEXT:
        command = replace(command, sequence=call.last_sequence + 1)
    if isinstance(command, (Extend, Settle)) and command.since_last:
        used_s = call.reported_s + command.used_s
        if type(command) is Settle and used_s == call.granted_s + ROUNDED_UP_S:
            used_s = call.granted_s
        command = replace(command, used_s=used_s)
    if type(command) is Settle and command.capped:
        most_s = reported.most_seconds(books.terms, call)
        command = replace(command, used_s=min(command.used_s, most_s))
    return command


ROUNDED_UP_S = 1
"""What a client that counts since its last report may report too much at the end of a call: it
rounds up its whole length. That second was not granted, and is not charged."""


def _unseen(command: CallCommand) -> NothingToSettle | Refused:
    if type(command) is Settle:
        return NothingToSettle(command.call_key, command.sequence)
    return _refused(
        command, "unknown_call", "no call with this call_id was authorized by this switch"
    )


def _new_call(books: Books, command: Authorize, now_ms: int) -> Call:
    call = Call(
        books.next_id(),
        command.organisation_id,
        command.switch_id,
        command.call_key,
        command.type,
        command.user_id,
        command.from_digits,
        command.to_digits,
        command.rate,
        command.at_ms,
        deadline_ms=now_ms,
        payers=command.payers,
        conference_id=command.conference_id,
        new=True,
    )
    books.calls[command.switch_id, command.call_key] = call
    return call


def _answered_before(books: Books, call: Call, command: CallCommand) -> Replayed | Refused | None:
    stored = books.answers.get((call.id, command.sequence))
    if stored is not None:
        if stored.body_hash == command.body_hash:
            if isinstance(command, (Authorize, Extend)) and command.while_open and call.is_over:
                return _refused(command, "call_settled", "the call was over before this repetition")
            return Replayed(stored)
        if type(command) is Refund:
            return None
        return _refused(
            command, "sequence_reused", f"sequence {command.sequence} of this call had another body"
        )
    if call.settle_sequence is None or type(command) is Refund:
        return None
    if type(command) is Settle:
        first = books.answers.get((call.id, call.settle_sequence))
        if first is not None:
            return Replayed(first)
    return _refused(command, "call_settled", "the call was settled before this request")


def _out_of_order(books: Books, call: Call, command: CallCommand) -> Refused | None:
    kind, expected = type(command), call.last_sequence + 1
    if type(command) is Settle:
        if command.sequence != debits.DEBIT:
            return None
        refusal = debits.not_a_debit(books, call, command)
        return None if refusal is None else Refused(refusal, command.call_key, command.sequence)
    if kind is Refund:
        refusal = debits.not_refundable(call)
        return None if refusal is None else Refused(refusal, command.call_key, command.sequence)
    if call.is_over:
        return _refused(command, "call_settled", "the call's deadline had passed; settle it")
    if command.sequence != expected and not (type(command) is Extend and command.since_last):
        return _refused(
            command, "sequence_skipped", f"the next sequence number of this call is {expected}"
        )
    if kind is Authorize:
        if call.organisation_id != command.organisation_id:
            return _refused(command, "call_id_taken", "another organisation's call has this id")
        if call.state == OPEN:
            return _refused(command, "call_already_authorized", "the call is running")
    elif call.state == REFUSED:
        return _refused(command, "call_not_granted", "the last authorize of this call was refused")
    return None


def _out_of_range(books: Books, call: Call, command: CallCommand, now_ms: int) -> Refused | None:
    """Why the switch cannot mean what it reports: nothing is kept of it, no number is used."""
    refusal = reported.out_of_range(books.terms, call, command, now_ms)
    return None if refusal is None else Refused(refusal, command.call_key, command.sequence)


def _apply(
    books: Books, call: Call, command: CallCommand, now_ms: int
) -> Granted | Noted | Settled | Refused:
    if type(command) is Extend:
        return charging.extend(books, call, command, now_ms)
    if type(command) is Settle:
        return settling.settle(books, call, command, now_ms)
    if type(command) is Authorize:
        if call.state == REFUSED:
            _restart(call, command, now_ms)
        return charging.authorize(books, call, command, now_ms)
    if type(command) is Answer:
        return charging.note_answer(books, call, command, now_ms)
    if type(command) is Refund:
        return debits.refund(books, call, command, now_ms)
    raise TypeError(f"no such command: {command!r}")


def _restart(call: Call, command: Authorize, now_ms: int) -> None:
    """Authorized again after a refusal: anything may have been corrected since."""
    call.type, call.user_id = command.type, command.user_id
    call.from_digits, call.to_digits = command.from_digits, command.to_digits
    call.conference_id = command.conference_id
    call.rate, call.payers, call.started_ms = command.rate, command.payers, command.at_ms
    call.deadline_ms = max(call.deadline_ms, now_ms)
    call.restarted = True


def _refused(command: CallCommand, code: str, detail: str) -> Refused:
    return Refused(Refusal(code, detail), command.call_key, command.sequence)
