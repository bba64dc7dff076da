"""`/api/v1/organisations/NAME/wallet`, `recharge` and `alerts`: what is there, and how it is kept
filled."""

from msgspec import UNSET, Struct, UnsetType

from talktime.console.api.doors import Answer, Asked, amount_in, door, moves_money
from talktime.core.payments import AMOUNT
from talktime.core.recharging import DAY_MAX
from talktime.core.refusal import Refusal
from talktime.operations.money_documents import recharge_document, wallet_document
from talktime.operations.recharge_settings import (
    RechargePlan,
    RechargeView,
    resume,
    set_alerts,
    set_recharge,
    view_recharge,
)
from talktime.operations.wallet_view import view_wallet


class SentRecharge(Struct, forbid_unknown_fields=True, kw_only=True):
    """Auto-recharge as sent: off, or on with a trigger and an amount."""

    enabled: bool
    trigger: str | UnsetType = UNSET
    amount: str | UnsetType = UNSET
    method: str = AMOUNT
    month_limit: str | None = None
    day_max: int = DAY_MAX


class SentAlerts(Struct, forbid_unknown_fields=True, kw_only=True):
    """The balances below which the organisation is told."""

    below: list[str]


def wallet(asked: Asked) -> Answer | Refusal:
    """The wallet with its lots, their expiry calendar and how auto-recharge stands."""
    return wallet_document(asked.counter.organisation, view_wallet(asked.counter, asked.why_not))


def recharge(asked: Asked) -> Answer | Refusal:
    """How auto-recharge stands."""
    return recharge_document(view_recharge(asked.counter))


@moves_money
def put_recharge(asked: Asked) -> Answer | Refusal:
    """Set auto-recharge; where the balance is below the trigger already, it buys at once."""
    sent = asked.body(SentRecharge)
    if isinstance(sent, Refusal):
        return sent
    plan = _plan(sent) if sent.enabled else RechargePlan(False)
    if isinstance(plan, Refusal):
        return plan
    return _shown(set_recharge(asked.counter, plan, actor=asked.actor, why_not=asked.why_not))


@moves_money
def go_on(asked: Asked) -> Answer | Refusal:
    """Go on after a pause."""
    return _shown(resume(asked.counter, actor=asked.actor))


def put_alerts(asked: Asked) -> Answer | Refusal:
    """Say at which balances somebody is told."""
    sent = asked.body(SentAlerts)
    if isinstance(sent, Refusal):
        return sent
    levels_micros = set()
    for place, text in enumerate(sent.below):
        micros = amount_in(text, f"below[{place}]")
        if isinstance(micros, Refusal):
            return micros
        levels_micros.add(micros)
    return _shown(set_alerts(asked.counter, levels_micros))


def _plan(sent: SentRecharge) -> RechargePlan | Refusal:
    if sent.trigger is UNSET or sent.amount is UNSET:
        return Refusal("invalid_request", "to turn it on, trigger and amount must be there")
    trigger_micros = amount_in(sent.trigger, "trigger")
    if isinstance(trigger_micros, Refusal):
        return trigger_micros
    amount_micros = amount_in(sent.amount, "amount")
    if isinstance(amount_micros, Refusal):
        return amount_micros
    cap_micros = None if sent.month_limit is None else amount_in(sent.month_limit, "month_limit")
    if isinstance(cap_micros, Refusal):
        return cap_micros
    return RechargePlan(True, trigger_micros, amount_micros, sent.method, cap_micros, sent.day_max)


def _shown(view: RechargeView | Refusal) -> Answer | Refusal:
    return view if isinstance(view, Refusal) else recharge_document(view)


wallet_door = door(GET=wallet)
recharge_door = door(GET=recharge, PUT=put_recharge)
resume_door = door(POST=go_on)
alerts_door = door(PUT=put_alerts)
