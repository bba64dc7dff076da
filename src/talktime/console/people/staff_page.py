"""The operator's own people: who may look after all organisations."""

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from talktime.console.control_plane.models import Account
from talktime.console.doors import CHANGE, OperatorDesk, operator_page
from talktime.console.refusals import sentence
from talktime.console.roles import OPERATE, STAFF_NAMES
from talktime.core.refusal import Refusal
from talktime.operations.accounts import set_staff_role
from talktime.operations.four_eyes import confirm_staff

UNKNOWN = gettext_lazy(
    "Nobody signs in with this address. Invite the person to an organisation first, or let "
    "`talktime staff add` make the account."
)


class StaffForm(forms.Form):
    """Who, and what they may do. No role takes the role away."""

    email = forms.EmailField(
        label=gettext_lazy("E-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )
    role = forms.ChoiceField(
        label=gettext_lazy("Role"),
        choices=[(code, name) for code, name in STAFF_NAMES.items()],
        initial="finance",
    )


@operator_page(may=OPERATE, methods=CHANGE)
def staff(desk: OperatorDesk) -> HttpResponse:
    """List the operator's people; add one, change one, or take a role away."""
    if desk.request.method != "POST":
        return staff_shown(desk, StaffForm())
    if "remove" in desk.request.POST:
        return without(desk, desk.request.POST["remove"])
    if "confirm" in desk.request.POST:
        return confirmed(desk, desk.request.POST["confirm"])
    form = StaffForm(desk.request.POST)
    if form.is_valid():
        email, role = form.cleaned_data["email"].lower(), form.cleaned_data["role"]
        refused = changed(desk, email, role)
        if not refused:
            messages.success(desk.request, _("Saved."))
            return redirect("operator-staff")
        form.add_error("email", refused)
    return staff_shown(desk, form, status=422)


def without(desk: OperatorDesk, email: str) -> HttpResponse:
    """Take somebody's staff role away."""
    refused = changed(desk, email, "")
    if refused:
        messages.error(desk.request, refused)
    else:
        said = _("{email} is no longer one of the operator's people.").format(email=email)
        messages.success(desk.request, said)
    return redirect("operator-staff")


def confirmed(desk: OperatorDesk, email: str) -> HttpResponse:
    """Say that an operator is a person of their own, who may give credits and approve."""
    with desk.control.transaction():
        done = confirm_staff(desk.control, email, by=desk.actor)
    if isinstance(done, Refusal):
        messages.error(desk.request, sentence(done))
    else:
        messages.success(desk.request, _("Saved."))
    return redirect("operator-staff")


def changed(desk: OperatorDesk, email: str, role: str) -> str:
    """Set the role; why not, where it was refused. Nobody shuts themselves out."""
    if email == desk.actor:
        return _("You cannot change your own role: ask somebody else of the operator's.")
    with desk.control.transaction():
        done = set_staff_role(desk.control, email, role, by=desk.actor)
    if not isinstance(done, Refusal):
        return ""
    return str(UNKNOWN) if done.code == "unknown_account" else sentence(done)


def staff_shown(desk: OperatorDesk, form: StaffForm, status: int = 200) -> HttpResponse:
    """The page, with the form as it was filled in."""
    accounts = Account.objects.exclude(staff_role="").order_by("email")
    shown = {
        "people": [
            {
                "email": each.email,
                "role": STAFF_NAMES[each.staff_role],
                "active": each.is_active,
                "you": each.email == desk.actor,
                "waits": each.staff_role == "operator" and not each.confirmed_by,
                "made_by": each.staff_by,
                "yours": desk.actor in (each.email, each.staff_by),
                "last_sign_in": desk.wording.moment(int(each.last_login.timestamp() * 1000))
                if each.last_login
                else "",
            }
            for each in accounts
        ],
        "form": form,
    }
    return desk.page("people/staff.html", shown, status=status)
