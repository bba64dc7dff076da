"""One organisation as its operator sees it: its state, its payments, what can be done with it."""

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from talktime.console.doors import OperatorDesk, Shown, operator_page
from talktime.console.operator.places import (
    CellAway,
    Place,
    away,
    number_in,
    organisation_at,
)
from talktime.console.operator.tables import Cell, Column, Tag, table
from talktime.console.operator.take_back_page import entered_table
from talktime.console.operator.words import COMMERCE_MODELS, FLAGS, PAYMENT_KINDS
from talktime.console.roles import FINANCE
from talktime.console.said import said
from talktime.console.start.shown import telephone
from talktime.core.directory import CallingRules
from talktime.core.payments import INVOICED, STATEMENT, Payment
from talktime.operations.after_use_credit import stuck_credit
from talktime.operations.commerce_models import blocked_move
from talktime.operations.grants import list_requests
from talktime.operations.organisation_health import days_left, health_of, week_began_ms
from talktime.operations.purchases import list_payments
from talktime.operations.recharge_settings import RechargeView, view_recharge
from talktime.store.database import Connection
from talktime.store.numbers import numbers_of_organisation

PAYMENTS_SHOWN = 20
NUMBERS_SHOWN = 5
STATES: dict[str, tuple[object, str]] = {
    "charging": (gettext_lazy("On its way"), "warn"),
    "unknown": (gettext_lazy("Outcome not known"), "bad"),
    "declined": (gettext_lazy("Declined, tried again"), "warn"),
    "confirming": (gettext_lazy("Waits for the cardholder"), "warn"),
    "invoiced": (gettext_lazy("Waits for its money"), "warn"),
    "succeeded": (gettext_lazy("Paid"), "good"),
    "failed": (gettext_lazy("Failed"), "bad"),
    "cancelled": (gettext_lazy("Given up"), ""),
}
PAYMENT_COLUMNS = (
    Column(gettext_lazy("Begun")),
    Column(gettext_lazy("For")),
    Column(gettext_lazy("Amount"), figures=True),
    Column(gettext_lazy("State")),
    Column(gettext_lazy("Why")),
    Column(gettext_lazy("Next step"), heard=True),
)


@operator_page(may=FINANCE)
def organisation(desk: OperatorDesk, organisation_id: int) -> HttpResponse:
    """Its state, and what can be done with it."""
    try:
        with organisation_at(desk, organisation_id) as place:
            return desk.page("operator/organisation.html", shown_of(desk, place))
    except CellAway as error:
        return away(desk, error)


def shown_of(desk: OperatorDesk, place: Place) -> Shown:
    """All that the page shows."""
    owner = place.owner
    [health] = health_of({owner.cell: place.cell}, [owner], desk.now_ms)
    wallet = health.wallet
    before = number_in(desk.request.GET.get("before", ""))
    with place.cell.reading():
        credit_micros = stuck_credit(place.cell, owner)
    found = list_payments(place.counter, before=before or None, limit=PAYMENTS_SHOWN + 1)
    shown: Shown = {
        "owner": owner,
        "model": COMMERCE_MODELS[owner.commerce_model],
        "tags": [Tag(*FLAGS[flag]) for flag in health.flags],
        "blocked": blocked_move(owner, wallet is not None and wallet.recharge_on),
        "credit": desk.wording.money(credit_micros, owner.currency) if credit_micros else None,
        "rules": rules_shown(desk, owner.rules, owner.currency),
        "numbers": numbers_shown(desk.control, owner.id),
        "grants": [each for each in list_requests(place.giver) if each.state == "asked"],
        "payments": table(
            _("Payments"),
            PAYMENT_COLUMNS,
            [payment_row(desk, each) for each in found[:PAYMENTS_SHOWN]],
        ),
        "entered": entered_table(desk, place),
        "older": found[PAYMENTS_SHOWN - 1].id if len(found) > PAYMENTS_SHOWN else None,
    }
    if wallet is not None:
        view = view_recharge(place.counter)
        # Who pays after use has no balance that is to last.
        left = None if place.owner.commerce_model == "post_usage" else days_left(wallet)
        shown |= {
            "balance": desk.wording.money(wallet.balance_micros, wallet.currency),
            "available": desk.wording.money(
                view.wallet.available_micros(desk.now_ms), wallet.currency
            ),
            "held": desk.wording.money(wallet.held_micros, wallet.currency),
            "debt": desk.wording.money(wallet.debt_micros, wallet.currency)
            if wallet.debt_micros
            else None,
            "burn_since": desk.in_utc.day(week_began_ms(desk.now_ms)),
            "burn": desk.wording.money(wallet.burn_micros, wallet.currency),
            "days_left": left,
            "days": None if left is None else desk.wording.decimal(left),
            "recharge": _("Off")
            if not wallet.recharge_on
            else (_("Paused: %(why)s") % {"why": paused_why(view)})
            if wallet.paused_code
            else _("On"),
        }
    return shown


