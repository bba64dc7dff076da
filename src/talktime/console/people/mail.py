"""Mail that pages have sent: written where what happened is kept, in one transaction."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.http import HttpRequest

from talktime.clock import now_ms
from talktime.console.control_plane.models import Account
from talktime.console.databases import current
from talktime.console.identity import new_ids
from talktime.console.kept_connections import lent
from talktime.core.audit import Actor
from talktime.operations.account_mail import MailSealed, write_mail
from talktime.operations.accounts import tell_of_change
from talktime.operations.audit import acting
from talktime.operations.sealing import Seal
from talktime.store import people
from talktime.store.database import Connection


def sealed_mail() -> MailSealed:
    """What mail of this installation is written with, now."""
    settings = current()
    return MailSealed(Seal(settings.seal_keys()), now_ms(), new_ids().next, settings.address)


@contextmanager
def control_plane() -> Iterator[Connection]:
    """A connection to the control plane, in a transaction."""
    with lent(current().control_plane) as control, control.transaction():
        yield control


def tell(request: HttpRequest, account: Account, kind: str) -> None:
    """Keep what was changed about an account, and tell its owner by mail."""
    place = request.META.get("REMOTE_ADDR") or ""
    mail = sealed_mail()
    facts = {"place": place, "link": f"{mail.address}/account/"}
    with (
        control_plane() as control,
        acting(Actor("account", account.email, place), now_ms, mail.next_id),
    ):
        tell_of_change(control, as_stored(account), kind, facts, mail)


def mail_reset(account: Account, link: str) -> None:
    """Send somebody a link by which they set a password."""
    facts = {"link": link, "language": account.language, "time_zone": account.time_zone}
    with control_plane() as control:
        write_mail(control, account.email, "password_reset", facts, sealed_mail())


def as_stored(account: Account) -> people.Account:
    """The account as operations know it."""
    return people.Account(
        *(account.id, account.email, account.is_active, account.staff_role),
        *(account.language, account.time_zone),
    )
