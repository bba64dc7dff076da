"""`.../wallet`, `recharge` and `alerts`: what is there, and how it is kept filled."""

from typing import Literal

from pydantic import Field

from talktime.console.api.door import Asked, Resource
from talktime.console.api.payments import Lot, Payment
from talktime.console.api.shapes import Amount, IdText, Moment, Sent, SentAmount, Shown
from talktime.core.burn import MONTH_DAYS, replay
from talktime.core.keys import BILLING, READ
from talktime.core.limits import ALERT_LEVELS_MAX, RECHARGES_A_DAY_MAX
from talktime.core.payments import AMOUNT
from talktime.core.payments import Recharge as Settings
from talktime.core.recharging import RECHARGES_A_DAY
from talktime.core.refusal import Refusal
from talktime.operations.money_documents import Document, recharge_document, wallet_document
from talktime.operations.recharge_settings import (
    RechargePlan,
    RechargeView,
    resume,
    set_alerts,
    set_recharge,
    view_recharge,
    why_not_plan,
)
from talktime.operations.spending import spending_by_day
from talktime.operations.wallet_view import view_wallet

SEES = (READ, BILLING)
wallet = Resource("Wallet", "What is there, and how it is kept filled.")


class ExpiryMonth(Shown):
    """What expires in a month of the organisation's time zone, unless it is spent."""

    month: str
    first: Moment
    amount: Amount
    lots: int


class Standing(Shown):
    """Whether auto-recharge buys now, or why not."""

    code: str
    words: str
    until: Moment | None


class Paused(Shown):
    """Why auto-recharge is paused."""

    code: str
    detail: str
    since: Moment | None


class Recharge(Shown):
    """Auto-recharge: its settings (null where it was never set), and how it stands."""

    enabled: bool
    trigger: Amount | None
    amount: Amount | None
    method: str | None
    month_limit: Amount | None
    day_max: int | None
    paused: Paused | None
    standing: Standing
    month_left: Amount | None
    attempt: Payment | None
    alerts: list[Amount]


class Wallet(Shown):
    """A wallet with its lots in the order in which they are spent."""

    organisation: str
    organisation_id: IdText
    currency: str
    available: Amount
    held: Amount
    balance: Amount
    debt: Amount
    lots: list[Lot]
    expiry_calendar: list[ExpiryMonth]
    can_buy: bool
    why_not: str | None
    recharge: Recharge


class SentRecharge(Sent):
    """Auto-recharge as sent: off, or on with a trigger and an amount."""

    enabled: bool
    trigger: SentAmount | None = None
    amount: SentAmount | None = None
    method: Literal["amount", "up_to"] = AMOUNT  # type: ignore[assignment]
    month_limit: SentAmount | None = None
    day_max: int = Field(RECHARGES_A_DAY, ge=1, le=RECHARGES_A_DAY_MAX)


class SentPlan(Sent):
    """Settings to try."""

    trigger: SentAmount
    amount: SentAmount
    method: Literal["amount", "up_to"] = AMOUNT  # type: ignore[assignment]
    month_limit: SentAmount | None = None


class Simulation(Shown):
    """What would have been charged: each charge in its order, and all together; `spent` is what the
    days took."""

    days: int
    spent: Amount
    charges: list[Amount]
    total: Amount


class SentAlerts(Sent):
    """The balances below which the organisation is told."""

    below: list[SentAmount] = Field(max_length=ALERT_LEVELS_MAX)


@wallet.reads("/wallet", Wallet, by=SEES)
def get_wallet(asked: Asked) -> Document:
    """The wallet.

    With its lots, their expiry calendar and how auto-recharge stands.
    """
    return wallet_document(asked.owner, view_wallet(asked.counter, asked.why_not))


@wallet.reads("/recharge", Recharge, by=SEES)
def get_recharge(asked: Asked) -> Document:
    """How auto-recharge stands."""
    return recharge_document(view_recharge(asked.counter))


@wallet.does(
    *("PUT", "/recharge", Recharge),
    by=(BILLING,),
    moves_money=True,
    refusals=("credits_not_offered", "amount_out_of_bounds", "unknown_payment_method"),
    sent={"enabled": True, "trigger": "20", "amount": "100", "month_limit": "500"},
)
def put_recharge(asked: Asked, sent: SentRecharge) -> Document | Refusal:
    """Set auto-recharge.

    Where the balance is below the trigger already, it buys at once.
    """
    plan = RechargePlan(False)
    if sent.enabled:
        if sent.trigger is None or sent.amount is None:
            detail = "to turn it on, trigger and amount must be there"
            return Refusal("invalid_request", detail)
        plan = RechargePlan(
            True, sent.trigger, sent.amount, sent.method, sent.month_limit, sent.day_max
        )
    return _shown(set_recharge(asked.counter, plan, actor=asked.actor, why_not=asked.why_not))


@wallet.does(
    *("POST", "/recharge/simulation", Simulation),
    by=SEES,
    refusals=("amount_out_of_bounds",),
    sent={"trigger": "20", "amount": "100", "month_limit": "500"},
)
def post_recharge_simulation(asked: Asked, sent: SentPlan) -> Document | Refusal:
    """What these settings would have charged with the use of the last 28 days.

    Nothing is kept, and nothing is charged.
    """
    tried = RechargePlan(True, sent.trigger, sent.amount, sent.method, sent.month_limit)
    refusal = why_not_plan(asked.counter, tried)
    if refusal is not None:
        return refusal
    days = spending_by_day(asked.cell, asked.owner, MONTH_DAYS, asked.now_ms)
    plan = (sent.trigger, sent.method, sent.amount, sent.month_limit, RECHARGES_A_DAY)
    charges = replay(
        [day.spent_micros for day in days],
        [day.month for day in days],
        Settings(asked.owner.id, True, *plan, "", "", None, 0, ""),
        asked.counter.bounds,
        asked.owner.currency,
    )
    return {
        "days": len(days),
        "spent": sum(day.spent_micros for day in days),
        "charges": [charge.amount_micros for charge in charges],
        "total": sum(charge.amount_micros for charge in charges),
    }


@wallet.does("POST", "/recharge/resume", Recharge, by=(BILLING,), moves_money=True)
def post_resume(asked: Asked) -> Document | Refusal:
    """Let auto-recharge go on after a pause."""
    return _shown(resume(asked.counter, actor=asked.actor))


@wallet.does("PUT", "/alerts", Recharge, by=(BILLING,), sent={"below": ["50", "10"]})
def put_alerts(asked: Asked, sent: SentAlerts) -> Document | Refusal:
    """Say at which balances somebody is told: all of them."""
    return _shown(set_alerts(asked.counter, set(sent.below)))


def _shown(view: RechargeView | Refusal) -> Document | Refusal:
    return view if isinstance(view, Refusal) else recharge_document(view)
