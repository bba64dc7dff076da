"""`talktime notices`: what an organisation was told, to whom, and what became of it."""

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from talktime.cli.installation import cell, control_plane, installation, organisation_of
from talktime.cli.output import Json, moment, show, table
from talktime.cli.users import OrganisationName
from talktime.cli.webhooks import delivery_document
from talktime.core.limits import PAGE_ROWS_MAX
from talktime.operations.deliveries import Told, list_told
from talktime.operations.endpoints import list_endpoints
from talktime.operations.notice_words import language_of, title_of

SHOWN = 50


def notices_command(
    organisation: OrganisationName,
    last: Annotated[
        int, typer.Option(min=1, max=PAGE_ROWS_MAX, help="How many, the newest first.")
    ] = SHOWN,
    json: Json = False,
) -> None:
    """List what people and programs were told, the newest first, and what became of it."""
    settings = installation()
    with control_plane(settings) as control:
        owner = organisation_of(control, organisation)
    with cell(settings, owner.cell) as connection, connection.reading():
        told = list_told(connection, owner.id, limit=last)
        urls = {str(each.id): each.url for each in list_endpoints(connection, owner.id)}
    rows = [row for each in told for row in rows_of(each, urls)]
    documents = [document(each) for each in told]
    columns = ("When", "What", "Told to", "State", "Why", "Delivery")
    empty = "Nothing has happened yet."
    show(json, {"notices": documents}, table(columns, rows, empty=empty))


def rows_of(told: Told, urls: dict[str, str]) -> Iterator[tuple[object, ...]]:
    """A row for each delivery of a notice; one that says so where nobody is told."""
    notice = told.stored.notice
    what = (moment(notice.at_ms), title_of(notice.kind, language_of("en")))
    if not told.deliveries:
        waits = told.stored.spread_ms is None
        yield (*what, "", "", "to be told within a second" if waits else "nobody is told", "")
    for each in told.deliveries:
        why = "" if each.state == "sent" else each.detail
        yield (*what, urls.get(each.target, each.target), each.state, why, each.id)


def document(told: Told) -> dict[str, Any]:
    """A notice with its deliveries as JSON; the facts as they are kept."""
    notice = told.stored.notice
    return {
        "id": str(told.id),
        "kind": notice.kind,
        "at": moment(notice.at_ms),
        "facts": dict(notice.facts),
        "deliveries": [delivery_document(each) for each in told.deliveries],
    }
