"""PSTN minute pools: included minutes by country and plan in a month (R82)."""

from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from talktime.console.databases import current
from talktime.console.doors import Desk, Shown, page
from talktime.console.roles import SEE
from talktime.console.theme.charts import Bar, row_chart
from talktime.console.usage.shown import minutes_shown, user_url
from talktime.console.users.words import area_name, licence_name
from talktime.core.meters import CONFERENCE, DOMESTIC, INTERNATIONAL, month_of
from talktime.core.post_usage import month_before
from talktime.operations.minute_pools import MinutePool, minute_pools, pools_of_month
from talktime.store.usage_rows import Person, people_of

MONTHS = 13
COUNTERS = {
    DOMESTIC: gettext_lazy("domestic"),
    INTERNATIONAL: gettext_lazy("international"),
    CONFERENCE: gettext_lazy("meetings"),
}


@page(may=SEE)
def pools_page(desk: Desk) -> HttpResponse:
    """The pools of this month, or as they were used in an earlier one."""
    now = month_of(desk.now_ms)
    months = [now]
    while len(months) < MONTHS:
        months.append(month_before(months[-1]))
    month = desk.request.GET.get("month", now)
    if month not in months:
        month = now
    catalogue = desk.catalogue
    with desk.cell.reading():
        if month == now:
            pools = minute_pools(desk.cell, desk.owner, catalogue, desk.now_ms)
        else:
            pools = pools_of_month(desk.cell, desk.owner.id, month)
        own = {int(pool.key.split("/")[5]) for pool in pools if pool.key.count("/") == 5}
        people = people_of(desk.cell, desk.owner.id, own) if own else {}
    shown: Shown = {
        "months": [(each, desk.wording.month(each), each == month) for each in months],
        "current": month == now,
        "pools": [_shown(desk, pool, people) for pool in pools],
        "chart": row_chart(
            [_bar(desk, pool) for pool in pools],
            title=_("Minutes of each pool"),
            legend=(_("Domestic used"), _("International used")),
            whole=100,
        ),
    }
    return desk.page("usage/pools.html", shown)


def _shown(desk: Desk, pool: MinutePool, people: dict[int, Person]) -> Shown:
    _month, _minutes, plan, area, counter, *user = pool.key.split("/")
    licence = desk.catalogue.licences.get(plan)
    name = licence_name(desk.catalogue, plan)
    person = people.get(int(user[0])) if user else None
    wording = desk.wording
    available_s = max(pool.total_s - pool.used_s, 0)
    return {
        "country": area_name(desk.wording.locale, area),
        "description": f"{name} ({COUNTERS.get(counter, counter)})",
        "user": (person.display_name or person.name, user_url(desk, person.id)) if person else None,
        "members": wording.decimal(pool.members),
        "total": minutes_shown(wording, pool.total_s),
        "used": _split(desk, pool.used_s),
        "held": minutes_shown(wording, pool.held_s) if pool.held_s else "",
        "available": _split(desk, available_s),
        "capability": licence.capability if licence and licence.capability else plan,
        "look": _look(pool),
    }


def _look(pool: MinutePool) -> tuple[str, Any] | None:
    if pool.ended_by:
        return "bad", ended_with(pool)
    if not pool.total_s:
        return None
    percent = pool.used_s * 100 // pool.total_s
    if percent >= 100:
        return "bad", _("Used up")
    return ("warn", _("Nearly used up")) if percent >= current().pool_warning_percent else None


def ended_with(pool: MinutePool) -> str:
    """What is said of minutes that the plan's other counter has ended (R42)."""
    if pool.key.split("/")[4] == DOMESTIC:
        return _("Ended with the international minutes")
    return _("Ended with the domestic minutes")


def _split(desk: Desk, seconds: int) -> str:
    """Minutes, and the seconds beyond where there are some: so that used and available make up the
    total."""
    whole, rest = divmod(seconds, 60)
    text = desk.wording.decimal(whole)
    return f"{text}:{rest:02}" if rest else text


def _bar(desk: Desk, pool: MinutePool) -> Bar:
    _month, _minutes, plan, area, counter, *_user = pool.key.split("/")
    percent = min(pool.used_s * 100 // pool.total_s, 100) if pool.total_s else 0
    used = (0, percent) if counter == INTERNATIONAL else (percent, 0)
    words = {"used": _split(desk, pool.used_s), "total": minutes_shown(desk.wording, pool.total_s)}
    where = f"{area_name(desk.wording.locale, area)} ({COUNTERS.get(counter, counter)})"
    name = f"{licence_name(desk.catalogue, plan)}, {where}"
    return Bar(name, used, _("%(used)s of %(total)s min") % words)
