"""Days and months as the sums of usage number them: a day since 1970 (UTC), a month below zero."""

from calendar import monthrange
from datetime import date

from talktime.core.calls import INBOUND_TYPES

OUT, IN = "out", "in"
CONFERENCE_OUT = "conf_out"
_EPOCH = date(1970, 1, 1).toordinal()


def scopes_of(type_: str, context: str) -> tuple[str, ...]:
    """In which sums of its user a call is.

    >>> scopes_of("conf_out", "Domestic"), scopes_of("user_in", "")
    (('out', 'conf_out/Domestic'), ('in',))
    """
    if type_ in INBOUND_TYPES:
        return (IN,)
    if type_ == CONFERENCE_OUT:
        return OUT, f"{CONFERENCE_OUT}/{context}"
    return (OUT,)


def month_span(day: int) -> int:
    """The number of the month of a day.

    >>> month_span(0), month_span(31)
    (-23641, -23642)
    """
    at = date.fromordinal(_EPOCH + day)
    return -(at.year * 12 + at.month)


def spans_of(first: int, last: int, latest: int) -> list[int]:
    """The days from one to another (both included), whole months among them as one. There is
    nothing after the latest day, so that its month is whole as well.

    >>> spans_of(29, 60, 100), spans_of(29, 60, 60)
    ([29, 30, -23642, 59, 60], [29, 30, -23642, -23643])
    >>> spans_of(2932896, 2932896, 100)  # the last day that there is
    [2932896]
    """
    spans, day = [], first
    while day <= last:
        at = date.fromordinal(_EPOCH + day)
        next_ = day - at.day + 1 + monthrange(at.year, at.month)[1]
        if at.day == 1 and (next_ - 1 <= last or last >= latest):
            spans.append(month_span(day))
            day = next_
        else:
            spans.append(day)
            day += 1
    return spans
