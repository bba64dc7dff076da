"""The ledger's sums by day, and what is made of them: src/talktime/operations/ledger_sums.py."""

from collections import defaultdict

import pytest

from talktime.core import ledger
from talktime.core.ledger_sums import (
    PAID_CREDITS,
    PROMOTIONAL_CREDITS,
    LedgerSum,
    money_by_month,
    trial_balance,
)
from talktime.operations.check_books import check_books
from talktime.operations.ledger_sums import sum_ledger, sums_of_day, sums_of_months, sums_to_day
from talktime.operations.sweep import Sweep, Swept
from talktime.operations.what_to_sum import LAG_MS
from tests.after_use import play_documents
from tests.lively_books import DAY_MS, Player, play_everything

pytestmark = pytest.mark.layouts("sqlite", "postgres")


@pytest.fixture
def player(store):
    player = Player(store.cell())
    play_everything(player)
    play_documents(player)
    return player


def sweep_of(player, later_ms=3_600_000):
    return Sweep(player.connection, lambda: player.now_ms + later_ms, player.ids.next)


def by_account(player):
    """The balance of every account, from the transfers one by one."""
    lots = dict(player.connection.rows("SELECT id, promotional FROM lot"))
    names = {id_: PROMOTIONAL_CREDITS if free else PAID_CREDITS for id_, free in lots.items()}
    balances = defaultdict(int)
    for debit, credit, micros in player.connection.rows(
        "SELECT debit_account, credit_account, amount_micros FROM transfer"
    ):
        balances[names.get(debit, debit)] -= micros
        balances[names.get(credit, credit)] += micros
    return dict(balances)


def test_sums_are_the_same_before_while_and_after_they_are_kept(player):
    before = sums_of_months(player.connection)
    assert sum_ledger(sweep_of(player), 7) == Swept(7, more=True)
    assert sums_of_months(player.connection) == before
    while sum_ledger(sweep_of(player), 7).rows:
        pass
    assert sums_of_months(player.connection) == before
    [(kept, rows)] = player.connection.rows("SELECT SUM(transfers), COUNT(*) FROM ledger_day")
    [(transfers,)] = player.connection.rows("SELECT COUNT(*) FROM transfer")
    assert kept == transfers == sum(each.transfers for each in before)
    assert rows < transfers
    assert sum_ledger(sweep_of(player)) == Swept(0)


def test_transfers_that_are_not_ten_seconds_old_are_summed_when_looked_at(player):
    while sum_ledger(sweep_of(player)).rows:
        pass
    kept = player.connection.rows("SELECT SUM(transfers) FROM ledger_day")
    player.fund(1, 1_000_000)
    assert sum_ledger(sweep_of(player, LAG_MS - 1)) == Swept(0)
    assert player.connection.rows("SELECT SUM(transfers) FROM ledger_day") == kept
    [(transfers,)] = player.connection.rows("SELECT COUNT(*) FROM transfer")
    assert sum(each.transfers for each in sums_of_months(player.connection)) == transfers


def test_every_figure_is_that_of_the_books_which_hold(player):
    assert check_books(player.connection, lambda: 0).clean
    while sum_ledger(sweep_of(player)).rows:
        pass
    months = money_by_month(sums_of_months(player.connection))
    last = {each.currency: each for each in months}
    [(lots, held_debt)] = player.connection.rows(
        "SELECT (SELECT SUM(remaining_micros) FROM lot), (SELECT SUM(debt_micros) FROM wallet)"
    )
    [(promotional,)] = player.connection.rows(
        "SELECT COALESCE(SUM(remaining_micros), 0) FROM lot WHERE promotional"
    )
    assert sum(each.liability_micros for each in last.values()) == lots
    assert sum(each.promotional_left_micros for each in last.values()) == promotional
    assert sum(each.owed_micros for each in last.values()) == held_debt
    accounts = by_account(player)
    assert sum(each.earned_micros for each in months) == accounts[ledger.REVENUE]
    assert sum(each.forfeited_micros for each in months) == accounts[ledger.FORFEITURES]
    assert sum(each.given_micros for each in months) == -accounts[ledger.GRANTS]
    assert sum(each.unbilled_micros for each in last.values()) == -accounts[ledger.POST_USAGE]
    assert sum(each.unpaid_micros for each in last.values()) == -accounts[ledger.RECEIVABLES]
    # All that was taken back in these books had been entered as a purchase.
    funded = sum(
        each.sold_micros + each.collected_micros - each.sent_back_micros - each.taken_back_micros
        for each in months
    )
    assert sum(each.taken_back_micros for each in months) > 0
    assert funded == -accounts[ledger.FUNDING]
    billed = sum(each.billed_micros - each.collected_micros for each in months)
    assert billed == -accounts[ledger.RECEIVABLES]


def test_a_trial_balance_adds_up_on_any_day(player):
    accounts = by_account(player)
    [(last_ms,)] = player.connection.rows("SELECT MAX(at_ms) FROM transfer")
    balance = trial_balance(sums_to_day(player.connection, last_ms // DAY_MS + 1))
    found = {each.account: each.balance_micros for lines in balance.values() for each in lines}
    assert found == accounts
    [(first_ms,)] = player.connection.rows("SELECT MIN(at_ms) FROM transfer")
    for day in range(first_ms // DAY_MS, last_ms // DAY_MS + 2, 30):
        for lines in trial_balance(sums_to_day(player.connection, day)).values():
            assert sum(each.debit_micros for each in lines) == sum(
                each.credit_micros for each in lines
            )
    assert trial_balance(sums_to_day(player.connection, first_ms // DAY_MS)) == {}


def test_a_day_shows_what_moved_on_it_alone(player):
    [(first_ms,)] = player.connection.rows("SELECT MIN(at_ms) FROM transfer")
    day = first_ms // DAY_MS
    [(expected,)] = player.connection.rows(
        "SELECT SUM(amount_micros) FROM transfer WHERE at_ms < ?", [(day + 1) * DAY_MS]
    )
    assert sum(each.amount_micros for each in sums_of_day(player.connection, first_ms)) == expected


def test_what_stands_at_a_months_end_is_carried_on():
    sums = [
        LedgerSum("2026-10", "USD", "purchase", ledger.FUNDING, PAID_CREDITS, 100, 1),
        LedgerSum("2026-10", "EUR", "purchase", ledger.FUNDING, PAID_CREDITS, 7, 1),
        LedgerSum("2026-11", "USD", "usage", PAID_CREDITS, ledger.REVENUE, 30, 2),
        LedgerSum("2026-11", "USD", "refund", PAID_CREDITS, ledger.FUNDING, 20, 1),
        LedgerSum("2026-11", "USD", "usage", ledger.POST_USAGE, ledger.REVENUE, 5, 1),
        LedgerSum("2026-11", "USD", "statement", ledger.RECEIVABLES, ledger.POST_USAGE, 4, 1),
    ]
    euro, october, november = money_by_month(sums)
    assert (euro.currency, euro.liability_micros) == ("EUR", 7)
    assert (october.sold_micros, october.liability_micros) == (100, 100)
    assert (november.earned_credits_micros, november.earned_after_use_micros) == (30, 5)
    assert (november.sent_back_micros, november.liability_micros) == (20, 50)
    assert (november.billed_micros, november.unbilled_micros, november.unpaid_micros) == (4, 1, 4)
