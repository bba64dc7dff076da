"""The chart of the usage report."""

from collections.abc import Iterable

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from talktime.console.doors import Desk
from talktime.console.theme.charts import Bar, bar_chart, row_chart
from talktime.console.usage.forms import day_ms
from talktime.console.usage.names import capability_name
from talktime.console.usage.shown import in_utc, measure_text, measured
from talktime.operations.usage_documents import country_name
from talktime.operations.usage_report import Added, Asked
from talktime.store.usage_days import NO_USER
from talktime.store.usage_rows import people_of

DAYS_DRAWN_MAX, WEEK_DAYS = 62, 7
ROWS_DRAWN_MAX = 10
Parts = tuple[int, int]
"""The sizes of outbound and inbound."""
NOTHING: Parts = (0, 0)


def chart_of(desk: Desk, asked: Asked, added: Added, chart: str, measure: str) -> SafeString:
    """Bars of days (of weeks, where there are many), or of the largest users, countries or
    capabilities; in each, outbound and inbound calls."""
    legend = (_("Outbound"), _("Inbound"))
    if chart == "day":
        bars = _day_bars(desk, asked, added, measure)
        title = _("By day, UTC") if len(asked.days) <= DAYS_DRAWN_MAX else _("By week, UTC")
        return bar_chart(bars, title=title, legend=legend)
    parts = _measured_parts(added, chart, measure)
    largest = sorted(parts.items(), key=lambda each: (-sum(each[1]), str(each[0])))
    names = _names(desk, chart, [key for key, _parts in largest[:ROWS_DRAWN_MAX]])
    bars = [_bar(desk, names[key], each, measure) for key, each in largest[:ROWS_DRAWN_MAX]]
    rest = largest[ROWS_DRAWN_MAX:]
    if rest:
        together = _together(each for _key, each in rest)
        label = ngettext("%(count)s more", "%(count)s more", len(rest)) % {"count": len(rest)}
        bars.append(_bar(desk, label, together, measure))
    titles = {"user": _("By user"), "country": _("By country"), "capability": _("By capability")}
    return row_chart(bars, title=titles[chart], legend=legend)


def _day_bars(desk: Desk, asked: Asked, added: Added, measure: str) -> list[Bar]:
    step = 1 if len(asked.days) <= DAYS_DRAWN_MAX else WEEK_DAYS
    parts = _measured_parts(added, "day", measure)
    wording, days = in_utc(desk.wording), asked.days
    bars = []
    for place in range(0, len(days), step):
        together = _together(parts.get(day, NOTHING) for day in days[place : place + step])
        bars.append(_bar(desk, wording.day(day_ms(days[place])), together, measure))
    return bars


def _names(desk: Desk, chart: str, keys: list[str | int]) -> dict[str | int, str]:
    if chart == "capability":
        return {key: str(capability_name(str(key))) for key in keys}
    if chart == "country":
        language = desk.wording.locale.language
        return {key: country_name(str(key), language) or _("No country") for key in keys}
    people = people_of(desk.cell, desk.owner.id, [int(key) for key in keys])
    names: dict[str | int, str] = {
        each.id: each.display_name or each.name for each in people.values()
    }
    gone = _("A user who is gone")
    return {key: _("No user") if key == NO_USER else names.get(key, gone) for key in keys}


def _bar(desk: Desk, label: str, parts: Parts, measure: str) -> Bar:
    return Bar(label, parts, *measure_text(desk, sum(parts), measure))


def _measured_parts(added: Added, chart: str, measure: str) -> dict[str | int, Parts]:
    return {
        key: (measured(out, measure), measured(in_, measure))
        for key, (out, in_) in added.by_direction(chart).items()
    }


def _together(all_parts: Iterable[Parts]) -> Parts:
    out, in_ = 0, 0
    for parts in all_parts:
        out, in_ = out + parts[0], in_ + parts[1]
    return out, in_
