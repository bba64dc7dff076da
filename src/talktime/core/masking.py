"""The numbers of a call as they may be read: the last digits of the other party's are hidden, by
the organisation's country (R78)."""

from typing import NamedTuple

from talktime.core.calls import INBOUND_TYPES
from talktime.core.limits import SHORT_NUMBER_DIGITS_MAX

MASK = "*"


class Parties(NamedTuple):
    """Who called, and who was called (A18, D17), as they may be shown; '' where not known."""

    caller: str
    callee: str


def shown_parties(type_: str, from_digits: str, to_digits: str, masked_digits: int) -> Parties:
    """Both numbers of a call as they are dialled, the other party's masked. So in exports and the
    API.

    >>> shown_parties("user_out", "4722001122", "493012345678", 3)
    Parties(caller='+4722001122', callee='+493012345***')
    """
    return masked_parties(type_, number_text(from_digits), number_text(to_digits), masked_digits)


def masked_parties(type_: str, caller: str, callee: str, masked_digits: int) -> Parties:
    """Both numbers, written in any way. The caller of an inbound call and the callee of an outbound
    one are the other party, and lose their last digits.

    >>> masked_parties("user_in", "+49 30 12345678", "+47 22 00 11 22", 3)
    Parties(caller='+49 30 12345***', callee='+47 22 00 11 22')
    """
    if type_ in INBOUND_TYPES:
        return Parties(masked(caller, masked_digits), callee)
    return Parties(caller, masked(callee, masked_digits))


def masked(text: str, masked_digits: int) -> str:
    """A number without its last digits; a shorter one is hidden whole.

    >>> masked("+4722001122", 3), masked("+4722001122", 0), masked("112", 4)
    ('+4722001***', '+4722001122', '***')
    """
    shown, left = [], masked_digits
    for character in reversed(text):
        hide = left > 0 and character.isdigit()
        shown.append(MASK if hide else character)
        left -= hide
    return "".join(reversed(shown))


def number_text(digits: str) -> str:
    """A number as it is dialled: an emergency number is short, and has no country code.

    >>> number_text("4722001122"), number_text("112"), number_text("")
    ('+4722001122', '112', '')
    """
    return f"+{digits}" if len(digits) > SHORT_NUMBER_DIGITS_MAX else digits
