"""Send what is due to be sent: mail and webhooks, each outside any transaction.

A page is taken in one transaction, sent by a few threads, and what came of each is written in a
transaction of its own. Whatever dies in between, the delivery is due again when its lease ends,
and goes out with the same ids.
"""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from queue import SimpleQueue
from typing import NamedTuple

from talktime.config import Settings
from talktime.core.deliveries import JITTER_MAX, Later, NotTried, Outcome
from talktime.operations.endpoints import secrets_of
from talktime.operations.notice_words import Place, words
from talktime.operations.sealing import NotSealedHere, Seal
from talktime.operations.send_deliveries import (
    HookTask,
    MailTask,
    by_target,
    digest,
    drop,
    event_body,
    finish,
    take_due,
    tasks_of,
)
from talktime.operations.sweep import Sweep, Swept
from talktime.providers.mail import Away, Letter, Post
from talktime.providers.webhook import Webhooks
from talktime.store.deliveries import Delivery, anything_due
from talktime.store.organisations import organisation_of_id

THREADS = 8
BUSY_S_MAX = 90
"""A thread begins nothing more after this: what it has taken is others' again in three minutes."""
STOPPED = NotTried("the service was stopped, or other deliveries took long")


class InADigest(NamedTuple):
    """This mail is too late to be sent by itself."""

    detail: str = "waits for the digest"


Came = Outcome | InADigest
Tell = Callable[[Delivery, Came, int | None], None]
"""How what came of a delivery is told, with how long it took where it was tried."""


class Sender(NamedTuple):
    """What the threads send with: they touch no database."""

    settings: Settings
    names: dict[int, str]
    now_ms: int
    stopping: Callable[[], bool]
    until: float
    failures: list[str]

    def stopped(self) -> bool:
        """Whether nothing more is to be begun."""
        return self.stopping() or time.monotonic() > self.until

    def place(self, organisation_id: int) -> Place:
        """The organisation, and where a mail's link leads."""
        url = f"{self.settings.address}/organisations/{organisation_id}/"
        return Place(self.names.get(organisation_id, ""), url)


def send_notices(sweep: Sweep) -> Swept:
    """Send a page of what is due in a cell; counts the deliveries that were taken.

    Mail waits while its server is away. Late mail is dropped with the reason where something has
    overtaken it, and named in a digest where it is older than three days. Raises Outage.
    """
    cell = sweep.connection
    with cell.reading():
        due = anything_due(cell, sweep.clock_ms())
    if not due or sweep.settings is None:
        return Swept(0)
    taken = take_due(cell, sweep.clock_ms())
    with cell.reading():
        tasks = tasks_of(cell, taken, sweep.clock_ms())
    if tasks.dropped:
        with cell.transaction():
            drop(cell, tasks.dropped)
    sender = Sender(
        sweep.settings,
        _names(sweep, taken),
        sweep.clock_ms(),
        sweep.stopping,
        time.monotonic() + BUSY_S_MAX,
        [],
    )
    for told in _outcomes(sender, tasks.mails, tasks.hooks):
        _write(sweep, *told)
    return Swept(len(taken), tuple(sender.failures), more=bool(taken))


def _write(sweep: Sweep, delivery: Delivery, outcome: Came, took_ms: int | None) -> None:
    cell, now_ms = sweep.connection, sweep.clock_ms()
    if isinstance(outcome, InADigest):
        with cell.transaction():
            digest(cell, delivery.organisation_id, now_ms, sweep.next_id)
        # Where a digest was made, this delivery is over, and stays so.
        outcome = NotTried(outcome.detail)
    with cell.transaction():
        finish(
            cell,
            delivery,
            outcome,
            now_ms=now_ms,
            jitter=random.randint(0, JITTER_MAX),
            next_id=sweep.next_id,
            took_ms=took_ms,
        )


