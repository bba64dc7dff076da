"""API keys of an organisation: the list, a new one, one in another's place, one that ends."""

import secrets
from collections.abc import Callable

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from talktime.console.doors import CHANGE, Desk, Shown, page
from talktime.console.people.mail import sealed_mail
from talktime.console.pressed_once import once
from talktime.console.refusals import sentence
from talktime.console.roles import TEAM
from talktime.console.told_once import tell_once, told_once
from talktime.core.ids import ID_MAX, id_in
from talktime.core.keys import BILLING, NOTICES, READ, USERS, ApiKey
from talktime.core.limits import KEY_NAME_TEXT_MAX
from talktime.core.refusal import Refusal
from talktime.operations.key_mail import KEY_CREATED, KEY_ROTATED, tell_owners
from talktime.operations.keys import (
    ENTROPY_BYTES,
    NewKey,
    create_key,
    find_key,
    list_own_keys,
    revoke_key,
    rotate_key,
    state_of,
)

PAGE_KEYS = 50
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
SCOPE_WORDS = {
    READ: gettext_lazy("Read everything of the organisation"),
    USERS: gettext_lazy("Users, groups and licences"),
    BILLING: gettext_lazy("Buy credits, auto-recharge, payment methods, how it pays"),
    NOTICES: gettext_lazy("Recipients and webhooks"),
}
SCOPE_NAMES = {
    READ: gettext_lazy("Read"),
    USERS: gettext_lazy("Users"),
    BILLING: gettext_lazy("Billing"),
    NOTICES: gettext_lazy("Notices"),
}
STATE_WORDS = {
    "usable": ("good", gettext_lazy("In use")),
    "revoked": ("bad", gettext_lazy("Revoked")),
    "expired": ("warn", gettext_lazy("Expired")),
}


