"""Users and licences: everybody in the organisation, found by what they are and have."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from itertools import islice
from urllib.parse import urlencode

from django.http import HttpResponse

from talktime.console.doors import Desk, Shown, page
from talktime.console.roles import SEE, VOICE
from talktime.console.said import said
from talktime.console.streaming import attachment, read_apart
from talktime.console.users.words import (
    KINDS,
    countries_shown,
    country_name,
    licence_names,
)
from talktime.core.catalogue import Catalogue
from talktime.core.directory import USER_KINDS
from talktime.core.licensing import Holder, licences_possible
from talktime.core.limits import USER_NAME_TEXT_MAX, USER_ROWS_MAX
from talktime.core.refusal import Refusal
from talktime.operations.find_users import Sought, all_found, find_users
from talktime.operations.licence_groups import list_groups
from talktime.operations.user_file import user_csv
from talktime.store.database import Connection

USERS_ON_A_PAGE = 50
LICENCES_NAMED = 3
LINES_IN_A_PIECE = 500
STATES = {"active": True, "blocked": False}
LACKS = "lacks"
"""As a state: with licences that lack what they need."""
FILTERS = ("q", "licence", "group", "location", "kind", "state")


@page(may=SEE)
def users_page(desk: Desk) -> HttpResponse:
    """A page of users, searched and filtered."""
    asked = filters_in(desk.request.GET)
    after = desk.request.GET.get("after", "")[:USER_NAME_TEXT_MAX]
    with desk.cell.reading():
        groups = list_groups(desk.cell, desk.owner)
        found = find_users(
            *(desk.cell, desk.owner, sought_of(asked)),
            catalogue=desk.catalogue,
            after=after,
            limit=USERS_ON_A_PAGE + 1,
        )
    rows = found[:USERS_ON_A_PAGE]
    kept = {name: value for name, value in asked.items() if value}
    more = {**kept, "after": rows[-1].user.name} if len(found) > USERS_ON_A_PAGE else None
    shown: Shown = {
        "users": [user_shown(desk, each) for each in rows],
        "asked": asked,
        "filtered": bool(kept),
        "query": urlencode(kept),
        "next": urlencode(more) if more else "",
        "first": bool(after),
        "groups": [group.name for group in groups],
        "licences": sorted(
            ((each.code, said(each.name)) for each in desk.catalogue.licences.values()),
            key=lambda each: each[1],
        ),
        "countries": countries_shown(desk.wording.locale),
        "kinds": KINDS.items(),
        "may_change": desk.may(VOICE),
    }
    return desk.page("users/users.html", shown)


@page(may=SEE)
def exported(desk: Desk) -> HttpResponse:
    """The users that are looked for as a CSV file, which an import takes again."""
    owner, catalogue = desk.owner, desk.catalogue
    sought = sought_of(filters_in(desk.request.GET))
    day = datetime.fromtimestamp(desk.now_ms // 1000, UTC).date()

    def pieces(cell: Connection) -> Iterator[bytes]:
        found = all_found(
            cell, owner, sought, catalogue=catalogue, at_most=USER_ROWS_MAX, apart=True
        )
        lines = user_csv(found)
        while piece := "".join(islice(lines, LINES_IN_A_PIECE)):
            yield piece.encode()

    name = f"users-{day}.csv"
    return attachment(desk.request, read_apart(owner, pieces), name, "text/csv; charset=utf-8")


def csv_file(text: str, name: str) -> HttpResponse:
    """A CSV file to be kept."""
    response = HttpResponse(text, content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def filters_in(sent: Mapping[str, str]) -> dict[str, str]:
    """What was asked for, each as it was typed; what is no kind or state is nothing."""
    asked = {name: sent.get(name, "").strip()[:USER_NAME_TEXT_MAX] for name in FILTERS}
    if asked["kind"] not in USER_KINDS:
        asked["kind"] = ""
    if asked["state"] not in (*STATES, LACKS):
        asked["state"] = ""
    return asked


def everyone(desk: Desk, asked: Mapping[str, str], at_most: int) -> list[Holder]:
    """All that are looked for, up to so many. `reading` is open on the cell."""
    sought = sought_of(asked)
    return list(all_found(desk.cell, desk.owner, sought, catalogue=desk.catalogue, at_most=at_most))


def sought_of(asked: Mapping[str, str]) -> Sought:
    """What is looked for, of what was asked."""
    return Sought(
        asked["q"],
        asked["licence"],
        asked["group"],
        asked["location"].upper(),
        asked["kind"],
        STATES.get(asked["state"]),
        asked["state"] == LACKS,
    )


def user_shown(desk: Desk, holder: Holder) -> Shown:
    """A user as a row of a table."""
    user = holder.user
    names = licence_names(desk.catalogue, user.licences)
    lacks = lacking(desk.catalogue, user.licences, user.kind, user.usage_location)
    return {
        "id": user.id,
        "name": user.name,
        "display_name": user.display_name,
        "location": country_name(desk.wording.locale, user.usage_location),
        "licences": names[:LICENCES_NAMED],
        "more": max(len(names) - LICENCES_NAMED, 0),
        "groups": sorted(holder.groups),
        "kind": KINDS[user.kind],
        "resource": user.kind != USER_KINDS[0],
        "active": user.active,
        "lacks": "" if lacks is None else said(lacks.detail),
    }


def lacking(
    catalogue: Catalogue, licences: frozenset[str], kind: str, usage_location: str
) -> Refusal | None:
    """Why these licences could not be given together now."""
    return licences_possible(catalogue, licences, kind, usage_location)
