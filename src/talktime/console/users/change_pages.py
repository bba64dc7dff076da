"""Change many users at once: choose what, see what comes of it, then do it for all or for none."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from talktime.console.doors import Desk, Shown, page
from talktime.console.roles import VOICE
from talktime.console.said import said
from talktime.console.users.list_page import everyone, filters_in
from talktime.console.users.pools_shown import pool_changes_shown
from talktime.console.users.words import licence_name, policies_shown
from talktime.core.licensing import Holder
from talktime.core.limits import REASON_TEXT_MAX, USERS_SELECTED_MAX
from talktime.operations.csv_rows import BadFile, RowErrors
from talktime.operations.licence_groups import list_groups
from talktime.operations.preview_users import Preview, preview_users
from talktime.operations.user_changes import UserChange
from talktime.operations.users import UserRow, put_users

SHOWN_MAX = 100
KEEP = "-"
"""As a choice: leave it as it is."""


class ChangeForm(forms.Form):
    """What is to be of all the users that are selected."""

    add = forms.MultipleChoiceField(label=gettext_lazy("Assign these licences"), required=False)
    remove = forms.MultipleChoiceField(label=gettext_lazy("Remove these licences"), required=False)
    join = forms.ChoiceField(label=gettext_lazy("Put into the group"), required=False)
    leave = forms.ChoiceField(label=gettext_lazy("Take out of the group"), required=False)
    policy = forms.ChoiceField(label=gettext_lazy("Dial-out policy"), required=False)
    calls = forms.ChoiceField(label=gettext_lazy("Calls"), required=False)
    reason = forms.CharField(
        label=gettext_lazy("Reason for blocking or unblocking (optional)"),
        max_length=REASON_TEXT_MAX,
        required=False,
    )

    def __init__(self, desk: Desk, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        licences = sorted(desk.catalogue.licences.values(), key=lambda each: each.name)
        codes = [(each.code, f"{said(each.name)} ({each.code})") for each in licences]
        groups = [("", _("None"))] + [
            (each.name, each.name) for each in list_groups(desk.cell, desk.owner)
        ]
        as_it_is = (KEEP, _("Leave as it is"))
        self._choose("add", codes, forms.CheckboxSelectMultiple())
        self._choose("remove", codes, forms.CheckboxSelectMultiple())
        self._choose("join", groups, forms.Select())
        self._choose("leave", groups, forms.Select())
        self._choose("policy", [as_it_is, *policies_shown(desk)], forms.Select())
        states = [as_it_is, ("block", _("Block")), ("unblock", _("Unblock"))]
        self._choose("calls", states, forms.Select())

    def _choose(self, name: str, choices: list[tuple[str, str]], widget: forms.Widget) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.widget = widget
        field.choices = choices

    def change_of(self, name: str) -> UserChange:
        """The change of one user."""
        typed = self.cleaned_data
        calls = {"block": False, "unblock": True}.get(typed["calls"])
        return UserChange(
            name,
            add=frozenset(typed["add"]),
            remove=frozenset(typed["remove"]),
            join=frozenset({typed["join"]} - {""}),
            leave=frozenset({typed["leave"]} - {""}),
            policy=None if typed["policy"] == KEEP else typed["policy"],
            active=calls,
            reason=typed["reason"],
        )

    @property
    def says_nothing(self) -> bool:
        """Whether nothing was chosen."""
        return self.change_of("")._replace(reason="") == UserChange("")


@page(may=VOICE, methods=("POST",))
def change_users(desk: Desk) -> HttpResponse:
    """The steps: what to change, what would come of it, and the change itself."""
    sent = desk.request.POST
    with desk.cell.reading():
        names = _selected(desk)
        form = ChangeForm(desk, sent if "step" in sent else None)
    if not names:
        messages.warning(desk.request, _("Select the users first."))
        return redirect("users", desk.owner.id)
    if "step" not in sent:
        return _step(desk, form, names)
    if not form.is_valid():
        return _step(desk, form, names, status=422)
    if sent["step"] == "choose":
        return _step(desk, form, names)
    if form.says_nothing:
        form.add_error(None, _("Choose what to change."))
        return _step(desk, form, names, status=422)
    changes = [form.change_of(name) for name in names]
    if sent["step"] == "apply":
        return _apply(desk, form, changes, names)
    return _preview(desk, form, changes, names)


def _selected(desk: Desk) -> list[str]:
    sent = desk.request.POST
    if "everyone" in sent:
        asked = filters_in(sent)
        return [each.user.name for each in everyone(desk, asked, USERS_SELECTED_MAX)]
    typed = [*sent.getlist("name"), *sent.get("names", "").split()]
    return list(dict.fromkeys(name.lower() for name in typed))[:USERS_SELECTED_MAX]


def _step(desk: Desk, form: ChangeForm, names: list[str], status: int = 200) -> HttpResponse:
    shown: Shown = {
        "form": form,
        "names": "\n".join(names),
        "count": len(names),
        "first": names[:SHOWN_MAX],
        "at_most": len(names) == USERS_SELECTED_MAX,
    }
    return desk.page("users/change.html", shown, status=status)


def _preview(
    desk: Desk, form: ChangeForm, changes: list[UserChange], names: list[str], status: int = 200
) -> HttpResponse:
    with desk.cell.reading():
        found = preview_users(
            desk.cell, desk.owner, changes, catalogue=desk.catalogue, now_ms=desk.now_ms
        )
    return desk.page("users/preview.html", _preview_shown(desk, found, names), status=status)


def _preview_shown(desk: Desk, found: Preview, names: list[str]) -> Shown:
    refused = {each.user.name for each, _why in found.refused}
    return {
        "fields": _fields(desk.request.POST),
        "names": "\n".join(names),
        "possible": "\n".join(name for name in names if name not in refused),
        "changed": [differences(desk, *pair) for pair in found.changed[:SHOWN_MAX]],
        "changed_count": len(found.changed),
        "changed_cut": max(len(found.changed) - SHOWN_MAX, 0),
        "refused": [(each.user, why) for each, why in found.refused[:SHOWN_MAX]],
        "refused_count": len(found.refused),
        "refused_cut": max(len(found.refused) - SHOWN_MAX, 0),
        "unchanged": found.unchanged,
        "pools": pool_changes_shown(desk, found.pools),
    }


def _fields(sent: Mapping[str, Any]) -> list[tuple[str, str]]:
    names = ("add", "remove", "join", "leave", "policy", "calls", "reason")
    return [(name, value) for name in names for value in sent.getlist(name)]  # type: ignore[attr-defined]


def _apply(
    desk: Desk, form: ChangeForm, changes: list[UserChange], names: list[str]
) -> HttpResponse:
    rows = [UserRow(place, change) for place, change in enumerate(changes, 1)]
    with desk.cell.transaction():
        done = put_users(
            *(desk.cell, desk.owner, rows, RowErrors()),
            catalogue=desk.catalogue,
            next_id=desk.next_id,
        )
    if isinstance(done, BadFile):
        # Somebody was faster: what would come of it now is shown.
        return _preview(desk, form, changes, names, status=422)
    text = ngettext("%(count)s user was changed.", "%(count)s users were changed.", done.changed)
    messages.success(desk.request, text % {"count": desk.wording.decimal(done.changed)})
    return redirect("users", desk.owner.id)


def differences(desk: Desk, old: Holder, new: Holder) -> Shown:
    """What becomes of one user."""
    catalogue = desk.catalogue
    return {
        "name": new.user.name,
        "display_name": new.user.display_name,
        "gains": sorted(
            licence_name(catalogue, code) for code in new.user.licences - old.user.licences
        ),
        "loses": sorted(
            licence_name(catalogue, code) for code in old.user.licences - new.user.licences
        ),
        "joins": sorted(new.groups - old.groups),
        "leaves": sorted(old.groups - new.groups),
        "policy": new.user.policy != old.user.policy,
        "blocked": old.user.active and not new.user.active,
        "unblocked": new.user.active and not old.user.active,
    }
