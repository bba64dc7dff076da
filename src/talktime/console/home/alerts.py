"""What needs somebody at an organisation: each with the one step to take, the worst first."""

from typing import NamedTuple
from urllib.parse import urlsplit

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from talktime.console.billing.credits_page import pay_as_you_go_off
from talktime.console.billing.payments_shown import advice_of
from talktime.console.billing.shown import soon
from talktime.console.doors import Desk, Shown
from talktime.console.refusals import not_wanted
from talktime.console.roles import BILLING
from talktime.console.said import said
from talktime.core.burn import Pace
from talktime.core.payments import CONFIRMING, DECLINED, FAILED, SUCCEEDED, Payment
from talktime.core.post_usage import PAID, PostStatement
from talktime.core.recharging import NotWanted
from talktime.operations.commerce_models import blocked_move
from talktime.operations.endpoints import given_up
from talktime.operations.wallet_view import WalletView
from talktime.store.recipients import Endpoint

DAY_MS = 86_400_000
SOON_DAYS, LOW_DAYS, FAILED_DAYS = 7, 3, 7
NEAR_CAP_PERCENT = 90


class Alert(NamedTuple):
    """What is wrong, how bad (bad or warn), and the step: its label and address; without one,
    there is nothing to be done here."""

    tone: str
    words: str
    step: str = ""
    url: str = ""


