"""Which jobs there are, and how often each runs in every cell."""

from collections.abc import Callable
from contextlib import closing
from inspect import getdoc
from typing import NamedTuple

import structlog

from talktime.jobs.account_mail import send_account_mail
from talktime.jobs.cards import add_cards
from talktime.jobs.installed_providers import with_providers
from talktime.jobs.notices import send_notices
from talktime.jobs.payments import collect_payments, recheck_recharges, tend_wallets
from talktime.jobs.provider_events import (
    forget_events,
    read_payment_events,
    reconcile_payments,
    settle_payment_events,
)
from talktime.jobs.refunds import refund_payments
from talktime.jobs.sandbox_events import post_sandbox_events
from talktime.operations.check_books import each_check
from talktime.operations.close_month import close_months
from talktime.operations.commerce_models import move_wallets
from talktime.operations.dunning import dun_statements
from talktime.operations.expire_holds import expire_holds
from talktime.operations.expire_lots import expire_lots
from talktime.operations.forget_calls import forget_calls
from talktime.operations.spread_notices import spread_notices
from talktime.operations.sum_usage import sum_usage
from talktime.operations.sweep import Sweep, Swept
from talktime.operations.warn_of_expiry import warn_of_expiry

log = structlog.get_logger(__name__)

DAY_S = 86_400


class Job(NamedTuple):
    """One job: it runs `first_s` seconds after the start, then `period_s` after the end of a run.

    What it has to do is found in the database each time, so it may run anywhere, and several times
    at once. Jobs of one `lane` share a thread and its connections: what must not wait for another
    has another lane. Without one, it has its own.
    """

    name: str
    period_s: float
    run: Callable[[Sweep], Swept]
    first_s: float = 0
    lane: str = ""

    @property
    def about(self) -> str:
        """What it does, in the words above its code."""
        return " ".join((getdoc(self.run) or "").partition("\n\n")[0].split())


def prove_books(sweep: Sweep) -> Swept:
    """Prove the books, log what does not hold, count the rows that do not."""
    broken = 0
    with closing(each_check(sweep.connection, sweep.clock_ms)) as checks:
        for check in checks:
            broken += check.broken
            for finding in check.findings:
                log.error("books do not hold", check=finding.check, finding=finding.words)
            if sweep.stopping():
                break
    return Swept(broken)


CALLS, MONEY, NOTICES, UPKEEP = ("calls", "money", "notices", "upkeep")
"""The lanes: supervision of calls and wallets, which waits for nobody; what asks payment providers;
what sends mail and webhooks; what has time. What may take long has none of them, but its own."""

TIMETABLE = (
    Job("expire_holds", 1, expire_holds, lane=CALLS),
    Job("tend_wallets", 0.25, tend_wallets, lane=CALLS),
    Job("expire_lots", 60, expire_lots, lane=CALLS),
    Job("recheck_recharges", 60, recheck_recharges),
    Job("collect_payments", 0.25, with_providers(collect_payments), lane=MONEY),
    Job("add_cards", 0.25, with_providers(add_cards), lane=MONEY),
    Job("refund_payments", 0.5, with_providers(refund_payments), lane=MONEY),
    Job("post_sandbox_events", 0.5, post_sandbox_events, lane=MONEY),
    Job("read_payment_events", 0.5, with_providers(read_payment_events), lane=MONEY),
    Job("settle_payment_events", 0.5, with_providers(settle_payment_events), lane=MONEY),
    Job("spread_notices", 0.5, spread_notices),
    Job("send_notices", 0.5, send_notices, lane=NOTICES),
    Job("sum_usage", 5, sum_usage),
    Job("send_account_mail", 0.5, send_account_mail),
    Job("move_wallets", 60, move_wallets, lane=UPKEEP),
    Job("dun_statements", 600, dun_statements, lane=UPKEEP),
    Job("close_months", 3_600, close_months, lane=UPKEEP),
    Job("warn_of_expiry", 3_600, warn_of_expiry, lane=UPKEEP),
    Job("reconcile_payments", DAY_S, with_providers(reconcile_payments), first_s=3_600),
    Job("forget_calls", 3_600, forget_calls, lane=UPKEEP),
    Job("forget_payment_events", 3_600, forget_events, lane=UPKEEP),
)
DAILY_PROOF = Job("prove_books", DAY_S, prove_books, first_s=600)
"""Reads whole tables, so it is for those who want it: TIMETABLE + (DAILY_PROOF,)."""
