"""Every movement of a wallet with its balance. Mirrors src/talktime/operations/transactions.py,
sum_wallets.py, lots.py and spending.py, which rest on the same sums."""

import pytest

from talktime.core.ledger import Transfer
from talktime.operations.lots import find_lot, list_lots
from talktime.operations.spending import spending_by_day
from talktime.operations.sum_wallets import sum_wallets
from talktime.operations.sweep import Sweep, Swept
from talktime.operations.till import NoWallet
from talktime.operations.transactions import (
    each_transaction,
    effect_micros,
    list_lot_movements,
    list_transactions,
)
from talktime.operations.what_to_sum import LAG_MS
from talktime.store.wallet_hours import HOUR_MS, Place
from tests.lively_books import DAY_MS, FRANCE, Player, play_everything
from tests.people import CONTOSO

pytestmark = pytest.mark.layouts("sqlite", "postgres")
OWNERS = (1, 2, 3, 4)


@pytest.fixture
def player(store):
    """Books with some of everything, of which nothing is added up yet."""
    player = Player(store.cell())
    play_everything(player)
    return player


def add_up(player):
    """Run the job, some time later."""
    player.now_ms += LAG_MS + 1
    return sum_wallets(Sweep(player.connection, player.clock_ms, player.ids.next))


def all_of(player, owner):
    """All transfers of an organisation, the latest first, as the table has them."""
    columns = ", ".join(Transfer._fields)
    with player.connection.reading():
        rows = player.connection.rows(
            f"SELECT {columns} FROM transfer WHERE organisation_id = ? "
            "ORDER BY at_ms DESC, id DESC",
            [owner],
        )
    return [Transfer(*row) for row in rows]


def balances(player, owner):
    """By transfer, the balance after it: added up one by one from the first."""
    micros, found = 0, {}
    for transfer in reversed(all_of(player, owner)):
        micros += effect_micros(transfer)
        found[transfer.id] = micros
    return found


def read_in_pages(player, owner, limit):
    """All that the pages show, one after the other."""
    shown, page = [], list_transactions(player.connection, owner, limit=limit)
    while True:
        shown += page.moved
        if page.older is None:
            return shown
        page = list_transactions(player.connection, owner, before=page.older, limit=limit)


@pytest.mark.parametrize("when", ["never", "before", "between"])
def test_each_movement_has_the_balance_that_all_before_it_made(player, when):
    if when != "never":
        add_up(player)
    if when == "between":
        player.call(1, "after the sums", 75)
        player.fund(2, 50_000)
    for owner in OWNERS:
        right = balances(player, owner)
        moved = read_in_pages(player, owner, 3)
        assert {each.transfer.id: each.balance_micros for each in moved} == {
            each.transfer.id: right[each.transfer.id] for each in moved
        }
        left_out = set(right) - {each.transfer.id for each in moved}
        kinds = {each.kind for each in all_of(player, owner) if each.id in left_out}
        assert kinds <= {"usage"}  # paid after use: no money of the wallet
        ids = [each.transfer.id for each in moved]
        assert len(ids) == len(set(ids))


def test_the_latest_balance_is_the_wallets_own(player):
    with player.connection.reading():
        rows = player.connection.rows("SELECT organisation_id, balance_micros FROM wallet")
    for owner, micros in rows:
        assert list_transactions(player.connection, owner, limit=1).balance_micros == micros


def test_the_balance_of_any_moment_is_that_of_its_last_movement(player):
    add_up(player)
    player.call(1, "late", 61)

    def balance_at(at_ms):
        return list_transactions(player.connection, owner, before=Place(at_ms)).balance_micros

    for owner in OWNERS:
        expected = balances(player, owner)
        last = {each.at_ms: expected[each.id] for each in reversed(all_of(player, owner))}
        for at_ms, micros in last.items():
            assert balance_at(at_ms + 1) == micros
        assert balance_at(min(last)) == 0


