"""What is charged at once, without a call that runs, and given back at most once. Pure.

Such a debit is a call of two requests, decided together: permitted whole, and settled under the
number DEBIT, which nothing else may have. Source: RFC 8506, 6.1 and 6.4.
"""

from talktime.core.books import Books
from talktime.core.calls import OPEN, SETTLED, Call
from talktime.core.commands import Refund, Settle
from talktime.core.correcting import Correction, book_difference
from talktime.core.outcomes import Settled
from talktime.core.refusal import Refusal

DEBIT, REFUND = 2**31 - 2, 2**31 - 1
"""The numbers of the settle of a debit, and of its refund: the last that the books can have."""


def not_a_debit(books: Books, call: Call, command: Settle) -> Refusal | None:
    """Decide whether a settle under the number DEBIT may be one: its own request was granted just
    before, whole; None where it may.

    Refuses: CALL_NOT_GRANTED, for a call that another request began, or that was refused.
    """
    begun = books.answers.get((call.id, 0))
    if begun is not None and begun.body_hash == command.body_hash and call.state == OPEN:
        return None
    return Refusal("call_not_granted", "what was asked for at once was not granted")


def not_refundable(call: Call) -> Refusal | None:
    """Decide whether something of this call can be given back; None where it can.

    Refuses: NOTHING_TO_REFUND, for a call that was no debit, cost nothing, or was given back
    before.
    """
    if call.state == SETTLED and call.settle_sequence == DEBIT and call.last_sequence != REFUND:
        return None
    return Refusal("nothing_to_refund", "this was no debit that cost something and stands")


def refund(books: Books, call: Call, command: Refund, now_ms: int) -> Settled:
    """Give back so many seconds of a debit, at most all, as a correction of its record.

    It then costs what fewer seconds cost; a connection fee goes back with the last of them.
    """
    wallet = books.wallets[call.organisation_id]
    before_s = call.reported_s
    left_s = max(before_s - command.seconds, 0) if command.seconds else 0
    line = f"{before_s - left_s} of {before_s} s are given back"
    correction = Correction(left_s, "refund", "refund", line, command.sequence)
    return book_difference(books, wallet, call, correction, now_ms)
