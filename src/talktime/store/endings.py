"""Running calls that are to end before their grant does: which should, and which were marked."""

from collections.abc import Sequence
from typing import NamedTuple

from talktime.core.limits import CALLS_ENDING_MAX
from talktime.store.database import Both, Connection
from talktime.store.load import LOCK_WALLETS

# `+`: by the index of those to end, not through all calls there are in the order of their ids.
CALLS_TO_END = f"""
    SELECT switch_id, call_key, organisation_id, ending FROM call
    WHERE state = 'open' AND ending IS NOT NULL
    ORDER BY +id LIMIT {CALLS_ENDING_MAX}"""

# Of a call's payers (core/payers.py), by place: the meters of its user's spending and of what is
# paid after use, then the limits of both.
_WATCHED = """
    SELECT c.sweep_ms, c.id, c.organisation_id, c.switch_id, c.call_key, c.rate,
        c.held_micros - c.post_micros, c.post_micros, w.balance_micros, p.active,
        p.spend_limit_micros, s.used + s.held, u.used + u.held,
        COALESCE({spending}, '') <> '', COALESCE({post_usage}, '') <> '',
        CAST({spend_limit} AS BIGINT), CAST({post_usage_cap} AS BIGINT)
    FROM call c
    JOIN wallet w ON w.organisation_id = c.organisation_id
    LEFT JOIN person p ON p.organisation_id = c.organisation_id AND p.id = c.user_id
    LEFT JOIN meter s ON s.organisation_id = c.organisation_id AND s.key = {spending}
    LEFT JOIN meter u ON u.organisation_id = c.organisation_id AND u.key = {post_usage}
    WHERE c.state = 'open' AND c.ending IS NULL """
_PAGE = "AND (c.sweep_ms, c.id) > (?, ?) ORDER BY c.sweep_ms, c.id LIMIT ?"
_THESE = "AND c.id = ANY(?)"
_PLACES = {"spending": 2, "post_usage": 3, "spend_limit": 4, "post_usage_cap": 5}
_POSTGRES = _WATCHED.format(
    **{name: f"NULLIF(c.payers, '')::json ->> {place}" for name, place in _PLACES.items()}
)
_SQLITE = _WATCHED.format(
    **{name: f"NULLIF(c.payers, '') ->> {place}" for name, place in _PLACES.items()}
)
RUNNING = Both(_POSTGRES + _PAGE, _SQLITE + _PAGE)
STILL_RUNNING = Both(_POSTGRES + _THESE, _SQLITE + _THESE)


class Ending(NamedTuple):
    """A running call that is to end, and the code of the refusal that its next extend gets."""

    switch_id: int
    call_key: str
    organisation_id: int
    code: str


class Running(NamedTuple):
    """A running call, and what could end it. `credit_micros` and `post_micros` are what it holds;
    `spent_micros` and `billed_micros` what the user's and the organisation's meters of its month
    have, None where it moves none. `limits_spending` and `limits_post_usage` say which of the two
    it is to keep within a limit, `kept_limit_micros` and `kept_cap_micros` within which."""

    sweep_ms: int
    id: int
    organisation_id: int
    switch_id: int
    call_key: str
    rate: str
    credit_micros: int
    post_micros: int
    balance_micros: int
    user_active: bool | None
    spend_limit_micros: int | None
    spent_micros: int | None
    billed_micros: int | None
    limits_spending: bool
    limits_post_usage: bool
    kept_limit_micros: int | None
    kept_cap_micros: int | None


def calls_to_end(connection: Connection) -> list[Ending]:
    """The calls that were marked, as long as they run."""
    return [Ending(*row) for row in connection.rows(CALLS_TO_END)]


def running_calls(connection: Connection, after: Sequence[int], rows_max: int) -> list[Running]:
    """A page of the open calls that are not marked, after (sweep_ms, id)."""
    return [Running(*row) for row in connection.rows(RUNNING, [*after, rows_max])]


def lock_running_calls(connection: Connection, calls: Sequence[Running]) -> list[Running]:
    """Lock the wallets of these calls, and read again those that still run and are not marked."""
    connection.rows(LOCK_WALLETS, [sorted({call.organisation_id for call in calls})])
    return [Running(*row) for row in connection.rows(STILL_RUNNING, [[call.id for call in calls]])]
