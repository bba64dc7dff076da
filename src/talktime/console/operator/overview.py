"""The operator's first page: what needs somebody now, how the service does, money today."""

from typing import NamedTuple

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from talktime.clock import real_ms
from talktime.console.doors import OperatorDesk, operator_page
from talktime.console.operator.jobs_page import ails
from talktime.console.operator.places import Cells, all_cells
from talktime.console.operator.tables import Cell, Column, table
from talktime.console.roles import FINANCE
from talktime.core.ledger_sums import MoneyMonth, money_by_month
from talktime.core.limits import ATTENTION_COUNTED_MAX
from talktime.operations.book_proofs import BooksState, books_state
from talktime.operations.job_runs import PERIODS_MS, JobState, job_states
from talktime.operations.ledger_sums import added, sums_of_day
from talktime.store.attention import Waiting, waiting
from talktime.store.database import Connection
from talktime.store.health import credits_after_use, organisations_counted

TODAY_COLUMNS = (
    Column(gettext_lazy("Currency")),
    Column(gettext_lazy("Sold"), figures=True),
    Column(gettext_lazy("Earned by calls"), figures=True),
    Column(gettext_lazy("Given"), figures=True),
    Column(gettext_lazy("Expired"), figures=True),
)
STUCK_MS = 60_000
"""A call whose deadline is so long ago was to be closed by supervision."""


class Matter(NamedTuple):
    """Something that needs somebody: how many in words, the page, how bad."""

    text: str
    url: str
    tone: str


class Seen(NamedTuple):
    """What one look at a cell gave."""

    cell: str
    waiting: Waiting
    credits_after_use: int
    books: BooksState
    jobs: list[JobState]


def look(name: str, cell: Connection, now_ms: int) -> Seen:
    """One look at a cell."""
    with cell.reading():
        return Seen(
            name,
            waiting(cell, now_ms, now_ms - STUCK_MS),
            credits_after_use(cell),
            books_state(cell),
            job_states(cell, PERIODS_MS, real_ms()),
        )


@operator_page(may=FINANCE)
def overview(desk: OperatorDesk) -> HttpResponse:
    """What needs somebody now, and how the service does."""
    with all_cells() as cells:
        seen = [look(name, cell, desk.now_ms) for name, cell in cells.open.items()]
        today = added(
            each for cell in cells.open.values() for each in sums_of_day(cell, desk.now_ms)
        )
        shown = {
            "matters": matters(seen, cells),
            "away": cells.away,
            "today": table(
                _("Money today"),
                TODAY_COLUMNS,
                [day_row(desk, each) for each in money_by_month(today)],
            ),
            "running": counted(sum(each.waiting.running_calls for each in seen)),
        }
    with desk.control.reading():
        shown["organisations"] = desk.wording.decimal(organisations_counted(desk.control))
    shown |= books_shown(desk, seen)
    return desk.page("operator/overview.html", shown)


def matters(seen: list[Seen], cells: Cells) -> list[Matter]:
    """All that needs somebody, the worst first."""
    found: list[Matter] = []
    for name in cells.away:
        text = _("Cell %(cell)s does not answer") % {"cell": name}
        found.append(Matter(text, reverse("operator-jobs"), "bad"))
    broken = sum(each.books.broken for each in seen)
    late = [job for each in seen for job in each.jobs if ails(job)]
    _add(found, broken, _books, "operator-books", "bad")
    _add(found, len(late), _jobs, "operator-jobs", "bad")
    columns = zip(*(each.waiting for each in seen), strict=True)
    total = Waiting(*(map(sum, columns) if seen else (0,) * len(Waiting._fields)))
    _add(found, total.stuck_calls, _stuck, "operator-calls", "bad")
    _add(found, total.unknown_payments, _unknown, "operator-payments", "bad")
    _add(found, total.open_disputes, _disputes, "operator-payments", "bad")
    _add(found, total.paused_recharges, _paused, "operator-payments", "warn")
    _add(found, total.open_refunds, _refunds, "operator-payments", "warn")
    _add(
        found, total.overdue_statements, _overdue, "operator-organisations", "warn", "?flag=overdue"
    )
    credited = sum(each.credits_after_use for each in seen)
    _add(found, credited, _credits, "operator-organisations", "warn", "?flag=credit")
    _add(found, total.unpaid_invoices, _invoices, "operator-payments", "")
    _add(found, total.unpriced_calls, _unpriced, "operator-calls", "warn", "?list=unpriced")
    _add(found, total.asked_grants, _grants, "operator-grants", "warn")
    _add(found, total.disabled_endpoints, _endpoints, "operator-jobs", "warn")
    _add(found, total.failing_deliveries, _deliveries, "operator-jobs", "warn")
    return found


