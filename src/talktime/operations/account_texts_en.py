"""What mail about accounts says in English. What stands in braces is put in by account_words.py."""

from talktime.operations.account_said import AccountLanguage, AccountSaid

_NOT_YOU = "If it was not you: set a new password now, then look at your sign-in methods."
_ACCOUNT = "Open your account"

ENGLISH = AccountLanguage(
    code="en",
    said={
        "invitation": AccountSaid(
            "You are invited to look after {organisation}",
            "{invited_by} invites you to look after {organisation} in Talktime.",
            "You choose a password, or sign in if you have an account already. The link holds "
            "until {expires}.",
            "If you did not expect this, do nothing: without the link nobody can join.",
            "Accept the invitation",
        ),
        "password_reset": AccountSaid(
            "Set a new password",
            "Somebody, probably you, asked for a new password for {email}.",
            "The link can be used once, and holds for an hour. Until then your password stays as "
            "it is.",
            "If it was not you, do nothing.",
            "Set a new password",
        ),
        "password_changed": AccountSaid(
            "Your password was changed",
            "The password of {email} was changed.",
            "Whoever was signed in elsewhere with the old one is signed out.",
            _NOT_YOU,
            _ACCOUNT,
        ),
        "totp_added": AccountSaid(
            "An authenticator app was added to your account",
            "Signing in as {email} now asks for a code of an authenticator app.",
            "Keep the recovery codes: they let you in when the app is lost.",
            _NOT_YOU,
            _ACCOUNT,
        ),
        "totp_removed": AccountSaid(
            "The authenticator app was removed from your account",
            "Signing in as {email} no longer asks for a code of the authenticator app.",
            "",
            _NOT_YOU,
            _ACCOUNT,
        ),
        "passkey_added": AccountSaid(
            "A passkey was added to your account",
            "A new passkey or security key can now be used to sign in as {email}.",
            "",
            _NOT_YOU,
            _ACCOUNT,
        ),
        "passkey_removed": AccountSaid(
            "A passkey was removed from your account",
            "A passkey or security key can no longer be used to sign in as {email}.",
            "",
            _NOT_YOU,
            _ACCOUNT,
        ),
        "codes_made": AccountSaid(
            "New recovery codes for your account",
            "New recovery codes were made for {email}. The former ones hold no more.",
            "",
            _NOT_YOU,
            _ACCOUNT,
        ),
        "single_sign_on_added": AccountSaid(
            "Single sign-on can now be used with your account",
            "Somebody signed in as {email} by single sign-on for the first time.",
            "",
            _NOT_YOU,
            _ACCOUNT,
        ),
        "key_created": AccountSaid(
            "A new API key opens {organisation}",
            "{by} made the API key {key} for {organisation}.",
            "Whoever has its text can do over the API what the key's scopes say.",
            "If nobody of yours meant it: revoke the key now, then look at the audit log.",
            "Open the API keys",
        ),
        "key_rotated": AccountSaid(
            "An API key of {organisation} was rotated",
            "{by} put a new API key in the place of {key} of {organisation}.",
            "The former one ends by itself, after the time that was chosen.",
            "If nobody of yours meant it: revoke both keys now, then look at the audit log.",
            "Open the API keys",
        ),
    },
    roles={
        "owner": "Owner",
        "billing_admin": "Billing admin",
        "voice_admin": "Voice admin",
        "viewer": "Viewer",
    },
    facts={"role": "Role", "place": "From", "at": "When"},
    footer="This mail was sent to {email} because it concerns your account at Talktime. "
    "Times are in {zone}.",
    colon=":",
)
