"""Signing in with an e-mail address and a password; what comes after it is allauth's."""

import threading
from types import TracebackType
from typing import Any

from allauth.account.internal.flows.login import perform_password_login
from allauth.account.models import Login
from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from talktime.console.control_plane.models import Account, email_as_kept
from talktime.console.databases import current
from talktime.console.entering import AGAIN
from talktime.console.people.throttle import Throttle

WRONG = _("The e-mail address or the password is not right. Check both and try again.")
WAIT = _("Too many attempts to sign in have failed. Wait {minutes}, then try again.")
BUSY = _("Too many people sign in at this moment. Try again in a few seconds.")
BUSY_S = 5

attempts = Throttle()
# A hash takes a processor for a third of a second, and the engine may need the others.
hashing = threading.BoundedSemaphore(1)


class TooSoon(Exception):
    """No password is looked at now; the message says why, `wait_s` for how long."""

    def __init__(self, message: str, wait_s: int) -> None:
        super().__init__(message)
        self.wait_s = wait_s


class Attempt:
    """One look at a password, in its turn. It counts as failed unless it `ended` well; what raises
    does not count. Raises TooSoon at its beginning."""

    def __init__(self, request: HttpRequest | None, email: str) -> None:
        place = request.META.get("REMOTE_ADDR", "") if request is not None else ""
        self._who = place, email_as_kept(email)
        self._right = False

    def ended(self, right: bool) -> bool:
        """Say whether the password was right; returns it."""
        self._right = right
        return right

    def __enter__(self) -> "Attempt":
        wait_s = attempts.begin(*self._who)
        if wait_s:
            raise TooSoon(WAIT.format(minutes=minutes(wait_s)), wait_s)
        if not hashing.acquire(timeout=BUSY_S):
            attempts.not_tried(*self._who)
            raise TooSoon(str(BUSY), BUSY_S)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        hashing.release()
        if error is not None and not isinstance(error, ValidationError):
            attempts.not_tried(*self._who)
        elif self._right:
            attempts.succeeded(*self._who)


class SignInForm(AuthenticationForm):
    """One message for every failure: it does not tell whether an account exists."""

    username = forms.EmailField(
        max_length=254,
        widget=forms.EmailInput(
            attrs={"autocomplete": "username webauthn", "autofocus": True, "spellcheck": "false"}
        ),
    )
    error_messages = {"invalid_login": WRONG, "inactive": WRONG}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = _("E-mail address")
        self.fields["password"].label = _("Password")
        self.wait_s = 0

    def clean(self) -> dict[str, Any]:
        """Look at the password, where it is not too soon for that."""
        if not (self.cleaned_data.get("username") and self.cleaned_data.get("password")):
            return self.cleaned_data
        try:
            with Attempt(self.request, self.cleaned_data["username"]) as attempt:
                cleaned = super().clean()
                attempt.ended(True)
        except TooSoon as wait:
            self.wait_s = wait.wait_s
            raise ValidationError(str(wait), code="wait") from wait
        return cleaned


def minutes(seconds: int) -> str:
    """How long to wait, for people.

    >>> minutes(1), minutes(61)
    ('a minute', '2 minutes')
    """
    whole = -(-seconds // 60)
    return ngettext("a minute", "{number} minutes", whole).format(number=whole)


class SignIn(LoginView):
    """The page to sign in on. A right password is the first of the steps that the account wants."""

    form_class = SignInForm
    template_name = "people/sign_in.html"
    redirect_authenticated_user = True

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """The ways in besides the password."""
        single_sign_on = current().single_sign_on
        shown = {
            "single_sign_on": single_sign_on.name if single_sign_on else "",
            "again": AGAIN in self.request.GET,
        }
        return super().get_context_data(**kwargs) | shown

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """Go on to the second factor, where there is one, or in."""
        account = form.get_user()
        assert isinstance(account, Account)
        login = Login(user=account, redirect_url=self.get_redirect_url() or None)
        return perform_password_login(self.request, {"email": account.email}, login)

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        """Show the form again, with what was wrong; 429 where it was too soon."""
        response = super().form_invalid(form)
        wait_s = getattr(form, "wait_s", 0)
        if wait_s:
            response.status_code = 429
            response.headers["Retry-After"] = str(wait_s)
        return response
