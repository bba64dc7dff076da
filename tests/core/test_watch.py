"""When a wallet asks to be looked at. Mirrors src/talktime/core/watch.py."""

import pytest

from talktime.core import watch
from tests.commands import NOW_MS, UNIT, authorize, fund, funded, settle
from tests.tills import wallet_of


def watched(available_micros, **levels):
    """A wallet with these levels, after somebody looked at it."""
    wallet = wallet_of(available_micros)
    for name, micros in levels.items():
        setattr(wallet, name, micros)
    watch.note(wallet, NOW_MS)
    return wallet


@pytest.mark.parametrize(
    ("level", "available_micros", "asks"),
    [
        ("recharge_below_micros", 100 * UNIT, False),
        ("recharge_below_micros", 100 * UNIT - 1, True),
        ("alert_below_micros", 100 * UNIT, False),
        ("alert_below_micros", 100 * UNIT - 1, True),
        ("alert_from_micros", 100 * UNIT, True),
        ("alert_from_micros", 100 * UNIT - 1, False),
    ],
)
def test_a_wallet_asks_strictly_below_a_level_and_from_it_on_to_be_armed_again(
    level, available_micros, asks
):
    """R14, R19, D1, D4."""
    wallet = watched(available_micros, **{level: 100 * UNIT})
    assert wallet.attention_ms == (NOW_MS if asks else None)
    assert wallet.watch_changed is asks


def test_a_wallet_without_levels_asks_for_nothing():
    """R13."""
    assert watched(0).attention_ms is None


def test_an_alert_compares_the_balance_and_a_recharge_what_is_available():
    """D1, D4: a running call holds money and spends none yet."""
    desk = funded(100 * UNIT)
    wallet = desk.wallet
    wallet.attention_ms = None
    wallet.alert_below_micros = 100 * UNIT
    desk.do(authorize())
    assert wallet.attention_ms is None
    wallet.recharge_below_micros = 100 * UNIT
    desk.do(authorize("C2"), at_s=1)
    assert wallet.attention_ms == NOW_MS + 1_000


def test_the_first_crossing_keeps_its_time_and_the_lowest_balance_is_kept():
    """R24: what was asked for is not lost in what follows."""
    desk = funded(10 * UNIT)
    wallet = desk.wallet
    wallet.attention_ms = wallet.lowest_micros = None
    wallet.alert_below_micros = 10 * UNIT
    desk.do(authorize())
    desk.do(settle(used_s=60), at_s=1)
    assert (wallet.attention_ms, wallet.lowest_micros) == (NOW_MS + 1_000, 9_985_000)
    desk.do(authorize("C2"), at_s=2)
    desk.do(settle("C2", used_s=60), at_s=3)
    desk.do(fund(50 * UNIT, "F2"), at_s=4)
    assert (wallet.attention_ms, wallet.lowest_micros) == (NOW_MS + 1_000, 9_970_000)


def test_a_call_refused_for_want_of_credit_counts_as_a_balance_used_up():
    """R24: whatever rest is left, if anybody is to be told."""
    told, nobody = wallet_of(5_000), wallet_of(5_000)
    told.alert_below_micros = 1
    for wallet in (told, nobody):
        watch.note_shortage(wallet, NOW_MS)
    assert (told.attention_ms, told.lowest_micros) == (NOW_MS, 0)
    assert nobody.attention_ms is None
