"""What the operator's accounts say of a month, made of sums of transfers. Pure.

The lots of all organisations are two accounts here: what was paid for, and what was given. All
figures are micros of one currency.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from talktime.core.ledger import (
    DEBT,
    FORFEITURES,
    FUNDING,
    GRANTS,
    POST_USAGE,
    RECEIVABLES,
    REVENUE,
    SYSTEM_ACCOUNTS,
)
from talktime.core.taking_back import TAKE_BACK

PAID_CREDITS, PROMOTIONAL_CREDITS = 101, 102
"""Stand for all lots that were bought or adjusted, and for all promotional ones."""
ACCOUNTS = {
    **SYSTEM_ACCOUNTS,
    PAID_CREDITS: "paid credits",
    PROMOTIONAL_CREDITS: "promotional credits",
}
CREDITS = (PAID_CREDITS, PROMOTIONAL_CREDITS)


class LedgerSum(NamedTuple):
    """The transfers of one kind between two accounts in a period (`2026-11`), in a currency."""

    period: str
    currency: str
    kind: str
    debit_account: int
    credit_account: int
    amount_micros: int
    transfers: int


@dataclass(slots=True)
class MoneyMonth:
    """One month in one currency. What moved in it: `sold` (credits bought), `given` (promotional or
    goodwill), `adjusted`, `earned_credits` and `earned_after_use` (revenue of calls, corrections
    taken off), `forfeited`, `sent_back` (refunds and chargebacks, less what came back of them),
    `taken_back` (of what an operator had entered by mistake, which stays in the first three),
    `billed` and `collected` (statements after use). How it stood at its end: what is left of paid
    and promotional credits (the liability), `owed` by organisations beyond their credits,
    `unbilled` and `unpaid` after use.
    """

    period: str
    currency: str
    sold_micros: int = 0
    given_micros: int = 0
    adjusted_micros: int = 0
    earned_credits_micros: int = 0
    earned_after_use_micros: int = 0
    forfeited_micros: int = 0
    sent_back_micros: int = 0
    taken_back_micros: int = 0
    billed_micros: int = 0
    collected_micros: int = 0
    paid_left_micros: int = 0
    promotional_left_micros: int = 0
    owed_micros: int = 0
    unbilled_micros: int = 0
    unpaid_micros: int = 0

    @property
    def liability_micros(self) -> int:
        """The credits that organisations can still use."""
        return self.paid_left_micros + self.promotional_left_micros

    @property
    def earned_micros(self) -> int:
        """Revenue by usage, however it is paid."""
        return self.earned_credits_micros + self.earned_after_use_micros


class AccountSum(NamedTuple):
    """One account of a trial balance: what was taken from it and put into it."""

    account: int
    debit_micros: int
    credit_micros: int

    @property
    def balance_micros(self) -> int:
        """What stands in it; below zero where more was taken."""
        return self.credit_micros - self.debit_micros


def money_by_month(sums: Iterable[LedgerSum]) -> list[MoneyMonth]:
    """Each month that has transfers, by currency and month; the sums are those of all months.

    >>> [november] = money_by_month([LedgerSum("2026-11", "USD", "purchase", 1, 101, 50, 1)])
    >>> november.sold_micros, november.liability_micros
    (50, 50)
    """
    months: dict[tuple[str, str], MoneyMonth] = {}
    moved: dict[tuple[str, str], dict[int, int]] = {}
    for each in sums:
        key = (each.currency, each.period)
        month = months.setdefault(key, MoneyMonth(each.period, each.currency))
        accounts = moved.setdefault(key, defaultdict(int))
        accounts[each.debit_account] -= each.amount_micros
        accounts[each.credit_account] += each.amount_micros
        if each.kind == TAKE_BACK:
            month.taken_back_micros += each.amount_micros
        elif each.debit_account == GRANTS:
            month.given_micros += each.amount_micros
        elif each.kind == "adjustment":
            month.adjusted_micros += each.amount_micros
        elif POST_USAGE in (each.debit_account, each.credit_account):
            _count_after_use(month, each)
        elif FUNDING in (each.debit_account, each.credit_account):
            _count_funding(month, each)
    standing: dict[int, int] = defaultdict(int)
    currency = ""
    for key in sorted(months):
        if key[0] != currency:
            currency, standing = key[0], defaultdict(int)
        _close(months[key], moved[key], standing)
    return [months[key] for key in sorted(months)]


def _count_after_use(month: MoneyMonth, each: LedgerSum) -> None:
    """What is paid after use, apart: it meets revenue on one side and statements on the other."""
    sign = 1 if each.debit_account == POST_USAGE else -1
    if REVENUE in (each.debit_account, each.credit_account):
        month.earned_after_use_micros += sign * each.amount_micros
    elif RECEIVABLES in (each.debit_account, each.credit_account):
        month.billed_micros -= sign * each.amount_micros


def _count_funding(month: MoneyMonth, each: LedgerSum) -> None:
    """Money that came in, by what it came in for, and what went back of it."""
    sign = 1 if each.debit_account == FUNDING else -1
    if RECEIVABLES in (each.debit_account, each.credit_account):
        month.collected_micros += sign * each.amount_micros
    elif each.kind == "purchase":
        month.sold_micros += sign * each.amount_micros
    else:
        month.sent_back_micros -= sign * each.amount_micros


def _close(month: MoneyMonth, moved: dict[int, int], standing: dict[int, int]) -> None:
    """The month's figures from what each account moved, and how all stood at its end."""
    for account, micros in moved.items():
        standing[account] += micros
    month.forfeited_micros = moved[FORFEITURES]
    month.earned_credits_micros = moved[REVENUE] - month.earned_after_use_micros
    month.paid_left_micros = standing[PAID_CREDITS]
    month.promotional_left_micros = standing[PROMOTIONAL_CREDITS]
    month.owed_micros = -standing[DEBT]
    month.unbilled_micros = -standing[POST_USAGE]
    month.unpaid_micros = -standing[RECEIVABLES]


def trial_balance(sums: Iterable[LedgerSum]) -> dict[str, list[AccountSum]]:
    """By currency, every account that moved, with the sums of its debits and credits.

    >>> balance = trial_balance([LedgerSum("", "USD", "purchase", 1, 101, 50, 1)])["USD"]
    >>> [(each.account, each.balance_micros) for each in balance]
    [(1, -50), (101, 50)]
    """
    taken: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    put: dict[str, dict[int, int]] = defaultdict(lambda: defaultdict(int))
    for each in sums:
        taken[each.currency][each.debit_account] += each.amount_micros
        put[each.currency][each.credit_account] += each.amount_micros
    return {
        currency: [
            AccountSum(account, taken[currency][account], put[currency][account])
            for account in sorted({*taken[currency], *put[currency]})
        ]
        for currency in sorted({*taken, *put})
    }
