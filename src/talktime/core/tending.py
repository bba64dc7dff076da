"""What a wallet that asked for attention comes to: who is told, and whether a recharge begins.
Pure."""

from talktime.core.collecting import SERVICE, Collector
from talktime.core.ledger import Wallet
from talktime.core.notices import notice
from talktime.core.payments import CHARGING, RECHARGE, AlertLevel, Payment, Recharge, Till
from talktime.core.recharging import Bounds, NotWanted, Wanted, recharge_due

USED_UP = 0
"""The level of a balance that is used up: told when nothing, or less, is left."""


def tend(collector: Collector, bounds: Bounds) -> Wanted | NotWanted:
    """Tell of the levels that were crossed (D4), begin a recharge where one is due (D1, D2), and
    set what the wallet is watched for from now on."""
    books, till, now_ms = collector.books, collector.till, collector.now_ms
    wallet = collector.wallet
    if wallet.first_funded_ms is not None:
        _alert(collector)
    wanted = recharge_due(wallet, till, bounds, now_ms, collector.figures)
    if isinstance(wanted, Wanted):
        number = books.next_id()
        payment = Payment(
            number,
            wallet.organisation_id,
            RECHARGE,
            CHARGING,
            None,
            wanted.amount_micros,
            wallet.currency,
            f"recharge {number}",
            0,
            "",
            SERVICE,
            *(0, "", "", ""),
            due_ms=now_ms,
            created_ms=now_ms,
            new=True,
        )
        till.started.append((now_ms, wanted.amount_micros, True))
        collector.start(payment, till.cards()[0])
    elif wanted.code == "no_method" and till.recharge is not None:
        _tell_no_card(collector, till.recharge)
    set_watch(wallet, till, wanted)
    return wanted


def set_watch(wallet: Wallet, till: Till, wanted: Wanted | NotWanted) -> None:
    """Watch for the levels that are armed, for those that are to be armed again, and, where only
    the balance keeps a recharge from beginning, for the trigger."""
    recharge = till.recharge
    armed = [_threshold(level) for level in till.levels if level.fired_ms is None]
    fired = [_rearmed_from(level) for level in till.levels if level.fired_ms is not None]
    funded = wallet.first_funded_ms is not None
    wallet.alert_below_micros = max(armed) if armed and funded else None
    wallet.alert_from_micros = min(fired) if fired and funded else None
    waits = isinstance(wanted, NotWanted) and wanted.code == "above_trigger"
    wallet.recharge_below_micros = recharge.trigger_micros if recharge and waits else None
    wallet.attention_ms = wallet.lowest_micros = None
    wallet.watch_changed = True


def _alert(collector: Collector) -> None:
    wallet, till, now_ms = collector.wallet, collector.till, collector.now_ms
    if not any(level.below_micros == USED_UP for level in till.levels):
        till.levels.append(AlertLevel(wallet.organisation_id, USED_UP, changed=True))
    balance_micros = lowest_micros = wallet.balance_micros
    refilled = False
    if wallet.attention_ms is not None:
        lowest_micros = min(
            lowest_micros, lowest_micros if wallet.lowest_micros is None else wallet.lowest_micros
        )
        refilled = any(lot.purchased_ms >= wallet.attention_ms for lot in wallet.lots)
    crossed = []
    for level in till.levels:
        if level.fired_ms is not None and balance_micros >= _rearmed_from(level):
            level.fired_ms, level.fired_at_micros, level.changed = None, None, True
        if level.fired_ms is None and lowest_micros < _threshold(level):
            crossed.append(level)
            if not refilled or balance_micros < _threshold(level):
                # A rest that is too small for the calls that are refused does not arm it again.
                level.fired_ms, level.fired_at_micros = now_ms, balance_micros
                level.changed = True
    if crossed:
        level = min(crossed, key=lambda level: level.below_micros)
        recovered = refilled and balance_micros >= _threshold(level)
        _tell(collector, level, lowest_micros if recovered else balance_micros)


def _tell(collector: Collector, level: AlertLevel, balance_micros: int) -> None:
    """Of several levels crossed at once, the lowest is told, with the balance that was below it."""
    wallet, now_ms = collector.wallet, collector.now_ms
    facts: dict[str, str | int | None] = {
        "balance_micros": balance_micros,
        "currency": wallet.currency,
    }
    kind = "balance.zero"
    if level.below_micros != USED_UP:
        kind, facts["threshold_micros"] = "balance.low", level.below_micros
    key = f"{kind}/{level.below_micros}/{now_ms}"
    told = notice(wallet.organisation_id, kind, key, now_ms, **facts)
    collector.books.tell(told)


def _tell_no_card(collector: Collector, recharge: Recharge) -> None:
    """A recharge is due, and no card is there that could pay it: told once for these settings."""
    wallet = collector.wallet
    told = notice(
        wallet.organisation_id,
        "recharge.no_card",
        f"recharge.no_card/{recharge.changed_ms}",
        collector.now_ms,
        currency=wallet.currency,
        balance_micros=wallet.balance_micros,
        threshold_micros=recharge.trigger_micros,
    )
    collector.books.tell(told)


def _threshold(level: AlertLevel) -> int:
    """Fires below this; a balance is used up when less than one micro is left."""
    return max(level.below_micros, 1)


def _rearmed_from(level: AlertLevel) -> int:
    """Armed again from this balance on: above the level, and above what it was told at."""
    return max(_threshold(level), (level.fired_at_micros or 0) + 1)
