"""Switches, their keys and peers: made, replaced, revoked. A key's text is shown once."""

import secrets
from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from talktime.clock import now_ms
from talktime.console.doors import CHANGE, OperatorDesk, Shown, operator_page
from talktime.console.operator.asking import confirm, confirmed, form_page, not_done, refused
from talktime.console.operator.peers_page import PEER, peer_shown
from talktime.console.operator.tables import Tag
from talktime.console.pressed_once import once
from talktime.console.roles import OPERATE
from talktime.console.told_once import tell_once, told_once
from talktime.core.keys import OPERATOR, SWITCH_SCOPES, ApiKey
from talktime.core.limits import KEY_NAME_TEXT_MAX, NAME_TEXT_MAX, SWITCH_NAME_TEXT_MAX
from talktime.core.refusal import Refusal
from talktime.operations.keys import (
    ENTROPY_BYTES,
    NewKey,
    create_key,
    create_switch,
    find_key,
    find_switch_of_id,
    list_switches,
    revoke_key,
    rotate_key,
)
from talktime.store.keys import Switch, keys_of_switches
from talktime.store.peers import peers_of_switch

PEERS_SHOWN_MAX = 100
DAY_MS = 86_400_000
OVERLAP_DAYS = {"0": 0, "1": 1, "7": 7, "30": 30}


