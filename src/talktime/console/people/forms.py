"""allauth's forms with labels in our words, and none inside the fields."""

from collections.abc import Iterator
from contextlib import contextmanager
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
from allauth.mfa.webauthn.forms import (
    AddWebAuthnForm,
    AuthenticateWebAuthnForm,
    EditWebAuthnForm,
    LoginWebAuthnForm,
    ReauthenticateWebAuthnForm,
)
from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from talktime.core.limits import NAME_TEXT_MAX

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

    name = forms.CharField(required=False, max_length=NAME_TEXT_MAX)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {}).setdefault("passwordless", True)
        super().__init__(*args, **kwargs)

    def clean(self) -> Any:
        """What the browser made is for this page."""
        with _no_code():
            return super().clean()


class RenamePasskey(_Labelled, EditWebAuthnForm):
    """What to call a passkey."""

    name = forms.CharField(max_length=NAME_TEXT_MAX)


class _ByPasskey(forms.BaseForm):
    def clean_credential(self) -> Any:
        """Whose passkey it is."""
        with _no_code():
            return super().clean_credential()  # type: ignore[misc]


class PasskeyAlone(_ByPasskey, LoginWebAuthnForm):
    """A passkey in place of a password."""


class PasskeyAfterPassword(_ByPasskey, AuthenticateWebAuthnForm):
    """A passkey in place of a code."""


class PasskeyAgain(_ByPasskey, ReauthenticateWebAuthnForm):
    """A passkey of whoever is signed in."""


@contextmanager
def _no_code() -> Iterator[None]:
    """allauth says of a passkey what it says of a code."""
    try:
        yield
    except forms.ValidationError as error:
        if error.code != "incorrect_code":
            raise
        detail = _("This passkey is not known here, or the page was open too long. Try it again.")
        raise forms.ValidationError(detail) from error
