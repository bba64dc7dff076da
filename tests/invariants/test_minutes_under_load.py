"""Minutes of one pool, asked for by many calls at once: in one batch, and over two connections."""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from talktime.core.commands import Authorize, Command
from talktime.core.ids import Ids
from talktime.core.outcomes import Granted, Refused
from talktime.operations.execute import execute
from talktime.store.database import Connection
from talktime.store.kept import Kept
from tests import oracle
from tests.books_check import proven
from tests.commands import NOW_MS, extend, fund, settle
from tests.meters_check import meter_faults
from tests.oracle_facts import Called, Facts
from tests.oracle_office import PRICES, Office, Trial
from tests.stores import Store

PRICE = PRICES["44"]
MEETING = Facts(
    call="conf_out",
    called=Called("GB"),
    price=PRICE,
    licences=frozenset({"MCOMEETADV", "MCOPSTNC"}),
)
POOL_S = 3_600
CALLS_EACH = 12
METERS = "SELECT key, used, held, total FROM meter WHERE organisation_id = ?"
RECORDS = (
    "SELECT billed_s, pool_s, charge_micros, post_micros FROM usage_record "
    "WHERE organisation_id = ?"
)
_organisations = count(1, 10)
_ids = [Ids(node, lambda: NOW_MS).next for node in range(3)]
"""Sources of ids: one for each crew, one for funding."""


class Crew:
    """Makes calls of one organisation over a connection of its own, in batches."""

    def __init__(self, store: Store, office: Office, number: int, seed: int) -> None:
        self.connection: Connection = store.home(office.caller(MEETING)[0].id)
        self.kept = Kept()
        self.office, self.number, self.dice = office, number, random.Random(seed)

    def work(self) -> None:
        """Ask for all calls; go on with some; end all, some of them late."""
        asked = [self.asking(n) for n in range(CALLS_EACH)]
        granted: dict[str, int] = {}
        for command, outcome in self.batches(asked):
            assert isinstance(outcome, Granted | Refused)
            if isinstance(outcome, Granted):
                granted[command.call_key] = outcome.granted_s
        going_on = [extend(key, 1, s, 0) for key, s in granted.items() if self.dice.random() < 0.5]
        for command in going_on:
            command.organisation_id = asked[0].organisation_id
        sequences = dict.fromkeys(granted, 1)
        for command, outcome in self.batches(going_on):
            sequences[command.call_key] = 2
            if isinstance(outcome, Granted):
                granted[command.call_key] += outcome.granted_s
        ends = [
            settle(key, sequences[key], self.dice.randint(0, s + 90), asked[0].organisation_id)
            for key, s in granted.items()
        ]
        for _ in self.batches(ends):
            pass

    def asking(self, number: int) -> Authorize:
        command = self.office.command(Trial(MEETING, "+442079460123"))
        assert isinstance(command, Authorize)
        command.call_key = f"{command.organisation_id}-{self.number}-{number}"
        return command

    def batches(self, commands: list[Command]) -> Iterator[tuple[Command, object]]:
        """Execute them a few at a time, each few in a transaction."""
        while commands:
            size = self.dice.randint(1, 6)
            few, commands = commands[:size], commands[size:]
            with self.connection.transaction():
                done = execute(self.connection, few, NOW_MS, _ids[self.number], kept=self.kept)
            self.kept.committed()
            yield from zip(few, [each.outcome for each in done], strict=True)


@pytest.mark.layouts("sqlite", "postgres")
def test_two_connections_never_sell_a_minute_twice(store: Store):
    """R51, R64, D11: what the pool paid is what it has lost, and no more than it had; the rest of
    each billed second is charged."""

    @settings(max_examples=6)
    @given(st.integers(0, 10**9), st.sampled_from([0, 50_000, 10**9]))
    def check(seed: int, micros: int) -> None:
        office = Office(next(_organisations))
        organisation = office.caller(MEETING)[0].id
        store.add_wallet(organisation)
        if micros:
            with (connection := store.home(organisation)).transaction():
                lot = fund(micros, organisation_id=organisation)
                execute(connection, [lot], NOW_MS, _ids[2])
        crews = [Crew(store, office, number, seed + number) for number in range(2)]
        with ThreadPoolExecutor(2) as threads:
            list(threads.map(Crew.work, crews))
        held_to_the_pool(store.home(organisation), organisation)

    check()


def held_to_the_pool(connection: Connection, organisation: int) -> None:
    """The meter and the records of all calls agree, and the books are right."""
    with connection.reading():
        meters = {row[0]: row[1:] for row in connection.rows(METERS, [organisation])}
        records = connection.rows(RECORDS, [organisation])
    used_s, held_s, total_s = meters["2026-01/minutes/MCOMEETADV/all/conference"]
    assert (held_s, total_s) == (0, POOL_S)
    assert used_s == sum(pool_s for _, pool_s, _, _ in records) <= POOL_S
    for billed_s, pool_s, charge_micros, post_micros in records:
        assert 0 <= pool_s <= billed_s
        assert charge_micros == oracle.cost(billed_s - pool_s, PRICE)
        assert post_micros == 0
    assert meter_faults(connection) == []
    proven(connection)
