"""Wallets and lots. Mirrors src/talktime/core/ledger.py."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from talktime.core.ledger import Lot, Wallet, add_part

LATER_MS = 10_000


def lot(
    id_: int,
    micros: int,
    *,
    expires_ms: int = LATER_MS,
    priority: int = 0,
    promotional: bool = False,
    purchased_ms: int = 0,
) -> Lot:
    """A lot of wallet 1 with all of its money left."""
    return Lot(
        *(id_, 1, "purchase", priority, promotional, micros, micros, 0),
        *(purchased_ms, expires_ms, f"F{id_}", 0, "a test", "tests"),
    )


def take(made: Wallet, micros: int, first: list[tuple[int, int]], now_ms: int):
    """Spend, and owe what cannot be paid; returns what came from which lot, and the debt made."""
    spent, left = made.spend(micros, first, now_ms)
    if left:
        made.owe(left)
    return spent, left


def wallet(*lots: Lot) -> Wallet:
    """A wallet of these lots."""
    made = Wallet(1, "USD", 0, 0, 0)
    for each in lots:
        made.add(each)
    return made


def remaining(of: Wallet) -> dict[int, int]:
    """What is left in each lot."""
    return {each.id: each.remaining_micros for each in of.lots}


def test_lots_are_spent_by_priority_then_expiry_then_promotion_then_purchase_then_id():
    """D6, one tie-break after the other."""
    made = wallet(
        lot(16, 5, purchased_ms=2),
        lot(15, 5, purchased_ms=1),
        lot(17, 5, purchased_ms=2),
        lot(14, 5, promotional=True, purchased_ms=9),
        lot(13, 5, expires_ms=LATER_MS - 1, purchased_ms=9),
        lot(12, 5, expires_ms=LATER_MS + 9, priority=-1, purchased_ms=9),
    )
    assert [each.id for each in made.lots] == [12, 13, 14, 15, 16, 17]
    assert take(made, 28, [], now_ms=0) == (
        [(12, 5), (13, 5), (14, 5), (15, 5), (16, 5), (17, 3)],
        0,
    )


def test_purchases_are_spent_in_the_order_of_purchase():
    """R3: lots of 50 (January) and 50 (March); a debit of 60 leaves 0 and 40."""
    made = wallet(lot(12, 50, expires_ms=300, purchased_ms=3), lot(11, 50, expires_ms=100))
    assert take(made, 60, [], now_ms=50) == ([(11, 50), (12, 10)], 0)
    assert remaining(made) == {11: 0, 12: 40}
    assert made.balance_micros == 40


def test_a_lot_cannot_be_spent_from_the_instant_it_expires():
    made = wallet(lot(11, 50, expires_ms=100))
    assert made.available_micros(99) == 50
    assert made.available_micros(100) == 0
    assert made.balance_micros == 50  # until the forfeiture is booked


def test_a_hold_takes_free_money_only_and_says_from_which_lots():
    made = wallet(lot(11, 50, expires_ms=100), lot(12, 50, expires_ms=200))
    assert made.hold(60, [], now_ms=0) == [(11, 50), (12, 10)]
    assert made.hold(15, [(12, 10)], now_ms=0) == [(12, 25)]
    assert (made.held_micros, made.available_micros(0)) == (75, 25)
    assert made.balance_micros == 100


def test_a_hold_above_what_is_available_is_an_error():
    made = wallet(lot(11, 50))
    with pytest.raises(ValueError, match="1 micros more held than are available"):
        made.hold(51, [], now_ms=0)


def test_an_expired_lot_pays_what_was_held_of_it_before():
    made = wallet(lot(11, 50, expires_ms=100))
    parts = made.hold(30, [], now_ms=99)
    made.release(parts)
    assert take(made, 30, parts, now_ms=100) == ([(11, 30)], 0)
    assert take(made, 1, [], now_ms=100) == ([], 1)


def test_what_cannot_be_paid_becomes_debt_and_the_balance_goes_below_zero():
    made = wallet(lot(11, 50))
    assert take(made, 70, [], now_ms=0) == ([(11, 50)], 20)
    assert (made.balance_micros, made.debt_micros, made.available_micros(0)) == (-20, 20, -20)


def test_debt_is_paid_by_what_is_free_and_the_balance_stays():
    made = wallet(lot(11, 50))
    take(made, 70, [], now_ms=0)
    made.add(lot(12, 15))
    assert made.pay_debt(now_ms=0) == [(12, 15)]
    assert (made.balance_micros, made.debt_micros, made.available_micros(0)) == (-5, 5, -5)
    made.add(lot(13, 15))
    assert made.pay_debt(now_ms=0) == [(13, 5)]
    assert (made.balance_micros, made.debt_micros, made.available_micros(0)) == (10, 0, 10)


def test_a_forfeiture_leaves_what_a_call_holds():
    made = wallet(lot(11, 50, expires_ms=100))
    made.hold(30, [], now_ms=0)
    assert made.forfeit(made.lot(11)) == 20
    assert (made.balance_micros, made.held_micros, remaining(made)) == (30, 30, {11: 30})


def test_a_lot_that_the_wallet_does_not_have_is_named():
    with pytest.raises(KeyError, match="wallet 1 has no lot 99"):
        wallet(lot(11, 50)).lot(99)


def test_parts_of_one_lot_are_one_entry():
    assert add_part(add_part([], 11, 5), 12, 1) == [(11, 5), (12, 1)]
    assert add_part([(11, 5), (12, 1)], 11, 2) == [(11, 7), (12, 1)]


@given(
    st.lists(st.tuples(st.integers(1, 100), st.integers(1, 20)), max_size=6),
    st.lists(st.integers(1, 120), max_size=6),
    st.integers(0, 20),
)
def test_whatever_is_held_and_spent_the_lots_add_up(lots, amounts, now_ms):
    """Held within remaining, remaining within amount; balance = lots - debt, after every step."""
    made = wallet(*(lot(n, size, expires_ms=at) for n, (size, at) in enumerate(lots, start=11)))
    for amount in amounts:
        held = min(amount, max(made.available_micros(now_ms), 0))
        parts = made.hold(held, [], now_ms)
        assert sum(micros for _, micros in parts) == held
        made.release(parts)
        spent, debt = take(made, amount, parts, now_ms)
        assert sum(micros for _, micros in spent) + debt == amount
        assert made.held_micros == 0
        assert made.balance_micros == sum(remaining(made).values()) - made.debt_micros
        assert all(0 <= each.remaining_micros <= each.amount_micros for each in made.lots)
        if made.debt_micros:
            assert made.available_micros(now_ms) == -made.debt_micros