def paused_why(view: RechargeView) -> str:
    """Why its auto-recharge is paused, in the reader's words."""
    recharge = view.recharge
    if recharge is None:
        return ""
    return str(said(recharge.paused_detail or recharge.paused_code)).rstrip(".")


def numbers_shown(control: Connection, organisation_id: int) -> list[str]:
    """Its first numbers."""
    with control.reading():
        found = numbers_of_organisation(control, organisation_id, "", NUMBERS_SHOWN)
    return [telephone(each.digits) for each in found]


def rules_shown(desk: OperatorDesk, rules: CallingRules, currency: str) -> list[tuple[str, str]]:
    """Its calling rules in words; those that are as they begin are left out."""

    def money(micros: int | None) -> str:
        return "" if micros is None else desk.wording.money(micros, currency).in_full

    yes = _("Yes")
    found = [
        (_("Dial-out policy"), rules.policy),
        (_("Countries allowed"), ", ".join(sorted(rules.allowed_countries))),
        (_("Countries blocked"), ", ".join(sorted(rules.blocked_countries))),
        (_("Spend limit of a user, by month"), money(rules.spend_limit_micros)),
        (_("Pay-as-you-go"), yes if rules.pay_as_you_go else ""),
        (_("Post-usage cap, by month"), money(rules.post_usage_cap_micros)),
        (_("Minutes counted apart"), yes if rules.independent_counters else ""),
        (_("Sold by a reseller"), yes if rules.sold_by_reseller else ""),
        (_("Agreement of"), rules.agreement_country),
        (_("Post-usage blocked: a statement is overdue"), yes if rules.post_usage_blocked else ""),
        (_("Moved by its reseller"), yes if rules.moved else ""),
    ]
    return [(name, value) for name, value in found if value]


def payment_row(desk: OperatorDesk, payment: Payment) -> list[Cell]:
    """One payment, and what can be done with it."""
    word, tone = STATES[payment.state]
    owner_id, todo = payment.organisation_id, Cell()
    if desk.may("operate"):
        left_micros = payment.amount_micros - payment.refunded_micros
        if payment.state == INVOICED:
            url = reverse("operator-receipt", args=[owner_id, payment.id])
            todo = Cell(_("Mark as paid"), url)
        elif payment.kind == STATEMENT and left_micros > 0:
            url = reverse("operator-undo-payment", args=[owner_id, payment.id])
            todo = Cell(_("Undo"), url)
        elif payment.state == "succeeded" and left_micros > 0:
            url = reverse("operator-refund", args=[owner_id, payment.id])
            todo = Cell(_("Refund"), url)
    refunded = ""
    if payment.refunded_micros:
        amount = desk.wording.money(payment.refunded_micros, payment.currency).in_full
        refunded = _("%(amount)s went back") % {"amount": amount}
        if payment.kind == STATEMENT:
            refunded = _("Undone")
    return [
        Cell(
            desk.wording.moment(payment.created_ms),
            reverse("payment", args=[owner_id, payment.id]),
            note=str(payment.id),
        ),
        Cell(PAYMENT_KINDS[payment.kind], note=payment.po_number),
        Cell(amount=desk.wording.money(payment.amount_micros, payment.currency), note=refunded),
        Cell(tags=(Tag(word, tone),)),  # type: ignore[arg-type]
        Cell(said(payment.detail or payment.code), note=payment.actor),
        todo,
    ]
