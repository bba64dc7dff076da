"""Send mail about accounts: out of the control plane, outside any transaction, at least once."""

import random

from talktime.config import Settings
from talktime.core.deliveries import JITTER_MAX, Later, NotTried, Outcome
from talktime.operations.account_mail import facts_of, finish_mail, take_mail
from talktime.operations.account_words import account_words
from talktime.operations.sealing import NotSealedHere, Seal
from talktime.operations.sweep import Sweep, Swept
from talktime.providers.mail import Away, Letter, Post
from talktime.store.account_mail import StoredMail, any_mail_due

STOPPED = NotTried("the service was stopped")


def send_account_mail(sweep: Sweep) -> Swept:
    """Send what people are to be told about their accounts: invitations, links to set a password,
    changes. It is the control plane's, so whichever cell's job comes first sends it. Raises
    Outage."""
    if sweep.settings is None or sweep.control is None:
        raise ValueError("this job needs the installation and its control plane")
    control, settings, now_ms = sweep.control(), sweep.settings, sweep.clock_ms()
    with control.reading():
        due = any_mail_due(control, now_ms)
    if not due:
        return Swept(0)
    with control.transaction():
        taken = take_mail(control, now_ms)
    post, failures, away = Post(settings), list[str](), NotTried("")
    try:
        post.open()
    except Away as error:
        away = NotTried(str(error))
    for mail in taken:
        outcome: Outcome
        if away.detail:
            outcome = away
        elif sweep.stopping():
            outcome = STOPPED
        else:
            outcome = _send(settings, post, mail, now_ms, failures)
            if isinstance(outcome, NotTried):
                away = outcome
        with control.transaction():
            jitter = random.randint(0, JITTER_MAX)
            finish_mail(control, mail, outcome, now_ms=now_ms, jitter=jitter)
    post.close()
    return Swept(len(taken), tuple(failures), more=bool(taken) and not away.detail)


def _send(
    settings: Settings, post: Post, mail: StoredMail, now_ms: int, failures: list[str]
) -> Outcome:
    try:
        facts = facts_of(mail, Seal(settings.seal_keys()))
        letter = Letter(
            mail.id, 0, "", mail.to_email, *account_words(mail.kind, mail.to_email, facts)
        )
        return post.send(letter, now_ms // 1000)
    except NotSealedHere as error:
        return Later(str(error))
    except Exception as error:  # noqa: BLE001 - one mail that cannot be sent stops no other
        failures.append(repr(error))
        return Later(f"a fault of this service: {type(error).__name__}")
