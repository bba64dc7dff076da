"""An organisation's team: who looks after it, in which role, and who is asked to."""

import secrets
from typing import Any

from allauth.mfa.models import Authenticator
from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from talktime.console.control_plane.models import Membership
from talktime.console.doors import CHANGE, Desk, account_of, page
from talktime.console.people.mail import sealed_mail
from talktime.console.roles import ROLE_NAMES, SEE, TEAM
from talktime.console.said import said_capital
from talktime.core.refusal import Refusal
from talktime.operations.invitations import invite, list_waiting, revoke, send_again
from talktime.operations.team import change_role, remove_member

SECRET_BYTES = 32
REFUSED: dict[str, Promise] = {
    "already_exists": gettext_lazy("This person looks after the organisation already."),
    "too_many_invitations": gettext_lazy(
        "The organisation has sent as many invitations as it may in a day. Wait until tomorrow."
    ),
    "unknown_invitation": gettext_lazy("This invitation is not open any more."),
    "last_owner": gettext_lazy(
        "An organisation needs an owner who can sign in. Make somebody else an owner first."
    ),
}
ROLES_EXPLAINED = {
    "owner": gettext_lazy("Everything, and who is in the team"),
    "billing_admin": gettext_lazy("Credits, payments, invoices, notices"),
    "voice_admin": gettext_lazy("Users, licences, policies, notices"),
    "viewer": gettext_lazy("Sees everything, changes nothing"),
}
ROLE_CHOICES = [(code, name) for code, name in ROLE_NAMES.items()]


