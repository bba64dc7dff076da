"""The PSTN usage report: filters, chart, totals, and the records page by page."""

from urllib.parse import urlencode

from django.http import HttpResponse
from django.shortcuts import redirect

from talktime.console.doors import Desk, Shown, page
from talktime.console.roles import BILLING, SEE, VOICE
from talktime.console.usage.asked import asked_of, form_of
from talktime.console.usage.drawn import chart_of
from talktime.console.usage.forms import CHARTS, MEASURES, UsageForm
from talktime.console.usage.names import COLUMNS
from talktime.console.usage.shown import columns_of, rows_shown, total_shown
from talktime.core.ids import id_in
from talktime.operations.saved_views import list_views
from talktime.operations.usage_documents import Describer
from talktime.operations.usage_report import Added, Asked, Reader, UsagePage
from talktime.store.saved_views import SavedView
from talktime.store.usage_days import Wanted
from talktime.store.usage_rows import Place

PAGE = "usage"
REPORTS = ("pools", "dial-out", "blocked-users")


@page(may=SEE)
def usage_page(desk: Desk) -> HttpResponse:
    """Run the report. Everything it is about is in its address, so that it can be kept and sent."""
    query = desk.request.GET
    if query.get("report") in REPORTS:
        return redirect(query["report"], desk.owner.id)
    views = list_views(desk.cell, desk.owner.id, PAGE)
    reader = Reader(desk.cell, desk.owner, desk.catalogue)
    columns = columns_of(desk)
    shown: Shown = {"views": [_view_shown(desk, each) for each in views], "columns": columns}
    shown["all_columns"] = [(column, column in columns) for column in COLUMNS]
    with desk.cell.snapshot():
        form = form_of(desk, reader)
        asked = asked_of(desk, form)
        shown |= {"form": form, "query": _query(desk), "filtered": _filtered(form)}
        if asked is None:
            return desk.page("usage/report.html", shown, status=422)
        chart = form.cleaned_data["chart"] or CHARTS[0][0]
        if chart == "user" and asked.wanted != Wanted():
            chart = CHARTS[0][0]
        measure = form.cleaned_data["measure"] or MEASURES[0][0]
        before = place_in(query.get("before", ""))
        added = reader.add_up(asked, chart)
        found = reader.page(asked, added, before)
        describer = Describer(desk.control, desk.cell, desk.owner, desk.catalogue)
        shown["rows"] = rows_shown(desk, describer.rows(found.records), columns)
        if not asked.one_by_one:
            shown |= _summary(desk, asked, added, chart, measure)
    return desk.page("usage/report.html", {**shown, **_pages(desk, found, before, added)})


def _summary(desk: Desk, asked: Asked, added: Added, chart: str, measure: str) -> Shown:
    """The chart and the totals; a search by number or conference has none, and users are set side
    by side only where all that they did is asked for."""
    return {
        "total": total_shown(desk, added.total),
        "chart": chart_of(desk, asked, added, chart, measure),
        "charts": [
            (name, label, _query(desk, chart=name), name == chart) for name, label in CHARTS
        ],
        "measures": [
            (name, label, _query(desk, measure=name), name == measure) for name, label in MEASURES
        ],
    }


def _pages(desk: Desk, found: UsagePage, before: Place | None, added: Added) -> Shown:
    older = _query(desk, before=f"{found.older.started_ms}.{found.older.id}") if found.older else ""
    return {
        "older": older if not found.cut else "",
        "further": older if found.cut else "",
        "newest": f"?{_query(desk)[1:]}" if before is not None else "",
        "behind": added.behind,
    }


def place_in(text: str) -> Place | None:
    """Where a page begins, as an address names it; what is none is the newest."""
    started_ms, usage_id = (id_in(part) for part in text.partition(".")[::2])
    return None if started_ms is None or usage_id is None else Place(started_ms, usage_id)


def _query(desk: Desk, **changes: str) -> str:
    """The address of the same report, but for what changes; from its first page on."""
    return query_of(desk, changes)


def query_of(desk: Desk, changes: dict[str, str] | None = None) -> str:
    """The report's filters, columns and chart as the query of an address, without empty ones."""
    changes = changes or {}
    names = [*UsageForm.base_fields, "column"]
    pairs = [
        (name, value)
        for name in names
        if name not in changes
        for value in desk.request.GET.getlist(name)[: len(COLUMNS)]
        if value
    ]
    return "?" + urlencode([*pairs, *changes.items()])


def _filtered(form: UsageForm) -> bool:
    names = ("user", "type", "country", "capability", "context", "number", "conference_id")
    return any(form.data.get(name) for name in names)


def may_delete(desk: Desk, created_by: str) -> bool:
    """Whether the reader may take somebody's view away."""
    return created_by == desk.actor or desk.may(VOICE) or desk.may(BILLING)


def _view_shown(desk: Desk, view: SavedView) -> Shown:
    return {
        "id": view.id,
        "name": view.name,
        "query": f"?{view.query}",
        "by": view.created_by,
        "may_delete": may_delete(desk, view.created_by),
        "current": view.query == _query(desk)[1:],
    }
