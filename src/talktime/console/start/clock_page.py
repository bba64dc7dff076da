"""The page of the test clock, and the line on every page that tells of it. 404 in production."""

from contextlib import closing

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from talktime.clock import (
    ClockError,
    ahead_in_words,
    ahead_ms,
    is_movable,
    movable_clock,
    now_ms,
    utc,
)
from talktime.console.control_plane.models import Membership
from talktime.console.databases import current
from talktime.console.doors import CHANGE, account_of, personal_page
from talktime.console.roles import MONEY_ROLES, OPERATE, STAFF_PERMISSIONS
from talktime.operations.clock_moves import note_move
from talktime.store.database import connect

STEPS = (("1d", "+1 day"), ("7d", "+7 days"), ("30d", "+30 days"))


def test_clock(request: HttpRequest) -> dict[str, object]:
    """What every page is given: how far the test clock is ahead, where there is one."""
    return {"test_clock": ahead_in_words(ahead_ms())} if is_movable() else {}


@personal_page(methods=CHANGE)
def clock(request: HttpRequest) -> HttpResponse:
    """What the test clock shows. Who spends an organisation's money, or operates, moves it forward,
    for everybody."""
    account = account_of(request)
    mine = Membership.objects.filter(account_id=account.id)
    if not is_movable() or not (account.staff_role or mine.exists()):
        raise Http404
    may_move = OPERATE in STAFF_PERMISSIONS[account.staff_role]
    may_move = may_move or mine.filter(role__in=MONEY_ROLES).exists()
    wrong = ""
    if request.method == "POST" and not may_move:
        raise PermissionDenied
    if request.method == "POST":
        before_ms = now_ms()
        try:
            movable_clock().move(request.POST.get("to", "")[:64])
        except ClockError as error:
            wrong = str(error)
        else:
            with closing(connect(current().control_plane)) as control:
                note_move(control, before_ms, now_ms())
            return redirect("clock")
    shown = {"now": utc(now_ms()), "steps": STEPS, "wrong": wrong, "may_move": may_move}
    return render(request, "start/clock.html", shown, status=422 if wrong else 200)
