"""`/api/v1/organisations/NAME/users`: users of an organisation, read in pages, written in bulk."""

import secrets
from contextlib import closing
from typing import Annotated
from urllib.parse import quote

import msgspec
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from msgspec import UNSET, Meta, Struct, UnsetType

from talktime.clock import now_ms
from talktime.console.api.answers import answer, key_of, refuse, refuse_rows
from talktime.console.databases import current
from talktime.core.directory import Organisation
from talktime.core.ids import NODES, Ids
from talktime.core.keys import USERS
from talktime.core.limits import PAGE_ROWS_MAX, USERS_REQUEST_MAX
from talktime.core.refusal import Refusal
from talktime.operations.csv_rows import BadFile, RowErrors
from talktime.operations.input_checks import can_be_stored
from talktime.operations.organisations import find_organisation
from talktime.operations.user_file import change_of_document, user_document
from talktime.operations.users import UserRow, list_holders, put_users
from talktime.store.catalogue import load_catalogues
from talktime.store.database import Connection, Outage, connect


class SentUser(Struct, forbid_unknown_fields=True, kw_only=True):
    """A user as sent: what is not named stays, or is the default of a new user."""

    name: str
    display_name: str | UnsetType = UNSET
    usage_location: str | UnsetType = UNSET
    licences: list[str] | UnsetType = UNSET
    groups: list[str] | UnsetType = UNSET
    policy: str | UnsetType = UNSET
    spend_limit: str | UnsetType | None = UNSET
    toll_free_dial_in: bool | UnsetType = UNSET
    kind: str | UnsetType = UNSET
    active: bool | UnsetType = UNSET


class SentUsers(Struct, forbid_unknown_fields=True, kw_only=True):
    """The body of a request."""

    users: Annotated[list[SentUser], Meta(min_length=1, max_length=USERS_REQUEST_MAX)]
    dry_run: bool = False


_decode = msgspec.json.Decoder(SentUsers).decode


@csrf_exempt
@never_cache
def users(request: HttpRequest, name: str) -> HttpResponse:
    """GET a page of users, or POST users to be made and changed by name: all, or none."""
    if request.method not in ("GET", "POST"):
        detail = f"{request.method} is neither GET nor POST"
        return refuse(Refusal("method_not_allowed", detail))
    try:
        with closing(connect(current().control_plane)) as control:
            return _answered(request, control, name)
    except Outage as error:
        return refuse(Refusal("unavailable", str(error)))


def _answered(request: HttpRequest, control: Connection, name: str) -> HttpResponse:
    key = key_of(control, request, USERS, now_ms())
    if isinstance(key, Refusal):
        return refuse(key)
    with control.reading():
        owner = find_organisation(control, name)
    if isinstance(owner, Refusal):
        return refuse(owner)
    address = current().cells.get(owner.cell)
    if address is None:
        return refuse(Refusal("unavailable", f"this process does not know the cell {owner.cell}"))
    with closing(connect(address)) as cell:
        if request.method == "GET":
            return _page(request, cell, owner)
        return _written(request, control, cell, owner)


def _page(request: HttpRequest, cell: Connection, owner: Organisation) -> HttpResponse:
    limit = request.GET.get("limit", str(PAGE_ROWS_MAX))
    if not (limit.isascii() and limit.isdigit() and 1 <= int(limit[:9]) <= PAGE_ROWS_MAX):
        detail = f"limit must be a whole number from 1 to {PAGE_ROWS_MAX}"
        return refuse(Refusal("invalid_request", detail))
    after = request.GET.get("after", "")
    if not can_be_stored(after):
        return refuse(Refusal("invalid_request", "after must be the name of a user"))
    with cell.reading():
        found = list_holders(cell, owner, after=after, limit=int(limit))
    following = None
    if len(found) == int(limit):
        last = quote(found[-1].user.name, safe="")
        following = f"{quote(request.path)}?limit={limit}&after={last}"
    return answer({"users": [user_document(each) for each in found], "next": following})


def _written(
    request: HttpRequest, control: Connection, cell: Connection, owner: Organisation
) -> HttpResponse:
    try:
        sent = _decode(request.read())
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return refuse(Refusal("invalid_request", str(error)))
    rows, errors = _rows(sent.users)
    with control.reading():
        catalogue = load_catalogues(control).in_force(now_ms())
    next_id = Ids(secrets.randbelow(NODES), now_ms).next
    with cell.transaction():
        written = put_users(
            *(cell, owner, rows, errors),
            catalogue=catalogue,
            next_id=next_id,
            dry_run=sent.dry_run,
        )
    if isinstance(written, BadFile):
        return refuse_rows("users_not_possible", written)
    return answer(written._asdict())


def _rows(sent: list[SentUser]) -> tuple[list[UserRow], RowErrors]:
    rows, errors = [], RowErrors()
    for place, user in enumerate(sent):
        fields = msgspec.structs.asdict(user)
        given = {field: value for field, value in fields.items() if value is not UNSET}
        try:
            rows.append(UserRow(place, change_of_document(given)))
        except ValueError as error:
            errors.add(place, str(error))
    return rows, errors
