"""Saved views of the usage report: keep one, take one away."""

from urllib.parse import parse_qsl, urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from talktime.console.doors import Desk, page
from talktime.console.roles import FINANCE, SEE
from talktime.console.said import said
from talktime.console.usage.forms import UsageForm
from talktime.console.usage.report_page import PAGE, may_delete
from talktime.core.limits import SAVED_VIEW_PAIRS_MAX
from talktime.core.refusal import Refusal
from talktime.operations.saved_views import delete_view, list_views, save_view


@page(may=SEE, methods=("POST",))
def save(desk: Desk) -> HttpResponse:
    """Keep the report that is on the page, for everybody of the organisation."""
    query = _cleaned(desk.request.POST.get("query", ""))
    if desk.may(FINANCE) and not may_delete(desk, ""):  # the operator's staff look, and no more
        raise PermissionDenied
    saved = save_view(
        desk.cell,
        desk.owner.id,
        page=PAGE,
        name=desk.request.POST.get("name", ""),
        query=query,
        actor=desk.actor,
        now_ms=desk.now_ms,
        next_id=desk.next_id,
        may_replace=may_delete(desk, ""),
    )
    if isinstance(saved, Refusal):
        messages.error(
            desk.request, _("The view was not saved: %(why)s.") % {"why": said(saved.detail)}
        )
    else:
        messages.success(desk.request, _("The view was saved."))
    return redirect(f"{reverse('usage', args=[desk.owner.id])}?{query}")


@page(may=SEE, methods=("POST",))
def delete(desk: Desk, view_id: int) -> HttpResponse:
    """Take a view away: one's own, or as an admin anybody's."""
    own = [
        view.id
        for view in list_views(desk.cell, desk.owner.id, PAGE)
        if may_delete(desk, view.created_by)
    ]
    if view_id not in own:
        raise Http404
    delete_view(desk.cell, desk.owner.id, PAGE, view_id)
    messages.success(desk.request, _("The view was deleted."))
    return redirect("usage", desk.owner.id)


def _cleaned(query: str) -> str:
    """Of a query, what the report knows."""
    names = {*UsageForm.base_fields, "column"}
    pairs = parse_qsl(query.removeprefix("?"), max_num_fields=None)[:SAVED_VIEW_PAIRS_MAX]
    return urlencode([(name, value) for name, value in pairs if name in names])
