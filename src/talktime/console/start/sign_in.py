"""Signing in with an e-mail address and a password."""

import threading
from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.core.exceptions import ValidationError
from django.http import HttpResponse

from talktime.console.control_plane.models import email_as_kept
from talktime.console.start.throttle import Throttle

WRONG = "The e-mail address or the password is not right. Check both and try again."
WAIT = "Too many attempts to sign in have failed. Wait {minutes}, then try again."
BUSY = "Too many people sign in at this moment. Try again in a few seconds."
BUSY_S = 5

attempts = Throttle()
# A hash takes a processor for a third of a second, and the engine may need the others.
hashing = threading.BoundedSemaphore(1)


class SignInForm(AuthenticationForm):
    """One message for every failure: it does not tell whether an account exists."""

    username = forms.EmailField(
        label="E-mail address",
        max_length=254,
        widget=forms.EmailInput(
            attrs={"autocomplete": "username", "autofocus": True, "spellcheck": "false"}
        ),
    )
    error_messages = {"invalid_login": WRONG, "inactive": WRONG}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["username"].label = "E-mail address"
        self.wait_s = 0

    def clean(self) -> dict[str, Any]:
        """Look at the password, where it is not too soon for that."""
        if not (self.cleaned_data.get("username") and self.cleaned_data.get("password")):
            return self.cleaned_data
        who = self._address(), email_as_kept(self.cleaned_data["username"])
        self.wait_s = attempts.begin(*who)
        if self.wait_s:
            raise ValidationError(WAIT.format(minutes=minutes(self.wait_s)), code="wait")
        if not hashing.acquire(timeout=BUSY_S):
            attempts.not_tried(*who)
            self.wait_s = BUSY_S
            raise ValidationError(BUSY, code="busy")
        try:
            cleaned = super().clean()
        except ValidationError:
            raise
        except Exception:
            attempts.not_tried(*who)
            raise
        finally:
            hashing.release()
        attempts.succeeded(*who)
        return cleaned

    def _address(self) -> str:
        return self.request.META.get("REMOTE_ADDR", "") if self.request is not None else ""


def minutes(seconds: int) -> str:
    """How long to wait, for people.

    >>> minutes(1), minutes(61)
    ('a minute', '2 minutes')
    """
    whole = -(-seconds // 60)
    return "a minute" if whole == 1 else f"{whole} minutes"


class SignIn(LoginView):
    form_class = SignInForm
    template_name = "start/sign_in.html"
    redirect_authenticated_user = True

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        """Show the form again, with what was wrong; 429 where it was too soon."""
        response = super().form_invalid(form)
        wait_s = getattr(form, "wait_s", 0)
        if wait_s:
            response.status_code = 429
            response.headers["Retry-After"] = str(wait_s)
        return response
