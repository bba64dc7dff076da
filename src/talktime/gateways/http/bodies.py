"""What a switch may send, field by field. What is not named here is refused, never ignored.

The same structs make the OpenAPI document (openapi.py), so that it cannot say anything else.
"""

import struct
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Annotated, Any, ClassVar, Literal

import msgspec
from msgspec import Meta, Struct, field

from talktime.core.calls import ASKED_TYPES, CONFERENCE_TYPES
from talktime.core.limits import (
    CALL_KEY_TEXT_MAX,
    CALL_SECONDS_MAX,
    CAUSE_TEXT_MAX,
    CONFERENCE_TEXT_MAX,
    DETAIL_TEXT_MAX,
    NUMBER_TEXT_MAX,
    SEQUENCE_MAX,
    USED_SECONDS_MAX,
    USER_NAME_TEXT_MAX,
)
from talktime.core.refusal import Refusal

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
PRINTABLE_ASCII = {"pattern": "^[ -~]*$"}
"""For the document; `printable_ascii` checks it, and takes no newline at the end, as `re` would."""


def printable_ascii(text: str) -> bool:
    """Whether all characters are from the space to the tilde.

    >>> printable_ascii("a b~"), printable_ascii("a\\n"), printable_ascii("\u00e9")
    (True, False, False)
    """
    return text.isascii() and text.isprintable()


def require_call_id(text: str) -> None:
    """Raise ValueError unless the text can name a call."""
    if not (0 < len(text) <= CALL_KEY_TEXT_MAX and printable_ascii(text)):
        raise ValueError(f"call_id must be 1 to {CALL_KEY_TEXT_MAX} printable ASCII characters")


Sequence = Annotated[
    int,
    Meta(
        ge=0,
        le=SEQUENCE_MAX,
        description="Counts the requests on a call from 0; with the call_id, the idempotency key.",
    ),
]
CallId = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=CALL_KEY_TEXT_MAX,
        extra_json_schema=PRINTABLE_ASCII,
        description="The switch's own name for the call, such as a SIP Call-ID: printable ASCII.",
    ),
]
Number = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=NUMBER_TEXT_MAX,
        description="A telephone number, best in international form: +493012345678.",
        examples=["+493012345678"],
    ),
]
UserName = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=USER_NAME_TEXT_MAX,
        description="A user's sign-in name.",
        examples=["front-desk@contoso.example"],
    ),
]
Moment = Annotated[
    datetime,
    Meta(tz=True, description="RFC 3339, in UTC.", examples=["2026-11-22T10:00:00Z"]),
]
Requested = Annotated[
    int,
    Meta(ge=1, le=CALL_SECONDS_MAX, description="Seconds asked for; at most one slice is granted."),
]
Used = Annotated[
    int,
    Meta(ge=0, le=USED_SECONDS_MAX, description="Seconds talked since the answer."),
]
ConferenceId = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=CONFERENCE_TEXT_MAX,
        extra_json_schema=PRINTABLE_ASCII,
        description="The switch's own id of the conference that the call is of: printable ASCII.",
        examples=["room-7/2026-11-22"],
    ),
]
Cause = Annotated[
    str,
    Meta(
        max_length=CAUSE_TEXT_MAX,
        extra_json_schema=PRINTABLE_ASCII,
        description="Why the call ended, in the switch's words: printable ASCII.",
        examples=["normal_clearing"],
    ),
]


