"""One user is added; licences, policy and numbers are given on the user's own page."""

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from talktime.console.doors import Desk, page
from talktime.console.pressed_once import once
from talktime.console.roles import VOICE
from talktime.console.users.words import KINDS, countries_shown
from talktime.core.directory import PERSON, User
from talktime.core.limits import NAME_TEXT_MAX, USER_NAME_TEXT_MAX
from talktime.core.refusal import Refusal
from talktime.operations.user_changes import UserChange
from talktime.operations.users import create_user


class NewUserForm(forms.Form):
    """Who it is, and where."""

    name = forms.CharField(
        label=gettext_lazy("Sign-in name"),
        max_length=USER_NAME_TEXT_MAX,
        widget=forms.TextInput({"autocomplete": "off", "placeholder": "name@example.com"}),
    )
    display_name = forms.CharField(label=gettext_lazy("Display name"), max_length=NAME_TEXT_MAX)
    usage_location = forms.ChoiceField(label=gettext_lazy("Usage location"))
    kind = forms.ChoiceField(label=gettext_lazy("Kind"), choices=KINDS, initial=PERSON)

    def __init__(self, desk: Desk) -> None:
        sent = desk.request.POST if desk.request.method == "POST" else None
        super().__init__(sent, initial={"usage_location": desk.owner.country})
        place = self.fields["usage_location"]
        assert isinstance(place, forms.ChoiceField)
        place.choices = countries_shown(desk.wording.locale)


@page(may=VOICE, methods=("GET", "HEAD", "POST"))
def add_user(desk: Desk) -> HttpResponse:
    """Show the form, or add the user and go to their page."""
    form = NewUserForm(desk)
    refused: Refusal | None = None
    if form.is_valid():
        new = UserChange(**form.cleaned_data)

        def make() -> User | Refusal:
            return create_user(
                desk.cell, desk.owner, new, catalogue=desk.catalogue, next_id=desk.next_id
            )

        made = once(desk, make, lambda user: user.id, in_cell=True)
        if not isinstance(made, Refusal):
            if made[1] is not None:
                said = _("The user was added. Choose licences and a number.")
                messages.success(desk.request, said)
            return redirect("user", desk.owner.id, made[0])
        refused = made
    status = 422 if form.is_bound else 200
    return desk.page("users/add.html", {"form": form, "refused": refused}, status=status)
