"""What can be asked of the books. A command is complete: deciding it needs the books and nothing
else.

Times are milliseconds since the epoch in UTC (`_ms`), lengths of calls whole seconds (`_s`), money
micros. `body_hash` stands for the request as it was sent: the same key with another hash is
another request.

Switches number their requests on a call and report its seconds since the answer (charging-api).
Where a dialect of theirs does not: `NEXT` as the sequence is the number after the call's last one;
with `since_last`, seconds count from the last report, whichever that was, so such requests are
taken in any order, each once. With `while_open`, an answer is given again only while the call runs:
whoever is told "granted" again after its end would talk on what nothing is held for.
"""

from dataclasses import dataclass

from talktime.core.payers import CREDITS_ALONE, Payers
from talktime.core.rating import Rate
from talktime.core.refusal import Refusal

NEXT = -1


@dataclass(slots=True)
class Authorize:
    """May this call be set up, and for how long may it talk?

    Who calls and what it costs is found before (operations/resolve.py): `rate` is the one in force
    at `at_ms`, `refusal` the first "no" that needs no wallet, `passed` a line for each gate passed
    so far, `payers` who may pay; the totals are how much there is of the pool and its guard. With
    `keep_s`, what is held is kept for that long at least, for a switch that asks again late. With
    `whole`, all of `requested_s` is granted at once, or nothing: for what is charged beforehand.
    `perhaps_of` is another organisation whose call it may be already: it is looked for there first.
    `conference_id` is the switch's own id of a conference, '' for none.
    """

    switch_id: int
    call_key: str
    sequence: int
    body_hash: int
    organisation_id: int
    user_id: int | None
    type: str
    from_digits: str
    to_digits: str
    at_ms: int
    rate: Rate
    requested_s: int
    refusal: Refusal | None = None
    passed: tuple[str, ...] = ()
    payers: Payers = CREDITS_ALONE
    pool_total_s: int = 0
    guard_total_s: int = 0
    keep_s: int = 0
    whole: bool = False
    perhaps_of: int | None = None
    while_open: bool = False
    conference_id: str = ""


@dataclass(slots=True)
class Answer:
    """The call was answered at `answered_ms`: its deadline is counted from here."""

    switch_id: int
    call_key: str
    sequence: int
    body_hash: int
    answered_ms: int | None
    organisation_id: int | None = None


@dataclass(slots=True)
class Extend:
    """`used_s` seconds were talked so far; may the call go on? `keep_s` as in Authorize. With
    `capped` (see Settle), more than can be meant counts as the most that is accepted, and gets no
    more. With `only_reports` nothing more is asked for: what was granted stays held.
    """

    switch_id: int
    call_key: str
    sequence: int
    body_hash: int
    used_s: int
    requested_s: int
    organisation_id: int | None = None
    since_last: bool = False
    keep_s: int = 0
    capped: bool = False
    while_open: bool = False
    only_reports: bool = False


@dataclass(slots=True)
class Settle:
    """The call is over after `used_s` seconds in all; 0 for a call that was never answered.
    `capped` is of switches that cannot correct a report: more than can be meant is charged as the
    most that is accepted (core/reported.py), not refused.
    """

    switch_id: int
    call_key: str
    sequence: int
    body_hash: int
    used_s: int
    cause: str
    organisation_id: int | None = None
    since_last: bool = False
    capped: bool = False


@dataclass(slots=True)
class Refund:
    """Give back `seconds` of what was charged at once (core/debits.py); all of it where that is
    0."""

    switch_id: int
    call_key: str
    sequence: int
    body_hash: int
    seconds: int
    organisation_id: int | None = None


@dataclass(slots=True)
class ExpireHold:
    """The deadline of this call may have passed: settle it at the last seconds reported (D8)."""

    switch_id: int
    call_key: str
    organisation_id: int | None


@dataclass(slots=True)
class EndCall:
    """This running call is to end before its grant does: its next extend is refused by `code`, and
    its switch is told."""

    switch_id: int
    call_key: str
    organisation_id: int | None
    code: str


@dataclass(slots=True)
class SetLimits:
    """The limits of this running call are these from now on, in micros; None for none."""

    switch_id: int
    call_key: str
    organisation_id: int | None
    spend_limit_micros: int | None
    post_usage_cap_micros: int | None


@dataclass(slots=True)
class Fund:
    """Put a new lot into the wallet: a purchase, a grant, or an operator's adjustment."""

    organisation_id: int
    idempotency_key: str
    body_hash: int
    source: str
    amount_micros: int
    expires_ms: int
    reason: str
    actor: str
    priority: int = 0
    promotional: bool = False


@dataclass(slots=True)
class ExpireLots:
    """Book the forfeiture of what is left, and not held, of every lot that has expired."""

    organisation_id: int


CallCommand = Authorize | Answer | Extend | Settle | Refund
Command = CallCommand | ExpireHold | EndCall | SetLimits | Fund | ExpireLots
WALLET_COMMANDS = Fund | ExpireLots
"""What concerns a wallet alone, and no call."""
NOT_OF_A_SWITCH = ExpireHold | EndCall | SetLimits | Fund | ExpireLots
"""What the service asks of itself: without sequence and answer."""
