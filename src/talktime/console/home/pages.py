"""Home: the balance and how long it lasts, what needs somebody, minutes, spending, calls as they
come."""

from django.http import HttpResponse
from django.utils.translation import gettext as _

from talktime.console.billing.calls_shown import call_shown, hidden_digits
from talktime.console.billing.credits_page import after_use_shown
from talktime.console.billing.payments_shown import recharge_shown
from talktime.console.billing.shown import wallet_shown
from talktime.console.doors import Desk, Shown, page
from talktime.console.home.alerts import alerts_of
from talktime.console.home.pools import pools_shown
from talktime.console.roles import SEE
from talktime.console.theme.charts import Bar, bar_chart
from talktime.core.burn import MONTH_DAYS, Pace, pace_of
from talktime.operations.endpoints import list_endpoints
from talktime.operations.minute_pools import minute_pools
from talktime.operations.post_statements import list_statements
from talktime.operations.purchases import list_payments
from talktime.operations.recipients import list_recipients
from talktime.operations.spending import DaySpent, spending_by_day
from talktime.operations.wallet_view import WalletView, view_wallet
from talktime.store.wallet_lines import latest_usage, running_calls

LATEST_SHOWN_MAX, RUNNING_SHOWN_MAX = 6, 8
PAYMENTS_LOOKED_AT_MAX, STATEMENTS_LOOKED_AT_MAX = 20, 24
YEAR_DAYS = 365
CHART_HEIGHT = 160


@page(may=SEE)
def home(desk: Desk) -> HttpResponse:
    """How everything stands."""
    view = view_wallet(desk.counter, desk.why_not)
    days = spending_by_day(desk.cell, desk.owner, MONTH_DAYS, desk.now_ms)
    pace = pace_of([day.spent_micros for day in days])
    payments = list_payments(desk.counter, limit=PAYMENTS_LOOKED_AT_MAX)
    with desk.cell.reading():
        pools = minute_pools(desk.cell, desk.owner, desk.catalogue, desk.now_ms)
        statements = list_statements(desk.cell, desk.owner, limit=STATEMENTS_LOOKED_AT_MAX)
        people = list_recipients(desk.cell, desk.owner.id)
        endpoints = list_endpoints(desk.cell, desk.owner.id)
    after_use = after_use_shown(desk)
    shown: Shown = {
        **_now_shown(desk, view),
        "burn": _burn_shown(desk, view, pace),
        "recharge": recharge_shown(desk, view.recharge),
        "after_use": after_use,
        "pools": pools_shown(desk, pools),
        "alerts": alerts_of(
            desk, view, pace, payments, statements, after_use, bool(people), endpoints
        ),
        "chart": _chart(desk, days) if pace else "",
    }
    return desk.page("home/home.html", shown)


@page(may=SEE)
def now(desk: Desk) -> HttpResponse:
    """The figures and the calls as they stand now: a part of the page above."""
    view = view_wallet(desk.counter, desk.why_not)
    return desk.page("home/now.html", {**_now_shown(desk, view), "again": True})


def _now_shown(desk: Desk, view: WalletView) -> Shown:
    with desk.cell.reading():
        calls = running_calls(desk.cell, desk.owner.id, RUNNING_SHOWN_MAX)
        calls += latest_usage(desk.cell, desk.owner.id, LATEST_SHOWN_MAX)
    hidden = hidden_digits(desk)
    return {
        **wallet_shown(desk, view),
        "calls": [call_shown(desk, call, hidden) for call in calls],
        "running": sum(call.kind == "running" for call in calls),
    }


def _burn_shown(desk: Desk, view: WalletView, pace: Pace | None) -> Shown | None:
    """How long the credits last, and how that is worked out; None where nothing is used, or there
    are none to use any more."""
    done_with = desk.owner.commerce_model == "post_usage" and view.available_micros <= 0
    if pace is None or done_with:
        return None
    left = pace.days_left(view.available_micros)
    return {
        "days": left,
        "long": left > YEAR_DAYS,
        "none": view.available_micros <= 0,
        "span": pace.days,
        "spent": desk.money(pace.spent_micros),
        "a_day": desk.money(pace.day_micros),
    }


def _chart(desk: Desk, days: list[DaySpent]) -> str:
    bars = []
    for day in days:
        name, amount = desk.wording.short_day(day.first_ms), desk.money(day.spent_micros)
        bars.append(Bar(name, (max(day.spent_micros, 0),), amount.text, amount.exact))
    title = _("Credits used by day, the last 28 days")
    return bar_chart(bars, title=title, height=CHART_HEIGHT)
