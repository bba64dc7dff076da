"""Auto-recharge as an admin sees and sets it: on or off, trigger, amount, limits, and why it does
not recharge."""

from typing import NamedTuple

from talktime.core.audit import Facts
from talktime.core.commands import ExpireLots
from talktime.core.ledger import Wallet
from talktime.core.limits import (
    ACTOR_TEXT_MAX,
    ALERT_LEVELS_MAX,
    AMOUNT_MICROS_MAX,
    RECHARGES_A_DAY_MAX,
)
from talktime.core.money import decimal_text
from talktime.core.payments import (
    CANCELLED,
    DECLINED,
    FAILED,
    FREEZING,
    RECHARGE_METHODS,
    UP_TO,
    AlertLevel,
    Payment,
    Recharge,
    Till,
)
from talktime.core.recharging import (
    RECHARGES_A_DAY,
    NotWanted,
    Wanted,
    month_left_micros,
    recharge_due,
)
from talktime.core.refusal import Refusal
from talktime.operations.audit import note
from talktime.operations.eligibility import check_amount
from talktime.operations.execute import DEFAULT_TERMS
from talktime.operations.input_checks import check_one_of, check_text, first
from talktime.operations.till import Counter, NoWallet, caps_since_ms, open_till
from talktime.store.load import load
from talktime.store.payments import keep_levels, load_till


class RechargePlan(NamedTuple):
    """What an admin sets: below `trigger_micros` of available money, add `amount_micros`, or top up
    to it; at most so much a calendar month (None: no limit) and so often in 24 hours (D1, D2)."""

    enabled: bool
    trigger_micros: int = 0
    amount_micros: int = 0
    method: str = "amount"
    month_cap_micros: int | None = None
    day_max: int = RECHARGES_A_DAY


class RechargeView(NamedTuple):
    """How auto-recharge stands: its settings (None: never set), what it would do now and why,
    the attempt on its way, what may still be bought this month; the wallet at that moment."""

    recharge: Recharge | None
    standing: Wanted | NotWanted
    attempt: Payment | None
    month_left_micros: int | None
    levels: tuple[AlertLevel, ...]
    wallet: Wallet


def set_recharge(
    counter: Counter, plan: RechargePlan, *, actor: str, why_not: Refusal | None
) -> RechargeView | Refusal:
    """Set auto-recharge, in its own transaction; where the balance is below the trigger already,
    a recharge begins at once (R21). Turning it off always works: what is on its way is finished,
    what waits to be tried again is given up (R20).

    To turn it on, credits must be for sale (`why_not`: operations/eligibility.py). Set anew, it
    begins anew: what waits to be tried again by the plan before is given up. A changed plan also
    resumes a paused recharge, unless what went back has left a debt. Refuses: that;
    amount_out_of_bounds; invalid_value.
    """
    refusal = check_text("the actor", actor, ACTOR_TEXT_MAX)
    if plan.enabled:
        refusal = refusal or why_not or why_not_plan(counter, plan)
    if refusal is not None:
        return refusal
    with open_till(counter) as collector:
        till, now_ms = collector.till, counter.now_ms
        if plan.enabled:
            if collector.wallet.no_buying is not None:
                return Refusal("credits_not_offered", "buying has been closed")
            before, was = till.recharge, plan_of(till.recharge)
            till.recharge = Recharge(
                counter.organisation.id,
                True,
                plan.trigger_micros,
                plan.method,
                plan.amount_micros,
                plan.month_cap_micros,
                plan.day_max,
                *("", "", None),
                changed_ms=now_ms,
                changed_by=actor,
                changed=True,
            )
            _give_up(till, CANCELLED, "changed", "Auto-recharge was set anew", now_ms)
            if before is not None and before.frozen(collector.wallet.debt_micros):
                paused_ms = before.paused_ms or now_ms
                till.recharge.pause(before.paused_code, before.paused_detail, paused_ms)
            note_recharge(counter, was, till.recharge)
        elif till.recharge is not None:
            was = plan_of(till.recharge)
            turn_off(till, now_ms, actor)
            note_recharge(counter, was, till.recharge)
    return view_recharge(counter)


def plan_of(recharge: Recharge | None) -> Facts:
    """What of auto-recharge an admin sets, as it is kept of a change."""
    if recharge is None:
        return {}
    return {
        "enabled": recharge.enabled,
        "trigger_micros": recharge.trigger_micros,
        "method": recharge.method,
        "amount_micros": recharge.amount_micros,
        "month_cap_micros": recharge.month_cap_micros,
        "day_max": recharge.day_max,
        "paused": recharge.paused_code,
    }


def note_recharge(counter: Counter, before: Facts, recharge: Recharge) -> None:
    """Keep that auto-recharge was set, in the till's transaction."""
    owner = counter.organisation.id
    note(counter.cell, owner, "recharge.set", before=before, after=plan_of(recharge), always=True)


def turn_off(till: Till, now_ms: int, actor: str) -> None:
    """Buy nothing more by itself; a charge that is on its way is finished, one that waits to be
    tried again is given up (R20)."""
    recharge = till.recharge
    if recharge is None:
        return
    recharge.enabled, recharge.changed = False, True
    recharge.changed_ms, recharge.changed_by = now_ms, actor
    if recharge.paused_code not in FREEZING:
        recharge.resume()
    _give_up(till, CANCELLED, "turned_off", "Auto-recharge was turned off", now_ms)