class Party(Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """Who calls whom, and when."""

    type: Literal[ASKED_TYPES]  # type: ignore[valid-type]
    from_: Number | None = field(name="from", default=None)
    to: Number | None = None
    user: UserName | None = None
    organizer: UserName | None = None
    service_number: Number | None = None
    at: Moment | None = None
    requested_seconds: Requested | None = None


class AuthorizeBody(Party, kw_only=True):
    """May this call be set up, and for how long may it talk?

    The caller is found by `from`, or named by `user`; for `conf_out` by `organizer`; calls to a
    conference or an application belong to the `service_number` they came in on.
    """

    verb: ClassVar[str] = "authorize"
    sequence: Sequence
    conference_id: ConferenceId | None = None

    def __post_init__(self) -> None:
        if self.conference_id is None:
            return
        if self.type not in CONFERENCE_TYPES:
            types = ", ".join(CONFERENCE_TYPES)
            raise ValueError(f"`conference_id` is of calls of type {types} alone")
        if not printable_ascii(self.conference_id):
            raise ValueError("`conference_id` must be printable ASCII")


class QuoteBody(Party, kw_only=True):
    """What would it cost, and who would pay? The body of an authorize without its sequence."""

    for_seconds: (
        Annotated[
            int, Meta(ge=1, le=CALL_SECONDS_MAX, description="Also tell what so long a call costs.")
        ]
        | None
    ) = None


class AnswerBody(Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """The call was answered; its deadline is counted from then."""

    verb: ClassVar[str] = "answer"
    sequence: Sequence
    answered_at: Moment | None = None


class ExtendBody(Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """So many seconds were talked; may the call go on?"""

    verb: ClassVar[str] = "extend"
    sequence: Sequence
    used_seconds: Used
    requested_seconds: Requested | None = None


class SettleBody(Struct, kw_only=True, forbid_unknown_fields=True, gc=False):
    """The call is over after so many seconds in all; 0 for one that was never answered."""

    verb: ClassVar[str] = "settle"
    sequence: Sequence
    used_seconds: Used
    cause: Cause = ""

    def __post_init__(self) -> None:
        if not printable_ascii(self.cause):
            raise ValueError("`cause` must be printable ASCII")


class AuthorizeItem(AuthorizeBody, kw_only=True, tag_field="request", tag="authorize"):
    """An authorize in a batch."""

    call_id: CallId

    def __post_init__(self) -> None:
        require_call_id(self.call_id)
        AuthorizeBody.__post_init__(self)


class AnswerItem(AnswerBody, kw_only=True, tag_field="request", tag="answer"):
    """An answer in a batch."""

    call_id: CallId

    def __post_init__(self) -> None:
        require_call_id(self.call_id)


class ExtendItem(ExtendBody, kw_only=True, tag_field="request", tag="extend"):
    """An extend in a batch."""

    call_id: CallId

    def __post_init__(self) -> None:
        require_call_id(self.call_id)


class SettleItem(SettleBody, kw_only=True, tag_field="request", tag="settle"):
    """A settle in a batch."""

    call_id: CallId

    def __post_init__(self) -> None:
        require_call_id(self.call_id)
        SettleBody.__post_init__(self)


class BatchBody(Struct, kw_only=True, forbid_unknown_fields=True):
    """Up to 1,000 requests; each is read by itself, so that a malformed one harms no other."""

    requests: list[msgspec.Raw]


Body = AuthorizeBody | AnswerBody | ExtendBody | SettleBody
Item = AuthorizeItem | AnswerItem | ExtendItem | SettleItem

_canonical = msgspec.json.Encoder().encode
_signed = struct.Struct(">q").unpack


def body_hash(body: Body) -> int:
    """What stands for a request as it was sent: alone or in a batch, however its JSON is written.

    64 bits, signed, as the databases keep them.
    """
    values: tuple[Any, ...]
    if isinstance(body, ExtendBody):
        values = ("extend", body.sequence, body.used_seconds, body.requested_seconds)
    elif isinstance(body, AuthorizeBody):
        values = (
            "authorize", body.sequence, body.type, body.from_, body.to, body.user, body.organizer,
            body.service_number, body.at, body.requested_seconds,
        )  # fmt: skip
        if body.conference_id is not None:  # the others' hashes are as they were without it
            values += (body.conference_id,)
    elif isinstance(body, SettleBody):
        values = ("settle", body.sequence, body.used_seconds, body.cause)
    else:
        values = ("answer", body.sequence, body.answered_at)
    hashed: int = _signed(blake2b(_canonical(values), digest_size=8).digest())[0]
    return hashed


def milliseconds(moment: datetime | None) -> int | None:
    """A moment as milliseconds since the epoch, rounded down.

    >>> milliseconds(datetime(2026, 11, 22, 10, 0, 0, 1999, tzinfo=UTC))
    1795341600001
    """
    return None if moment is None else (moment - EPOCH) // MILLISECOND


def malformed(error: Exception) -> Refusal:
    """Why a body could not be read, in one line."""
    if isinstance(error, RecursionError):
        return Refusal("invalid_request", "the body is nested too deeply")
    if isinstance(error, UnicodeDecodeError):
        return Refusal("invalid_request", "the body is not UTF-8")
    if isinstance(error, msgspec.ValidationError):
        return Refusal("invalid_request", str(error)[:DETAIL_TEXT_MAX])
    return Refusal("invalid_request", f"the body is not JSON: {error}"[:DETAIL_TEXT_MAX])


MALFORMED = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What decoding can raise."""
