"""Mail by Django's mail backends: to an SMTP server, or as files into a folder where none is set.

The backends are given all they need, so that Django's own settings are not asked.
"""

import smtplib
from collections.abc import Sequence
from contextlib import suppress
from email.utils import formatdate, parseaddr
from pathlib import Path
from typing import Any, NamedTuple

from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.smtp import EmailBackend as SmtpBackend

from talktime.config import Settings, Smtp
from talktime.core.deliveries import Later, Never, NotTried, Outcome, Sent
from talktime.providers.network_words import network_words

TIMEOUT_S = 15
PERMANENT = 500
# A server that answers so has a fault of its own, or one of how it is set up: mail waits for it.
_NOT_THE_MAILS_FAULT = (
    smtplib.SMTPServerDisconnected,
    smtplib.SMTPSenderRefused,
    smtplib.SMTPAuthenticationError,
    smtplib.SMTPHeloError,
    smtplib.SMTPNotSupportedError,
)


class Letter(NamedTuple):
    """One mail. `delivery_id` makes its Message-ID: a letter that is sent twice is recognised.
    Mail about somebody's account is of no organisation: its `organisation_id` is 0."""

    delivery_id: int
    organisation_id: int
    organisation: str
    to: str
    subject: str
    text: str
    html: str


class Away(Exception):
    """The mail server cannot be reached, or lets us not in; the message says why."""


class Post:
    """A connection to where mail goes, for one thread: `open`, any number of letters, `close`."""

    def __init__(self, settings: Settings) -> None:
        self._sender = settings.mail_from()
        self._backend = backend_of(settings)

    def open(self) -> None:
        """Connect. Raises Away."""
        try:
            self._backend.open()
        except (OSError, smtplib.SMTPException) as error:
            raise Away(f"the mail server does not take mail: {words_of(error)}") from error

    def send(self, letter: Letter, now_s: int) -> Outcome:
        """Send one letter; what came of it. NotTried where the server went away."""
        try:
            message = message_of(letter, self._sender, now_s)
            self._backend.send_messages([message])
        except ValueError as error:  # a line break in a header, an address that is none
            return Never(f"it cannot be written as mail: {error}")
        except smtplib.SMTPRecipientsRefused as error:
            code, said = next(iter(error.recipients.values()))
            return _refused(code, said)
        except _NOT_THE_MAILS_FAULT as error:
            return NotTried(f"the mail server does not take mail: {words_of(error)}")
        except smtplib.SMTPResponseException as error:
            return _refused(error.smtp_code, error.smtp_error)
        except (OSError, smtplib.SMTPException) as error:
            return NotTried(f"the mail server does not take mail: {words_of(error)}")
        return Sent(f"taken for {letter.to}")

    def close(self) -> None:
        """Close the connection; never fails."""
        with suppress(OSError, smtplib.SMTPException):
            self._backend.close()


def _refused(code: int, said: bytes | str) -> Outcome:
    text = said.decode(errors="replace") if isinstance(said, bytes) else said
    detail = f"{code} {text}"
    return Never(detail) if code >= PERMANENT else Later(detail)


def message_of(letter: Letter, sender: str, now_s: int) -> EmailMessage:
    """The letter as a message: plain text and HTML. A line break in a header is refused when it is
    sent."""
    domain = parseaddr(sender)[1].rpartition("@")[2] or "localhost"
    headers = {
        "Message-ID": f"<{letter.delivery_id}.talktime@{domain}>",
        "Date": formatdate(now_s),
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
    }
    if letter.organisation_id:
        headers["List-Id"] = f"Talktime <{letter.organisation_id}.notices.{domain}>"
    message = EmailMultiAlternatives(
        letter.subject, letter.text, sender, [letter.to], headers=headers
    )
    message.encoding = "utf-8"
    message.attach_alternative(letter.html, "text/html")
    return message


def backend_of(settings: Settings) -> BaseEmailBackend:
    """The mail backend of this installation."""
    if settings.smtp is None:
        return FolderBackend(settings.mail_folder())
    return smtp_backend(settings.smtp)


def smtp_backend(smtp: Smtp) -> SmtpBackend:
    """Django's own, with everything said: what is not None is not looked up in its settings."""
    return SmtpBackend(
        host=smtp.host,
        port=smtp.port,
        username=smtp.user,
        password=smtp.password,
        use_tls=smtp.tls == "starttls",
        use_ssl=smtp.tls == "tls",
        timeout=TIMEOUT_S,
        ssl_keyfile="",
        ssl_certfile="",
    )


class FolderBackend(BaseEmailBackend):
    """Keeps each message as a file of a maildir: written in `tmp`, then moved whole to `new`.

    The file is named for the Message-ID, so that a message that is sent twice is there once.
    """

    def __init__(self, folder: Path, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._folder = folder

    def open(self) -> bool:
        """Make the folders that are missing."""
        for name in ("tmp", "new", "cur"):
            (self._folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        return True

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Write each message."""
        self.open()
        for message in email_messages:
            written = message.message().as_bytes(linesep="\r\n")
            name = message.extra_headers["Message-ID"].strip("<>").partition(".")[0] + ".eml"
            started = self._folder / "tmp" / name
            started.write_bytes(written)
            started.replace(self._folder / "new" / name)
        return len(email_messages)


def words_of(error: Exception) -> str:
    """An error in one line, without what was sent to the server."""
    if isinstance(error, smtplib.SMTPResponseException):
        said = error.smtp_error
        text = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
        return f"{error.smtp_code} {text}"
    return network_words(error)
