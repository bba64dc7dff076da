"""The operator's money by month, and the trial balance as of a day: from the ledger's transfers."""

import csv
import io
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.http import HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from talktime.console.doors import OperatorDesk, Shown, operator_page
from talktime.console.operator.places import Cells, all_cells, figures_until_ms
from talktime.console.operator.tables import Cell, Column, table
from talktime.console.operator.words import ACCOUNTS
from talktime.console.roles import FINANCE
from talktime.console.theme.charts import Bar, bar_chart
from talktime.core.ledger_sums import (
    AccountSum,
    LedgerSum,
    MoneyMonth,
    money_by_month,
    trial_balance,
)
from talktime.core.money import decimal_text
from talktime.operations.ledger_sums import added, sums_of_months, sums_to_day

MONTHS_SHOWN = 24
EPOCH = date(1970, 1, 1)
MOVED = {
    "sold_micros": gettext_lazy("Sold"),
    "given_micros": gettext_lazy("Given"),
    "adjusted_micros": gettext_lazy("Adjusted"),
    "earned_credits_micros": gettext_lazy("Earned, from credits"),
    "earned_after_use_micros": gettext_lazy("Earned, after use"),
    "forfeited_micros": gettext_lazy("Expired"),
    "sent_back_micros": gettext_lazy("Refunds and disputes"),
    "taken_back_micros": gettext_lazy("Taken back"),
    "billed_micros": gettext_lazy("Billed after use"),
    "collected_micros": gettext_lazy("Paid after use"),
}
STOOD = {
    "paid_left_micros": gettext_lazy("Unspent credits, paid for"),
    "promotional_left_micros": gettext_lazy("Unspent credits, promotional"),
    "owed_micros": gettext_lazy("Owed beyond credits"),
    "unbilled_micros": gettext_lazy("Used, not billed yet"),
    "unpaid_micros": gettext_lazy("Billed, not paid yet"),
}


@operator_page(may=FINANCE)
def money(desk: OperatorDesk) -> HttpResponse:
    """Each month of one currency; all of it as CSV."""
    with all_cells() as cells:
        sums = added(each for cell in cells.open.values() for each in sums_of_months(cell))
        until = until_shown(desk, cells)
    months = money_by_month(sums)
    if desk.request.GET.get("format") == "csv":
        names = ("period", "currency", *MOVED, *STOOD)
        lines = [
            [each.period, each.currency]
            + [decimal_text(getattr(each, name)) for name in (*MOVED, *STOOD)]
            for each in months
        ]
        return csv_answer("money", [name.removesuffix("_micros") for name in names], lines)
    currencies = sorted({each.currency for each in months})
    currency = desk.request.GET.get("currency", "")
    currency = currency if currency in currencies else (currencies or [""])[0]
    shown_months = every_month([each for each in months if each.currency == currency], desk.now_ms)
    latest = list(reversed(shown_months))
    shown: Shown = {
        "currencies": currencies,
        "currency": currency,
        "away": cells.away,
        "until": until,
        "last": standing(desk, shown_months[-1]) if shown_months else None,
        "moved": months_table(desk, _("What moved"), MOVED, latest),
        "stood": months_table(desk, _("How it stood at the end of the month"), STOOD, latest),
    }
    if shown_months:
        shown |= charts(desk, shown_months)
    return desk.page("operator/money.html", shown)


def until_shown(desk: OperatorDesk, cells: Cells) -> str:
    """Until when the figures are, where they are not those of now."""
    at_ms = figures_until_ms(cells)
    return "" if at_ms is None else desk.wording.moment(at_ms)


