"""Running calls that are to end before their grant does: which should, and which were marked."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from talktime.core.limits import CALLS_ENDING_MAX
from talktime.store.database import Both, Connection, Row
from talktime.store.load import LOCK_WALLETS

# `+`: by the index of those to end, not through all calls there are in the order of their ids.
CALLS_TO_END = f"""
    SELECT switch_id, call_key, organisation_id, ending FROM call
    WHERE state = 'open' AND ending IS NOT NULL
    ORDER BY +id LIMIT {CALLS_ENDING_MAX}"""

# A page of calls first, and what could end them beside it, or all would be read for each page. Of a
# call's payers (core/payers.py), by place: the meters of its user's spending and of what is paid
# after use. The limits of both are taken from it here (`_running`): that is quicker.
_WATCHED = """
    SELECT c.sweep_ms, c.id, c.organisation_id, c.switch_id, c.call_key, c.rate,
        c.held_micros - c.post_micros, c.post_micros, w.balance_micros, p.active,
        p.spend_limit_micros, s.used + s.held, u.used + u.held, c.payers
    FROM (SELECT sweep_ms, id, organisation_id, switch_id, call_key, rate, held_micros, post_micros,
            user_id, payers
        FROM call WHERE state = 'open' AND ending IS NULL {which}) c
    JOIN wallet w ON w.organisation_id = c.organisation_id
    LEFT JOIN person p ON p.organisation_id = c.organisation_id AND p.id = c.user_id
    LEFT JOIN meter s ON s.organisation_id = c.organisation_id AND s.key = {payers} ->> 2
    LEFT JOIN meter u ON u.organisation_id = c.organisation_id AND u.key = {payers} ->> 3
    ORDER BY c.sweep_ms, c.id"""
_PAGE = "AND (sweep_ms, id) > (?, ?) ORDER BY sweep_ms, id LIMIT ?"
_THESE = "AND id = ANY(?)"


def _both(which: str) -> Both:
    return Both(
        _WATCHED.format(payers="NULLIF(c.payers, '')::json", which=which),
        _WATCHED.format(payers="NULLIF(c.payers, '')", which=which),
    )


RUNNING, STILL_RUNNING = _both(_PAGE), _both(_THESE)


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
    return [_running(row) for row in connection.rows(RUNNING, [*after, rows_max])]


def lock_running_calls(connection: Connection, calls: Sequence[Running]) -> list[Running]:
    """Lock the wallets of these calls, and read again those that still run and are not marked."""
    connection.rows(LOCK_WALLETS, [sorted({call.organisation_id for call in calls})])
    rows = connection.rows(STILL_RUNNING, [[call.id for call in calls]])
    return [_running(row) for row in rows]


def _running(row: Row) -> Running:
    if not row[-1]:  # of a call from before there were payers
        return Running._make((*row[:-1], False, False, None, None))
    spending, post_usage, limit_micros, cap_micros = msgspec.json.decode(row[-1])[2:6]
    limits = (bool(spending), bool(post_usage), limit_micros, cap_micros)
    return Running._make((*row[:-1], *limits))
