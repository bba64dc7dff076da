"""`callRecords/getPstnBlockedUsersLog`: users who were blocked and unblocked (R84)."""

from uuid import UUID

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel

from talktime.console.api.door import Asked, Resource
from talktime.console.api.graph import (
    GRAPH_PAGE,
    Answer,
    FromTime,
    GraphPage,
    SkipToken,
    ToTime,
    graph_page,
    place_in,
    why_not_between,
)
from talktime.console.api.shapes import Shown
from talktime.core.masking import number_text
from talktime.core.refusal import Refusal
from talktime.operations.blocked_users import BlockedUser, blocked_users
from talktime.operations.usage_documents import moment_text

blocked = Resource("Blocked users", "Who was blocked and unblocked, and when.")


class BlockedUserRow(Shown):
    """A time at which a user was blocked or unblocked, with the properties of a
    `pstnBlockedUsersLogRow`. `blockReason` is the reason that was given, else who asked for it;
    `userTelephoneNumber` is the user's now."""

    model_config = ConfigDict(alias_generator=to_camel)

    block_date_time: str
    block_reason: str
    remediation_id: str
    user_block_mode: str = Field(json_schema_extra={"enum": ["blocked", "unblocked"]})
    user_display_name: str
    user_id: str
    user_principal_name: str
    user_telephone_number: str


class BlockedUsersLog(GraphPage):
    """A page of the log."""

    value: list[BlockedUserRow]


@blocked.reads(
    "/callRecords/getPstnBlockedUsersLog(fromDateTime={from_time},toDateTime={to_time})",
    BlockedUsersLog,
    refusals=("range_too_long",),
    sparse=True,
)
def get_blocked_users(
    asked: Asked,
    from_time: FromTime,
    to_time: ToTime,
    skiptoken: SkipToken = "",
) -> Answer | Refusal:
    """Users who were blocked or unblocked between two moments, both included, as Graph's
    `getPstnBlockedUsersLog` gives them, the newest first.

    At most 90 days; pages of 1,000.
    """
    refusal = why_not_between(from_time, to_time)
    if refusal is not None:
        return refusal
    before = place_in(skiptoken) or (to_time + 1, 0)
    found = blocked_users(
        *(asked.control, asked.cell, asked.owner.id),
        from_ms=from_time,
        before=before,
        limit=GRAPH_PAGE + 1,
    )
    rows = [_row(each) for each in found[:GRAPH_PAGE]]
    last = found[GRAPH_PAGE - 1] if len(found) > GRAPH_PAGE else None
    return graph_page(asked, rows, last and (last.at_ms, last.id))


def _row(row: BlockedUser) -> Answer:
    user = row.user
    return {
        "blockDateTime": moment_text(row.at_ms),
        "blockReason": row.reason or f"Requested by {row.actor}",
        "remediationId": str(row.id),
        "userBlockMode": "blocked" if row.blocked else "unblocked",
        "userDisplayName": user.display_name if user else "",
        "userId": str(UUID(int=user.id)) if user else "",
        "userPrincipalName": row.name,
        "userTelephoneNumber": number_text(row.digits),
    }
