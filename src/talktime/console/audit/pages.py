"""The audit log of an organisation, and of all of them for the operator; each as a file too."""

import csv
import io
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse

from talktime.console.audit.shown import (
    NOBODY,
    Owner,
    action_choices,
    change_shown,
    csv_rows,
)
from talktime.console.control_plane.models import Organisation
from talktime.console.databases import current
from talktime.console.doors import Desk, OperatorDesk, operator_page, page
from talktime.console.kept_connections import lent
from talktime.console.roles import FINANCE
from talktime.core.audit import Change
from talktime.core.ids import id_in
from talktime.core.limits import AUDIT_EXPORT_ROWS_MAX, EMAIL_TEXT_MAX
from talktime.operations.audit_log import list_changes
from talktime.operations.render import utc_text
from talktime.operations.wording import Wording
from talktime.store.audit import LAST, Sought
from talktime.store.database import Connection, Outage

PAGE_CHANGES = 50
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
FILTERS = ("actor", "action", "from", "to", "organisation")


@page()
def audit(desk: Desk) -> HttpResponse:
    """What was changed of the organisation, the newest first, a page at a time."""
    sought = _sought(desk.request, desk.owner.id, desk.wording.zone)
    found = list_changes((desk.control, desk.cell), sought, limit=PAGE_CHANGES + 1)
    owner = Owner(desk.owner.name, desk.owner.currency)
    shown = _shown(desk.request, found, desk.wording, dict.fromkeys([desk.owner.id, None], owner))
    return desk.page("audit/audit.html", shown)


@page()
def audit_file(desk: Desk) -> HttpResponse:
    """The same as CSV, as the page is filtered."""
    sought = _sought(desk.request, desk.owner.id, desk.wording.zone)
    found = list_changes((desk.control, desk.cell), sought, limit=AUDIT_EXPORT_ROWS_MAX)
    owner = Owner(desk.owner.name, desk.owner.currency)
    return _file(((change, owner) for change in found), desk.wording, desk.owner.name)


@operator_page(may=FINANCE)
def operator_audit(desk: OperatorDesk) -> HttpResponse:
    """What was changed in all cells and in the control plane, the newest first."""
    found, away, owners = _everywhere(desk, PAGE_CHANGES + 1)
    shown = _shown(desk.request, found, desk.wording, owners)
    return desk.page("audit/operator_audit.html", {**shown, "away": away})


@operator_page(may=FINANCE)
def operator_audit_file(desk: OperatorDesk) -> HttpResponse:
    """The same as CSV."""
    found, _away, owners = _everywhere(desk, AUDIT_EXPORT_ROWS_MAX)
    rows = ((change, owners.get(change.organisation_id, NOBODY)) for change in found)
    return _file(rows, desk.wording, "operator")


Owners = dict[int | None, Owner]


def _everywhere(desk: OperatorDesk, limit: int) -> tuple[list[Change], list[str], Owners]:
    """What was changed anywhere, the cells that do not answer, whose the changes are."""
    name = desk.request.GET.get("organisation", "").strip()
    chosen = Organisation.objects.filter(name=name).first() if name.isprintable() else None
    if name and chosen is None:
        return [], [], {}
    owner_id = None if chosen is None else chosen.id
    sought = _sought(desk.request, owner_id, desk.wording.zone)
    settings, away = current(), []
    with ExitStack() as opened:
        places: list[Connection] = [desk.control]
        for cell_name in settings.cells if chosen is None else [chosen.cell]:
            try:
                places.append(opened.enter_context(lent(settings.cells[cell_name])))
            except (Outage, KeyError):
                away.append(cell_name)
        found = list_changes(places, sought, limit=limit)
    ids = {change.organisation_id for change in found if change.organisation_id is not None}
    named = Organisation.objects.in_bulk(sorted(ids))
    return found, away, {id_: Owner(each.name, each.currency) for id_, each in named.items()}


def _shown(
    request: HttpRequest, found: list[Change], wording: Wording, owners: Owners
) -> dict[str, Any]:
    """The page of changes: the filters as they are set, and where the next page is."""
    kept = {name: request.GET[name] for name in FILTERS if request.GET.get(name)}
    more, last = len(found) > PAGE_CHANGES, found[PAGE_CHANGES - 1 : PAGE_CHANGES]
    cursor = {"before": f"{last[0].at_ms}-{last[0].id}"} if more else {}
    return {
        "changes": [
            change_shown(each, wording, owners.get(each.organisation_id, NOBODY))
            for each in found[:PAGE_CHANGES]
        ],
        "filters": {name: request.GET.get(name, "") for name in FILTERS},
        "filtered": bool(kept),
        "actions": action_choices(),
        "older": f"?{urlencode({**kept, **cursor})}" if more else "",
        "newest": f"?{urlencode(kept)}" if "before" in request.GET else "",
        "query": urlencode(kept),
    }


def _sought(request: HttpRequest, organisation_id: int | None, zone: tzinfo) -> Sought:
    """What the page's address asks for; what cannot be read in it asks for nothing."""
    asked = request.GET
    after = _day_ms(asked.get("to", ""), zone, 1)
    action, actor = asked.get("action", "")[:64], asked.get("actor", "").strip()[:EMAIL_TEXT_MAX]
    return Sought(
        organisation_id,
        action if action.isprintable() else "",
        actor if actor.isprintable() else "",
        _day_ms(asked.get("from", ""), zone, 0) or 0,
        min(_cursor(asked.get("before", "")), LAST if after is None else (after, 0)),
    )


def _day_ms(text: str, zone: tzinfo, days: int) -> int | None:
    """The first moment of a day in a time zone, or of the day after; None for what is no day."""
    try:
        day = date.fromisoformat(text) + timedelta(days=days)
        return (datetime.combine(day, time(), zone) - EPOCH) // timedelta(milliseconds=1)
    except (ValueError, OverflowError):
        return None


def _cursor(text: str) -> tuple[int, int]:
    at_ms, id_ = (id_in(part) for part in text.partition("-")[::2])
    return LAST if at_ms is None or id_ is None else (at_ms, id_)


def _file(rows: Iterator[tuple[Change, Owner]], wording: Wording, name: str) -> HttpResponse:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(csv_rows(rows, wording, utc_text))
    response = HttpResponse(text.getvalue(), content_type="text/csv; charset=utf-8")
    safe = "".join(each if each.isascii() and each.isalnum() else "-" for each in name)
    response.headers["Content-Disposition"] = f'attachment; filename="audit-{safe[:60]}.csv"'
    return response
