"""The page of the test clock, and the line on every page that tells of it. 404 in production."""

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

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

STEPS = (("1d", "+1 day"), ("7d", "+7 days"), ("30d", "+30 days"))


def test_clock(request: HttpRequest) -> dict[str, object]:
    """What every page is given: how far the test clock is ahead, where there is one."""
    return {"test_clock": ahead_in_words(ahead_ms())} if is_movable() else {}


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def clock(request: HttpRequest) -> HttpResponse:
    """What the test clock shows; an admin moves it forward, for everybody."""
    email = request.user.get_username()
    operates = getattr(request.user, "staff_role", "") == "operator"
    looks_after = operates or Membership.objects.filter(account__email=email).exists()
    if not is_movable() or not looks_after:
        raise Http404
    wrong = ""
    if request.method == "POST":
        try:
            movable_clock().move(request.POST.get("to", "")[:64])
        except ClockError as error:
            wrong = str(error)
        else:
            return redirect("clock")
    shown = {"now": utc(now_ms()), "steps": STEPS, "wrong": wrong}
    return render(request, "start/clock.html", shown, status=422 if wrong else 200)
