"""What deciding a command comes to. operations/render.py turns an outcome into the answer that is
sent and kept."""

from dataclasses import dataclass
from typing import NamedTuple

from talktime.core.ledger import Lot
from talktime.core.rating import Rate
from talktime.core.refusal import Refusal


class Paid(NamedTuple):
    """One part of what a call costs: who pays, for how many seconds, how much; `pool` is the meter
    of the minutes that pay."""

    source: str
    seconds: int
    amount_micros: int
    pool: str = ""


@dataclass(slots=True)
class Granted:
    """Talk `granted_s` more seconds, then ask again; or end, where `final`. `to_digits` is the
    number that is charged, empty where none was called."""

    call_key: str
    sequence: int
    to_digits: str
    granted_s: int
    final: bool
    valid_until_ms: int
    rate: Rate
    currency: str
    paid_by: tuple[Paid, ...]
    available_micros: int
    because: tuple[str, ...]


@dataclass(slots=True)
class Noted:
    """What was reported of a call was noted: its answer, or seconds without asking for more."""

    call_key: str
    sequence: int
    valid_until_ms: int


@dataclass(slots=True)
class Settled:
    """The call is closed: what it cost in all. `usage_id` is None where there was nothing to
    record."""

    call_key: str
    sequence: int
    billed_s: int
    charge_micros: int
    paid_by: tuple[Paid, ...]
    currency: str
    available_micros: int
    usage_id: int | None
    because: tuple[str, ...]


@dataclass(slots=True)
class NothingToSettle:
    """A settle for a call that these books have never seen: answered, and charged nothing."""

    call_key: str
    sequence: int


@dataclass(slots=True)
class Refused:
    """No. `call_key` is None where the refusal is of no call; `because` has the gates that were
    passed before."""

    refusal: Refusal
    call_key: str | None = None
    sequence: int | None = None
    because: tuple[str, ...] = ()


@dataclass(slots=True)
class Funded:
    """The lot is in the wallet. `replayed` when the key had put it there before."""

    lot: Lot
    available_micros: int
    replayed: bool


@dataclass(slots=True)
class HoldExpired:
    """The call was closed by its deadline; `closed` is False where it was not due, or closed
    already."""

    call_key: str
    closed: bool


@dataclass(slots=True)
class CallEnding:
    """The call is to end; `marked` is False where it was closed, was to end already, or need not
    any more."""

    call_key: str
    marked: bool


@dataclass(slots=True)
class LimitsSet:
    """A running call has other limits; `changed` is False where it was closed, or had them."""

    call_key: str
    changed: bool


@dataclass(slots=True)
class LotsExpired:
    """What was forfeited, by lot."""

    forfeited: tuple[tuple[int, int], ...]


@dataclass(slots=True)
class StoredAnswer:
    """The answer to one (call, sequence): rendered once, kept, and given again byte for byte.

    `outcome` is there until the answer has been rendered; `status` and `body` from then on.
    """

    call_id: int
    organisation_id: int
    sequence: int
    body_hash: int
    outcome: "Granted | Noted | Settled | Refused | None"
    status: int = 0
    body: str = ""


@dataclass(slots=True)
class Replayed:
    """The request was answered before: the same answer again."""

    answer: StoredAnswer


Outcome = (
    Granted
    | Noted
    | Settled
    | NothingToSettle
    | Refused
    | Funded
    | HoldExpired
    | CallEnding
    | LimitsSet
    | LotsExpired
    | Replayed
)
