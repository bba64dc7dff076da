"""What allauth asks us: where mail goes, how secrets are kept, who may come in and from where."""

from typing import Any

import structlog
from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.contrib import messages
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from qrcode import QRCode
from qrcode.image.svg import SvgPathImage

from talktime.console.control_plane.models import Account
from talktime.console.databases import current
from talktime.console.people.mail import mail_reset, tell
from talktime.console.people.sign_in import Attempt, TooSoon
from talktime.operations.sealing import Seal

log = structlog.get_logger(__name__)

NOWHERE = "0.0.0.0"  # a client behind a socket of this machine has no address
TOLD = {
    "account/email/password_changed": "password_changed",
    "account/email/password_set": "password_changed",
    "account/email/password_reset": "password_changed",
    "mfa/email/totp_activated": "totp_added",
    "mfa/email/totp_deactivated": "totp_removed",
    "mfa/email/webauthn_added": "passkey_added",
    "mfa/email/webauthn_removed": "passkey_removed",
    "mfa/email/recovery_codes_generated": "codes_made",
    "socialaccount/email/account_connected": "single_sign_on_added",
}
MESSAGES = {
    "account/messages/password_changed.txt": _("The password was changed."),
    "mfa/messages/totp_activated.txt": _("The authenticator app was added."),
    "mfa/messages/totp_deactivated.txt": _("The authenticator app was removed."),
    "mfa/messages/webauthn_added.txt": _("The passkey was added."),
    "mfa/messages/webauthn_removed.txt": _("The passkey was removed."),
    "mfa/messages/recovery_codes_generated.txt": _("New recovery codes were made."),
}


class AccountAdapter(DefaultAccountAdapter):
    """Accounts are made by the operator or an invitation, never by a form that anyone may fill."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "enter_current_password": _("This is not your current password."),
        "incorrect_password": _("The password is not right."),
        "incorrect_code": _("The code is not right. Codes change every 30 seconds."),
        "too_many_login_attempts": _(
            "Too many attempts have failed. Wait a while, then try again."
        ),
        "rate_limited": _("Too many attempts have failed. Wait a while, then try again."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Nobody makes an account unasked."""
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        """Whom the server that runs us says that it is: it knows which proxies to believe."""
        return request.META.get("REMOTE_ADDR") or NOWHERE

    def is_safe_url(self, url: str) -> bool:
        """Only pages of this service, under the name by which the reader asked."""
        request = self.request
        return url_has_allowed_host_and_scheme(
            url, allowed_hosts={request.get_host()}, require_https=request.is_secure()
        )

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Write the mail that is to be sent; a job hands it over."""
        if template_prefix == "account/email/password_reset_key":
            mail_reset(context["user"], context["password_reset_url"])

    def send_notification_mail(
        self,
        template_prefix: str,
        user: AbstractBaseUser,
        context: dict[str, Any] | None = None,
        email: str | None = None,
    ) -> None:
        """Keep what was changed about an account, and tell its owner."""
        kind, request = TOLD.get(template_prefix), self.request
        if kind is not None and isinstance(user, Account):
            account = user
            transaction.on_commit(lambda: tell(request, account, kind))

    def add_message(
        self,
        request: HttpRequest,
        level: int,
        message_template: str | None = None,
        message_context: dict[str, Any] | None = None,
        extra_tags: str = "",
        message: str | None = None,
    ) -> None:
        """Say it in our own words, or not at all."""
        said = message or MESSAGES.get(message_template or "")
        if said:
            messages.add_message(request, level, str(said))

    def reauthenticate(self, user: AbstractBaseUser, password: str) -> bool:
        """Whether it is the password of whoever is signed in; guessing is slow here too."""
        try:
            with Attempt(self.request, user.get_username()) as attempt:
                return attempt.ended(user.check_password(password))
        except TooSoon as wait:
            raise self.validation_error("too_many_login_attempts") from wait

    def get_reset_password_from_key_url(self, key: str) -> str:
        """The link of a mail, below the address that people know."""
        place = {"uidb36": "UID", "key": "KEY"}
        path = reverse("account_reset_password_from_key", kwargs=place)
        return current().address + path.replace("UID-KEY", key)

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        """Back to where it was asked for."""
        return reverse("account")


class FactorsAdapter(DefaultMFAAdapter):
    """Second factors: their secrets are sealed, their codes drawn without a style of their own."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": AccountAdapter.error_messages["incorrect_code"],
    }

    def encrypt(self, text: str) -> str:
        """As it is kept."""
        return Seal(current().seal_keys()).seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        """As it is used."""
        return Seal(current().seal_keys()).opened(encrypted_text)

    def get_totp_issuer(self) -> str:
        """What the app shows above the code."""
        return "Talktime"

    def _get_site_name(self) -> str:
        return "Talktime"

    def build_totp_svg(self, url: str) -> str:
        """The code to scan, as an element of the page."""
        drawn = QRCode(image_factory=SvgPathImage)
        drawn.add_data(url)
        return str(drawn.make_image().to_string(encoding="unicode"))

    def generate_authenticator_name(self, user: AbstractBaseUser, type: Any) -> str:  # noqa: A002
        """What a passkey is called until its owner says."""
        return gettext("Passkey")
