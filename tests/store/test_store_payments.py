"""Payments as they are read and written. Mirrors src/talktime/store/payments.py."""

from dataclasses import replace

import pytest

from talktime.core.payments import AlertLevel, Payment, PaymentTry, Till
from talktime.store.payments import (
    insert_method,
    keep_levels,
    load_till,
    method_of_id,
    methods_of,
    payment_of_id,
    payment_of_key,
    payments_before,
    payments_due,
    save_till,
    set_method,
    wallets_asking,
    wallets_to_recharge,
)
from talktime.store.save import RowsMissing
from tests.commands import UNIT
from tests.tills import card, plan

pytestmark = pytest.mark.layouts("sqlite", "postgres")
MINE, OTHER = 1, 2
NOW_MS = 1_767_600_000_000


@pytest.fixture
def cell(store):
    for organisation_id in (MINE, OTHER):
        store.add_wallet(organisation_id)
    return store.cell()


def payment(number, owner=MINE, **changes):
    """An open recharge."""
    made = Payment(
        *(number, owner, "recharge", "charging", 1, 200 * UNIT, "USD", f"key {number}", -(2**63)),
        *("", "service", 0, "", "", ""),
        due_ms=NOW_MS,
        created_ms=NOW_MS,
        new=True,
    )
    return replace(made, **changes)


def try_of(paid, number=1):
    """Its try of this number."""
    return PaymentTry(
        *(paid.id * 10 + number, paid.organisation_id, paid.id, number, 1, "bank", "sending"),
        *(paid.amount_micros, "", "", ""),
        asked=0,
        created_ms=NOW_MS,
        new=True,
    )


def save(cell, *payments, **more):
    """Save payments, each with one try."""
    for owner in {each.organisation_id for each in payments}:
        mine = [each for each in payments if each.organisation_id == owner]
        till = Till(owner, payments={p.id: p for p in mine}, **more)
        till.tries = {p.id: [try_of(p)] for p in mine}
        with cell.transaction():
            save_till(cell, till)


def loaded(cell, since_ms=0, payment_ids=(), owner=MINE):
    with cell.reading():
        return load_till(cell, owner, since_ms, payment_ids)


def plain(row):
    """A row without what is not stored."""
    return replace(row, new=False, changed=False)


def test_a_till_is_loaded_as_it_was_saved(cell):
    """R16."""
    till = Till(MINE, replace(plan(month_cap=500), changed=True))
    till.levels = [AlertLevel(MINE, 50 * UNIT, NOW_MS, 49 * UNIT, changed=True)]
    mine = payment(7)
    declined = replace(try_of(mine), state="declined", closed_ms=NOW_MS)
    till.payments, till.tries = {7: mine}, {7: [declined, try_of(mine, 2)]}
    with cell.transaction():
        insert_method(cell, replace(card(1), organisation_id=MINE))
        save_till(cell, till)
    again = loaded(cell)
    assert again.recharge == replace(till.recharge, changed=False)
    assert again.recharge.enabled is True
    assert again.levels == [replace(till.levels[0], changed=False)]
    assert again.payments == {7: plain(mine)}
    assert again.tries == {7: [plain(each) for each in till.tries[7]]}
    assert again.methods == [card(1)]
    assert again.started == [(NOW_MS, 200 * UNIT, True)]
    assert loaded(cell, owner=OTHER) == Till(OTHER)


def test_what_is_over_is_loaded_where_it_is_named(cell):
    """D3: late answers."""
    over = payment(7)
    over.move("failed", NOW_MS)
    save(cell, over, payment(8))
    assert [*loaded(cell).payments] == [8]
    named = loaded(cell, payment_ids=[7, 8, 4711])
    assert sorted(named.payments) == [7, 8]
    assert [len(named.tries[each]) for each in (7, 8)] == [1, 1]


def test_recharges_since_a_moment_count_unless_they_cost_nothing(cell):
    """D2."""
    states = ("succeeded", "failed", "cancelled")
    past = [payment(number, created_ms=NOW_MS + number) for number in (1, 2, 3)]
    for each, state in zip(past, states, strict=True):
        each.move(state, NOW_MS)
    past[0].lot_id = 5
    bought = payment(4, kind="purchase")
    save(cell, *past, bought, payment(5))
    counted = [(1, True), (2, False), (3, False), (0, True)]
    started = [(NOW_MS + at, 200 * UNIT, counts) for at, counts in counted]
    assert sorted(loaded(cell).started) == sorted(started)
    assert sorted(loaded(cell, NOW_MS + 2).started) == sorted(started[1:3])


def test_a_second_open_recharge_of_a_wallet_cannot_be_written(cell):
    """R16, D2: the index holds it, whatever the program thinks."""
    save(cell, payment(7), payment(8, OTHER), payment(9, kind="purchase"))
    with pytest.raises(Exception, match=r"(?i)unique"):
        save(cell, payment(10))
    assert sorted(loaded(cell).payments) == [7, 9]


def test_one_is_over_and_the_next_begins_in_one_transaction(cell):
    """R17: changed ones are written before new ones."""
    save(cell, payment(7))
    till = loaded(cell)
    till.payments[7].move("succeeded", NOW_MS)
    till.payments[7].lot_id = 5
    till.payments[8] = payment(8)
    till.tries[8] = [try_of(till.payments[8])]
    with cell.transaction():
        save_till(cell, till)
    assert [*loaded(cell).payments] == [8]