def test_movements_can_begin_at_a_moment(player):
    half = all_of(player, 1)[5].at_ms
    pages = list(each_transaction(player.connection, 1, since_ms=half))
    assert [each.transfer for page in pages for each in page] == [
        each for each in all_of(player, 1) if each.at_ms >= half
    ]


def test_a_movement_names_its_lot_and_its_call(player):
    call, *_ = [
        each for each in read_in_pages(player, 1, 50) if each.call and each.call.used_s == 200
    ]
    assert call.call.destination == FRANCE.destination
    assert call.lot.source == "purchase"
    assert call.effect_micros < 0


def test_an_organisation_without_a_wallet_has_no_transactions(player):
    with pytest.raises(NoWallet):
        list_transactions(player.connection, 99)


def test_the_job_counts_each_transfer_once(player):
    transfers = sum(len(all_of(player, owner)) for owner in OWNERS)
    assert add_up(player) == Swept(transfers)
    assert add_up(player) == Swept(0)
    player.call(1, "one more", 61)
    fresh = Sweep(player.connection, player.clock_ms, player.ids.next)
    assert sum_wallets(fresh) == Swept(0)  # it may have neighbours that are not committed yet
    assert add_up(player).rows > 0


@pytest.mark.parametrize("summed", [True, False])
def test_lots_say_what_calls_took_and_what_else_became_of_them(player, summed):
    if summed:
        add_up(player)
    owner = CONTOSO._replace(id=2)
    gift, bought = list_lots(player.connection, owner)[::-1]
    assert (gift.lot.source, gift.used_micros, gift.lot.remaining_micros) == ("grant", 0, 0)
    assert (gift.gone_micros, gift.state(player.now_ms)) == (60_000, "gone")
    assert (bought.lot.source, bought.state(player.now_ms)) == ("adjustment", "open")
    assert list_lots(player.connection, owner, open_=True) == [bought]
    assert list_lots(player.connection, owner, before=bought.lot.id) == [gift]
    assert find_lot(player.connection, owner, gift.lot.id) == gift
    assert find_lot(player.connection, CONTOSO._replace(id=1), gift.lot.id) is None


@pytest.mark.parametrize("summed", [True, False])
def test_what_used_a_lot_is_found_hour_by_hour(player, summed):
    for days in range(5):
        player.wait(7_200)
        player.call(1, f"day {days}", 61)
    if summed:
        add_up(player)
    for view in list_lots(player.connection, CONTOSO._replace(id=1)):
        lot_id, found = view.lot.id, []
        page = list_lot_movements(player.connection, 1, lot_id, limit=2)
        found += page.moved
        while page.older is not None:
            page = list_lot_movements(player.connection, 1, lot_id, before=page.older, limit=2)
            found += page.moved
        assert [each.transfer for each in found] == [
            each
            for each in all_of(player, 1)
            if lot_id in (each.debit_account, each.credit_account)
        ]
        calls = [each for each in found if each.transfer.kind in ("usage", "correction")]
        assert view.used_micros == -sum(each.effect_micros for each in calls)


def test_spending_by_day_is_what_calls_took_in_the_days_of_the_organisation(player):
    add_up(player)
    player.call(1, "today", 61)
    owner = CONTOSO._replace(id=1, time_zone="UTC")
    days = spending_by_day(player.connection, owner, 28, player.now_ms)
    assert len(days) == 28
    assert days[-1].first_ms == player.now_ms - player.now_ms % DAY_MS
    spent = {}
    for each in all_of(player, 1):
        if each.kind in ("usage", "overdraft", "correction"):
            day = each.at_ms - each.at_ms % DAY_MS
            spent[day] = spent.get(day, 0) - effect_micros(each)
    assert {day.first_ms: day.spent_micros for day in days if day.spent_micros} == spent


def test_a_day_begins_where_the_organisation_is(player):
    add_up(player)
    there = CONTOSO._replace(id=1, time_zone="America/Los_Angeles")
    days = spending_by_day(player.connection, there, 28, player.now_ms)
    assert days[-1].first_ms % DAY_MS == 8 * HOUR_MS