class KeyForm(forms.Form):
    """A new key."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=KEY_NAME_TEXT_MAX)
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("What it may do"),
        choices=list(SCOPE_WORDS.items()),
        widget=forms.CheckboxSelectMultiple,
        initial=[READ],
    )
    days = forms.TypedChoiceField(
        label=gettext_lazy("Expires"),
        coerce=int,
        initial=365,
        choices=[
            (30, gettext_lazy("In 30 days")),
            (90, gettext_lazy("In 90 days")),
            (365, gettext_lazy("In a year")),
            (0, gettext_lazy("Never")),
        ],
    )


class RotationForm(forms.Form):
    """How long the old key still works."""

    hours = forms.TypedChoiceField(
        label=gettext_lazy("The old key works for"),
        coerce=int,
        initial=24,
        choices=[
            (0, gettext_lazy("No longer: it ends now")),
            (1, gettext_lazy("1 hour more")),
            (24, gettext_lazy("24 hours more")),
            (168, gettext_lazy("7 days more")),
        ],
    )


@page(may=TEAM)
def keys(desk: Desk) -> HttpResponse:
    """The keys, the newest first."""
    before = id_in(desk.request.GET.get("before", ""))
    with desk.control.reading():
        found = list_own_keys(
            desk.control,
            desk.owner.id,
            before=ID_MAX if before is None else before,
            limit=PAGE_KEYS,
        )
    here = reverse("keys", args=[desk.owner.id])
    shown: Shown = {
        "keys": [_shown(desk, each) for each in found],
        "told": told_once(desk.request, str(desk.owner.id)),
        "newest": here if before is not None else "",
        "older": f"{here}?before={found[-1].id}" if len(found) == PAGE_KEYS else "",
    }
    return desk.page("keys/keys.html", shown)


@page(may=TEAM, methods=CHANGE)
def new_key(desk: Desk) -> HttpResponse:
    """Make a key; its text is shown once, on the page that follows."""
    posted = desk.request.method == "POST"
    form = KeyForm(desk.request.POST) if posted else KeyForm()
    if posted and form.is_valid():
        typed = form.cleaned_data

        def make() -> NewKey | Refusal:
            return create_key(
                *(desk.control, desk.owner),
                name=typed["name"],
                scopes=typed["scopes"],
                expires_ms=desk.now_ms + typed["days"] * DAY_MS if typed["days"] else None,
                now_ms=desk.now_ms,
                next_id=desk.next_id,
                entropy=secrets.token_bytes(ENTROPY_BYTES),
            )

        made = _made(desk, make, KEY_CREATED)
        if not isinstance(made, Refusal):
            return made
        form.add_error("name", sentence(made))
    return desk.page("keys/new.html", {"form": form}, 422 if posted else 200)


@page(may=TEAM, methods=CHANGE)
def rotated_key(desk: Desk, key_id: int) -> HttpResponse:
    """Put a new key in the place of one, after asking how long the old one works."""
    posted = desk.request.method == "POST"
    form = RotationForm(desk.request.POST) if posted else RotationForm()
    if posted and form.is_valid():
        hours = form.cleaned_data["hours"]

        def make() -> NewKey | Refusal:
            return rotate_key(
                *(desk.control, key_id),
                organisation_id=desk.owner.id,
                old_expires_ms=desk.now_ms + hours * HOUR_MS,
                now_ms=desk.now_ms,
                next_id=desk.next_id,
                entropy=secrets.token_bytes(ENTROPY_BYTES),
            )

        made = _made(desk, make, KEY_ROTATED)
        if not isinstance(made, Refusal):
            return made
        form.add_error("hours", sentence(made))
    shown: Shown = {"form": form, "key": _shown(desk, _usable(desk, key_id))}
    return desk.page("keys/rotate.html", shown, 422 if posted else 200)


@page(may=TEAM, methods=CHANGE)
def revoked_key(desk: Desk, key_id: int) -> HttpResponse:
    """Let a key open nothing more, after asking once."""
    if desk.request.method != "POST":
        return desk.page("keys/revoke.html", {"key": _shown(desk, _usable(desk, key_id))})
    with desk.control.transaction():
        revoked = revoke_key(
            desk.control, key_id, organisation_id=desk.owner.id, now_ms=desk.now_ms
        )
    if isinstance(revoked, Refusal):
        raise Http404
    text = _("The key %(name)s opens nothing any more.") % {"name": revoked.name}
    messages.success(desk.request, text)
    return redirect("keys", desk.owner.id)


def _usable(desk: Desk, key_id: int) -> ApiKey:
    with desk.control.reading():
        found = find_key(desk.control, key_id, organisation_id=desk.owner.id)
    if isinstance(found, Refusal) or not found.usable(desk.now_ms):
        raise Http404
    return found


def _shown(desk: Desk, key: ApiKey) -> Shown:
    wording = desk.wording
    tone, words = STATE_WORDS[state_of(key, desk.now_ms)]
    return {
        "id": key.id,
        "name": key.name,
        "scopes": [words for scope, words in SCOPE_NAMES.items() if scope in key.scopes],
        "tone": tone,
        "state": words,
        "usable": key.usable(desk.now_ms),
        "expires": "" if key.expires_ms is None else wording.moment(key.expires_ms),
        "used": "" if key.used_ms is None else wording.moment(key.used_ms),
    }


def _made(desk: Desk, make: Callable[[], NewKey | Refusal], kind: str) -> HttpResponse | Refusal:
    """Make a key, once; its owners are told by mail, its text waits for the list."""

    def told() -> NewKey | Refusal:
        made = make()
        if not isinstance(made, Refusal):
            tell_owners(desk.control, made.key, kind, sealed_mail())
        return made

    made = once(desk, told, lambda new: new.key.id)
    if isinstance(made, Refusal):
        return made
    if (new := made[1]) is not None:
        tell_once(desk.request, str(desk.owner.id), new.key.name, new.text)
    return redirect("keys", desk.owner.id)