def every_month(months: list[MoneyMonth], now_ms: int) -> list[MoneyMonth]:
    """The last months of one currency, those too in which nothing moved: then all stood still."""
    if not months:
        return []
    today = datetime.fromtimestamp(now_ms // 1000, UTC)
    known = {each.period: each for each in months}
    last, found = months[0], []
    year, month = (int(part) for part in months[0].period.split("-"))
    while (year, month) <= (today.year, today.month) or f"{year}-{month:02}" <= months[-1].period:
        period = f"{year}-{month:02}"
        still = {name: getattr(last, name) for name in STOOD}
        last = known.get(period) or MoneyMonth(period, last.currency, **still)
        found.append(last)
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    return found[-MONTHS_SHOWN:]


def standing(desk: OperatorDesk, month: MoneyMonth) -> dict[str, Any]:
    """What is owed to and by organisations now."""

    def amount(micros: int) -> Any:
        return desk.wording.money(micros, month.currency)

    return {
        "liability": amount(month.liability_micros),
        "paid": amount(month.paid_left_micros),
        "promotional": amount(month.promotional_left_micros),
        "owed": amount(month.owed_micros),
        "after_use": amount(month.unbilled_micros + month.unpaid_micros),
    }


def months_table(
    desk: OperatorDesk, caption: str, names: dict[str, Any], months: list[MoneyMonth]
) -> dict[str, Any]:
    """A row for each month, a column for each figure."""
    columns = [Column(_("Month")), *(Column(label, figures=True) for label in names.values())]
    rows = [
        [
            Cell(desk.wording.month(each.period)),
            *(Cell(amount=desk.wording.money(getattr(each, x), each.currency)) for x in names),
        ]
        for each in months
    ]
    return table(caption, columns, rows)


def charts(desk: OperatorDesk, months: list[MoneyMonth]) -> Shown:
    """Revenue and liability by month."""

    def texts(micros: int, currency: str) -> tuple[str, str]:
        amount = desk.wording.money(micros, currency)
        return amount.text, amount.exact

    revenue = [
        Bar(
            desk.wording.month(each.period),
            (each.earned_credits_micros, each.earned_after_use_micros),
            *texts(each.earned_micros, each.currency),
        )
        for each in months
    ]
    liability = [
        Bar(
            desk.wording.month(each.period),
            (each.paid_left_micros, each.promotional_left_micros),
            *texts(each.liability_micros, each.currency),
        )
        for each in months
    ]
    return {
        "revenue": bar_chart(
            revenue, title=_("Earned by calls"), legend=(_("From credits"), _("After use"))
        ),
        "liability": bar_chart(
            liability, title=_("Unspent credits"), legend=(_("Paid for"), _("Promotional"))
        ),
    }


@operator_page(may=FINANCE)
def trial(desk: OperatorDesk) -> HttpResponse:
    """Every account's debits and credits up to the end of a day."""
    today = EPOCH + timedelta(milliseconds=desk.now_ms)
    day, wrong = today, ""
    text = desk.request.GET.get("day", "")
    if text:
        try:
            day = date.fromisoformat(text)
        except ValueError:
            wrong = _("Write a day such as 2026-01-31.")
    with all_cells() as cells:
        sums: list[LedgerSum] = []
        for cell in cells.open.values():
            sums += sums_to_day(cell, (day - EPOCH).days + 1)
        until = until_shown(desk, cells)
    balance = trial_balance(added(sums))
    if desk.request.GET.get("format") == "csv":
        lines = [
            [currency, each.account, str(ACCOUNTS[each.account])]
            + [
                decimal_text(x)
                for x in (each.debit_micros, each.credit_micros, each.balance_micros)
            ]
            for currency, accounts in balance.items()
            for each in accounts
        ]
        header = ["currency", "account", "name", "debit", "credit", "balance"]
        return csv_answer(f"trial-balance-{day}", header, lines)
    shown: Shown = {
        "day": day.isoformat(),
        "today": today.isoformat(),
        "wrong": wrong,
        "until": until,
        "away": cells.away,
        "balances": [account_table(desk, each, balance[each]) for each in balance],
    }
    return desk.page("operator/trial_balance.html", shown, status=422 if wrong else 200)


def account_table(desk: OperatorDesk, currency: str, accounts: list[AccountSum]) -> dict[str, Any]:
    """The accounts of one currency, with their sums."""

    def amount(micros: int) -> Cell:
        return Cell(amount=desk.wording.money(micros, currency))

    rows = [
        [
            Cell(f"{each.account}", note=""),
            Cell(ACCOUNTS[each.account]),
            *(amount(x) for x in (each.debit_micros, each.credit_micros, each.balance_micros)),
        ]
        for each in accounts
    ]
    debit_micros = sum(each.debit_micros for each in accounts)
    credit_micros = sum(each.credit_micros for each in accounts)
    balance_micros = credit_micros - debit_micros
    rows.append(
        [
            Cell(),
            Cell(_("Sum")),
            *(amount(x) for x in (debit_micros, credit_micros, balance_micros)),
        ]
    )
    columns = [
        *(Column(_("Account")), Column(_("What stands in it"))),
        *(Column(_("Debit"), figures=True), Column(_("Credit"), figures=True)),
        Column(_("Balance"), figures=True),
    ]
    return {
        "currency": currency,
        "even": balance_micros == 0,
        "table": table(_("Trial balance"), columns, rows),
    }


def csv_answer(name: str, header: list[str], lines: Iterable[list[Any]]) -> HttpResponse:
    """A file to be opened in a spreadsheet: amounts with a point, all their decimals."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(header)
    writer.writerows(lines)
    answer = HttpResponse(text.getvalue(), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return answer
