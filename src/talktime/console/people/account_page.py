"""The page of one's own account: language and clock, ways to sign in, where one is signed in."""

from typing import Any
from zoneinfo import available_timezones

from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.internal.flows.sessions import end_other_sessions, end_sessions
from allauth.usersessions.models import UserSession
from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from talktime.console.control_plane.models import Account, Membership, Organisation
from talktime.console.databases import current
from talktime.console.doors import CHANGE, account_of, personal_page
from talktime.console.people.browsers import browser_in_words
from talktime.console.people.mail import control_plane
from talktime.console.roles import ROLE_NAMES, STAFF_NAMES
from talktime.console.said import said_capital
from talktime.console.start.shown import wording_of
from talktime.core.refusal import Refusal
from talktime.operations.accounts import set_reader
from talktime.operations.wording import Wording

LANGUAGE_CHOICES = (
    ("", gettext_lazy("As the browser asks")),
    ("en", "English"),
    ("de", "Deutsch"),
)
NO_ZONES = ("localtime", "Factory")


class ReaderForm(forms.Form):
    """In which language and by which clock somebody reads."""

    language = forms.ChoiceField(
        label=gettext_lazy("Language"), choices=LANGUAGE_CHOICES, required=False
    )
    time_zone = forms.ChoiceField(label=gettext_lazy("Time zone"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zones = sorted(available_timezones() - set(NO_ZONES))
        field = self.fields["time_zone"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [
            ("", gettext_lazy("As each organisation keeps it")),
            *((zone, zone.replace("_", " ")) for zone in zones),
        ]


@personal_page(methods=CHANGE)
def account_page(request: HttpRequest) -> HttpResponse:
    """All about the account; language and time zone are set here."""
    account = account_of(request)
    now = {"language": account.language, "time_zone": account.time_zone}
    form = ReaderForm(request.POST if request.method == "POST" else None, initial=now)
    if form.is_valid():
        with control_plane() as control:
            refusal = set_reader(control, account.id, **form.cleaned_data)
        if isinstance(refusal, Refusal):
            form.add_error(None, said_capital(refusal.detail))
        else:
            messages.success(request, _("Saved."))
            return redirect("account")
    wording = wording_of(request, "UTC")
    shown = {
        "form": form,
        "account": account,
        "roles": roles_of(account),
        "sessions": sessions_of(request, wording),
        "single_sign_on": current().single_sign_on,
        "connected": SocialAccount.objects.filter(user=account).exists(),
        **factors_of(account, wording),
    }
    status = 422 if form.errors else 200
    return render(request, "people/account.html", shown, status=status)


def roles_of(account: Account) -> list[dict[str, Any]]:
    """What the account may look after, by the organisation's name."""
    memberships = list(Membership.objects.filter(account=account))
    names = dict(
        Organisation.objects.filter(
            id__in=[each.organisation_id for each in memberships]
        ).values_list("id", "name")
    )
    roles = [
        {
            "id": each.organisation_id,
            "name": names.get(each.organisation_id, ""),
            "role": ROLE_NAMES[each.role],
        }
        for each in memberships
    ]
    if account.staff_role:
        everything = {"id": None, "name": _("All organisations")}
        roles.append({**everything, "role": STAFF_NAMES[account.staff_role]})
    return sorted(roles, key=lambda each: str(each["name"]))


def factors_of(account: Account, wording: Wording) -> dict[str, Any]:
    """The second factors of an account, as the page lists them."""
    authenticators = list(Authenticator.objects.filter(user=account).order_by("created_at"))
    by_type = {each.type: each for each in authenticators}
    codes = by_type.get(Authenticator.Type.RECOVERY_CODES)
    return {
        "totp": _dated(by_type.get(Authenticator.Type.TOTP), wording),
        "codes_left": len(codes.wrap().get_unused_codes()) if codes else None,
        "passkeys": [
            {**_dated(each, wording), "id": each.pk, "name": each.wrap().name}
            for each in authenticators
            if each.type == Authenticator.Type.WEBAUTHN
        ],
    }


def _dated(authenticator: Authenticator | None, wording: Wording) -> dict[str, Any]:
    if authenticator is None:
        return {}
    used = authenticator.last_used_at
    return {
        "added": wording.day(int(authenticator.created_at.timestamp() * 1000)),
        "used": wording.moment(int(used.timestamp() * 1000)) if used else "",
    }


def sessions_of(request: HttpRequest, wording: Wording) -> list[dict[str, Any]]:
    """Where the account is signed in, this session first, then the newest."""
    sessions = UserSession.objects.purge_and_list(account_of(request))
    sessions.sort(key=lambda each: (not each.is_current(), -each.created_at.timestamp()))
    return [
        {
            "id": each.pk,
            "browser": browser_in_words(each.user_agent),
            "place": each.ip,
            "since": wording.moment(int(each.created_at.timestamp() * 1000)),
            "current": each.is_current(),
        }
        for each in sessions
    ]


@personal_page(methods=("POST",))
def end_session(request: HttpRequest, session_id: int) -> HttpResponse:
    """Sign out somewhere else, or here."""
    session = UserSession.objects.filter(user=account_of(request), pk=session_id).first()
    if session is None:
        raise Http404
    end_sessions(request, [session])
    messages.success(request, _("That session is signed out."))
    return redirect("account")


@personal_page(methods=("POST",))
def end_others(request: HttpRequest) -> HttpResponse:
    """Sign out everywhere but here."""
    account = account_of(request)
    others = UserSession.objects.filter(user=account).count() - 1
    end_other_sessions(request, account)
    said = ngettext("{number} session is signed out.", "{number} sessions are signed out.", others)
    messages.success(request, said.format(number=max(others, 0)))
    return redirect("account")
