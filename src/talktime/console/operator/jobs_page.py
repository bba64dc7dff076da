"""What the service does by itself: its jobs, what is told to whom, what providers said."""

from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from talktime.clock import real_ms
from talktime.console.doors import OperatorDesk, Shown, operator_page
from talktime.console.operator.places import PAGE_ROWS, all_cells, owners_of
from talktime.console.operator.tables import Cell, Column, Tag, table
from talktime.console.operator.words import CHANNELS, DELIVERY_STATES
from talktime.console.roles import FINANCE
from talktime.console.said import said
from talktime.operations.job_runs import PERIODS_MS, JobState, job_states
from talktime.operations.provider_settings import show_providers
from talktime.store import attention as store
from talktime.store.attention import EndpointRow, waiting
from talktime.store.database import Connection

JOB_COLUMNS = (
    Column(gettext_lazy("Job")),
    Column(gettext_lazy("Cell")),
    Column(gettext_lazy("State")),
    Column(gettext_lazy("Last run")),
    Column(gettext_lazy("Worked ago"), figures=True),
    Column(gettext_lazy("Every"), figures=True),
)
ENDPOINT_COLUMNS = (
    Column(gettext_lazy("Organisation")),
    Column(gettext_lazy("Address")),
    Column(gettext_lazy("State")),
    Column(gettext_lazy("Why")),
)
SELDOM_MS = 600_000
PROVIDERS = {
    "sandbox": gettext_lazy("Sandbox: no money moves"),
    "stripe": gettext_lazy("Stripe"),
}


@operator_page(may=FINANCE)
def jobs(desk: OperatorDesk) -> HttpResponse:
    """All of it, what fails first."""
    states: list[tuple[str, JobState]] = []
    told: list[dict[str, Any]] = []
    endpoints: list[EndpointRow] = []
    events: list[dict[str, Any]] = []
    with all_cells() as cells:
        for name, cell in cells.open.items():
            with cell.reading():
                states += [(name, each) for each in job_states(cell, PERIODS_MS, real_ms())]
                told.append(told_shown(desk, name, cell))
                endpoints += store.failing_endpoints(cell, PAGE_ROWS)
                events += events_shown(desk, name, cell)
    states.sort(key=lambda each: not ails(each[1]))
    with desk.control.reading():
        providers = show_providers(desk.control)
        inbox = store.event_inbox(desk.control)
    owners = owners_of(desk, [each.organisation_id for each in endpoints])
    shown: Shown = {
        "away": cells.away,
        "ailing": sum(ails(state) for _name, state in states),
        "jobs": table(
            _("Jobs"), JOB_COLUMNS, [job_row(desk, name, state) for name, state in states]
        ),
        "told": told,
        "endpoints": table(
            _("Webhook endpoints that fail"),
            ENDPOINT_COLUMNS,
            [endpoint_row(each, owners) for each in endpoints if each.organisation_id in owners],
        ),
        "events": events,
        "inbox": [
            {"provider": provider, "count": count, "since": desk.wording.moment(since_ms)}
            for provider, count, since_ms in inbox
        ],
        "providers": [
            {
                "name": PROVIDERS[each.name],
                "active": each.active,
                "set": desk.wording.moment(each.changed_ms) if each.changed_ms else "",
                "by": each.changed_by,
            }
            for each in providers
        ],
    }
    return desk.page("operator/jobs.html", shown)


def ails(state: JobState) -> bool:
    """Whether a job is late, or its last run failed; a seldom one may not have begun yet."""
    if state.run is None:
        return state.period_ms <= SELDOM_MS
    return state.late or bool(state.run.failure)


def job_row(desk: OperatorDesk, cell: str, state: JobState) -> list[Cell]:
    """One job of one cell."""
    tag, note = Tag(_("Works"), "good"), ""
    if state.run is None:
        tag = Tag(_("Did not run yet"), "bad" if ails(state) else "")
    elif state.run.failure:
        tag, note = Tag(_("Fails"), "bad"), said(state.run.failure)
    elif state.late:
        tag = Tag(_("Late"), "bad")
    return [
        Cell(state.job, code=True),
        Cell(cell),
        Cell(tags=(tag,), note=note),
        Cell(desk.wording.moment(state.run.began_ms) if state.run else ""),
        Cell(span(state.lag_ms)),
        Cell(span(state.period_ms)),
    ]


def span(ms: int | None) -> str:
    """A time in the unit that suits it.

    >>> span(250), span(60_000), span(3_600_000), span(None)
    ('250 ms', '60 s', '60 min', '')
    """
    if ms is None:
        return ""
    if ms < 1_000:
        return f"{ms} ms"
    if ms < 600_000:
        return f"{ms // 1_000} s"
    return f"{ms // 60_000} min" if ms < 86_400_000 else f"{ms // 3_600_000} h"


def told_shown(desk: OperatorDesk, name: str, cell: Connection) -> dict[str, Any]:
    """What of a cell is told to people and programs, and what waits."""
    new_ms, due_ms = store.oldest_waiting_ms(cell)
    seen = waiting(cell, desk.now_ms)
    return {
        "cell": name,
        "to_spread": seen.notices_to_spread,
        "oldest": desk.wording.moment(new_ms) if new_ms is not None else "",
        "due": desk.wording.moment(due_ms) if due_ms is not None else "",
        "failing": seen.failing_deliveries,
        "counts": [
            {
                "channel": CHANNELS[channel],
                "state": DELIVERY_STATES[state][0],
                "tone": DELIVERY_STATES[state][1],
                "count": desk.wording.decimal(count),
            }
            for channel, state, count in store.deliveries_counted(cell, desk.now_ms)
        ],
    }


def events_shown(desk: OperatorDesk, name: str, cell: Connection) -> list[dict[str, Any]]:
    """What providers said and was not worked on yet."""
    return [
        {
            "cell": name,
            "provider": provider,
            "count": count,
            "since": desk.wording.moment(since_ms),
            "tries": tries,
        }
        for provider, count, since_ms, tries in store.events_due(cell)
    ]


def endpoint_row(endpoint: EndpointRow, owners: dict[int, Any]) -> list[Cell]:
    """A webhook endpoint that fails."""
    owner = owners[endpoint.organisation_id]
    disabled = endpoint.state == "disabled"
    tag = Tag(_("Disabled"), "bad") if disabled else Tag(_("Tried again"), "warn")
    return [
        Cell(owner.name, reverse("operator-organisation", args=[owner.id])),
        Cell(endpoint.url),
        Cell(tags=(tag,)),
        Cell(said(endpoint.detail)),
    ]
