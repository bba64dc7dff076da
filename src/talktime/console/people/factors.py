"""allauth's pages about passwords and second factors, on templates of ours and behind our doors."""

from collections.abc import Callable
from typing import Any

from allauth.account.views import (
    PasswordChangeView,
    PasswordResetDoneView,
    PasswordResetFromKeyDoneView,
    PasswordResetFromKeyView,
    PasswordResetView,
    ReauthenticateView,
)
from allauth.mfa.base.views import AuthenticateView
from allauth.mfa.base.views import ReauthenticateView as FactorAgainView
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.views import (
    DownloadRecoveryCodesView,
    GenerateRecoveryCodesView,
    ViewRecoveryCodesView,
)
from allauth.mfa.totp.views import ActivateTOTPView, DeactivateTOTPView
from allauth.mfa.utils import is_mfa_enabled
from allauth.mfa.webauthn.views import (
    AddWebAuthnView,
    EditWebAuthnView,
    LoginWebAuthnView,
    ReauthenticateWebAuthnView,
    RemoveWebAuthnView,
)
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse_lazy
from django.views.decorators.cache import never_cache

from talktime.console.doors import CHANGE, READ, View, for_anyone, personal_page
from talktime.console.people import forms

AnyView = Callable[..., HttpResponseBase]
ACCOUNT = reverse_lazy("account")


def anyone(view: AnyView) -> View:
    """Without being signed in, or on the way to it; never kept by a cache."""
    kept_by_nobody: View = never_cache(view)
    return for_anyone(kept_by_nobody)


@anyone
def inactive(request: HttpRequest) -> HttpResponse:
    """Whom the provider let in, but whose account is closed."""
    return render(request, "people/not_signed_in.html", {"why": "inactive"}, status=403)


@personal_page(methods=READ)
def to_account(request: HttpRequest) -> HttpResponse:
    """Lists of factors stand on the account's page."""
    return redirect("account")


@personal_page(methods=READ)
def first_password(request: HttpRequest) -> HttpResponse:
    """An account without a password gets its first one by mail, as a new one."""
    return redirect("account_reset_password")


class SecondFactor(AuthenticateView):
    """A code, or a passkey of whoever has one."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Without the passkey's form where there is none."""
        if not is_mfa_enabled(self.stage.login.user, [Authenticator.Type.WEBAUTHN]):
            self.webauthn_form = None
        shown: dict[str, Any] = super().get_context_data(**kwargs)
        return shown


second_factor = anyone(
    SecondFactor.as_view(
        template_name="people/second_factor.html",
        form_class=forms.SecondFactor,
        webauthn_form_class=forms.PasskeyAfterPassword,
    )
)
passkey_sign_in = anyone(LoginWebAuthnView.as_view(form_class=forms.PasskeyAlone))
forgotten = anyone(
    PasswordResetView.as_view(template_name="people/forgotten.html", form_class=forms.Forgotten)
)
mailed = anyone(PasswordResetDoneView.as_view(template_name="people/mailed.html"))
new_password = anyone(
    PasswordResetFromKeyView.as_view(
        template_name="people/new_password.html", form_class=forms.NewPassword
    )
)
password_set = anyone(
    PasswordResetFromKeyDoneView.as_view(template_name="people/password_set.html")
)

own = personal_page(methods=CHANGE)
password_again = own(
    ReauthenticateView.as_view(
        template_name="people/password_again.html", form_class=forms.PasswordAgain
    )
)
factor_again = own(
    FactorAgainView.as_view(template_name="people/factor_again.html", form_class=forms.FactorAgain)
)
passkey_again = own(
    ReauthenticateWebAuthnView.as_view(
        template_name="people/passkey_again.html", form_class=forms.PasskeyAgain
    )
)
change_password = own(
    PasswordChangeView.as_view(
        template_name="people/change_password.html", form_class=forms.ChangePassword
    )
)
add_app = own(
    ActivateTOTPView.as_view(template_name="people/add_app.html", form_class=forms.AddApp)
)
remove_app = own(
    DeactivateTOTPView.as_view(template_name="people/remove_app.html", success_url=ACCOUNT)
)
recovery_codes = own(ViewRecoveryCodesView.as_view(template_name="people/recovery_codes.html"))
new_codes = own(GenerateRecoveryCodesView.as_view(template_name="people/new_codes.html"))
codes_as_file = own(DownloadRecoveryCodesView.as_view())
add_passkey = own(
    AddWebAuthnView.as_view(template_name="people/add_passkey.html", form_class=forms.AddPasskey)
)
rename_passkey = own(
    EditWebAuthnView.as_view(
        template_name="people/rename_passkey.html",
        form_class=forms.RenamePasskey,
        success_url=ACCOUNT,
    )
)
remove_passkey = own(
    RemoveWebAuthnView.as_view(template_name="people/remove_passkey.html", success_url=ACCOUNT)
)