class _Alerts:
    """Gathers them for one reader."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.found: list[Alert] = []

    def add(self, tone: str, words: str, step: str = "", place: str = "", *more: object) -> None:
        try:
            url = reverse(place, args=[self.desk.owner.id, *more]) if place else ""
        except NoReverseMatch:
            url = ""
        self.found.append(Alert(tone, words, step if url else "", url))


def alerts_of(
    desk: Desk,
    view: WalletView,
    pace: Pace | None,
    payments: list[Payment],
    statements: list[PostStatement],
    after_use: Shown,
    told: bool,
    endpoints: list[Endpoint],
) -> list[Alert]:
    """All of them; `told` says whether anybody gets the notices, `endpoints` which programs do."""
    alerts = _Alerts(desk)
    _of_organisation(alerts, view)
    _of_month(alerts, after_use)
    _of_balance(alerts, view, pace)
    _of_recharge(alerts, view)
    _of_payments(alerts, payments)
    _of_statements(alerts, statements)
    _of_expiry(alerts, view)
    if not told:
        words = _("Nobody is told when something happens: there are no recipients of notices.")
        alerts.add("warn", words, _("Add a recipient"), "notices")
    _of_endpoints(alerts, endpoints)
    return sorted(alerts.found, key=lambda alert: alert.tone != "bad")


def _of_organisation(alerts: _Alerts, view: WalletView) -> None:
    owner = alerts.desk.owner
    if not owner.active:
        words = _("This organisation is switched off: its calls are refused. Ask the operator.")
        alerts.add("bad", words)
    recharge = view.recharge.recharge
    if blocked_move(owner, recharge is not None and recharge.enabled):
        words = _(
            "The move to post-usage billing is blocked: auto-recharge is still on and would refill "
            "the balance for ever."
        )
        alerts.add("bad", words, _("Turn auto-recharge off"), "recharge")
    after_use = owner.commerce_model != "prepaid"
    if after_use and owner.rules.post_usage_blocked:
        words = _("Calls after use are blocked: a statement is long overdue.")
        alerts.add("bad", words, _("See the statements"), "invoices")
    elif words := pay_as_you_go_off(owner):
        may = alerts.desk.may(BILLING)
        alerts.add("warn", words, _("Turn it on"), "pay-as-you-go" if may else "")


def _of_month(alerts: _Alerts, after_use: Shown) -> None:
    if after_use["prepaid"] or not after_use["on"] or after_use["percent"] < NEAR_CAP_PERCENT:
        return
    words = _(
        "%(used)s of this month's limit of %(cap)s is used: calls that would pass it are refused."
    ) % {"used": after_use["used"].in_full, "cap": after_use["cap"].in_full}
    place = "pay-as-you-go" if alerts.desk.may(BILLING) else ""
    alerts.add("warn", words, _("Change the limit"), place)


def _of_balance(alerts: _Alerts, view: WalletView, pace: Pace | None) -> None:
    desk, left_micros = alerts.desk, view.available_micros
    if desk.owner.commerce_model != "prepaid":
        return
    can_buy = view.why_not is None
    step, place = (_("Add funds"), "add-funds") if can_buy else ("", "")
    if view.debt_micros:
        words = _("%(amount)s is owed; new funds pay it first.")
        alerts.add("bad", words % {"amount": desk.money(view.debt_micros).in_full}, step, place)
    elif left_micros <= 0 and (view.lots or pace):
        words = _("The credits are used up: calls that need credits are refused.")
        alerts.add("bad", words, step, place)
    elif left_micros <= 0:
        words = _("There are no credits yet: calls that need credits are refused.")
        alerts.add("warn", words, step, place)
    elif pace is not None and pace.days_left(left_micros) <= LOW_DAYS:
        recharge = view.recharge.recharge
        if recharge is None or not recharge.enabled or recharge.paused_code:
            days = pace.days_left(left_micros)
            words = ngettext(
                "Credits are low: what is available lasts for about %(days)s more day.",
                "Credits are low: what is available lasts for about %(days)s more days.",
                days,
            )
            if days == 0:
                words = _("Credits are low: what is available lasts for less than a day.")
            alerts.add("warn", words % {"days": days}, step, place)
    else:
        below = [
            x.below_micros for x in view.recharge.levels if view.balance_micros < x.below_micros
        ]
        if below:
            words = _("The balance is below %(amount)s.")
            alerts.add("warn", words % {"amount": desk.money(min(below)).in_full}, step, place)


def _of_recharge(alerts: _Alerts, view: WalletView) -> None:
    recharge, standing = view.recharge.recharge, view.recharge.standing
    if recharge is None or not recharge.enabled:
        return
    if recharge.paused_code:
        words = _("Auto-recharge is paused: %(why)s. %(advice)s") % {
            "why": said(recharge.paused_detail or recharge.paused_code).rstrip("."),
            "advice": advice_of(recharge.paused_code, view.recharge.wallet.debt_micros),
        }
        alerts.add("bad", words, _("Auto-recharge settings"), "recharge")
        return
    attempt = view.recharge.attempt
    if attempt is not None and attempt.state == DECLINED:
        when = "" if attempt.due_ms is None else alerts.desk.wording.moment(attempt.due_ms)
        words = _("A recharge was declined: %(why)s. It is tried again: %(when)s.") % {
            "why": said(attempt.detail or attempt.code).rstrip("."),
            "when": when,
        }
        alerts.add("warn", words, _("Payment methods"), "methods")
    elif isinstance(standing, NotWanted) and standing.code == "no_method":
        words = _("Auto-recharge is on, but there is no card to charge.")
        alerts.add("bad", words, _("Add a card"), "methods")
    elif isinstance(standing, NotWanted) and standing.code in ("day_cap", "month_cap"):
        words = _("Auto-recharge has reached its limit: %(why)s.") % {"why": not_wanted(standing)}
        alerts.add("warn", words, _("Auto-recharge settings"), "recharge")


def _of_payments(alerts: _Alerts, payments: list[Payment]) -> None:
    desk = alerts.desk
    for payment in payments:
        amount = desk.wording.money(payment.amount_micros, payment.currency).in_full
        if payment.state == CONFIRMING:
            words = _("A payment of %(amount)s waits for the cardholder to confirm it.")
            step = _("See the payment")
            alerts.add("warn", words % {"amount": amount}, step, "payment", payment.id)
    bought = [each for each in payments if each.kind == "purchase"]
    over = next((each for each in bought if each.state in (SUCCEEDED, FAILED)), None)
    if over is None or over.state != FAILED:
        return
    if (over.closed_ms or 0) > desk.now_ms - FAILED_DAYS * DAY_MS:
        words = _("The last payment, of %(amount)s, failed: %(why)s.") % {
            "amount": desk.wording.money(over.amount_micros, over.currency).in_full,
            "why": said(over.detail or over.code).rstrip("."),
        }
        alerts.add("bad", words, _("See the payment"), "payment", over.id)


def _of_statements(alerts: _Alerts, statements: list[PostStatement]) -> None:
    desk = alerts.desk
    for statement in statements:
        if statement.state in (PAID, "due"):
            continue
        left_micros = statement.to_pay_micros(desk.owner.currency)
        words = _("The statement of %(month)s is overdue: %(amount)s is left to pay.") % {
            "month": desk.wording.month(statement.month),
            "amount": desk.money(left_micros).in_full,
        }
        alerts.add("bad", words, _("See the statement"), "statement", statement.month)


def _of_expiry(alerts: _Alerts, view: WalletView) -> None:
    desk = alerts.desk
    near = [lot for lot in soon(view) if lot.expires_ms <= view.now_ms + SOON_DAYS * DAY_MS]
    if near:
        words = _("%(amount)s of credits expires within 7 days, the first on %(day)s.") % {
            "amount": desk.money(sum(lot.remaining_micros for lot in near)).in_full,
            "day": desk.wording.moment(near[0].expires_ms),
        }
        alerts.add("warn", words, _("Purchases and expiry"), "lots")


def _of_endpoints(alerts: _Alerts, endpoints: list[Endpoint]) -> None:
    for endpoint in filter(given_up, endpoints):
        words = _("A program is told nothing any more: the webhook endpoint at %(host)s failed.")
        host = urlsplit(endpoint.url).netloc
        alerts.add("warn", words % {"host": host}, _("See the endpoint"), "webhook", endpoint.id)