def test_a_key_is_used_once_in_an_organisation(cell):
    """R16, R69."""
    save(cell, payment(7, kind="purchase"))
    with pytest.raises(Exception, match=r"(?i)unique"):
        save(cell, payment(8, kind="purchase", idempotency_key="key 7"))
    save(cell, payment(9, OTHER, kind="purchase", idempotency_key="key 7"))
    with cell.reading():
        assert payment_of_key(cell, MINE, "key 7").id == 7
        assert payment_of_key(cell, OTHER, "key 7").id == 9
        assert payment_of_key(cell, MINE, "key 9") is None
        assert payment_of_id(cell, OTHER, 7) is None
        assert payment_of_id(cell, MINE, 7).body_hash == -(2**63)


def test_a_payment_that_is_not_there_is_not_changed_silently(cell):
    """Rows that are written are counted."""
    till = Till(MINE, payments={7: payment(7, new=False, changed=True)})
    with pytest.raises(RowsMissing), cell.transaction():
        save_till(cell, till)


def test_due_payments_come_page_by_page_and_none_before_its_time(cell):
    """D3."""
    waiting = payment(6, kind="purchase", due_ms=None, state="invoiced")
    later = payment(5, kind="purchase", due_ms=NOW_MS + 1)
    save(cell, *(payment(n, kind="purchase") for n in (1, 2, 3)), payment(4, OTHER), later, waiting)
    with cell.reading():
        assert payments_due(cell, NOW_MS, 0, 2) == [(MINE, 1), (MINE, 2)]
        assert payments_due(cell, NOW_MS, 2, 9) == [(MINE, 3), (OTHER, 4)]
        assert payments_due(cell, NOW_MS + 1, 4, 9) == [(MINE, 5)]
        assert payments_due(cell, NOW_MS - 1, 0, 9) == []


def test_payments_are_listed_from_the_latest_on(cell):
    save(cell, *(payment(n, kind="purchase") for n in (1, 2, 3)), payment(4, OTHER))
    with cell.reading():
        assert [each.id for each in payments_before(cell, MINE, 2**62, 2)] == [3, 2]
        assert [each.id for each in payments_before(cell, MINE, 2, 2)] == [1]


def test_levels_that_are_not_kept_are_deleted_but_never_that_of_zero(cell):
    """D4."""
    levels = [AlertLevel(owner, below) for owner in (MINE, OTHER) for below in (0, 5, 9)]
    for owner in (MINE, OTHER):
        till = Till(owner, levels=[replace(e, changed=True) for e in levels[:3]])
        for each in till.levels:
            each.organisation_id = owner
        with cell.transaction():
            save_till(cell, till)
    with cell.transaction():
        keep_levels(cell, MINE, [9])
    assert [each.below_micros for each in loaded(cell).levels] == [0, 9]
    with cell.transaction():
        keep_levels(cell, MINE, [])
    assert [each.below_micros for each in loaded(cell).levels] == [0]
    assert [each.below_micros for each in loaded(cell, owner=OTHER).levels] == [0, 5, 9]


def test_methods_are_read_by_priority_and_removed_ones_by_id_alone(cell):
    """R10, D3."""
    cards = [replace(card(n, p), organisation_id=MINE) for n, p in ((1, 2), (2, 0), (3, 1))]
    with cell.transaction():
        for each in cards:
            insert_method(cell, each)
        set_method(cell, replace(cards[2], state="removed"))
    with cell.reading():
        assert [each.id for each in methods_of(cell, MINE)] == [2, 1]
        assert method_of_id(cell, MINE, 3).state == "removed"
        assert method_of_id(cell, OTHER, 3) is None


@pytest.mark.parametrize(
    ("recharge", "wallet", "wanted"),
    [
        (plan(), "", [MINE]),
        (plan(trigger=0), "", []),
        (replace(plan(), enabled=False), "", []),
        (replace(plan(), paused_code="x"), "", []),
        (plan(), "no_buying = 'country'", []),
        (plan(trigger=0), "debt_micros = 1", [MINE]),
    ],
)
def test_wallets_below_their_trigger_are_found_unless_nothing_could_begin(
    cell, recharge, wallet, wanted
):
    """R14, D2: strictly below; without a card nothing could begin."""
    with cell.reading():
        assert wallets_to_recharge(cell, NOW_MS, 0, 9) == []
    with cell.transaction():
        insert_method(cell, replace(card(1), organisation_id=MINE))
        save_till(cell, Till(MINE, replace(recharge, changed=True)))
        if wallet:
            cell.run(f"UPDATE wallet SET {wallet} WHERE organisation_id = 1")
    with cell.reading():
        assert wallets_to_recharge(cell, NOW_MS, 0, 9) == wanted
        assert wallets_to_recharge(cell, NOW_MS, MINE, 9) == []


def test_a_wallet_with_an_open_attempt_is_not_found_again(cell):
    """R16."""
    with cell.transaction():
        insert_method(cell, replace(card(1), organisation_id=MINE))
    save(cell, payment(7), recharge=replace(plan(), changed=True))
    with cell.reading():
        assert wallets_to_recharge(cell, NOW_MS, 0, 9) == []
        assert wallets_asking(cell, 0, 9) == []
    with cell.transaction():
        cell.run("UPDATE wallet SET attention_ms = 5, lowest_micros = 0")
    with cell.reading():
        assert wallets_asking(cell, 0, 9) == [MINE, OTHER]
        assert wallets_asking(cell, MINE, 9) == [OTHER]
