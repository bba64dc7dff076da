"""Licence groups: whoever is in one has its licences."""

from collections.abc import Callable

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from talktime.console.doors import Desk, Shown, page
from talktime.console.pressed_once import once
from talktime.console.roles import SEE, VOICE
from talktime.console.users.list_page import USERS_ON_A_PAGE, user_shown
from talktime.console.users.ticked import ticked_anew
from talktime.console.users.words import licence_name, licence_shown
from talktime.core.licensing import LicenceGroup
from talktime.core.limits import GROUP_NAME_TEXT_MAX, USER_NAME_TEXT_MAX, USERS_SELECTED_MAX
from talktime.core.refusal import Refusal
from talktime.operations.csv_rows import BadFile, RowErrors
from talktime.operations.find_users import Sought, find_users
from talktime.operations.licence_groups import (
    change_group,
    create_group,
    delete_group,
    list_groups,
)
from talktime.operations.user_changes import UserChange
from talktime.operations.users import UserRow, find_user, put_users

Done = Refusal | str


@page(may=SEE, methods=("GET", "HEAD", "POST"))
def groups_page(desk: Desk) -> HttpResponse:
    """All groups; a new one is made here."""
    if desk.request.method != "POST":
        return _groups(desk)
    if not desk.may(VOICE):
        raise PermissionDenied
    name = desk.request.POST.get("name", "").strip()[: GROUP_NAME_TEXT_MAX + 1]

    def make() -> LicenceGroup | Refusal:
        return create_group(
            *(desk.cell, desk.owner),
            name=name,
            licences=frozenset(),
            catalogue=desk.catalogue,
            next_id=desk.next_id,
        )

    made = once(desk, make, lambda group: group.id, in_cell=True)
    if isinstance(made, Refusal):
        return _groups(desk, {"refused": made, "typed": name}, 422)
    if made[1] is not None:
        messages.success(desk.request, _("The group was made. Choose its licences and members."))
    return redirect("group", desk.owner.id, made[0])


@page(may=SEE, methods=("GET", "HEAD", "POST"))
def group_page(desk: Desk, group_id: int) -> HttpResponse:
    """One group: its licences and members; or one of them saved."""
    with desk.cell.reading():
        group = next((x for x in list_groups(desk.cell, desk.owner) if x.id == group_id), None)
    if group is None:
        raise Http404
    if desk.request.method != "POST":
        return _group(desk, group)
    if not desk.may(VOICE):
        raise PermissionDenied
    part = desk.request.POST.get("save", "")
    if part not in _SAVES:
        raise Http404
    done = _SAVES[part](desk, group)
    if isinstance(done, Refusal):
        return _group(desk, group, {"refused": done, "part": part}, 422)
    messages.success(desk.request, done)
    if part == "delete":
        return redirect("groups", desk.owner.id)
    return redirect("group", desk.owner.id, group_id)


def _groups(desk: Desk, more: Shown | None = None, status: int = 200) -> HttpResponse:
    with desk.cell.reading():
        groups = list_groups(desk.cell, desk.owner)
    shown: Shown = {
        "groups": [
            {
                "id": group.id,
                "name": group.name,
                "licences": sorted(licence_name(desk.catalogue, x) for x in group.licences),
            }
            for group in groups
        ],
        "may_change": desk.may(VOICE),
        **(more or {}),
    }
    return desk.page("users/groups.html", shown, status=status)


def _group(
    desk: Desk, group: LicenceGroup, more: Shown | None = None, status: int = 200
) -> HttpResponse:
    after = desk.request.GET.get("after", "")[:USER_NAME_TEXT_MAX]
    with desk.cell.reading():
        found = find_users(
            *(desk.cell, desk.owner, Sought(group=group.name)),
            catalogue=desk.catalogue,
            after=after,
            limit=USERS_ON_A_PAGE + 1,
        )
    rows = found[:USERS_ON_A_PAGE]
    licences = sorted(desk.catalogue.licences.values(), key=lambda each: each.name)
    shown: Shown = {
        "group": group,
        "members": [user_shown(desk, each) for each in rows],
        "next": f"after={rows[-1].user.name}" if len(found) > USERS_ON_A_PAGE else "",
        "first": bool(after),
        "query": "",
        "licences": [
            {
                "licence": licence_shown(desk, each, desk.owner.country),
                "has": each.code in group.licences,
            }
            for each in licences
        ],
        "may_change": desk.may(VOICE),
        **(more or {}),
    }
    return desk.page("users/group.html", shown, status=status)


def _save_licences(desk: Desk, group: LicenceGroup) -> Done:
    added, removed = ticked_anew(desk, "licence")
    with desk.cell.transaction():
        done = change_group(
            *(desk.cell, desk.owner, group.name),
            add=added,
            remove=removed,
            catalogue=desk.catalogue,
        )
    return done if isinstance(done, Refusal) else _("The licences were saved, for all members.")


def _add(desk: Desk, group: LicenceGroup) -> Done:
    names = desk.request.POST.get("names", "").replace(",", " ").replace(";", " ").split()
    names = list(dict.fromkeys(name.lower() for name in names))[:USERS_SELECTED_MAX]
    if not names:
        return Refusal("invalid_value", _("no sign-in name was typed"))
    with desk.cell.reading():
        for name in names:
            found = find_user(desk.cell, desk.owner, name)
            if isinstance(found, Refusal):
                return found
    join = frozenset({group.name})
    return _written(desk, [UserChange(name, join=join) for name in names])


def _remove(desk: Desk, group: LicenceGroup) -> Done:
    leave = frozenset({group.name})
    names = dict.fromkeys(desk.request.POST.getlist("name"))
    if not names:
        return Refusal("invalid_value", _("nobody was selected"))
    return _written(desk, [UserChange(name, leave=leave) for name in names])


def _written(desk: Desk, changes: list[UserChange]) -> Done:
    rows = [UserRow(place, change) for place, change in enumerate(changes, 1)]
    with desk.cell.transaction():
        done = put_users(
            *(desk.cell, desk.owner, rows, RowErrors()),
            catalogue=desk.catalogue,
            next_id=desk.next_id,
        )
    if isinstance(done, BadFile):
        first = done.errors[0]
        detail = f"{changes[first.line - 1].name}: {first.reason}"
        return Refusal("licence_not_possible", detail)
    return _("The members were saved.")


def _delete(desk: Desk, group: LicenceGroup) -> Done:
    with desk.cell.transaction():
        done = delete_group(desk.cell, desk.owner, group.name, catalogue=desk.catalogue)
    return done if isinstance(done, Refusal) else _("The group was removed.")


_SAVES: dict[str, Callable[[Desk, LicenceGroup], Done]] = {
    "licences": _save_licences,
    "add": _add,
    "remove": _remove,
    "delete": _delete,
}