class InviteForm(forms.Form):
    """Whom to ask, for what."""

    email = forms.EmailField(
        label=gettext_lazy("E-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    role = forms.ChoiceField(label=gettext_lazy("Role"), choices=ROLE_CHOICES, initial="viewer")


class RoleForm(forms.Form):
    """What a member may do."""

    role = forms.ChoiceField(label=gettext_lazy("Role"), choices=ROLE_CHOICES)


@page(may=SEE)
def team(desk: Desk) -> HttpResponse:
    """Members, and invitations that nobody has answered yet."""
    return team_shown(desk, InviteForm())


def team_shown(desk: Desk, form: InviteForm, status: int = 200) -> HttpResponse:
    """The team's page, with the form as it was filled in."""
    with desk.control.reading():
        waiting = list_waiting(desk.control, desk.owner.id)
    shown = {
        "members": members_shown(desk),
        "invitations": [
            {
                "id": each.id,
                "email": each.email,
                "role": ROLE_NAMES[each.role],
                "invited_by": each.invited_by,
                "expires": desk.wording.moment(each.expires_ms),
                "expired": each.expires_ms <= desk.now_ms,
            }
            for each in waiting
        ],
        "form": form,
        "roles": [(name, ROLES_EXPLAINED[code]) for code, name in ROLE_NAMES.items()],
        "may_change": desk.may(TEAM),
    }
    return desk.page("people/team.html", shown, status=status)


def members_shown(desk: Desk) -> list[dict[str, Any]]:
    """Each member with their role and their last sign-in."""
    memberships = list(
        Membership.objects.filter(organisation_id=desk.owner.id)
        .select_related("account")
        .order_by("account__email")
    )
    accounts = [each.account_id for each in memberships]
    guarded = set(
        Authenticator.objects.filter(user_id__in=accounts)
        .exclude(type=Authenticator.Type.RECOVERY_CODES)
        .values_list("user_id", flat=True)
    )
    return [
        {
            "id": each.account_id,
            "email": each.account.email,
            "role": ROLE_NAMES[each.role],
            "active": each.account.is_active,
            "guarded": each.account_id in guarded,
            "you": each.account_id == account_of(desk.request).id,
            "last_sign_in": desk.wording.moment(int(each.account.last_login.timestamp() * 1000))
            if each.account.last_login
            else "",
        }
        for each in memberships
    ]


@page(may=TEAM, methods=("POST",))
def invite_member(desk: Desk) -> HttpResponse:
    """Send somebody an invitation."""
    form = InviteForm(desk.request.POST)
    if not form.is_valid():
        return team_shown(desk, form, status=422)
    with desk.control.transaction():
        invited = invite(
            *(desk.control, desk.owner.id, form.cleaned_data["email"], form.cleaned_data["role"]),
            secret=secrets.token_urlsafe(SECRET_BYTES),
            invited_by=desk.actor,
            mail=sealed_mail(),
        )
    if isinstance(invited, Refusal):
        form.add_error("email", refused(invited))
        return team_shown(desk, form, status=422)
    said = _("An invitation is on its way to {email}.").format(email=invited.email)
    messages.success(desk.request, said)
    return redirect("team", desk.owner.id)


@page(may=TEAM, methods=("POST",))
def invite_again(desk: Desk, invitation_id: int) -> HttpResponse:
    """Send an invitation once more, with a new link."""
    with desk.control.transaction():
        sent = send_again(
            *(desk.control, desk.owner.id, invitation_id),
            secret=secrets.token_urlsafe(SECRET_BYTES),
            invited_by=desk.actor,
            mail=sealed_mail(),
        )
    if isinstance(sent, Refusal):
        return back(desk, sent)
    said = _("A new invitation is on its way to {email}; the former link holds no more.")
    messages.success(desk.request, said.format(email=sent.email))
    return redirect("team", desk.owner.id)


@page(may=TEAM, methods=("POST",))
def revoke_invitation(desk: Desk, invitation_id: int) -> HttpResponse:
    """Take an invitation back."""
    with desk.control.transaction():
        revoked = revoke(desk.control, desk.owner.id, invitation_id, now_ms=desk.now_ms)
    if isinstance(revoked, Refusal):
        return back(desk, revoked)
    said = _("The invitation of {email} was taken back.").format(email=revoked.email)
    messages.success(desk.request, said)
    return redirect("team", desk.owner.id)


@page(may=TEAM, methods=CHANGE)
def member(desk: Desk, account_id: int) -> HttpResponse:
    """One member: another role, or out of the team."""
    found = (
        Membership.objects.filter(organisation_id=desk.owner.id, account_id=account_id)
        .select_related("account")
        .first()
    )
    if found is None:
        raise Http404
    post = desk.request.POST if desk.request.method == "POST" else None
    form = RoleForm(post, initial={"role": found.role})
    if form.is_valid():
        with desk.control.transaction():
            changed = change_role(
                desk.control, desk.owner.id, account_id, form.cleaned_data["role"]
            )
        if not isinstance(changed, Refusal):
            messages.success(desk.request, _("Saved."))
            return redirect("team", desk.owner.id)
        form.add_error("role", refused(changed))
    shown = {
        "member": found.account,
        "form": form,
        "roles": [(name, ROLES_EXPLAINED[code]) for code, name in ROLE_NAMES.items()],
        "you": account_id == account_of(desk.request).id,
    }
    return desk.page("people/member.html", shown, status=422 if form.errors else 200)


@page(may=TEAM, methods=("POST",))
def removed(desk: Desk, account_id: int) -> HttpResponse:
    """Take a member out of the team."""
    with desk.control.transaction():
        gone = remove_member(desk.control, desk.owner.id, account_id)
    if isinstance(gone, Refusal):
        return back(desk, gone)
    said = _("{email} no longer looks after {organisation}.")
    messages.success(desk.request, said.format(email=gone.email, organisation=desk.owner.name))
    if account_id == account_of(desk.request).id:
        return redirect("organisations")
    return redirect("team", desk.owner.id)


def back(desk: Desk, refusal: Refusal) -> HttpResponse:
    """To the team's page, which says why nothing was done. What is not there, is not found."""
    if refusal.code == "unknown_member":
        raise Http404
    messages.error(desk.request, refused(refusal))
    return redirect("team", desk.owner.id)


def refused(refusal: Refusal) -> str:
    """Why not, for people."""
    return str(REFUSED.get(refusal.code) or said_capital(refusal.detail))