class SwitchForm(forms.Form):
    """What makes calls."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=SWITCH_NAME_TEXT_MAX)
    operator = forms.CharField(label=gettext_lazy("Whose it is"), max_length=NAME_TEXT_MAX)


class KeyForm(forms.Form):
    """A key of a switch."""

    name = forms.CharField(label=gettext_lazy("Name of the key"), max_length=KEY_NAME_TEXT_MAX)
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("What it opens"),
        choices=[(each, format_html("<code>{}</code>", each)) for each in SWITCH_SCOPES],
        widget=forms.CheckboxSelectMultiple,
        initial=list(SWITCH_SCOPES),
    )


class RotateForm(forms.Form):
    """How long the old key still opens."""

    overlap = forms.ChoiceField(
        label=gettext_lazy("The old key still works for"),
        choices=[
            ("0", gettext_lazy("no time: it ends now")),
            ("1", gettext_lazy("one day")),
            ("7", gettext_lazy("seven days")),
            ("30", gettext_lazy("thirty days")),
        ],
        initial="7",
    )


@operator_page(may=OPERATE)
def switches(desk: OperatorDesk) -> HttpResponse:
    """All switches with their keys and peers."""
    after = desk.request.GET.get("after", "")
    with desk.control.reading():
        found = list_switches(desk.control, after=after, limit=51)
        keys = keys_of_switches(desk.control, [each.id for each in found])
        peers = {
            each.id: peers_of_switch(desk.control, each.id, PEERS_SHOWN_MAX) for each in found[:50]
        }
    page = found[:50]
    shown: Shown = {
        "switches": [
            {
                "switch": each,
                "made": desk.wording.day(each.created_ms),
                "keys": [key_shown(desk, key) for key in keys if key.switch_id == each.id],
                "peers": [peer_shown(peer) for peer in peers[each.id]],
            }
            for each in page
        ],
        "more": page[-1].name if len(found) > 50 else "",
        "told": told_once(desk.request, OPERATOR),
        "secret": told_once(desk.request, PEER),
    }
    return desk.page("operator/switches.html", shown)


def key_shown(desk: OperatorDesk, key: ApiKey) -> dict[str, Any]:
    """A key; its text is not known."""
    usable = key.usable(desk.now_ms)
    tag = Tag(_("Works"), "good")
    if key.revoked_ms is not None:
        tag = Tag(_("Revoked"), "bad")
    elif not usable:
        tag = Tag(_("Expired"))
    ends = ""
    if usable and key.expires_ms is not None:
        ends = desk.wording.moment(key.expires_ms)
    return {"key": key, "tag": tag, "usable": usable, "ends": ends, "scopes": sorted(key.scopes)}


@operator_page(may=OPERATE, methods=CHANGE)
def new_switch(desk: OperatorDesk) -> HttpResponse:
    """Make a switch known."""
    posted = desk.request.method == "POST"
    form = SwitchForm(desk.request.POST) if posted else SwitchForm()
    if posted and form.is_valid():

        def make() -> Switch | Refusal:
            return create_switch(
                desk.control, **form.cleaned_data, now_ms=now_ms(), next_id=desk.next_id
            )

        done = once(desk, make, lambda switch: switch.id)
        if not isinstance(done, Refusal):
            if done[1] is not None:
                messages.success(desk.request, _("The switch was made. Make its first key."))
            return redirect("operator-new-key", done[0])
        refused(form, done)
    return form_page(
        *(desk, form),
        title=_("New switch"),
        button=_("Make it"),
        back=reverse("operator-switches"),
        back_name=_("Switches and keys"),
    )


@operator_page(may=OPERATE, methods=CHANGE)
def new_key(desk: OperatorDesk, switch_id: int) -> HttpResponse:
    """Make a key, and show its text once."""
    with desk.control.reading():
        switch = find_switch_of_id(desk.control, switch_id)
    if isinstance(switch, Refusal):
        raise Http404
    posted = desk.request.method == "POST"
    form = KeyForm(desk.request.POST) if posted else KeyForm()
    if posted and form.is_valid():

        def make() -> NewKey | Refusal:
            return create_key(
                *(desk.control, switch),
                name=form.cleaned_data["name"],
                scopes=form.cleaned_data["scopes"],
                now_ms=now_ms(),
                next_id=desk.next_id,
                entropy=secrets.token_bytes(ENTROPY_BYTES),
            )

        done = _made(desk, make)
        if not isinstance(done, Refusal):
            return done
        refused(form, done)
    return form_page(
        *(desk, form),
        title=_("New key of %(switch)s") % {"switch": switch.name},
        button=_("Make it"),
        back=reverse("operator-switches"),
        back_name=_("Switches and keys"),
    )


@operator_page(may=OPERATE, methods=CHANGE)
def rotate(desk: OperatorDesk, key_id: int) -> HttpResponse:
    """Make a key like this one, which ends after a while."""
    old = _key(desk, key_id)
    posted = desk.request.method == "POST"
    form = RotateForm(desk.request.POST) if posted else RotateForm()
    if posted and form.is_valid():
        at_ms, days = now_ms(), OVERLAP_DAYS[form.cleaned_data["overlap"]]

        def make() -> NewKey | Refusal:
            return rotate_key(
                *(desk.control, key_id),
                old_expires_ms=at_ms + days * DAY_MS,
                now_ms=at_ms,
                next_id=desk.next_id,
                entropy=secrets.token_bytes(ENTROPY_BYTES),
            )

        done = _made(desk, make)
        if not isinstance(done, Refusal):
            return done
        refused(form, done)
    return form_page(
        *(desk, form),
        title=_("Replace the key %(name)s") % {"name": old.name},
        button=_("Make the new key"),
        back=reverse("operator-switches"),
        back_name=_("Switches and keys"),
    )


@operator_page(may=OPERATE, methods=CHANGE)
def revoke(desk: OperatorDesk, key_id: int) -> HttpResponse:
    """Let a key open nothing any more."""
    key = _key(desk, key_id)
    if not confirmed(desk):
        return confirm(
            desk,
            title=_("Revoke the key %(name)s") % {"name": key.name},
            facts=[(_("Key"), f"{key.name} ({key.id})")],
            effects=[_("Within a second it opens nothing. It cannot be taken back.")],
            button=_("Revoke it"),
            back=reverse("operator-switches"),
            danger=True,
        )
    with desk.control.transaction():
        done = revoke_key(desk.control, key_id, now_ms=now_ms())
    if isinstance(done, Refusal):
        return not_done(desk, done, reverse("operator-switches"))
    messages.success(desk.request, _("The key was revoked."))
    return redirect("operator-switches")


def _made(desk: OperatorDesk, make: Callable[[], NewKey | Refusal]) -> HttpResponse | Refusal:
    """Make a key, once; its text waits for the list."""
    made = once(desk, make, lambda new: new.key.id)
    if isinstance(made, Refusal):
        return made
    if (new := made[1]) is not None:
        tell_once(desk.request, OPERATOR, new.key.name, new.text)
    return redirect("operator-switches")


def _key(desk: OperatorDesk, key_id: int) -> ApiKey:
    with desk.control.reading():
        found = find_key(desk.control, key_id)
    if isinstance(found, Refusal) or not found.switch_id:
        raise Http404
    return found
