"""Dial-out from meetings: what the bridge called, by organizer (reference 5.7, R83)."""

import csv
import io
from urllib.parse import urlencode

from django import forms
from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _

from talktime.console.doors import Desk, Shown, page
from talktime.console.roles import SEE
from talktime.console.theme.charts import Bar, row_chart
from talktime.console.usage.forms import MONTH, RangeForm
from talktime.console.usage.names import CONTEXTS
from talktime.console.usage.shown import measure_text, measured, minutes_shown, user_url
from talktime.core.money import decimal_text, half_up_text
from talktime.operations.csv_text import safe_text
from talktime.operations.dial_out import OrganizerSum, dial_out_report
from talktime.operations.usage_documents import country_name

TABS = (
    ("charge", _("Cost")),
    ("minutes", _("Minutes of use")),
    ("calls", _("Dial-out calls")),
)
ROWS_SHOWN_MAX, BARS_DRAWN_MAX = 100, 10
CSV_COLUMNS = (
    *("Meeting organizer", "Username", "Usage location", "Domestic/International"),
    *("User minutes", "User seconds", "Dial-out calls", "Credit spent", "Credit spent exact"),
    *("Currency",),
)


class DialOutForm(RangeForm):
    """The range, and where the organizers are."""

    location = forms.CharField(required=False, max_length=2)


@page(may=SEE)
def dial_out_page(desk: Desk) -> HttpResponse:
    """The organizers' sums; the tab says by what they are drawn and sorted."""
    form, everybody, rows = _report(desk)
    tabs = [name for name, _label in TABS]
    tab = desk.request.GET.get("tab", tabs[0])
    tab = tab if tab in tabs else tabs[0]
    rows.sort(key=lambda row: -measured(row.sums, tab))
    language = desk.wording.locale.language
    locations = sorted(
        {(each.location, country_name(each.location, language)) for each in everybody}
    )
    shown: Shown = {
        "form": form,
        "location": form.data.get("location", ""),
        "locations": locations,
        "tabs": [(label, _query(desk, name), name == tab) for name, label in TABS],
        "tab": tab,
        "csv": _query(desk, tab),
        "rows": [_shown(desk, row) for row in rows[:ROWS_SHOWN_MAX]],
        "cut": desk.wording.decimal(len(rows) - ROWS_SHOWN_MAX)
        if len(rows) > ROWS_SHOWN_MAX
        else "",
        "chart": row_chart(
            [
                Bar(
                    _bar_name(row),
                    (measured(row.sums, tab),),
                    *measure_text(desk, measured(row.sums, tab), tab),
                )
                for row in rows[:BARS_DRAWN_MAX]
            ],
            title=str(dict(TABS)[tab]),
        ),
    }
    return desk.page("usage/dial_out.html", shown, status=422 if form.errors else 200)


@page(may=SEE)
def dial_out_csv(desk: Desk) -> HttpResponse:
    """The same as a CSV file."""
    _form, _everybody, rows = _report(desk)
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(CSV_COLUMNS)
    writer.writerows([[safe_text(field) for field in _fields(row)] for row in rows])
    response = HttpResponse(text.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="Dial-out.csv"'
    return response


def _report(desk: Desk) -> tuple[DialOutForm, list[OrganizerSum], list[OrganizerSum]]:
    query = desk.request.GET.copy()
    query.setdefault("range", MONTH)
    form = DialOutForm(query, desk.now_ms)
    everybody = dial_out_report(desk.cell, desk.owner, desk.catalogue, *form.days)
    location = form.data.get("location", "")
    return form, everybody, [row for row in everybody if location in ("", row.location)]


def _query(desk: Desk, tab: str) -> str:
    names = ("range", "first", "last", "location")
    pairs = [(name, desk.request.GET[name]) for name in names if desk.request.GET.get(name)]
    return "?" + urlencode([*pairs, ("tab", tab)])


def _name(row: OrganizerSum) -> str:
    return row.person.display_name or row.person.name if row.person else str(_("No user"))


def _bar_name(row: OrganizerSum) -> str:
    context = CONTEXTS.get(row.context)
    return f"{_name(row)}, {context}" if context else _name(row)


def _shown(desk: Desk, row: OrganizerSum) -> Shown:
    wording = desk.wording
    return {
        "name": _name(row),
        "url": user_url(desk, row.user_id) if row.person else "",
        "username": row.person.name if row.person else "",
        "location": country_name(row.location, wording.locale.language),
        "context": CONTEXTS.get(row.context, ""),
        "calls": wording.decimal(row.sums.calls),
        "minutes": minutes_shown(wording, row.sums.used_s),
        "spent": wording.money(row.sums.charge_micros, row.currency),
        "currency": row.currency,
    }


def _fields(row: OrganizerSum) -> list[str]:
    person, sums = row.person, row.sums
    return [
        *((person.display_name, person.name) if person else ("", "")),
        *(row.location, row.context, str(-(-sums.used_s // 60)), str(sums.used_s), str(sums.calls)),
        *(half_up_text(sums.charge_micros), decimal_text(sums.charge_micros), row.currency),
    ]