def _add(
    found: list[Matter], number: int, words: object, url_name: str, tone: str, query: str = ""
) -> None:
    if number:
        assert callable(words)
        text = words(number) % {"number": counted(number)}
        found.append(Matter(text, reverse(url_name) + query, tone))


def counted(number: int) -> str:
    """A number, or that it is more than is counted."""
    return f"{ATTENTION_COUNTED_MAX:,}+" if number >= ATTENTION_COUNTED_MAX else f"{number:,}"


def _books(number: int) -> str:
    return ngettext(
        "%(number)s row of the books does not hold",
        "%(number)s rows of the books do not hold",
        number,
    )


def _jobs(number: int) -> str:
    return ngettext("%(number)s job is late or fails", "%(number)s jobs are late or fail", number)


def _stuck(number: int) -> str:
    return ngettext(
        "%(number)s call is open past its deadline",
        "%(number)s calls are open past their deadline",
        number,
    )


def _unpriced(number: int) -> str:
    return ngettext(
        "%(number)s call of the last 7 days had no price and was free",
        "%(number)s calls of the last 7 days had no price and were free",
        number,
    )


def _overdue(number: int) -> str:
    return ngettext("%(number)s statement is overdue", "%(number)s statements are overdue", number)


def _credits(number: int) -> str:
    return ngettext(
        "%(number)s organisation was billed too much after use",
        "%(number)s organisations were billed too much after use",
        number,
    )


def _unknown(number: int) -> str:
    return ngettext(
        "%(number)s payment has no known outcome",
        "%(number)s payments have no known outcome",
        number,
    )


def _disputes(number: int) -> str:
    return ngettext("%(number)s payment is disputed", "%(number)s payments are disputed", number)


def _paused(number: int) -> str:
    return ngettext(
        "%(number)s auto-recharge is paused", "%(number)s auto-recharges are paused", number
    )


def _refunds(number: int) -> str:
    return ngettext(
        "%(number)s refund is on its way", "%(number)s refunds are on their way", number
    )


def _invoices(number: int) -> str:
    return ngettext(
        "%(number)s invoice waits for its money",
        "%(number)s invoices wait for their money",
        number,
    )


def _grants(number: int) -> str:
    return ngettext(
        "%(number)s grant waits for approval", "%(number)s grants wait for approval", number
    )


def _endpoints(number: int) -> str:
    return ngettext(
        "%(number)s webhook endpoint is disabled",
        "%(number)s webhook endpoints are disabled",
        number,
    )


def _deliveries(number: int) -> str:
    return ngettext(
        "%(number)s delivery failed and is tried again",
        "%(number)s deliveries failed and are tried again",
        number,
    )


def day_row(desk: OperatorDesk, day: MoneyMonth) -> list[Cell]:
    """What moved today in one currency."""
    figures = (day.sold_micros, day.earned_micros, day.given_micros, day.forfeited_micros)
    return [
        Cell(day.currency),
        *(Cell(amount=desk.wording.money(each, day.currency)) for each in figures),
    ]


def books_shown(desk: OperatorDesk, seen: list[Seen]) -> dict[str, object]:
    """When all cells' books were last proven, and how many rows did not hold."""
    times = [each.books.proved_ms for each in seen]
    known = [each for each in times if each is not None]
    whole = bool(seen) and len(known) == len(times)
    return {
        "proved": desk.wording.moment(min(known)) if whole else "",
        "broken": sum(each.books.broken for each in seen),
        "jobs": sum(len(each.jobs) for each in seen),
    }
