"""allauth's forms with labels in our words, and none inside the fields."""

from typing import Any

from allauth.account.forms import (
    ChangePasswordForm,
    ReauthenticateForm,
    ResetPasswordForm,
    ResetPasswordKeyForm,
)
from allauth.mfa.base.forms import AuthenticateForm
from allauth.mfa.base.forms import ReauthenticateForm as FactorAgainForm
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn.forms import AddWebAuthnForm, EditWebAuthnForm
from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

LABELS: dict[str, Promise] = {
    "email": _("E-mail address"),
    "password": _("Password"),
    "oldpassword": _("Current password"),
    "password1": _("New password"),
    "password2": _("New password again"),
    "code": _("Code"),
    "name": _("Name"),
    "passwordless": _("Sign in with it alone, without a password"),
}
CODE = {"inputmode": "text", "autocomplete": "one-time-code", "autofocus": True}


class _Labelled(forms.BaseForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            if name in LABELS:
                field.label = str(LABELS[name])
            field.help_text = ""
            field.widget.attrs.pop("placeholder", None)
            if name == "code":
                field.widget.attrs.update(CODE)


class Forgotten(_Labelled, ResetPasswordForm):
    """Who wants a new password."""


class NewPassword(_Labelled, ResetPasswordKeyForm):
    """A new password, twice."""


class ChangePassword(_Labelled, ChangePasswordForm):
    """The current password, and a new one twice."""


class PasswordAgain(_Labelled, ReauthenticateForm):
    """The password of whoever is signed in."""


class SecondFactor(_Labelled, AuthenticateForm):
    """A code of the authenticator app, or a recovery code."""


class FactorAgain(_Labelled, FactorAgainForm):
    """The same, of whoever is signed in."""


class AddApp(_Labelled, ActivateTOTPForm):
    """The first code of a new authenticator app."""


class AddPasskey(_Labelled, AddWebAuthnForm):
    """A new passkey, and what to call it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {}).setdefault("passwordless", True)
        super().__init__(*args, **kwargs)


class RenamePasskey(_Labelled, EditWebAuthnForm):
    """What to call a passkey."""
