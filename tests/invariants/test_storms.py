"""Storms of duplicates: however often a switch repeats itself, a call is charged once."""

import random
import threading
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from itertools import count

import pytest

from talktime.core.commands import CallCommand, ExpireHold, ExpireLots
from talktime.core.ids import Ids
from talktime.core.outcomes import NothingToSettle, Refused
from talktime.operations.execute import Done, execute
from tests.books_check import faults
from tests.commands import GERMANY_WITH_FEE, NOW_MS, UNIT, authorize, extend, fund, settle
from tests.invariants.traffic import Office, Sent, Tick, drawn
from tests.stores import Store, Stores

FACTS = (
    "SELECT organisation_id, balance_micros, held_micros, debt_micros FROM wallet ORDER BY 1",
    "SELECT call_key, state, last_sequence, charged_micros, reported_s FROM call ORDER BY 1",
    "SELECT organisation_id, kind, SUM(amount_micros) FROM transfer GROUP BY 1, 2 ORDER BY 1, 2",
    "SELECT call_key, kind, used_s, billed_s, charge_micros FROM usage_record ORDER BY 1, 2",
)


def tripled(ticks: list[Tick], dice: random.Random) -> list[Tick]:
    """Every request of a switch three times: once in its turn, twice at any later moment."""
    later: dict[int, list[Sent]] = defaultdict(list)
    for n, tick in enumerate(ticks):
        for sent in tick.sent:
            if not isinstance(sent.command, ExpireHold | ExpireLots):
                for _ in range(2):
                    later[dice.randrange(n, len(ticks))].append(sent)
    storm = []
    for n, tick in enumerate(ticks):
        together = list(tick.sent)
        for again in later[n]:
            first = together.index(again) if again in together else -1
            together.insert(dice.randint(first + 1, len(together)), again)
        storm.append(Tick(tick.at_ms, [each._replace(at_ms=tick.at_ms) for each in together]))
    return storm


@pytest.mark.parametrize("seed", range(2))
def test_every_request_three_times_leaves_the_same_rows_as_once(
    store: Store, stores: Stores, seed: int
):
    """The second and the third copy come at any time after the first; every row is the same."""
    once, other = Office(store), stores.make(store.layout)
    for tick in drawn(seed):
        once.execute(tick.sent)
    thrice = Office(other)
    for tick in tripled(drawn(seed), random.Random(seed)):
        thrice.execute(tick.sent)
    assert thrice.faults() == []
    assert thrice.rows() == once.rows()
    stores.drop(other)


def whole_calls(calls: int) -> list[CallCommand]:
    """Calls of 400 to 700 seconds, each of four requests."""
    asked: list[CallCommand] = []
    for number in range(calls):
        name, used_s = f"C{number}", 400 + 7 * number
        asked += [
            authorize(name, 0, rate=GERMANY_WITH_FEE),
            extend(name, 1, 290),
            extend(name, 2, used_s - 5),
            settle(name, 3, used_s),
        ]
    return asked


def send_until_taken(store: Store, asked: list[CallCommand], threads: int, each: int) -> None:
    """Send requests, a few at a time from several threads, until each has had its turn."""
    nodes = count()
    local = threading.local()

    def send(some: list[CallCommand]) -> list[CallCommand]:
        if not hasattr(local, "connection"):
            local.connection = store.cell()
            local.next_id = Ids(next(nodes), lambda: NOW_MS).next
        with local.connection.transaction():
            done = execute(local.connection, [copy(c) for c in some], NOW_MS, local.next_id)
        return [c for c, what in zip(some, done, strict=True) if not had_its_turn(what)]

    with ThreadPoolExecutor(threads) as pool:
        while asked:
            some = [asked[at : at + each] for at in range(0, len(asked), each)]
            asked = [left for lefts in pool.map(send, some) for left in lefts]


def had_its_turn(done: Done) -> bool:
    """Whether a request came after those before it: else the switch sends it again."""
    match done.outcome:
        case NothingToSettle():
            return False
        case Refused(refusal):
            return refusal.code not in ("unknown_call", "sequence_skipped")
    return True


@pytest.mark.layouts("sqlite", "postgres")
@pytest.mark.parametrize("each", [1, 5])
def test_a_shuffled_storm_from_many_threads_charges_every_call_once(
    store: Store, stores: Stores, each: int
):
    """Three copies of everything in no order, sent until taken: the facts are as in order."""
    other = stores.make(store.layout)
    asked = whole_calls(25)
    storm = asked * 3
    random.Random(each).shuffle(storm)
    for where, what, threads in ((store, asked, 1), (other, storm, 8)):
        where.add_wallet(1)
        connection = where.cell()
        with connection.transaction():
            execute(connection, [fund(100 * UNIT)], NOW_MS, Ids(900, lambda: NOW_MS).next)
        send_until_taken(where, what, threads, each)
    results = []
    for where in (store, other):
        connection = where.cell()
        assert faults(connection) == []
        with connection.reading():
            results.append([connection.rows(facts) for facts in FACTS])
    assert results[1] == results[0]
    stores.drop(other)
