"""Lots past their expiry. Mirrors src/talktime/operations/expire_lots.py."""

import pytest

from talktime.core.limits import EXPIRE_BATCH_MAX
from talktime.operations.check_books import check_books
from talktime.operations.expire_holds import expire_holds
from talktime.operations.expire_lots import expire_lots
from talktime.operations.sweep import Sweep, Swept
from tests.lively_books import DAY_MS, Player
from tests.stores import ADD_WALLET

pytestmark = pytest.mark.layouts("sqlite", "postgres")


@pytest.fixture
def player(store):
    return Player(store.cell())


def sweep(player):
    return Sweep(player.connection, player.clock_ms, player.ids.next)


def forfeitures(player):
    rows = player.connection.rows(
        "SELECT organisation_id, amount_micros FROM transfer WHERE kind = 'forfeiture' ORDER BY id"
    )
    return [tuple(row) for row in rows]


def balance(player, organisation_id):
    (row,) = player.connection.rows(
        "SELECT balance_micros FROM wallet WHERE organisation_id = ?", [organisation_id]
    )
    return row[0]


def clean(player):
    return check_books(player.connection, player.clock_ms).clean


def test_what_is_left_of_a_lot_is_forfeited_from_the_instant_it_expires(player):
    player.wallet(1, 5_000_000, lasts_ms=DAY_MS)
    player.fund(1, 700_000)
    player.now_ms += DAY_MS - 1
    assert expire_lots(sweep(player)) == Swept(0)
    player.now_ms += 1
    assert expire_lots(sweep(player)) == Swept(1)
    assert forfeitures(player) == [(1, 5_000_000)]
    assert balance(player, 1) == 700_000
    assert expire_lots(sweep(player)) == Swept(0)
    assert clean(player)


def test_what_a_running_call_holds_is_forfeited_when_it_is_free(player):
    player.wallet(1, 5_000_000, lasts_ms=60_000)
    player.authorize(1, "a")
    player.wait(60)
    assert expire_lots(sweep(player)) == Swept(1)
    assert forfeitures(player) == [(1, 4_925_000)]
    assert expire_lots(sweep(player)) == Swept(0)
    assert clean(player)
    player.wait(300)
    assert expire_holds(sweep(player)) == Swept(1)
    assert expire_lots(sweep(player)) == Swept(1)
    assert forfeitures(player) == [(1, 4_925_000), (1, 75_000)]
    assert balance(player, 1) == 0
    assert clean(player)


def test_the_wallets_of_several_pages_are_all_seen(player):
    wallets = EXPIRE_BATCH_MAX + 2
    owners = range(1, wallets + 1)
    with player.connection.transaction():
        for owner in owners:
            player.connection.run(ADD_WALLET, [owner, "USD"])
        player.execute(*(player.funding(owner, 1_000, "grant", DAY_MS) for owner in owners))
    player.now_ms += DAY_MS
    assert expire_lots(sweep(player)) == Swept(wallets)
    assert forfeitures(player) == [(owner, 1_000) for owner in owners]
    assert clean(player)
