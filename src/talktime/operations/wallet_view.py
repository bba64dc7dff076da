"""An organisation's wallet as people and programs look at it: money, lots, when they expire."""

from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from talktime.core.ledger import Lot
from talktime.core.refusal import Refusal
from talktime.operations.recharge_settings import RechargeView, view_recharge
from talktime.operations.till import Counter

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class ExpiryMonth(NamedTuple):
    """How much expires in a calendar month (2027-11) of the organisation's time zone, if nothing of
    it is spent; `first_ms` is when its first lot does."""

    month: str
    first_ms: int
    amount_micros: int
    lots: int


class WalletView(NamedTuple):
    """A wallet at a moment. `lots` are those with money left, in the order in which they are spent;
    `why_not` is why no credits can be bought."""

    now_ms: int
    currency: str
    available_micros: int
    held_micros: int
    balance_micros: int
    debt_micros: int
    lots: tuple[Lot, ...]
    calendar: tuple[ExpiryMonth, ...]
    recharge: RechargeView
    why_not: Refusal | None


def view_wallet(counter: Counter, why_not: Refusal | None) -> WalletView:
    """The wallet as it stands; takes no lock. `why_not` is what operations/eligibility.py says."""
    recharge = view_recharge(counter)
    wallet, now_ms = recharge.wallet, counter.now_ms
    return WalletView(
        now_ms,
        wallet.currency,
        wallet.available_micros(now_ms),
        wallet.held_micros,
        wallet.balance_micros,
        wallet.debt_micros,
        tuple(wallet.lots),
        expiry_calendar(wallet.lots, counter.organisation.time_zone, now_ms),
        recharge,
        why_not,
    )


def expiry_calendar(lots: list[Lot], time_zone: str, now_ms: int) -> tuple[ExpiryMonth, ...]:
    """What expires in which month, the next first; what has expired already is left out."""
    zone, months = ZoneInfo(time_zone), dict[str, ExpiryMonth]()
    for lot in sorted(lots, key=lambda lot: lot.expires_ms):
        if lot.expires_ms <= now_ms:
            continue
        at = (_EPOCH + timedelta(milliseconds=lot.expires_ms)).astimezone(zone)
        month = f"{at.year}-{at.month:02}"
        known = months.get(month) or ExpiryMonth(month, lot.expires_ms, 0, 0)
        months[month] = known._replace(
            amount_micros=known.amount_micros + lot.remaining_micros, lots=known.lots + 1
        )
    return tuple(months.values())
