"""When somebody must look at a wallet: its balance crossed a level, or a recharge may be due. Pure.

The levels stand in the wallet's row, so that every command that moves money can compare them. A
command only asks for attention; what is to be told or bought is decided by core/tending.py, in a
transaction of its own within a second. What was asked for is never lost: it is written with the
movement that caused it. How low the balance went until then is kept, so that a crossing is told
even where money came in meanwhile.
"""

from talktime.core.ledger import Wallet


def note(wallet: Wallet, now_ms: int) -> None:
    """Ask for attention where the balance, or what is available, is beyond a level (D1, D2, D4).

    Alerts compare the balance, which only charges and expiry lower; a recharge compares what is
    available, which running calls lower too.
    """
    balance_micros = wallet.balance_micros
    below, since = wallet.alert_below_micros, wallet.alert_from_micros
    if (
        (below is not None and balance_micros < below)
        or (since is not None and balance_micros >= since)
        or wants_recharge(wallet, now_ms)
    ):
        ask(wallet, now_ms)


def wants_recharge(wallet: Wallet, now_ms: int) -> bool:
    """Whether what is available is strictly below the trigger (D1)."""
    trigger = wallet.recharge_below_micros
    return trigger is not None and wallet.available_micros(now_ms) < trigger


def note_shortage(wallet: Wallet, now_ms: int) -> None:
    """A call was refused for want of credit: what is left is as good as nothing, and the
    organisation is told once that its credit is used up."""
    if wallet.alert_below_micros is not None:
        ask(wallet, now_ms, min(wallet.balance_micros, 0))


def ask(wallet: Wallet, now_ms: int, lowest_micros: int | None = None) -> None:
    """Have the wallet looked at soon."""
    lowest_micros = wallet.balance_micros if lowest_micros is None else lowest_micros
    if wallet.attention_ms is None:
        wallet.attention_ms, wallet.lowest_micros, wallet.watch_changed = (
            now_ms,
            lowest_micros,
            True,
        )
    elif wallet.lowest_micros is None or lowest_micros < wallet.lowest_micros:
        wallet.lowest_micros, wallet.watch_changed = lowest_micros, True
