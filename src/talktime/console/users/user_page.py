"""One user: licences, groups, where they are, what they may call and spend, their numbers."""

from collections.abc import Callable

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _

from talktime.console.doors import Desk, Shown, page
from talktime.console.roles import SEE, VOICE
from talktime.console.start.shown import telephone
from talktime.console.users.list_page import lacking
from talktime.console.users.ticked import ticked_anew
from talktime.console.users.user_forms import SettingsForm
from talktime.console.users.words import (
    CALL_TYPES,
    KINDS,
    countries_shown,
    country_name,
    licence_name,
    licence_shown,
    policies_shown,
)
from talktime.core.directory import USER_NUMBER, NumberEntry, User
from talktime.core.licensing import Holder, covers
from talktime.core.limits import REASON_TEXT_MAX
from talktime.core.meters import month_of, spending_key
from talktime.core.refusal import Refusal
from talktime.operations.assign_numbers import give_number, take_number
from talktime.operations.find_numbers import free_numbers, numbers_of, numbers_taken
from talktime.operations.find_users import find_holder_of_id
from talktime.operations.licence_groups import list_groups
from talktime.operations.number_quotas import read_allowance
from talktime.operations.user_changes import UserChange
from talktime.operations.users import change_user
from talktime.store.meters import meters_with_prefix

FREE_SHOWN_MAX = 200

Done = Refusal | str
"""What came of a part of the page that was saved: why not, or what to say."""


@page(may=SEE, methods=("GET", "HEAD", "POST"))
def user_page(desk: Desk, user_id: int) -> HttpResponse:
    """Show a user, or save one part of the page."""
    holder = found_holder(desk, user_id)
    if desk.request.method != "POST":
        return desk.page("users/user.html", user_page_shown(desk, holder))
    if not desk.may(VOICE):
        raise PermissionDenied
    part = desk.request.POST.get("save", "")
    if part not in _SAVES:
        raise Http404
    done = _SAVES[part](desk, holder)
    if isinstance(done, str):
        messages.success(desk.request, done)
        return redirect("user", desk.owner.id, user_id)
    form = _settings(desk, holder) if part == "settings" else None
    shown = user_page_shown(desk, holder, form)
    if part == "licences":
        added, removed = ticked_anew(desk, "licence")
        shown |= _licences(desk, holder, added, removed & holder.own_licences)
    return desk.page("users/user.html", {**shown, "refused": done, "part": part}, status=422)


def found_holder(desk: Desk, user_id: int) -> Holder:
    """The user of this page; there is no page without."""
    with desk.cell.reading():
        found = find_holder_of_id(desk.cell, desk.owner, user_id)
    if isinstance(found, Refusal):
        raise Http404
    return found


def user_page_shown(desk: Desk, holder: Holder, form: SettingsForm | None = None) -> Shown:
    """All that the page shows."""
    user = holder.user
    with desk.cell.reading():
        groups = list_groups(desk.cell, desk.owner)
        spending = _spending(desk, user)
        allowance = read_allowance(desk.cell, desk.owner, desk.catalogue)
    with desk.control.reading():
        numbers = numbers_of(desk.control, desk.owner, user)
        free = free_numbers(desk.control, desk.owner, limit=FREE_SHOWN_MAX)
        taken = numbers_taken(desk.control, desk.owner, now_ms=desk.now_ms)
    return {
        "user_shown": user,
        "kind": KINDS[user.kind],
        "location": country_name(desk.wording.locale, user.usage_location),
        "lacks": lacking(desk.catalogue, user.licences, user.kind, user.usage_location),
        **_licences(desk, holder),
        "groups": [(each.name, each.name in holder.groups) for each in groups],
        "form": form or SettingsForm(initial=SettingsForm.initial_of(user)),
        "policies": policies_shown(desk),
        "countries": countries_shown(desk.wording.locale),
        "spending": spending,
        "numbers": [_number(each) for each in numbers],
        "free": [_number(each) for each in free],
        "quota": (taken[USER_NUMBER], allowance.of(USER_NUMBER)),
        "types": CALL_TYPES[user.kind].items(),
        "asked": {"type": next(iter(CALL_TYPES[user.kind])), "number": "", "minutes": "5"},
        "reason_max": REASON_TEXT_MAX,
        "may_change": desk.may(VOICE),
    }


