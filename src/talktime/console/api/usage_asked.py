"""What is asked of usage: from which UTC day to which, and which calls of these days."""

from datetime import date
from typing import Annotated

from ninja import Query
from pydantic import BaseModel, Field

from talktime.console.api.door import Asked
from talktime.core.calls import CALL_TYPES
from talktime.core.limits import (
    CONFERENCE_TEXT_MAX,
    NUMBER_TEXT_MAX,
    USAGE_DAYS_MAX,
    USER_NAME_TEXT_MAX,
)
from talktime.core.refusal import Refusal
from talktime.operations.usage_report import Asked as AskedUsage
from talktime.operations.usage_report import number_wanted
from talktime.operations.users import find_user
from talktime.store.usage_days import ALL_USERS, DAY_MS, Wanted
from talktime.store.usage_rows import ANY_NUMBER

EPOCH = date(1970, 1, 1)
_CODE = "A code, as the answers have it; empty for all."
Day = Annotated[date, Query(examples=["2026-11-01"])]


class Filters(BaseModel):
    """Which calls are looked for, from one UTC day to another, both included."""

    user: str = Field("", max_length=USER_NAME_TEXT_MAX, description="A user's sign-in name.")
    type: str = Field("", pattern=f"^({'|'.join(CALL_TYPES)})?$", description=_CODE)
    country: str = Field("", pattern="^([A-Z]{2})?$", description="The other party's country.")
    context: str = Field("", pattern="^(Domestic|International)?$", description=_CODE)
    capability: str = Field("", pattern="^[A-Z0-9_]{0,64}$", description=_CODE)


class Search(Filters):
    """The same, also by a number or a conference."""

    number: str = Field(
        "",
        max_length=NUMBER_TEXT_MAX,
        pattern=r"^(.*[0-9].*)?$",
        description="A number that called or was called, with its country code. Where its last "
        "digits are hidden, all are found that look the same.",
    )
    conference_id: str = Field(
        "",
        max_length=CONFERENCE_TEXT_MAX,
        description="The switch's own id of a conference: its legs.",
    )


def days_between(from_day: date, to_day: date, now_ms: int) -> tuple[int, int] | Refusal:
    """The days since 1970: none that begins more than a year ago (R79).

    Refuses: invalid_value, range_too_long.
    """
    first, last = (from_day - EPOCH).days, (to_day - EPOCH).days
    if last < first or first < 0:
        return Refusal("invalid_value", "to_day must not be before from_day")
    if last - first >= USAGE_DAYS_MAX:
        return Refusal("range_too_long", f"{USAGE_DAYS_MAX} days at most are looked at at once")
    if first <= now_ms // DAY_MS - USAGE_DAYS_MAX:
        return Refusal("range_too_long", "reports go back one year")
    return first, last


def asked_usage(
    asked: Asked, from_day: date, to_day: date, filters: Filters
) -> AskedUsage | Refusal:
    """What the report is about. Reads in the caller's snapshot of the cell.

    Refuses: invalid_value, range_too_long, unknown_user.
    """
    days = days_between(from_day, to_day, asked.now_ms)
    if isinstance(days, Refusal):
        return days
    user_id = ALL_USERS
    if filters.user:
        user = find_user(asked.cell, asked.owner, filters.user)
        if isinstance(user, Refusal):
            return user
        user_id = user.id
    number, conference_id = ANY_NUMBER, ""
    if isinstance(filters, Search):
        conference_id = filters.conference_id
        if filters.number:
            number = number_wanted(filters.number, asked.hidden_digits)
    wanted = Wanted(user_id, filters.type, filters.country, filters.context, filters.capability)
    return AskedUsage(*days, wanted, number, conference_id)
