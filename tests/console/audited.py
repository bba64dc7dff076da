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
    "end-other-sessions": SIGNS_IN,
    "sandbox": PROVIDERS_OWN,
    "sandbox-card": PROVIDERS_OWN,
    "sandbox-charge": PROVIDERS_OWN,
}
"""Pages that are sent forms and keep no change, with the reason."""


class AuditedClient(Client):
    """Django's client, which also proves that each change that was made is kept.

    A form that was sent to the same address before may change nothing the second time; where a
    test says `changes_nothing`, none does.
    """

    changes_nothing = False

    def __init__(self, **more):
        super().__init__(**more)
        self.changed = set()

    def request(self, **request):
        """Send a request; after a form that led to another page there are more changes."""
        if request.get("REQUEST_METHOD") != "POST":
            return super().request(**request)
        before, path = changes_kept(), request["PATH_INFO"]
        response = super().request(**request)
        name = resolve(path).url_name
        to_sign_in = response.headers.get("Location", "").startswith("/sign-in/")
        if response.status_code != 302 or to_sign_in or name in NOT_AUDITED:
            return response
        if changes_kept() > before:
            assert not self.changes_nothing, f"{name} has changed something"
            self.changed.add(path)
        else:
            unchanged = self.changes_nothing or path in self.changed
            assert unchanged, f"{name} keeps no change: see tests/console/audited.py"
        return response


def changes_kept():
    """How many changes are kept, in the cell and the control plane."""
    return count_of(AuditEntry) + count_of(SharedAuditEntry)
