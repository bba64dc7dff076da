"""A browser that looks after each form it sends: what was changed must be in the audit log."""

from django.test import Client
from django.urls import resolve

from talktime.console.cell.models import AuditEntry
from talktime.console.control_plane.models import AuditEntry as SharedAuditEntry
from tests.console.rows import count_of

SIGNS_IN = "nothing is changed but the session"
PROVIDERS_OWN = "what the pretended bank keeps is the bank's, not the organisation's"
NOT_AUDITED = {
    "sign-in": SIGNS_IN,
    "sign-out": SIGNS_IN,
    "account_login": SIGNS_IN,
    "mfa_authenticate": SIGNS_IN,
    "mfa_login_webauthn": SIGNS_IN,
    "mfa_reauthenticate": SIGNS_IN,
    "account_reauthenticate": SIGNS_IN,
    "openid_connect_login": SIGNS_IN,
    "account_reset_password": "a mail is asked for; the account stays as it is",
    "end-session": SIGNS_IN,
    "end-sessions": SIGNS_IN,
    "sandbox": PROVIDERS_OWN,
    "sandbox-card": PROVIDERS_OWN,
    "sandbox-charge": PROVIDERS_OWN,
}
"""Pages that are sent forms and keep no change, with the reason."""


class AuditedClient(Client):
    """Django's client, which also proves that each change that was made is kept. `repeats`: what is
    sent was sent before, and changes nothing."""

    repeats = False

    def request(self, **request):
        """Send a request; after a form that led to another page there are more changes."""
        if request.get("REQUEST_METHOD") != "POST":
            return super().request(**request)
        before = changes_kept()
        response = super().request(**request)
        name = resolve(request["PATH_INFO"]).url_name
        if response.status_code == 302 and name not in NOT_AUDITED:
            assert (changes_kept() > before) is not self.repeats, (
                f"{name}: see tests/console/audited.py"
            )
        return response


def changes_kept():
    """How many changes are kept, in the cell and the control plane."""
    return count_of(AuditEntry) + count_of(SharedAuditEntry)
