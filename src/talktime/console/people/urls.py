"""Addresses of sign-in, accounts and teams. allauth finds its own by their names (account_*,
mfa_*, openid_connect_*, socialaccount_*); what of it is not here, is not to be had."""

from django.contrib.auth.views import LogoutView
from django.urls import path, re_path
from django.views.generic import RedirectView

from talktime.console.people import (
    account_page,
    factors,
    invitation_page,
    organisations_page,
    single_sign_on,
    staff_page,
    team_page,
)
from talktime.console.people.factors import anyone
from talktime.console.people.sign_in import SignIn

SSO = {"provider_id": single_sign_on.PROVIDER_ID}
PASSKEY = "account/passkeys/<int:pk>/"
TEAM = "organisations/<int:organisation_id>/team/"
INVITATION = f"{TEAM}invitations/<int:invitation_id>/"

sign_in = anyone(SignIn.as_view())

sign_in_urls = [
    path("sign-in/", sign_in, name="sign-in"),
    path("sign-in/", sign_in, name="account_login"),
    path("sign-out/", anyone(LogoutView.as_view()), name="sign-out"),
    path("sign-in/second-factor/", factors.second_factor, name="mfa_authenticate"),
    path("sign-in/passkey/", factors.passkey_sign_in, name="mfa_login_webauthn"),
    path("sign-in/closed/", factors.inactive, name="account_inactive"),
    path(
        "sign-in/single-sign-on/",
        anyone(single_sign_on.begin),
        SSO,
        name="openid_connect_login",
    ),
    path(
        "sign-in/single-sign-on/back/",
        anyone(single_sign_on.come_back),
        SSO,
        name="openid_connect_callback",
    ),
    path(
        "sign-in/single-sign-on/cancelled/",
        anyone(single_sign_on.cancelled),
        name="socialaccount_login_cancelled",
    ),
    path("sign-in/forgotten/", factors.forgotten, name="account_reset_password"),
    path("sign-in/forgotten/mailed/", factors.mailed, name="account_reset_password_done"),
    re_path(
        r"^sign-in/new-password/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>[^/]+)/$",
        factors.new_password,
        name="account_reset_password_from_key",
    ),
    path(
        "sign-in/new-password/done/",
        factors.password_set,
        name="account_reset_password_from_key_done",
    ),
    path("invitation/<str:secret>/", invitation_page.invitation, name="invitation"),
    path(
        ".well-known/change-password",
        anyone(RedirectView.as_view(pattern_name="account_change_password")),
    ),
]
account_urls = [
    path("account/", account_page.account_page, name="account"),
    path("account/sessions/end/", account_page.end_others, name="end-other-sessions"),
    path("account/sessions/<int:session_id>/end/", account_page.end_session, name="end-session"),
    path("account/confirm/", factors.password_again, name="account_reauthenticate"),
    path("account/confirm/factor/", factors.factor_again, name="mfa_reauthenticate"),
    path("account/confirm/passkey/", factors.passkey_again, name="mfa_reauthenticate_webauthn"),
    path("account/password/", factors.change_password, name="account_change_password"),
    path("account/password/first/", factors.first_password, name="account_set_password"),
    path("account/factors/", factors.to_account, name="mfa_index"),
    path("account/app/", factors.add_app, name="mfa_activate_totp"),
    path("account/app/remove/", factors.remove_app, name="mfa_deactivate_totp"),
    path("account/recovery-codes/", factors.recovery_codes, name="mfa_view_recovery_codes"),
    path("account/recovery-codes/new/", factors.new_codes, name="mfa_generate_recovery_codes"),
    path("account/recovery-codes/file/", factors.codes_as_file, name="mfa_download_recovery_codes"),
    path("account/passkeys/", factors.to_account, name="mfa_list_webauthn"),
    path("account/passkeys/add/", factors.add_passkey, name="mfa_add_webauthn"),
    path(f"{PASSKEY}name/", factors.rename_passkey, name="mfa_edit_webauthn"),
    path(f"{PASSKEY}remove/", factors.remove_passkey, name="mfa_remove_webauthn"),
]
team_urls = [
    path("organisations/", organisations_page.organisations, name="organisations"),
    path(TEAM, team_page.team, name="team"),
    path(f"{TEAM}invite/", team_page.invite_member, name="invite"),
    path(f"{INVITATION}again/", team_page.invite_again, name="invite-again"),
    path(f"{INVITATION}revoke/", team_page.revoke_invitation, name="revoke-invitation"),
    path(f"{TEAM}<int:account_id>/", team_page.member, name="member"),
    path(f"{TEAM}<int:account_id>/remove/", team_page.removed, name="remove-member"),
    path("operator/staff/", staff_page.staff, name="operator-staff"),
]
urlpatterns = [*sign_in_urls, *account_urls, *team_urls]