def _licences(
    desk: Desk,
    holder: Holder,
    added: frozenset[str] = frozenset(),
    removed: frozenset[str] = frozenset(),
) -> Shown:
    """The licences that the user has or can be given, and those that come with groups; ticked as
    somebody did who could not save it."""
    user, catalogue = holder.user, desk.catalogue
    offered = [
        licence
        for licence in catalogue.licences.values()
        if licence.code in user.licences
        or (user.kind in licence.kinds and covers(catalogue, licence, user.usage_location))
    ]
    by_group = user.licences - holder.own_licences
    rows = [
        {
            "licence": licence_shown(desk, licence, user.usage_location),
            "has": licence.code in user.licences,
            "by_group": licence.code in by_group,
            "ticked": licence.code in (user.licences | added) - removed,
        }
        for licence in offered
    ]
    rows.sort(key=lambda row: (not row["has"], row["licence"].name))  # type: ignore[attr-defined]
    lost = sorted(user.licences - catalogue.licences.keys())
    return {"licences": rows, "lost": [licence_name(catalogue, code) for code in lost]}


def _spending(desk: Desk, user: User) -> Shown:
    """What the user's calls have cost this month, against the limit that counts."""
    month = month_of(desk.now_ms)
    key = spending_key(month, user.id)
    meters = [each for each in meters_with_prefix(desk.cell, desk.owner.id, key) if each.key == key]
    used_micros = sum(each.used + each.held for each in meters)
    own = user.spend_limit_micros
    limit_micros = desk.owner.rules.spend_limit_micros if own is None else own
    percent = 0
    if limit_micros is not None:
        percent = 100 if not limit_micros else min(used_micros * 100 // limit_micros, 100)
    return {
        "month": desk.wording.month(month),
        "used": desk.money(used_micros),
        "limit": None if limit_micros is None else desk.money(limit_micros),
        "own": own is not None,
        "percent": percent,
        "state": "bad" if percent >= 100 else "warn" if percent >= 80 else "",
    }


def _number(entry: NumberEntry) -> Shown:
    return {
        "digits": entry.digits,
        "text": telephone(entry.digits),
        "service": entry.kind != USER_NUMBER,
    }


def _changed(desk: Desk, change: UserChange, said: str) -> Done:
    with desk.cell.transaction():
        done = change_user(desk.cell, desk.owner, change, catalogue=desk.catalogue)
    return done if isinstance(done, Refusal) else said


def _save_licences(desk: Desk, holder: Holder) -> Done:
    """What was ticked or unticked on the page; others, and those that came with a group, stay."""
    added, removed = ticked_anew(desk, "licence")
    change = UserChange(holder.user.name, add=added, remove=removed & holder.own_licences)
    return _changed(desk, change, _("The licences were saved."))


def _save_groups(desk: Desk, holder: Holder) -> Done:
    joined, left = ticked_anew(desk, "group")
    change = UserChange(holder.user.name, join=joined, leave=left & holder.groups)
    return _changed(desk, change, _("The groups were saved."))


def _settings(desk: Desk, holder: Holder) -> SettingsForm:
    form = SettingsForm(desk.request.POST, initial=SettingsForm.initial_of(holder.user))
    form.labels = {
        "policy": policies_shown(desk),
        "usage_location": countries_shown(desk.wording.locale),
    }
    return form


def _save_settings(desk: Desk, holder: Holder) -> Done:
    form = _settings(desk, holder)
    if not form.is_valid():
        return Refusal("invalid_value", _("something below is not right"))
    change = form.change_of(holder.user.name)
    return _changed(desk, change, _("The settings were saved."))


def _block(desk: Desk, holder: Holder) -> Done:
    change = UserChange(holder.user.name, active=False, reason=_reason(desk))
    return _changed(desk, change, _("The user is blocked: no more calls are granted."))


def _unblock(desk: Desk, holder: Holder) -> Done:
    change = UserChange(holder.user.name, active=True, reason=_reason(desk))
    return _changed(desk, change, _("The user may call again."))


def _reason(desk: Desk) -> str:
    return desk.request.POST.get("reason", "").strip()


def _assign(desk: Desk, holder: Holder) -> Done:
    with desk.control.transaction():
        done = give_number(desk.control, desk.owner, _number_sent(desk), holder.user)
    return done if isinstance(done, Refusal) else _("The number was assigned.")


def _unassign(desk: Desk, holder: Holder) -> Done:
    with desk.control.transaction():
        done = take_number(desk.control, desk.owner, _number_sent(desk), holder.user)
    said = _("The number was taken away; the organisation keeps it.")
    return done if isinstance(done, Refusal) else said


def _number_sent(desk: Desk) -> str:
    return f"+{desk.request.POST.get('number', '')}"


_SAVES: dict[str, Callable[[Desk, Holder], Done]] = {
    "licences": _save_licences,
    "groups": _save_groups,
    "settings": _save_settings,
    "block": _block,
    "unblock": _unblock,
    "assign": _assign,
    "unassign": _unassign,
}
