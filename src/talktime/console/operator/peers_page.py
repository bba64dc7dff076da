"""From where switches speak Diameter and RADIUS: added and revoked. A RADIUS secret that is made is
shown once; one that is typed is not shown again."""

import secrets
from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from talktime.clock import now_ms
from talktime.console.databases import current
from talktime.console.doors import CHANGE, OperatorDesk, operator_page
from talktime.console.operator.asking import confirm, confirmed, form_page, not_done, refused
from talktime.console.operator.tables import Tag
from talktime.console.pressed_once import once
from talktime.console.roles import OPERATE
from talktime.console.told_once import tell_once
from talktime.core.limits import HOST_TEXT_MAX, PEER_SECRET_TEXT_MAX
from talktime.core.peers import DIAMETER, RADIUS, Peer
from talktime.core.refusal import Refusal
from talktime.operations.keys import find_switch_of_id
from talktime.operations.peers import (
    SECRET_BYTES,
    NewPeer,
    create_peer,
    find_peer,
    new_secret,
    revoke_peer,
)
from talktime.operations.sealing import Seal
from talktime.store.keys import Switch

PEER = "peer"
PROTOCOL_NAMES = {DIAMETER: "Diameter", RADIUS: "RADIUS"}


class PeerForm(forms.Form):
    """What both protocols have."""

    addresses = forms.CharField(
        label=gettext_lazy("Addresses it comes from"),
        max_length=1_000,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("IP addresses or networks such as 192.0.2.0/24, one on each line."),
    )
    plus = forms.BooleanField(
        label=gettext_lazy("Numbers without + are international"), required=False, initial=True
    )


class RadiusForm(PeerForm):
    """A RADIUS client."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=HOST_TEXT_MAX)
    secret = forms.CharField(
        label=gettext_lazy("Shared secret"),
        max_length=PEER_SECRET_TEXT_MAX,
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=gettext_lazy("Left empty, one is made and shown once."),
    )
    disconnect_to = forms.CharField(
        label=gettext_lazy("Where requests to end a call go"),
        max_length=HOST_TEXT_MAX,
        required=False,
        help_text=gettext_lazy("host:port; left empty, its address and port 3799."),
    )
    field_order = ("name", "addresses", "secret", "disconnect_to", "plus")

    def asked(self) -> NewPeer:
        """The client that is to be made."""
        data = self.cleaned_data
        secret = data["secret"] or new_secret(secrets.token_bytes(SECRET_BYTES))
        return NewPeer(
            *(RADIUS, data["name"], "", data["addresses"].split(), secret),
            plus=data["plus"],
            disconnect_to=data["disconnect_to"].strip(),
        )


class DiameterForm(PeerForm):
    """A Diameter peer."""

    name = forms.CharField(label="Origin-Host", max_length=HOST_TEXT_MAX)
    realm = forms.CharField(label="Origin-Realm", max_length=HOST_TEXT_MAX)
    tls = forms.BooleanField(
        label=gettext_lazy("Nothing is taken from it without TLS"), required=False
    )
    field_order = ("name", "realm", "addresses", "tls", "plus")

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.fields["addresses"].required = False

    def asked(self) -> NewPeer:
        """The peer that is to be made."""
        data = self.cleaned_data
        return NewPeer(
            *(DIAMETER, data["name"].strip(), data["realm"].strip(), data["addresses"].split()),
            tls=data["tls"],
            plus=data["plus"],
        )


FORMS: dict[str, type[DiameterForm | RadiusForm]] = {DIAMETER: DiameterForm, RADIUS: RadiusForm}


def peer_shown(peer: Peer) -> dict[str, Any]:
    """A peer in the list of its switch; its secret is not known."""
    usable = peer.revoked_ms is None
    return {
        "peer": peer,
        "protocol": PROTOCOL_NAMES[peer.protocol],
        "tag": Tag(_("Works"), "good") if usable else Tag(_("Revoked"), "bad"),
        "usable": usable,
        "from": ", ".join(map(str, peer.networks)) or _("anywhere"),
    }


@operator_page(may=OPERATE, methods=CHANGE)
def new_peer(desk: OperatorDesk, switch_id: int, protocol: str) -> HttpResponse:
    """Let a switch speak Diameter or RADIUS."""
    with desk.control.reading():
        switch = find_switch_of_id(desk.control, switch_id)
    if isinstance(switch, Refusal) or protocol not in FORMS:
        raise Http404
    posted = desk.request.method == "POST"
    form = FORMS[protocol](desk.request.POST if posted else None)
    if posted and form.is_valid():
        done = _made(desk, switch, form)
        if not isinstance(done, Refusal):
            return done
        refused(form, done)
    return form_page(
        *(desk, form),
        title=_("New %(protocol)s peer of %(switch)s")
        % {"protocol": PROTOCOL_NAMES[protocol], "switch": switch.name},
        button=_("Make it"),
        back=reverse("operator-switches"),
        back_name=_("Switches and keys"),
    )


def _made(
    desk: OperatorDesk, switch: Switch, form: DiameterForm | RadiusForm
) -> HttpResponse | Refusal:
    asked = form.asked()

    def make() -> Peer | Refusal:
        return create_peer(
            *(desk.control, Seal(current().seal_keys()), switch, asked),
            now_ms=now_ms(),
            next_id=desk.next_id,
        )

    done = once(desk, make, lambda peer: peer.id)
    if isinstance(done, Refusal):
        return done
    if done[1] is not None:
        messages.success(desk.request, _("The peer was made."))
        if asked.secret and not form.cleaned_data["secret"]:
            tell_once(desk.request, PEER, asked.name, asked.secret)
    return redirect("operator-switches")


@operator_page(may=OPERATE, methods=CHANGE)
def revoke(desk: OperatorDesk, peer_id: int) -> HttpResponse:
    """Take nothing from a peer any more."""
    with desk.control.reading():
        peer = find_peer(desk.control, peer_id)
    if isinstance(peer, Refusal):
        raise Http404
    if not confirmed(desk):
        return confirm(
            desk,
            title=_("Revoke the peer %(name)s") % {"name": peer.name},
            facts=[(_("Peer"), f"{PROTOCOL_NAMES[peer.protocol]} {peer.name} ({peer.id})")],
            effects=[
                _("Within a second nothing is taken from it. It cannot be taken back."),
                _("Its calls that run end at their deadlines."),
            ],
            button=_("Revoke it"),
            back=reverse("operator-switches"),
            danger=True,
        )
    with desk.control.transaction():
        done = revoke_peer(desk.control, peer_id, now_ms=now_ms())
    if isinstance(done, Refusal):
        return not_done(desk, done, reverse("operator-switches"))
    messages.success(desk.request, _("The peer was revoked."))
    return redirect("operator-switches")
