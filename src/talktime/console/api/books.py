"""`/api/v1/books`: the operator's money by month, its trial balance, and how the books were when
they were last proven; over every cell that answers."""

from datetime import date, timedelta
from typing import Annotated, Any

from ninja import Query
from pydantic import Field

from talktime.console.api.door import Asked, Resource
from talktime.console.api.shapes import Amount, Moment, Shown
from talktime.console.operator.places import all_cells, figures_until_ms
from talktime.core.keys import OPERATOR
from talktime.core.ledger_sums import (
    ACCOUNTS,
    AccountSum,
    LedgerSum,
    money_by_month,
    trial_balance,
)
from talktime.operations.book_proofs import BooksState, ask_for_proof, books_state
from talktime.operations.ledger_sums import added, sums_of_months, sums_to_day

books = Resource(
    "Books", "The operator's money by month; whether the books hold.", at_organisation=False
)
Answer = dict[str, Any]
BY = (OPERATOR,)
EPOCH = date(1970, 1, 1)
AWAY = "Cells that do not answer: what is in them is missing."
UNTIL = "Until when the figures are, where there is more than can be added up now; else null."
Day = Annotated[
    date | None, Query(examples=["2026-11-30"], description="A UTC day; without it, today.")
]


class MoneyOfMonth(Shown):
    """A month (UTC) in one currency. What moved: credits `sold` and `given`, `adjusted` by hand,
    `earned` by calls (from credits, and after use), `forfeited` when they expired, `sent_back` by
    refunds and disputes, `taken_back` of what was entered by mistake, `billed` and `collected`
    after use. How it stood at the end: the `liability` is what is left of credits, `paid_left` and
    `promotional_left`; `owed` beyond credits, `unbilled` and `unpaid` after use."""

    month: str = Field(validation_alias="period")
    currency: str
    sold: Amount = Field(validation_alias="sold_micros")
    given: Amount = Field(validation_alias="given_micros")
    adjusted: Amount = Field(validation_alias="adjusted_micros")
    earned: Amount = Field(validation_alias="earned_micros")
    earned_credits: Amount = Field(validation_alias="earned_credits_micros")
    earned_after_use: Amount = Field(validation_alias="earned_after_use_micros")
    forfeited: Amount = Field(validation_alias="forfeited_micros")
    sent_back: Amount = Field(validation_alias="sent_back_micros")
    taken_back: Amount = Field(validation_alias="taken_back_micros")
    billed: Amount = Field(validation_alias="billed_micros")
    collected: Amount = Field(validation_alias="collected_micros")
    liability: Amount = Field(validation_alias="liability_micros")
    paid_left: Amount = Field(validation_alias="paid_left_micros")
    promotional_left: Amount = Field(validation_alias="promotional_left_micros")
    owed: Amount = Field(validation_alias="owed_micros")
    unbilled: Amount = Field(validation_alias="unbilled_micros")
    unpaid: Amount = Field(validation_alias="unpaid_micros")


class Money(Shown):
    """The operator's money."""

    months: list[MoneyOfMonth]
    until: Moment | None = Field(description=UNTIL)
    away: list[str] = Field(description=AWAY)


class Account(Shown):
    """An account: what was taken from it and put into it. All lots together are two accounts."""

    account: int
    name: str
    debit: Amount
    credit: Amount
    balance: Amount


class Balance(Shown):
    """All accounts of one currency; `sum` of their balances is nothing where the books hold."""

    currency: str
    accounts: list[Account]
    debit: Amount
    credit: Amount
    sum: Amount


class TrialBalance(Shown):
    """Every account up to the end of a UTC day."""

    day: str
    balances: list[Balance]
    until: Moment | None = Field(description=UNTIL)
    away: list[str] = Field(description=AWAY)


class Check(Shown):
    """What must hold, and what came of it last; null where it was never looked at."""

    check: str
    proves: str
    rows: int | None
    broken: int | None
    took_ms: int | None
    proved: Moment | None
    findings: list[str]


class BooksOfCell(Shown):
    """A cell's books. `proved` is when all of it was; `asked` is set while a proof is to come."""

    cell: str
    broken: int
    proved: Moment | None
    asked: Moment | None
    checks: list[Check]


class Proof(Shown):
    """How the books were when they were last proven."""

    cells: list[BooksOfCell]
    away: list[str] = Field(description=AWAY)


@books.reads("/books/money", Money, by=BY)
def get_money(asked: Asked) -> Answer:
    """Revenue, liability, forfeitures and all else that moved, by currency and month.

    Each month in which something moved, from the ledger's transfers.
    """
    with all_cells() as cells:
        sums = added(each for cell in cells.open.values() for each in sums_of_months(cell))
        until_ms = figures_until_ms(cells)
    return {"months": money_by_month(sums), "until": until_ms, "away": cells.away}


@books.reads("/books/trial-balance", TrialBalance, by=BY)
def get_trial_balance(asked: Asked, day: Day = None) -> Answer:
    """Every account's debits and credits up to the end of a day."""
    day = day or EPOCH + timedelta(milliseconds=asked.now_ms)
    sums: list[LedgerSum] = []
    with all_cells() as cells:
        for cell in cells.open.values():
            sums += sums_to_day(cell, (day - EPOCH).days + 1)
        until_ms = figures_until_ms(cells)
    balances = trial_balance(added(sums)).items()
    return {
        "day": day.isoformat(),
        "balances": [_balance(currency, accounts) for currency, accounts in balances],
        "until": until_ms,
        "away": cells.away,
    }


@books.reads("/books/proof", Proof, by=BY)
def get_proof(asked: Asked) -> Answer:
    """Each check of the books in every cell, and what came of it last."""
    return _proof()


@books.does("POST", "/books/proof", Proof, by=BY)
def post_proof(asked: Asked) -> Answer:
    """Have the books proven again; a job does it within seconds."""
    with all_cells() as cells:
        for cell in cells.open.values():
            with cell.transaction():
                ask_for_proof(cell, asked.now_ms)
    return _proof()


def _balance(currency: str, accounts: list[AccountSum]) -> Answer:
    debit_micros = sum(each.debit_micros for each in accounts)
    credit_micros = sum(each.credit_micros for each in accounts)
    return {
        "currency": currency,
        "accounts": [
            {
                "account": each.account,
                "name": ACCOUNTS[each.account],
                "debit": each.debit_micros,
                "credit": each.credit_micros,
                "balance": each.balance_micros,
            }
            for each in accounts
        ],
        "debit": debit_micros,
        "credit": credit_micros,
        "sum": credit_micros - debit_micros,
    }


def _proof() -> Answer:
    with all_cells() as cells:
        states: list[Answer] = []
        for name, cell in cells.open.items():
            with cell.reading():
                states.append(_books(name, books_state(cell)))
    return {"cells": states, "away": cells.away}


def _books(name: str, state: BooksState) -> Answer:
    return {
        "cell": name,
        "broken": state.broken,
        "proved": state.proved_ms,
        "asked": state.asked_ms,
        "checks": [
            {
                "check": each.name,
                "proves": each.proves,
                "rows": each.last.rows if each.last else None,
                "broken": each.last.broken if each.last else None,
                "took_ms": each.last.took_ms if each.last else None,
                "proved": each.last.proved_ms if each.last else None,
                "findings": list(each.last.findings) if each.last else [],
            }
            for each in state.checks
        ],
    }
