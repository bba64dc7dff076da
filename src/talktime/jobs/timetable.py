"""Which jobs there are, and how often each runs in every cell."""

from collections.abc import Callable
from inspect import getdoc
from typing import NamedTuple

from talktime.jobs.account_mail import send_account_mail
from talktime.jobs.cards import add_cards, forget_cards
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
from talktime.operations.book_proofs import prove_when_asked
from talktime.operations.close_month import close_months
from talktime.operations.commerce_models import move_wallets
from talktime.operations.dunning import dun_statements
from talktime.operations.end_calls import end_calls
from talktime.operations.expire_holds import expire_holds
from talktime.operations.expire_lots import expire_lots
from talktime.operations.forget_calls import forget_calls
from talktime.operations.job_runs import PERIODS_MS
from talktime.operations.ledger_sums import sum_ledger
from talktime.operations.organisation_health import note_burn
from talktime.operations.spread_notices import spread_notices
from talktime.operations.sum_usage import sum_usage
from talktime.operations.sum_wallets import sum_wallets
from talktime.operations.sweep import Sweep, Swept
from talktime.operations.warn_of_expiry import warn_of_expiry


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


CALLS, MONEY, NOTICES, UPKEEP = ("calls", "money", "notices", "upkeep")
"""The lanes: supervision of calls and wallets, which waits for nobody; what asks payment providers
for all but charges; what sends mail and webhooks; what has time. What may take long, as charges do,
has none of them, but its own."""


def _job(name: str, run: Callable[[Sweep], Swept], *, first_s: float = 0, lane: str = "") -> Job:
    return Job(name, PERIODS_MS[name] / 1000, run, first_s, lane)


TIMETABLE = (
    _job("expire_holds", expire_holds, lane=CALLS),
    _job("tend_wallets", tend_wallets, lane=CALLS),
    _job("end_calls", end_calls),
    _job("expire_lots", expire_lots, lane=CALLS),
    _job("recheck_recharges", recheck_recharges),
    _job("collect_payments", with_providers(collect_payments)),
    _job("add_cards", with_providers(add_cards), lane=MONEY),
    _job("forget_cards", with_providers(forget_cards), lane=MONEY),
    _job("refund_payments", with_providers(refund_payments), lane=MONEY),
    _job("post_sandbox_events", post_sandbox_events, lane=MONEY),
    _job("read_payment_events", with_providers(read_payment_events), lane=MONEY),
    _job("settle_payment_events", with_providers(settle_payment_events), lane=MONEY),
    _job("spread_notices", spread_notices),
    _job("send_notices", send_notices, lane=NOTICES),
    _job("move_wallets", move_wallets, lane=UPKEEP),
    _job("dun_statements", dun_statements, lane=UPKEEP),
    _job("close_months", close_months, lane=UPKEEP),
    _job("warn_of_expiry", warn_of_expiry, lane=UPKEEP),
    _job("reconcile_payments", with_providers(reconcile_payments), first_s=3_600),
    _job("forget_calls", forget_calls, lane=UPKEEP),
    _job("forget_payment_events", forget_events, lane=UPKEEP),
    _job("send_account_mail", send_account_mail),
    _job("sum_usage", sum_usage),
    _job("sum_wallets", sum_wallets, lane=UPKEEP),
    _job("sum_ledger", sum_ledger),
    _job("note_burn", note_burn, lane=UPKEEP),
    _job("prove_when_asked", prove_when_asked),
)
