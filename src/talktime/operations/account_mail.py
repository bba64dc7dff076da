"""Mail to people about their accounts: written where something happens, sealed, sent by a job.

The caller opens and commits the control plane's transaction.
"""

import json
from collections.abc import Callable, Mapping
from typing import NamedTuple

from talktime.core.deliveries import LEASE_MS, MAIL, Outcome, next_of
from talktime.core.limits import ACCOUNT_MAIL_KEPT_MS_MAX, ACCOUNT_MAIL_TAKEN_MAX
from talktime.operations.account_words import KINDS
from talktime.operations.sealing import Seal
from talktime.store import account_mail as store
from talktime.store.account_mail import StoredMail
from talktime.store.database import Connection


class MailSealed(NamedTuple):
    """What is needed to write mail: the seal, the time, ids, and the address that links begin
    with."""

    seal: Seal
    now_ms: int
    next_id: Callable[[], int]
    address: str


def write_mail(
    control: Connection, to_email: str, kind: str, facts: Mapping[str, str], mail: MailSealed
) -> None:
    """Write mail of this kind (account_words.KINDS), to be sent as soon as it is committed."""
    if kind not in KINDS:
        raise ValueError(f"there is no mail {kind!r}")
    content = mail.seal.seal(json.dumps({**facts, "at_ms": mail.now_ms}))
    store.insert_mail(
        control,
        StoredMail(
            *(mail.next_id(), to_email, kind, content, "due", 0),
            due_ms=mail.now_ms,
            created_ms=mail.now_ms,
        ),
    )


def facts_of(mail: StoredMail, seal: Seal) -> dict[str, str]:
    """What a mail tells. Raises NotSealedHere."""
    facts: dict[str, str] = json.loads(seal.opened(mail.sealed_content))
    return facts


def take_mail(control: Connection, now_ms: int) -> list[StoredMail]:
    """Take a page of mail that is due, in a transaction of its own; nobody else sends it for a
    while."""
    return store.take_mail(control, now_ms, now_ms + LEASE_MS, ACCOUNT_MAIL_TAKEN_MAX)


def finish_mail(
    control: Connection, taken: StoredMail, outcome: Outcome, *, now_ms: int, jitter: int
) -> None:
    """Write what came of a mail; its content is gone once it was sent or given up."""
    after = next_of(MAIL, outcome, tries=taken.tries, now_ms=now_ms, jitter=jitter)
    store.finish_mail(control, taken, after)
    store.forget_mail(control, now_ms - ACCOUNT_MAIL_KEPT_MS_MAX)