def resume(counter: Counter, *, actor: str) -> RechargeView | Refusal:
    """Go on after a pause; where the balance is below the trigger, a recharge begins at once.

    Refuses: invalid_value where auto-recharge is not paused; payment_not_possible while the debt of
    what went back is owed (D15).
    """
    with open_till(counter) as collector:
        recharge = collector.till.recharge
        if recharge is None or not recharge.paused_code:
            return Refusal("invalid_value", "auto-recharge is not paused")
        if recharge.frozen(collector.wallet.debt_micros):
            owed = f"{decimal_text(collector.wallet.debt_micros)} {counter.organisation.currency}"
            detail = f"{owed} is owed since a payment went back: buy credits, which pay it first"
            return Refusal("payment_not_possible", detail)
        paused = recharge.paused_code
        recharge.resume()
        recharge.changed_ms, recharge.changed_by = counter.now_ms, actor
        owner = counter.organisation.id
        note(
            counter.cell, owner, "recharge.resumed", before={"paused": paused}, after={"paused": ""}
        )
        detail = "A new attempt was asked for"
        _give_up(collector.till, FAILED, "resumed", detail, counter.now_ms)
    return view_recharge(counter)


def view_recharge(counter: Counter) -> RechargeView:
    """How auto-recharge stands at this moment; takes no lock. Raises NoWallet."""
    cell, organisation_id = counter.cell, counter.organisation.id
    with cell.reading():
        books = load(
            cell, [ExpireLots(organisation_id)], counter.next_id, DEFAULT_TERMS, lock=False
        )
        till = load_till(cell, organisation_id, caps_since_ms(counter.now_ms))
    wallet = books.wallets.get(organisation_id)
    if wallet is None:
        raise NoWallet(f"organisation {organisation_id} has no wallet in its cell")
    standing = recharge_due(wallet, till, counter.bounds, counter.now_ms, counter.figures)
    left_micros = None
    if till.recharge is not None:
        left_micros = month_left_micros(till, till.recharge, counter.now_ms)
    return RechargeView(
        till.recharge, standing, till.open_recharge(), left_micros, tuple(till.levels), wallet
    )


def set_alerts(counter: Counter, levels_micros: set[int]) -> RechargeView | Refusal:
    """Tell when the balance falls below each of these, in micros; that it is used up is always
    told (D4). Refuses: invalid_value."""
    wrong = [micros for micros in levels_micros if not 0 < micros <= AMOUNT_MICROS_MAX]
    if wrong:
        return Refusal("invalid_value", f"a level is above 0, not {decimal_text(wrong[0])}")
    if len(levels_micros) > ALERT_LEVELS_MAX:
        return Refusal("invalid_value", f"there may be {ALERT_LEVELS_MAX} levels at most")
    with open_till(counter) as collector:
        till, organisation_id = collector.till, counter.organisation.id
        known = {level.below_micros for level in till.levels}
        till.levels = [level for level in till.levels if level.below_micros in (0, *levels_micros)]
        keep_levels(counter.cell, organisation_id, sorted(levels_micros))
        for micros in sorted(levels_micros - known):
            till.levels.append(AlertLevel(organisation_id, micros, changed=True))
        note(
            *(counter.cell, organisation_id, "alerts.set"),
            before={"below_micros": [str(micros) for micros in sorted(known - {0})]},
            after={"below_micros": [str(micros) for micros in sorted(levels_micros)]},
            always=True,
        )
    return view_recharge(counter)


def _give_up(till: Till, state: str, code: str, detail: str, now_ms: int) -> None:
    """Try what was declined not again; a charge that is on its way is finished."""
    attempt = till.open_recharge()
    if attempt is not None and attempt.state == DECLINED:
        attempt.code, attempt.detail = code, detail
        attempt.move(state, now_ms)


def why_not_plan(counter: Counter, plan: RechargePlan) -> Refusal | None:
    """Why auto-recharge cannot be set so. Refuses: amount_out_of_bounds; invalid_value."""
    currency = counter.organisation.currency
    refusal = first(
        check_one_of("the method", plan.method, RECHARGE_METHODS),
        check_amount("the recharge amount", plan.amount_micros, counter.bounds, currency),
    )
    if refusal is not None:
        return refusal
    most_micros = counter.bounds.maximum_micros
    if not 0 <= plan.trigger_micros <= most_micros:
        # One charge lifts the balance to the trigger: a slip of the pen must not cost a fortune.
        most = decimal_text(most_micros)
        return Refusal("invalid_value", f"the trigger must be from 0 to {most} {currency}")
    if plan.method == UP_TO and plan.amount_micros <= plan.trigger_micros:
        return Refusal("invalid_value", "to recharge up to an amount, it must be above the trigger")
    if not 1 <= plan.day_max <= RECHARGES_A_DAY_MAX:
        detail = f"recharges in 24 hours must be from 1 to {RECHARGES_A_DAY_MAX}"
        return Refusal("invalid_value", detail)
    cap_micros = plan.month_cap_micros
    if cap_micros is not None and cap_micros < counter.bounds.minimum_micros:
        least = decimal_text(counter.bounds.minimum_micros)
        return Refusal("invalid_value", f"the monthly limit must be at least {least} {currency}")
    return None
