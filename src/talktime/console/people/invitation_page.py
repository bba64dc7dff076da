"""Where the link of an invitation leads: a password for a new account, or one's own, and in."""

from typing import Any

from allauth.account.internal.flows.login import perform_password_login
from allauth.account.models import Login
from django import forms
from django.contrib import messages
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from talktime.clock import now_ms
from talktime.console.control_plane.models import Account
from talktime.console.databases import current
from talktime.console.doors import CHANGE
from talktime.console.identity import new_ids
from talktime.console.kept_connections import lent
from talktime.console.people.factors import anyone
from talktime.console.people.mail import control_plane
from talktime.console.people.sign_in import hashing
from talktime.console.roles import ROLE_NAMES
from talktime.core.audit import Actor
from talktime.core.limits import INVITATION_SECRET_TEXT_MAX
from talktime.core.refusal import Refusal
from talktime.operations.audit import acting
from talktime.operations.invitations import Invited, accept, find_invitation


class NewPasswordForm(forms.Form):
    """The password of a new account, twice."""

    password = forms.CharField(
        label=gettext_lazy("Password"),
        strip=False,
        max_length=1_000,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label=gettext_lazy("Password again"),
        strip=False,
        max_length=1_000,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, email: str, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._email = email

    def clean_password(self) -> str:
        """Refuse what is guessed first."""
        password: str = self.cleaned_data["password"]
        validate_password(password, Account(email=self._email))
        return password

    def clean(self) -> dict[str, Any]:
        """Both must be the same."""
        given = self.cleaned_data
        if "password" in given and given.get("again") != given["password"]:
            self.add_error("again", ValidationError(_("The two passwords differ.")))
        return given


@anyone
@require_http_methods(list(CHANGE))
def invitation(request: HttpRequest, secret: str) -> HttpResponse:
    """Accept an invitation, as whoever its mail was sent to."""
    with lent(current().control_plane) as control, control.reading():
        invited = find_invitation(control, secret[:INVITATION_SECRET_TEXT_MAX], now_ms())
    if isinstance(invited, Refusal):
        return render(request, "people/invitation_over.html", status=404)
    email = invited.invitation.email
    signed_in_as = request.user.get_username() if request.user.is_authenticated else ""
    form = NewPasswordForm(email, request.POST if request.method == "POST" else None)
    shown = {
        "invited": invited,
        "role": ROLE_NAMES[invited.invitation.role],
        "signed_in_as": signed_in_as,
        "form": form,
        "sign_in": f"{reverse('sign-in')}?{urlencode({'next': request.path})}",
        "single_sign_on": current().single_sign_on,
    }
    if request.method == "POST":
        if signed_in_as == email:
            return joined(request, secret, invited, signed_in_as, "")
        if not signed_in_as and not invited.has_account and form.is_valid():
            with hashing:
                hashed = make_password(form.cleaned_data["password"])
            return joined(request, secret, invited, "", hashed)
    status = 422 if request.method == "POST" else 200
    return render(request, "people/invitation.html", shown, status=status)


def joined(
    request: HttpRequest, secret: str, invited: Invited, signed_in_as: str, password_hash: str
) -> HttpResponse:
    """Into the team, and signed in; or the page that says that it was too late."""
    email, next_id = invited.invitation.email, new_ids().next
    actor = Actor("account", email, request.META.get("REMOTE_ADDR") or "")
    with control_plane() as control, acting(actor, now_ms, next_id):
        accepted = accept(
            *(control, secret),
            signed_in_as=signed_in_as,
            password_hash=password_hash,
            now_ms=now_ms(),
            next_id=next_id,
        )
    if isinstance(accepted, Refusal):
        return render(request, "people/invitation_over.html", status=404)
    said = _("You now look after {organisation}.").format(organisation=invited.organisation)
    messages.success(request, said)
    place = reverse("organisation", args=[accepted[0].organisation_id])
    if signed_in_as:
        return redirect(place)
    login = Login(user=Account.objects.get(id=accepted[1].id), redirect_url=place)
    return perform_password_login(request, {"email": email}, login)
