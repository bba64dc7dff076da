"""What the API answers, field by field: for the OpenAPI document, and for tests of the answers.

operations/render.py, quote.py and show_call.py make the answers themselves.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

from talktime.core.calls import EXPIRED, OPEN, REFUSED, RELEASED, SETTLED
from talktime.core.refusal import REFUSALS

Decimal = Annotated[
    str,
    Meta(
        pattern=r"^-?[0-9]+(\.[0-9]{1,6})?$",
        description="An exact decimal number of currency units.",
        examples=["0.015"],
    ),
]
Seconds = Annotated[int, Meta(ge=0)]
Instant = Annotated[
    str,
    Meta(
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$",
        extra_json_schema={"format": "date-time"},
        examples=["2026-11-22T10:06:00Z"],
    ),
]
Because = Annotated[
    list[str], Meta(description="The decision, one line for each step, for people to read.")
]
Charged = Annotated[
    str,
    Meta(
        description="The number that is charged, and so is to be called: with a plus, or a short "
        "one as it was dialled. Empty where no number was called.",
        examples=["+493012345678"],
    ),
]
State = Literal["open", "settled", "released", "expired", "refused"]


class Strict(Struct, kw_only=True, forbid_unknown_fields=True):
    """Nothing but the fields that are named."""


class Price(Strict):
    """The rate that the call is charged at, until it ends."""

    currency: str
    per_minute: Decimal
    connection_fee: Decimal
    first_increment_s: Seconds
    next_increment_s: Seconds
    destination: str
    prefix: str


class PaidBy(Strict, omit_defaults=True):
    """Who pays for some of the seconds: included minutes (`pool` names them), credits, later
    (`post_usage`) or, where it costs nothing, nobody (`free`); `debt` is what no credit was left
    for. In the cost of a quote, what `nobody` may pay: the call would end there."""

    source: Literal["pool", "credits", "post_usage", "debt", "free", "nobody"]
    seconds: Seconds
    amount: Decimal | None = None
    pool: str | None = None


class Balance(Strict):
    """What is left for other calls; below zero while a debt is owed."""

    currency: str
    available: Decimal


class Granted(Strict):
    """Talk so many seconds, then ask again; where `final`, no more will be granted."""

    call_id: str
    sequence: Seconds
    decision: Literal["granted"]
    to: Charged
    granted_seconds: Seconds
    final: bool
    valid_until: Instant
    price: Price
    paid_by: list[PaidBy]
    balance: Balance
    because: Because


class Noted(Strict):
    """The call counts as answered."""

    call_id: str
    sequence: Seconds
    decision: Literal["noted"]
    valid_until: Instant


class Settled(Strict):
    """The call is over. A call that was never authorized is settled too, and costs nothing; if it
    is authorized later, it must be settled again."""

    call_id: str
    sequence: Seconds
    decision: Literal["settled"]
    billed_seconds: Seconds
    charge: Decimal
    paid_by: list[PaidBy]
    because: Because
    balance: Balance | None = None
    usage_id: str | None = None


class Cost(Strict):
    """What a call of so many seconds costs."""

    seconds: Seconds
    billed_seconds: Seconds
    charge: Decimal
    paid_by: list[PaidBy]


class Quote(Strict):
    """What an authorize would have granted."""

    decision: Literal["would_grant"]
    to: Charged
    granted_seconds: Seconds
    final: bool
    price: Price
    paid_by: list[PaidBy]
    balance: Balance
    because: Because
    lasts_seconds: Annotated[
        Seconds, Meta(description="How long the call could go on with all that is there now.")
    ]
    cost: Cost | None = None


class UsageRecord(Strict):
    """A finished, rated call; or, of `kind` correction, the difference that a late report made."""

    usage_id: str
    kind: Literal["call", "correction"]
    started_at: Instant
    ended_at: Instant
    used_seconds: int
    billed_seconds: int
    connection_fee: Decimal
    included_seconds: Annotated[
        int, Meta(description="Billed seconds that included minutes paid; `pool` names them.")
    ]
    pool: str
    charge: Decimal
    paid_after_use: Annotated[
        Decimal, Meta(description="What of the charge is paid after use, on an invoice.")
    ]
    currency: str
    destination: str
    cause: str
    capability: str
    flags: list[str]
    because: Because


class CallShown(Strict):
    """A call as it stands. When it is over, `usage` has what was recorded of it."""

    call_id: str
    state: State
    sequence: Annotated[int, Meta(ge=0, description="The last sequence number answered.")]
    type: str
    conference_id: str | None
    from_: str = field(name="from")
    to: str
    started_at: Instant
    answered_at: Instant | None
    closed_at: Instant | None
    valid_until: Instant
    granted_seconds: Seconds
    used_seconds: Annotated[int, Meta(ge=0, description="The last seconds reported.")]
    held: Decimal
    charge: Decimal
    price: Price
    usage: list[UsageRecord]


class Problem(Strict, omit_defaults=True):
    """A refusal (RFC 9457): its stable code, the reason, the remedy, and who can apply it."""

    type: str
    title: str
    status: Annotated[int, Meta(ge=400, le=599)]
    code: Literal[tuple(REFUSALS)]  # type: ignore[valid-type]
    detail: str
    remedy: str
    who: str
    call_id: str | None = None
    sequence: int | None = None
    because: Because = []


class BatchAnswer(Strict):
    """What came of one request of a batch: as if it had been sent alone."""

    status: int
    replayed: bool
    body: dict[str, Any]


class BatchAnswers(Strict):
    """The answers, in the order of the requests."""

    answers: list[BatchAnswer]


class CallEnding(Strict):
    """A running call that its switch is to end; `code` is the refusal that its next extend gets."""

    call_id: str
    code: str
    detail: str


class CallsEnding(Strict):
    """The running calls that the switch is to end now, and settle. With `cursor` sent back, the
    next request waits until they are others than these."""

    calls: list[CallEnding]
    cursor: str


class Health(Strict):
    """The process works."""

    status: Literal["ok", "ready"]


assert {OPEN, SETTLED, RELEASED, EXPIRED, REFUSED} == set(State.__args__)  # type: ignore[attr-defined]
