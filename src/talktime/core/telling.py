"""What charging gives occasion to tell: minutes that are being used up, a limit reached, credit
used up. Pure."""

from talktime.core import watch
from talktime.core.books import Books
from talktime.core.calls import Call
from talktime.core.ledger import Wallet
from talktime.core.meters import Meter, month_of
from talktime.core.notices import notice
from talktime.core.refusal import Refusal

_USED_UP = ("insufficient_credit", "post_usage_off", "statement_overdue")


def tell_refused(books: Books, wallet: Wallet, call: Call, refusal: Refusal, now_ms: int) -> None:
    """A call may not be set up or go on: tell those who can change that, once.

    The credit is used up when a call is refused for want of it, whatever rest is left (R24); a
    user's spend limit is reached once a month (D4).
    """
    if refusal.code in _USED_UP:
        watch.note_shortage(wallet, now_ms)
    elif refusal.code == "spend_limit_reached" and call.user_id is not None:
        month = month_of(call.started_ms)
        books.tell(
            notice(
                call.organisation_id,
                "spend_limit.reached",
                f"spend_limit.reached/{month}/{call.user_id}",
                now_ms,
                user_id=call.user_id,
                user="",
                limit_micros=call.payers.spend_limit_micros or 0,
                currency=wallet.currency,
                month=month,
            )
        )


def tell_crossings(books: Books, meter: Meter, now_ms: int) -> None:
    """Tell that a pool was just used to the warned per cent, or to its end, once a month (R27)."""
    for percent in meter.crossed:
        books.tell(
            notice(
                meter.organisation_id,
                "pool.warning",
                f"pool.warning/{meter.key}/{percent}",
                now_ms,
                pool=meter.key,
                used_s=meter.used,
                total_s=meter.total or 0,
                percent=percent,
            )
        )
    meter.crossed = ()
