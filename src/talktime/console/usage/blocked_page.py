"""Blocked users: who was blocked and let call again, when and by whom (reference 5.6, R84)."""

from django.http import HttpResponse

from talktime.console.doors import Desk, Shown, page
from talktime.console.roles import SEE
from talktime.console.usage.report_page import place_in
from talktime.console.usage.shown import in_utc, user_url
from talktime.core.masking import number_text
from talktime.operations.blocked_users import BlockedUser, blocked_users
from talktime.store.audit import LAST

PAGE_ROWS = 50


@page(may=SEE)
def blocked_page(desk: Desk) -> HttpResponse:
    """The log, the newest first, a page at a time."""
    before = place_in(desk.request.GET.get("before", "")) or LAST
    found = blocked_users(
        desk.control, desk.cell, desk.owner.id, before=before, limit=PAGE_ROWS + 1
    )
    rows = found[:PAGE_ROWS]
    more = len(found) > PAGE_ROWS
    shown: Shown = {
        "rows": [_shown(desk, row) for row in rows],
        "older": f"?before={rows[-1].at_ms}.{rows[-1].id}" if more else "",
        "newest": "?" if before != LAST else "",
    }
    return desk.page("usage/blocked.html", shown)


def _shown(desk: Desk, row: BlockedUser) -> Shown:
    return {
        "name": (row.user.display_name if row.user else "") or row.name,
        "url": user_url(desk, row.user.id) if row.user else "",
        "username": row.name,
        "number": number_text(row.digits),
        "actor": row.actor,
        "reason": row.reason,
        "blocked": row.blocked,
        "at": in_utc(desk.wording).moment(row.at_ms),
    }
