"""Payments that somebody has to look at: without an outcome, declined, disputed, waiting."""

from collections.abc import Callable, Iterable
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from talktime.console.doors import OperatorDesk, Shown, operator_page
from talktime.console.operator.organisation_page import STATES
from talktime.console.operator.places import PAGE_ROWS, all_cells, number_in, owners_of
from talktime.console.operator.tables import Cell, Column, Tag, table
from talktime.console.operator.words import PAYMENT_KINDS, REFUND_STATES
from talktime.console.roles import FINANCE, OPERATE
from talktime.console.said import said
from talktime.core.directory import Organisation
from talktime.core.ids import ID_MAX
from talktime.store import attention as store
from talktime.store.attention import PausedRow, PaymentRow, RefundRow, waiting
from talktime.store.database import Connection

TABS = {
    "unknown": gettext_lazy("Outcome not known"),
    "paused": gettext_lazy("Recharge paused"),
    "declined": gettext_lazy("Declined"),
    "failed": gettext_lazy("Failed, last 7 days"),
    "disputes": gettext_lazy("Disputes"),
    "refunds": gettext_lazy("Refunds"),
    "invoices": gettext_lazy("Invoices"),
}
LEADS = {
    "unknown": gettext_lazy(
        "The provider has not said whether it charged. It is asked again by itself and never "
        "charged twice; after three days look at the provider's own page."
    ),
    "paused": gettext_lazy("Auto-recharge waits until somebody of the organisation does its part."),
    "declined": gettext_lazy("Declined, and tried again by a schedule."),
    "failed": gettext_lazy("Nothing was charged, and nothing more is tried."),
    "disputes": gettext_lazy("The cardholder's bank took the money back. Answer at the provider."),
    "refunds": gettext_lazy("Asked for, and not confirmed by the provider yet."),
    "invoices": gettext_lazy("Ordered by invoice. When the money is there, mark it as paid."),
}
NOTHING = {
    "unknown": gettext_lazy("Every payment has an outcome."),
    "paused": gettext_lazy("No auto-recharge is paused."),
    "declined": gettext_lazy("No declined payment waits to be tried again."),
    "failed": gettext_lazy("No payment has failed in the last 7 days."),
    "disputes": gettext_lazy("No payment is disputed."),
    "refunds": gettext_lazy("No refund is on its way."),
    "invoices": gettext_lazy("No invoice waits for its money."),
}
STATE_OF_TAB = {"unknown": "unknown", "declined": "declined", "invoices": "invoiced"}
KIND_OF_TAB = {"refunds": "refund", "disputes": "chargeback"}
Owners = dict[int, Organisation]


@operator_page(may=FINANCE)
def payments(desk: OperatorDesk) -> HttpResponse:
    """One list at a time, with how many are in the others."""
    tab = desk.request.GET.get("list", "")
    tab = tab if tab in TABS else "unknown"
    after = number_in(desk.request.GET.get("after", ""))
    counts = dict.fromkeys(TABS, 0)
    rows: list[Any] = []
    with all_cells() as cells:
        for cell in cells.open.values():
            with cell.reading():
                rows += found_in(cell, tab, after, desk.now_ms)
                seen = waiting(cell, desk.now_ms)
            counts["unknown"] += seen.unknown_payments
            counts["paused"] += seen.paused_recharges
            counts["disputes"] += seen.open_disputes
            counts["refunds"] += seen.open_refunds
            counts["invoices"] += seen.unpaid_invoices
    rows.sort(key=_place, reverse=tab == "failed")
    page = rows[:PAGE_ROWS]
    owners = owners_of(desk, [each.organisation_id for each in page])
    shown: Shown = {
        "tabs": [
            {"code": code, "name": name, "count": counts[code], "here": code == tab}
            for code, name in TABS.items()
        ],
        "table": drawn(
            desk, tab, [each for each in page if each.organisation_id in owners], owners
        ),
        "lead": LEADS[tab],
        "nothing": NOTHING[tab],
        "away": cells.away,
        "older": f"?list={tab}&after={_place(page[-1])}" if len(rows) > PAGE_ROWS else "",
        "newest": f"?list={tab}" if after else "",
    }
    return desk.page("operator/payments.html", shown)


