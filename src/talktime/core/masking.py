"""Other parties' numbers as reports may show them (R78). Pure."""

from talktime.core.calls import INBOUND_TYPES

MASK = "*"


def mask_digits(text: str, hidden: int) -> str:
    """A number, written in any way, with its last `hidden` digits as `*`.

    >>> mask_digits("+49 30 12345678", 3), mask_digits("+4930", 0), mask_digits("12", 5)
    ('+49 30 12345***', '+4930', '**')
    """
    shown, left = [], hidden
    for character in reversed(text):
        masked = left > 0 and character.isdigit()
        shown.append(MASK if masked else character)
        left -= masked
    return "".join(reversed(shown))


def masked_parties(call_type: str, caller: str, called: str, hidden: int) -> tuple[str, str]:
    """Who called and who was called, the one from outside masked: the caller of an inbound call,
    else who was called (R78).

    >>> masked_parties("user_in", "+4930123", "+472112", 3)
    ('+4930***', '+472112')
    >>> masked_parties("user_out", "+472112", "+4930123", 3)
    ('+472112', '+4930***')
    """
    if call_type in INBOUND_TYPES:
        return mask_digits(caller, hidden), called
    return caller, mask_digits(called, hidden)
