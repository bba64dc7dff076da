"""What was dialled, read: a number that can be called, or why none can."""

from functools import lru_cache
from typing import NamedTuple

from talktime.core.called import TOLL_FREE, Called
from talktime.core.limits import LINES_CACHED_MAX
from talktime.core.refusal import Refusal
from talktime.operations.numbers import as_written, is_number_of, parse_number


class Dialled(NamedTuple):
    """A number that can be called, and the line that says so."""

    called: Called
    line: str
    emergency: bool


@lru_cache(LINES_CACHED_MAX)
def dialled(text: str, region: str | None = None) -> Dialled | Refusal:
    """What was dialled, in a region (an ISO code) where it does not begin with a plus.

    With a plus it must be E.164 as it stands: whoever asks calls it as it stands, and what is
    called is what is charged. Refuses: invalid_number.
    """
    number = parse_number(text, region)
    if not isinstance(number, Refusal):
        number = as_written(text, number)
    if isinstance(number, Refusal):
        return number
    digits, country, emergency, kind = number
    if emergency:
        line = f"emergency: {digits} is an emergency number in {country}, always allowed"
    else:
        line = f"number: +{digits} exists" + (f" ({country})" if country else "")
    return Dialled(Called(digits, country, kind), line, emergency)


def seen_from(found: Dialled, region: str) -> Dialled:
    """The same number as a caller in a region sees it: where it is toll-free, and as much a
    number of the caller's own country, it says so."""
    digits, country, kind, _ = found.called
    if kind != TOLL_FREE or country in ("", region) or not is_number_of(digits, region):
        return found
    line = f"number: +{digits} exists ({country}, {region})"
    return Dialled(Called(digits, country, kind, region), line, False)
