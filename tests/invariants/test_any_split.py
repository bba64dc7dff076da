"""One batch of n is n batches of one, and any split between, restarts or not: byte for byte."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.invariants.traffic import Office, Sent, drawn, said
from tests.stores import Store, Stores

STATES = "SELECT state, COUNT(*) FROM call GROUP BY state"
EXAMPLES = {"sqlite": 15, "sqlite-cells": 5, "postgres": 3}


def pieces(sent: list[Sent], dice: random.Random, largest: int) -> list[list[Sent]]:
    """Cut a list into runs of at most `largest`."""
    cut, at = [], 0
    while at < len(sent):
        size = dice.randint(1, largest)
        cut.append(sent[at : at + size])
        at += size
    return cut


def run(office: Office, seed: int, largest: int, cuts: int, restarts: float) -> list[object]:
    """Execute the hour in pieces; what every caller was told."""
    dice = random.Random(cuts)
    told: list[object] = []
    for tick in drawn(seed):
        for piece in pieces(tick.sent, dice, largest):
            told += [said(done) for done in office.execute(piece)]
            if dice.random() < restarts:
                office.restart()
    return told


def test_however_a_batch_is_split_the_books_and_the_answers_are_the_same(
    store: Store, stores: Stores
):
    runs = [(1, 0.0), (10_000, 0.0), (3, 0.2)]

    @settings(max_examples=EXAMPLES.get(store.layout, 1))
    @given(st.integers(0, 10**9), st.integers(0, 10**9))
    def check(seed: int, cuts: int) -> None:
        results = []
        for largest, restarts in runs:
            own = stores.make(store.layout)
            office = Office(own)
            told = run(office, seed, largest, cuts, restarts)
            assert office.faults() == []
            results.append((told, office.rows()))
            stores.drop(own)
        assert results[1] == results[0]
        assert results[2] == results[0]

    check()


@pytest.mark.layouts("sqlite")
def test_the_traffic_holds_some_of_everything(store: Store):
    """Or the proofs on it would prove little."""
    office = Office(store)
    kinds, codes = set(), set()
    for seed in range(3):
        for tick in drawn(seed, calls=80):
            for sent, done in zip(tick.sent, office.execute(tick.sent), strict=True):
                kinds.add(type(done.outcome).__name__)
                codes.add(done.body.partition('"code":"')[2].partition('"')[0])
                assert sent.organisation_id in (1, 2, 3)
    assert kinds >= {
        *("Granted", "Noted", "Settled", "NothingToSettle", "Refused", "Replayed"),
        *("Funded", "HoldExpired", "LotsExpired"),
    }
    assert codes >= {"insufficient_credit", "sequence_skipped", "call_settled", "unknown_call"}
    with office.connection("main").reading():
        states = {row[0]: row[1] for row in office.connection("main").rows(STATES)}
    assert all(states.get(each, 0) > 1 for each in ("settled", "released", "expired", "refused"))
