"""The kinds of values that requests and answers of the management API are made of.

Amounts are decimal texts in the wallet's currency, times RFC 3339 in UTC, ids texts of digits.
What is sent is read strictly, and refused where it has a field that is not known.
"""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from ninja import Path, Query
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    create_model,
)

from talktime.console.api.refusals import Refused
from talktime.core.ids import ID_MAX, id_in
from talktime.core.limits import CURSOR_TEXT_MAX, NAME_TEXT_MAX, PAGE_ROWS_MAX
from talktime.core.money import decimal_text, parse_micros
from talktime.core.refusal import Refusal
from talktime.operations.render import utc_text

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_AMOUNT = {"type": "string", "pattern": r"^-?\d+(\.\d{1,6})?$", "examples": ["12.5"]}
_TIME = {"type": "string", "format": "date-time", "examples": ["2026-11-22T10:00:00Z"]}


class Shown(BaseModel):
    """An answer, or a part of one; made of a dict or of what has such attributes."""

    model_config = ConfigDict(from_attributes=True)


class Sent(BaseModel):
    """A body, or a part of one."""

    model_config = ConfigDict(extra="forbid", strict=True)


def _amount(value: Any) -> Any:
    return decimal_text(value) if isinstance(value, int) else value


def _time(value: Any) -> Any:
    return utc_text(value) if isinstance(value, int) else value


def _text(value: Any) -> Any:
    return str(value) if isinstance(value, int) else value


def _micros(value: Any) -> int:
    if not isinstance(value, str):
        raise ValueError("an amount is a text such as '12.5', never a number")
    return parse_micros(value)


def moment_ms(value: Any) -> int:
    """RFC 3339 with an offset, in ms since the epoch. Raises ValueError.

    >>> moment_ms("1970-01-01T00:00:01Z")
    1000
    """
    try:
        at = datetime.fromisoformat(value)
        if at.tzinfo is None:
            raise ValueError
        return (at - EPOCH) // timedelta(milliseconds=1)
    except (TypeError, ValueError, OverflowError):
        raise ValueError("must be a time with an offset: 2027-01-31T12:00:00Z") from None


Amount = Annotated[str, BeforeValidator(_amount), WithJsonSchema(_AMOUNT)]
Moment = Annotated[str, BeforeValidator(_time), WithJsonSchema(_TIME)]
IdText = Annotated[
    str, BeforeValidator(_text), WithJsonSchema({"type": "string", "pattern": r"^\d+$"})
]
SentAmount = Annotated[
    int,
    BeforeValidator(_micros),
    WithJsonSchema({"type": "string", "pattern": r"^\d{1,9}(\.\d{1,6})?$", "examples": ["12.5"]}),
]
"""An amount as sent; in micros afterwards."""
SentMoment = Annotated[int, BeforeValidator(moment_ms), WithJsonSchema(_TIME)]
"""A time as sent; in ms since the epoch afterwards."""

PathId = Annotated[int, Path(ge=0, le=ID_MAX, description="An id, in digits.")]
OrganisationName = Annotated[
    str, Path(min_length=1, max_length=NAME_TEXT_MAX, description="An organisation's name, or id.")
]
AskedMoment = Annotated[int, BeforeValidator(moment_ms), WithJsonSchema(_TIME)]


def not_of_this_list() -> Refused:
    """A cursor that no page has given."""
    refusal = Refusal("invalid_request", "the cursor is none of this list")
    return Refused(refusal, [{"in": "query", "path": "/cursor", "reason": refusal.detail}])


def _id(text: str) -> int:
    id_ = id_in(text)
    if id_ is None:
        raise not_of_this_list()
    return id_


class Page(BaseModel):
    """Which page of a list."""

    limit: int = Field(
        PAGE_ROWS_MAX, ge=1, le=PAGE_ROWS_MAX, description="How many there are on a page, at most."
    )
    cursor: str = Field(
        "",
        max_length=CURSOR_TEXT_MAX,
        description="Where the page begins: from the `next` of the page before.",
    )

    @property
    def before(self) -> int:
        """The cursor of a list whose places are ids. Raises Refused."""
        if not self.cursor:
            return ID_MAX
        return _id(self.cursor)

    @property
    def after(self) -> int:
        """The cursor of a list whose places are ids, the lowest first. Raises Refused."""
        return self.before if self.cursor else 0

    @property
    def place(self) -> tuple[int, int] | None:
        """The cursor of a list whose places are a moment and an id. Raises Refused."""
        if not self.cursor:
            return None
        at, _, id_ = self.cursor.partition("-")
        return _id(at), _id(id_)


AskedPage = Query[Page]


def listing(name: str, kind: Any, *, paged: bool = True, **more: Any) -> type[Shown]:
    """The answer that is a list of this kind under this name; with `next` where it has pages."""
    following = (
        (str | None, Field(description="The address of the following page; null on the last."))
        if paged
        else None
    )
    fields: dict[str, Any] = {name: (list[kind], ...), **more}
    if following is not None:
        fields["next"] = following
    title = "".join(word.capitalize() for word in f"{name}_list".split("_"))
    return create_model(title, __base__=Shown, __doc__=None, **fields)