def _names(sweep: Sweep, taken: Sequence[Delivery]) -> dict[int, str]:
    """The names of the organisations, from the control plane."""
    if sweep.control is None:
        return {}
    control, names = sweep.control(), {}
    with control.reading():
        for owner in sorted({each.organisation_id for each in taken}):
            found = organisation_of_id(control, owner)
            names[owner] = found.name if found else ""
    return names


def _outcomes(
    sender: Sender, mails: Sequence[MailTask], hooks: Sequence[HookTask]
) -> Iterator[tuple[Delivery, Came, int | None]]:
    """What came of each, as soon as it is known: exactly one for each delivery."""
    done: SimpleQueue[tuple[Delivery, Came, int | None]] = SimpleQueue()

    def tell(delivery: Delivery, outcome: Came, took_ms: int | None) -> None:
        done.put((delivery, outcome, took_ms))

    with ThreadPoolExecutor(THREADS, "send notices") as threads:
        if mails:
            threads.submit(_send_mails, sender, mails, tell)
        if hooks:
            webhooks = Webhooks(sender.settings.webhooks_allow)
            for group in by_target(hooks).values():
                threads.submit(_send_hooks, sender, webhooks, group, tell)
        for _ in range(len(mails) + len(hooks)):
            yield done.get()


def _send_mails(sender: Sender, mails: Sequence[MailTask], tell: Tell) -> None:
    """Send mail over one connection. Where the server is away, nothing is tried any more."""
    post, away = Post(sender.settings), NotTried("")
    try:
        post.open()
    except Away as error:
        away = NotTried(str(error))
    except Exception as error:  # noqa: BLE001 - each mail is still told of
        away = NotTried(f"a fault of this service: {type(error).__name__}")
        sender.failures.append(repr(error))
    for task in mails:
        outcome: Came
        began = time.monotonic()
        if away.detail:
            outcome = away
        elif sender.stopped():
            outcome = STOPPED
        elif task.old:
            outcome = InADigest()
        else:
            outcome = _guarded(sender, partial(_send_mail, sender, post, task))
            if isinstance(outcome, NotTried):
                away = outcome
        tell(task.delivery, outcome, _took_ms(began))
    post.close()


def _took_ms(began: float) -> int:
    return int((time.monotonic() - began) * 1000)


def _send_mail(sender: Sender, post: Post, task: MailTask) -> Outcome:
    owner = task.delivery.organisation_id
    place = sender.place(owner)
    said = words(task.notice, task.reader, place)
    letter = Letter(task.delivery.id, owner, place.organisation, task.delivery.target, *said)
    return post.send(letter, sender.now_ms // 1000)


def _send_hooks(sender: Sender, webhooks: Webhooks, tasks: Sequence[HookTask], tell: Tell) -> None:
    """Send to one endpoint, one after the other. Where it is away, the others wait."""
    away: Outcome | None = None
    for task in tasks:
        began = time.monotonic()
        if away is not None:
            outcome: Outcome = NotTried(f"waits: {away.detail}")
        elif sender.stopped():
            outcome = STOPPED
        else:
            outcome = _guarded(sender, partial(_send_hook, sender, webhooks, task))
            if isinstance(outcome, Later) and outcome.away:
                away = outcome
        tell(task.delivery, outcome, _took_ms(began))


def _send_hook(sender: Sender, webhooks: Webhooks, task: HookTask) -> Outcome:
    try:
        secrets = secrets_of(task.endpoint, Seal(sender.settings.seal_keys()), sender.now_ms)
    except NotSealedHere as error:
        return Later(str(error))
    return webhooks.send(
        task.endpoint.url,
        f"msg_{task.delivery.id}",
        event_body(task.notice),
        secrets,
        sender.now_ms // 1000,
    )


def _guarded(sender: Sender, send: Callable[[], Outcome]) -> Outcome:
    """What came of sending; a fault of ours keeps this delivery alone, and is told as a failure."""
    try:
        return send()
    except Exception as error:  # noqa: BLE001 - one row that cannot be sent stops no other
        sender.failures.append(repr(error))
        return Later(f"a fault of this service: {type(error).__name__}")
