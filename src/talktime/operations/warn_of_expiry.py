"""Tell in time what will expire: lots 30, 7 and 1 days before, cards 30 days before, or as the
catalogue has it (D4)."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import TypeVar

from talktime.core.figures import DEFAULT_FIGURES, Figures, figures_of
from talktime.core.limits import EXPIRE_BATCH_MAX
from talktime.core.notices import Notice, notice
from talktime.core.payments import PaymentMethod
from talktime.operations.sweep import Sweep, Swept
from talktime.store.catalogue import load_catalogues
from talktime.store.expiring import ExpiringLots, cards_expiring, lots_expiring
from talktime.store.notices import insert_notices

DAY_MS = 86_400_000

Row = TypeVar("Row", ExpiringLots, PaymentMethod)
Key = TypeVar("Key")


def warn_of_expiry(sweep: Sweep) -> Swept:
    """Write a notice for each card, and for the lots of each day, that are about to expire; counts
    those that are new.

    Of a day's lots, the nearest of these numbers of days is told, once each, and again where
    another lot that ends on that day has come since. After a downtime what was missed is not made
    up for. Works in pages, each its own transaction. Raises Outage.
    """
    connection, now_ms = sweep.connection, sweep.clock_ms()
    figures = _figures(sweep)
    lot_days, card_days = figures.lot_days, figures.card_days
    first, last = _month(now_ms), _month(now_ms + card_days * DAY_MS)

    def lots(after: tuple[int, int]) -> list[ExpiringLots]:
        # Whole days, so that a lot of the last one is not told of by itself.
        until_ms = (now_ms // DAY_MS + max(lot_days) + 1) * DAY_MS - 1
        return lots_expiring(connection, now_ms, until_ms, after, EXPIRE_BATCH_MAX)

    def of_lots(page: list[ExpiringLots]) -> Iterable[Notice]:
        near = [lot for lot in page if lot.expires_ms - now_ms <= max(lot_days) * DAY_MS]
        return [_lots_notice(lots, lot_days, now_ms) for lots in near]

    def cards(after_id: int) -> list[PaymentMethod]:
        return cards_expiring(connection, first, last, after_id, EXPIRE_BATCH_MAX)

    def of_cards(page: list[PaymentMethod]) -> Iterable[Notice]:
        near = [card for card in page if _end_ms(card) - now_ms <= card_days * DAY_MS]
        return [_card_notice(card, now_ms) for card in near]

    told = _tell(sweep, lots, of_lots, (0, 0), lambda last: (last.organisation_id, last.day))
    return Swept(told + _tell(sweep, cards, of_cards, 0, lambda last: last.id))


def _figures(sweep: Sweep) -> Figures:
    """The figures of now; the usual ones where there is no control plane to ask."""
    if sweep.control is None:
        return DEFAULT_FIGURES
    control = sweep.control()
    with control.reading():
        return figures_of(load_catalogues(control).in_force(sweep.clock_ms()).settings)


def _tell(
    sweep: Sweep,
    read: Callable[[Key], list[Row]],
    notices_of: Callable[[list[Row]], Iterable[Notice]],
    after: Key,
    key_of: Callable[[Row], Key],
) -> int:
    told = 0
    while not sweep.stopping():
        with sweep.connection.reading():
            page = read(after)
        notices = list(notices_of(page))
        if notices:
            with sweep.connection.transaction():
                told += insert_notices(sweep.connection, notices, sweep.next_id)
        if len(page) < EXPIRE_BATCH_MAX:
            break
        after = key_of(page[-1])
    return told


def _lots_notice(lots: ExpiringLots, lot_days: tuple[int, ...], now_ms: int) -> Notice:
    left_ms = lots.expires_ms - now_ms
    days = next(days for days in lot_days if left_ms <= days * DAY_MS)
    return notice(
        lots.organisation_id,
        "lot.expiring",
        f"lot.expiring/day {lots.day}/{lots.newest_lot_id}/{days}",
        now_ms,
        lot_id=lots.lot_id,
        lots=lots.lots,
        remaining_micros=lots.remaining_micros,
        currency=lots.currency,
        expires_ms=lots.expires_ms,
        days=days,
    )


def _card_notice(card: PaymentMethod, now_ms: int) -> Notice:
    return notice(
        card.organisation_id,
        "card.expiring",
        f"card.expiring/{card.id}/{card.exp_year}-{card.exp_month}",
        now_ms,
        method_id=card.id,
        method=card.name,
        exp_year=card.exp_year or 0,
        exp_month=card.exp_month or 0,
    )


def _month(at_ms: int) -> int:
    """A calendar month as one number (UTC)."""
    at = datetime.fromtimestamp(at_ms // 1000, UTC)
    return at.year * 12 + at.month


def _end_ms(card: PaymentMethod) -> int:
    """A card can be charged until its last month is over (UTC)."""
    year, month = divmod((card.exp_year or 0) * 12 + (card.exp_month or 0), 12)
    return int(datetime(year, month + 1, 1, tzinfo=UTC).timestamp()) * 1000
