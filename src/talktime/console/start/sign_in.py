"""Signing in with an e-mail address and a password."""

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView

WRONG = "The e-mail address or the password is not right. Check both and try again."


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


class SignIn(LoginView):
    form_class = SignInForm
    template_name = "start/sign_in.html"
    redirect_authenticated_user = True
