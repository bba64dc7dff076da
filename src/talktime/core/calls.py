"""Calls as the books know them, and the record of one that has ended."""

from dataclasses import dataclass, field
from typing import NamedTuple

from talktime.core.ledger import Parts
from talktime.core.payers import CREDITS_ALONE, Payers
from talktime.core.rating import Rate

OUTBOUND_TYPES = (
    "user_out",
    "user_out_conf",
    "user_out_transfer",
    "user_out_forwarding",
    "conf_out",
    "ucap_out",
)
UNASSIGNED_IN = "unassigned_in"
ASKED_TYPES = (*OUTBOUND_TYPES, "user_in", "conf_in", "ucap_in")
"""The types of call that a switch can ask for."""
INBOUND_TYPES = ("user_in", "conf_in", "ucap_in", UNASSIGNED_IN)
CONFERENCE_TYPES = ("conf_in", "conf_out", "user_out_conf")
"""Those whose switch may say of which conference the call is."""
CALL_TYPES = OUTBOUND_TYPES + INBOUND_TYPES
"""The call type codes of the usage report (reference, 5.2)."""

OPEN, SETTLED, RELEASED, EXPIRED, REFUSED = "open", "settled", "released", "expired", "refused"
"""The life of a hold: open (pending) -> settled, released (nothing was owed) or expired; or
refused, never held."""


@dataclass(slots=True)
class Call:
    """One call of a switch. While open, `parts` is what it holds by lot, `pool_s` what it holds of
    its pool, `post_micros` what will be paid after use; afterwards, what it was charged of each.

    `granted_s` counts from the answer and includes all slices. `ending` is the code of the refusal
    by which the call is to end (core/ending.py), `conference_id` the switch's own id of the
    conference that the call is of, '' for none. `new`, `changed`, `ending_changed`,
    `limits_changed` (those of the payers) and `restarted`
    (authorized again after a refusal) tell the save what to do.
    """

    id: int
    organisation_id: int
    switch_id: int
    call_key: str
    type: str
    user_id: int | None
    from_digits: str
    to_digits: str
    rate: Rate
    started_ms: int
    deadline_ms: int
    state: str = OPEN
    last_sequence: int = 0
    settle_sequence: int | None = None
    answered_ms: int | None = None
    granted_s: int = 0
    reported_s: int = 0
    held_micros: int = 0
    charged_micros: int = 0
    parts: Parts = field(default_factory=list)
    closed_ms: int | None = None
    usage_id: int | None = None
    payers: Payers = CREDITS_ALONE
    pool_s: int = 0
    post_micros: int = 0
    ending: str | None = None
    conference_id: str = ""
    new: bool = False
    restarted: bool = False
    changed: bool = False
    ending_changed: bool = False
    limits_changed: bool = False

    def written(self) -> None:
        """All of it stands in the database now, as if it had just been read from there."""
        self.new = self.restarted = self.changed = False
        self.ending_changed = self.limits_changed = False

    @property
    def is_over(self) -> bool:
        """Whether it runs no more, and cannot be authorized again."""
        return self.state not in (OPEN, REFUSED)

    @property
    def rate_text(self) -> str:
        """The rate as its row keeps it."""
        return self.rate.text()

    @property
    def payers_text(self) -> str:
        """The payers as their row keeps them."""
        return self.payers.text()

    @property
    def parts_text(self) -> str:
        """The parts as their row keeps them: a JSON array of [lot id, micros]."""
        return "[" + ",".join([f"[{lot_id},{micros}]" for lot_id, micros in self.parts]) + "]"


class UsageRecord(NamedTuple):
    """One finished, rated call, or (`kind` correction) the difference a late report made to one.
    Never changed."""

    id: int
    organisation_id: int
    call_id: int
    switch_id: int
    call_key: str
    kind: str
    type: str
    user_id: int | None
    from_digits: str
    to_digits: str
    destination: str
    prefix: str
    rate: str
    currency: str
    started_ms: int
    ended_ms: int
    used_s: int
    billed_s: int
    fee_micros: int
    charge_micros: int
    cause: str
    capability: str
    month: str
    pool: str
    pool_s: int
    post_micros: int
    conference_id: str
    flags: tuple[str, ...]
    because: tuple[str, ...]
