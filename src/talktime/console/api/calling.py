"""`.../rates` and `call-check`: what calls cost, and whether a user could make one now."""

from typing import Annotated, Any, Literal

from ninja import Query
from pydantic import Field

from talktime.console.api.door import Asked, Resource
from talktime.console.api.shapes import (
    Amount,
    AskedPage,
    Moment,
    Sent,
    Shown,
    listing,
    not_of_this_list,
)
from talktime.console.databases import current
from talktime.core.calls import ASKED_TYPES
from talktime.core.keys import READ, USERS
from talktime.core.limits import (
    CALL_SECONDS_MAX,
    DESTINATION_TEXT_MAX,
    NUMBER_TEXT_MAX,
    PREFIX_DIGITS_MAX,
    USER_NAME_TEXT_MAX,
)
from talktime.core.rates import DIRECTIONS
from talktime.core.refusal import Refusal
from talktime.operations.check_call import check_call
from talktime.operations.execute import terms_of
from talktime.operations.find_rates import (
    DestinationNames,
    Price,
    between_of_country,
    between_of_text,
    find_rates,
    rate_of_number,
    rate_versions,
)
from talktime.operations.numbers import parse_number
from talktime.operations.users import find_user
from talktime.store.catalogue import load_catalogues
from talktime.store.rate_search import Between

SEES = (READ, USERS)
calling = Resource("Rates and calls", "What calls cost; whether a user could make one now.")
Answer = dict[str, Any]
_names = DestinationNames()
Direction = Literal[DIRECTIONS]  # type: ignore[valid-type]
Country = Annotated[str, Query(pattern="^([A-Z]{2})?$", description="Of this country alone.")]
Text = Annotated[
    str, Query(max_length=DESTINATION_TEXT_MAX, description="A part of a destination's name.")
]
Number = Annotated[str, Query(min_length=2, max_length=NUMBER_TEXT_MAX, examples=["+493012345"])]


class RateShown(Shown):
    """The price of calls to a prefix."""

    direction: str
    prefix: str
    destination: str
    kind: str
    country: str
    currency: str
    per_minute: Amount
    connection_fee: Amount
    first_increment_s: int
    next_increment_s: int
    in_force: bool
    valid_from: Moment


class CallChecked(Shown):
    """Whether the call would be granted: the gates passed, why included minutes do not pay where
    there are some, then the quote, or the refusal."""

    would_grant: bool
    because: list[str]
    code: str | None
    detail: str | None
    remedy: str | None
    who: str | None
    quote: dict[str, Any] | None


class SentCheck(Sent):
    """A call that is asked about."""

    user: str = Field(min_length=1, max_length=USER_NAME_TEXT_MAX)
    type: str = Field("user_out", json_schema_extra={"enum": list(ASKED_TYPES)})
    number: str = Field("", max_length=NUMBER_TEXT_MAX, description="Who is called, or our own.")
    for_seconds: int = Field(60, ge=1, le=CALL_SECONDS_MAX)


@calling.reads("/rates", listing("rates", RateShown))
def get_rates(
    asked: Asked,
    page: AskedPage,
    direction: Direction = DIRECTIONS[0],
    country: Country = "",
    destination: Text = "",
) -> Answer:
    """The rates of the organisation's card, by prefix; of a country, or a destination's name."""
    if page.cursor and not (page.cursor.isascii() and page.cursor.isdigit()):
        raise not_of_this_list()
    after = page.cursor[:PREFIX_DIGITS_MAX]
    with asked.control.reading():
        versions = rate_versions(asked.control, asked.owner, asked.now_ms)
        between = between_of_country(country) if country else Between()
        if destination and versions.now is not None:
            names = _names.of(asked.control, versions.now, direction)
            between = between_of_text(names, destination)._replace(country=country)
        found = find_rates(
            *(asked.control, versions, direction, between),
            after=after,
            limit=page.limit,
            now_ms=asked.now_ms,
        )
    answer: Answer = asked.page(page, "rates", found, lambda each: each.row.prefix)
    return {**answer, "rates": [_rate(asked, each) for each in found]}


@calling.reads("/rates/of-number", RateShown, refusals=("invalid_number",))
def get_rate_of_number(
    asked: Asked, number: Number, direction: Direction = DIRECTIONS[0]
) -> Answer | Refusal:
    """The rate of one number: that of its longest prefix in force."""
    parsed = parse_number(number, None if number.startswith("+") else asked.owner.country)
    if isinstance(parsed, Refusal):
        return parsed
    with asked.control.reading():
        versions = rate_versions(asked.control, asked.owner, asked.now_ms)
        found = rate_of_number(
            asked.control, versions, direction, parsed.digits, now_ms=asked.now_ms
        )
    if found is None:
        return Refusal("not_found", f"the organisation's rate card has none for {number[:40]!r}")
    return _rate(asked, found)


@calling.does(
    *("POST", "/call-check", CallChecked),
    by=SEES,
    refusals=("unknown_user", "unknown_caller", "unknown_number", "invalid_number"),
    sent={"user": "front-desk@contoso.example", "number": "+442079460958"},
)
def post_call_check(asked: Asked, sent: SentCheck) -> Answer | Refusal:
    """Can this user make this call: what a switch would be told now, gate by gate.

    Nothing is held and no call is made.
    """
    with asked.control.reading(), asked.cell.reading():
        user = find_user(asked.cell, asked.owner, sent.user)
        if isinstance(user, Refusal):
            return user
        found = check_call(
            *(asked.control, asked.cell, asked.owner, user, load_catalogues(asked.control)),
            type_=sent.type,
            number=sent.number,
            for_s=sent.for_seconds,
            now_ms=asked.now_ms,
            terms=terms_of(current()),
        )
    if isinstance(found, Refusal):
        return found
    why = found.refusal
    return {
        "would_grant": why is None,
        "because": [*found.passed, *found.no_minutes],
        "code": None if why is None else why.code,
        "detail": None if why is None else why.detail,
        "remedy": None if why is None else why.kind.remedy,
        "who": None if why is None else why.kind.who,
        "quote": found.quote if why is None else None,
    }


def _rate(asked: Asked, price: Price) -> Answer:
    row = price.row
    rate = price.now or row.rate
    return {
        "direction": row.direction,
        "prefix": row.prefix,
        "destination": rate.destination,
        "kind": row.kind,
        "country": row.country,
        "currency": asked.owner.currency,
        "per_minute": rate.per_minute_micros,
        "connection_fee": rate.fee_micros,
        "first_increment_s": rate.first_increment_s,
        "next_increment_s": rate.next_increment_s,
        "in_force": price.now is not None,
        "valid_from": row.valid_from_ms,
    }
