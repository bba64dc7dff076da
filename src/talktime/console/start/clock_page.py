"""The page of the test clock, and the line on every page that tells of it. 404 in production."""

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext_lazy

from talktime.clock import (
    UNIT_MS,
    ClockError,
    ahead_ms,
    is_movable,
    movable_clock,
    now_ms,
    utc,
)
from talktime.console.control_plane.models import Membership
from talktime.console.databases import current
from talktime.console.doors import CHANGE, account_of, personal_page
from talktime.console.kept_connections import lent
from talktime.console.roles import MONEY_ROLES, OPERATE, STAFF_PERMISSIONS
from talktime.console.said import said_capital
from talktime.operations.clock_moves import note_move

STEPS = (
    ("1d", gettext_lazy("+1 day")),
    ("7d", gettext_lazy("+7 days")),
    ("30d", gettext_lazy("+30 days")),
)
SPANS = {
    "d": ngettext_lazy("%(number)s day", "%(number)s days", "number"),
    "h": ngettext_lazy("%(number)s hour", "%(number)s hours", "number"),
    "min": ngettext_lazy("%(number)s minute", "%(number)s minutes", "number"),
}


def test_clock(request: HttpRequest) -> dict[str, object]:
    """What every page is given: how far the test clock is ahead, where there is one."""
    return {"test_clock": ahead_shown(ahead_ms())} if is_movable() else {}


def ahead_shown(ahead: int) -> str:
    """How far the clock is ahead, in the reader's language.

    >>> ahead_shown(0), ahead_shown(86_400_000 + 3_600_000 + 1)
    ('in step with real time', '1 day 1 hour ahead')
    """
    if not ahead:
        return _("in step with real time")
    rest, parts = ahead, []
    for unit, words in SPANS.items():
        number, rest = divmod(rest, UNIT_MS[unit])
        if number:
            parts.append(words % {"number": number})
    return _("%(span)s ahead") % {"span": " ".join(parts) or _("less than a minute")}


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
            wrong = said_capital(str(error))
        else:
            with lent(current().control_plane) as control:
                note_move(control, before_ms, now_ms())
            return redirect("clock")
    shown = {"now": utc(now_ms()), "steps": STEPS, "wrong": wrong, "may_move": may_move}
    return render(request, "start/clock.html", shown, status=422 if wrong else 200)
