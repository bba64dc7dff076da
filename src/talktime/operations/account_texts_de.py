"""What mail about accounts says in German. What stands in braces is put in by account_words.py."""

from talktime.operations.account_said import AccountLanguage, AccountSaid

_NOT_YOU = (
    "Waren Sie das nicht: Setzen Sie sofort ein neues Kennwort, und prüfen Sie dann Ihre "
    "Anmeldemethoden."
)
_ACCOUNT = "Konto öffnen"

GERMAN = AccountLanguage(
    code="de",
    said={
        "invitation": AccountSaid(
            "Sie sind eingeladen, {organisation} zu betreuen",
            "{invited_by} lädt Sie ein, {organisation} in Talktime zu betreuen.",
            "Sie wählen ein Kennwort, oder Sie melden sich an, falls Sie schon ein Konto haben. "
            "Der Link gilt bis {expires}.",
            "Haben Sie das nicht erwartet, ist nichts zu tun: Ohne den Link tritt niemand bei.",
            "Einladung annehmen",
        ),
        "password_reset": AccountSaid(
            "Neues Kennwort setzen",
            "Jemand, vermutlich Sie, hat ein neues Kennwort für {email} angefordert.",
            "Der Link gilt einmal, eine Stunde lang. Bis dahin bleibt Ihr Kennwort, wie es ist.",
            "Waren Sie das nicht, ist nichts zu tun.",
            "Neues Kennwort setzen",
        ),
        "password_changed": AccountSaid(
            "Ihr Kennwort wurde geändert",
            "Das Kennwort von {email} wurde geändert.",
            "Wer anderswo mit dem alten angemeldet war, ist abgemeldet.",
            _NOT_YOU,
            _ACCOUNT,
        ),
        "totp_added": AccountSaid(
            "Ihrem Konto wurde eine Authentifizierungs-App hinzugefügt",
            "Die Anmeldung als {email} verlangt jetzt einen Code einer Authentifizierungs-App.",
            "Bewahren Sie die Wiederherstellungscodes auf: Mit ihnen kommen Sie hinein, wenn die "
            "App verloren ist.",
            _NOT_YOU,
            _ACCOUNT,
        ),
        "totp_removed": AccountSaid(
            "Die Authentifizierungs-App wurde von Ihrem Konto entfernt",
            "Die Anmeldung als {email} verlangt keinen Code der Authentifizierungs-App mehr.",
            "",
            _NOT_YOU,
            _ACCOUNT,
        ),
        "passkey_added": AccountSaid(
            "Ihrem Konto wurde ein Passkey hinzugefügt",
            "Mit einem neuen Passkey oder Sicherheitsschlüssel kann man sich jetzt als {email} "
            "anmelden.",
            "",
            _NOT_YOU,
            _ACCOUNT,
        ),
        "passkey_removed": AccountSaid(
            "Ein Passkey wurde von Ihrem Konto entfernt",
            "Mit einem Passkey oder Sicherheitsschlüssel kann man sich nicht mehr als {email} "
            "anmelden.",
            "",
            _NOT_YOU,
            _ACCOUNT,
        ),
        "codes_made": AccountSaid(
            "Neue Wiederherstellungscodes für Ihr Konto",
            "Für {email} wurden neue Wiederherstellungscodes erzeugt. Die alten gelten nicht mehr.",
            "",
            _NOT_YOU,
            _ACCOUNT,
        ),
        "single_sign_on_added": AccountSaid(
            "Einmalanmeldung ist jetzt mit Ihrem Konto möglich",
            "Jemand hat sich zum ersten Mal per Einmalanmeldung als {email} angemeldet.",
            "",
            _NOT_YOU,
            _ACCOUNT,
        ),
        "key_created": AccountSaid(
            "Ein neuer API-Schlüssel öffnet {organisation}",
            "{by} hat den API-Schlüssel {key} für {organisation} angelegt.",
            "Wer seinen Text hat, kann über die API tun, was seine Berechtigungen sagen.",
            "Hat das niemand von Ihnen gewollt: Widerrufen Sie den Schlüssel sofort, und sehen Sie "
            "dann das Änderungsprotokoll an.",
            "API-Schlüssel öffnen",
        ),
        "key_rotated": AccountSaid(
            "Ein API-Schlüssel von {organisation} wurde ausgetauscht",
            "{by} hat einen neuen API-Schlüssel an die Stelle von {key} von {organisation} "
            "gesetzt.",
            "Der bisherige endet von selbst, nach der Zeit, die gewählt wurde.",
            "Hat das niemand von Ihnen gewollt: Widerrufen Sie beide Schlüssel sofort, und sehen "
            "Sie dann das Änderungsprotokoll an.",
            "API-Schlüssel öffnen",
        ),
    },
    roles={
        "owner": "Besitzer",
        "billing_admin": "Abrechnungsadministrator",
        "voice_admin": "Telefonieadministrator",
        "viewer": "Leser",
    },
    facts={"role": "Rolle", "place": "Von", "at": "Wann"},
    footer="Diese Mail ging an {email}, weil sie Ihr Konto bei Talktime betrifft. "
    "Zeiten gelten in {zone}.",
    colon=":",
)