def found_in(cell: Connection, tab: str, after: int, now_ms: int) -> list[Any]:
    """A page of one list in one cell."""
    rows_max = PAGE_ROWS + 1
    if tab in STATE_OF_TAB:
        return store.open_payments(cell, STATE_OF_TAB[tab], after, rows_max)
    if tab in KIND_OF_TAB:
        return store.open_refunds(cell, KIND_OF_TAB[tab], after, rows_max)
    if tab == "failed":
        return store.failed_payments(cell, now_ms, after or ID_MAX, rows_max)
    return store.paused_recharges(cell, after, rows_max)


def _place(row: Any) -> int:
    return int(row.organisation_id if isinstance(row, PausedRow) else row.id)


def drawn(desk: OperatorDesk, tab: str, rows: Iterable[Any], owners: Owners) -> dict[str, Any]:
    """The list as a table."""
    columns = [Column(_("Organisation")), Column(_("Amount"), figures=True)]
    draw: Callable[[OperatorDesk, Any, Organisation], list[Cell]]
    if tab == "paused":
        columns = [Column(_("Organisation")), Column(_("Since")), Column(_("Why"))]
        draw = paused_row
    elif tab in KIND_OF_TAB:
        columns += [Column(_("State")), Column(_("Reason")), Column(_("Asked next"))]
        draw = refund_row
    else:
        columns += [
            Column(_("Begun")),
            Column(_("State")),
            Column(_("Why")),
            Column(_("Next step")),
        ]
        draw = payment_row
    caption = str(TABS[tab])
    return table(caption, columns, [draw(desk, x, owners[x.organisation_id]) for x in rows])


def _owner(owner: Organisation, note: str = "") -> Cell:
    return Cell(owner.name, reverse("operator-organisation", args=[owner.id]), note=note)


def payment_row(desk: OperatorDesk, payment: PaymentRow, owner: Organisation) -> list[Cell]:
    """A payment."""
    word, tone = STATES[payment.state]
    following = Cell(desk.wording.moment(payment.due_ms) if payment.due_ms else "")
    if payment.state == "invoiced" and desk.may(OPERATE):
        url = reverse("operator-receipt", args=[owner.id, payment.id])
        following = Cell(_("Mark as paid"), url)
    return [
        _owner(owner, str(PAYMENT_KINDS[payment.kind])),
        Cell(amount=desk.wording.money(payment.amount_micros, payment.currency)),
        Cell(desk.wording.moment(payment.created_ms)),
        Cell(tags=(Tag(word, tone),), note=payment.po_number),  # type: ignore[arg-type]
        Cell(said(payment.detail or payment.code)),
        following,
    ]


def refund_row(desk: OperatorDesk, refund: RefundRow, owner: Organisation) -> list[Cell]:
    """A refund or a dispute."""
    word, tone = REFUND_STATES.get(refund.state, (refund.state, ""))
    return [
        _owner(owner, _("Payment %(id)s") % {"id": refund.payment_id}),
        Cell(amount=desk.wording.money(refund.amount_micros, owner.currency)),
        Cell(desk.wording.moment(refund.created_ms), tags=(Tag(word, tone),)),
        Cell(said(refund.reason or refund.detail), note=refund.actor),
        Cell(desk.wording.moment(refund.due_ms) if refund.due_ms else ""),
    ]


def paused_row(desk: OperatorDesk, paused: PausedRow, owner: Organisation) -> list[Cell]:
    """A paused auto-recharge."""
    return [
        _owner(owner),
        Cell(desk.wording.moment(paused.since_ms) if paused.since_ms else ""),
        Cell(said(paused.detail or paused.code)),
    ]
