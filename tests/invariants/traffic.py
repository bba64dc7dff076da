"""What switches ask for in an hour: drawn by a seed, the same each time, for several organisations.

Calls are set up, answered, extended and ended; some ask twice, some run over their grant, some are
never heard of again, or much later, some numbers are used twice or skipped. Money comes in, is used
up, and expires. Nothing here looks at the answers: a refused call's switch asks on, wrongly.
"""

import random
from collections.abc import Iterator, Sequence
from copy import copy
from functools import partial
from itertools import groupby
from typing import Any, NamedTuple

from talktime.core.commands import Command
from talktime.core.rating import Rate
from talktime.operations.execute import Done, execute
from talktime.store.database import Connection
from talktime.store.kept import Kept
from talktime.store.tables import CELL_TABLES
from tests.books_check import faults
from tests.commands import (
    FREE,
    GERMANY,
    GERMANY_WITH_FEE,
    NOW_MS,
    SIXTY_SIX,
    answer,
    authorize,
    expire_hold,
    expire_lots,
    extend,
    fund,
    settle,
)
from tests.kept_check import differences
from tests.stores import Store

RATES = (GERMANY, GERMANY, GERMANY_WITH_FEE, SIXTY_SIX, FREE, Rate("39", "Italy", 10_001, 7, 1, 1))
TICK_S = 20


class Sent(NamedTuple):
    """One command, when it is sent, and of which organisation it is (a switch may not say)."""

    at_ms: int
    organisation_id: int
    command: Command


class Tick(NamedTuple):
    """All that is sent in one moment."""

    at_ms: int
    sent: list[Sent]


def drawn(seed: int, *, organisations: Sequence[int] = (1, 2, 3), calls: int = 40) -> list[Tick]:
    """An hour of traffic, in the order of time."""
    dice = random.Random(seed)
    sent = [each for number in organisations for each in _money(dice, number)]
    for number in range(calls):
        sent += _call(dice, f"C{number}", dice.choice(organisations), dice.randrange(2_400))
    sent.sort(key=lambda each: each.at_ms)
    return [Tick(at_ms, list(group)) for at_ms, group in groupby(sent, lambda each: each.at_ms)]


def _money(dice: random.Random, organisation_id: int) -> Iterator[Sent]:
    for number in range(dice.randint(1, 6)):
        at_s = 0 if number == 0 else dice.randrange(3_000)
        command = fund(
            dice.choice((20_000, 75_000, 150_000, 600_000)),
            f"F{number}",
            organisation_id=organisation_id,
            expires_ms=_moment(at_s) + dice.choice((500, 2_000, 10**8)) * 1000,
            promotional=dice.random() < 0.3,
        )
        for _ in range(dice.choice((1, 1, 1, 2))):
            yield Sent(_moment(at_s), organisation_id, copy(command))
    for at_s in (900, 2_100, 3_600):
        yield Sent(_moment(at_s), organisation_id, expire_lots(organisation_id))


def _call(dice: random.Random, name: str, organisation_id: int, start_s: int) -> Iterator[Sent]:
    used_s = dice.choice((0, 1, 61, dice.randrange(900), dice.randrange(900)))
    asked_s = dice.choice((0, 0, 60))
    rate = dice.choice(RATES)
    commands: list[tuple[int, Command]] = []
    sequence = 0

    def ask(at_s: int, command: Command) -> None:
        nonlocal sequence
        commands.append((at_s, command))
        sequence += dice.choice((1,) * 9 + (2,))

    at_ms, me = _moment(start_s), organisation_id
    ask(0, authorize(name, 0, rate=rate, requested_s=asked_s, organisation_id=me, at_ms=at_ms))
    if dice.random() < 0.5:
        ask(5, _owned(answer(name, sequence), me))
    for talked_s in range(asked_s or 300, used_s, asked_s or 300):
        late_s = dice.choice((0, 0, -10, 2))
        ask(talked_s, extend(name, sequence, talked_s + late_s, asked_s, me))
    if dice.random() < 0.85:
        late_s = dice.choice((0, 0, 0, 0, 0, 1_500))
        ask(used_s + late_s, settle(name, sequence, used_s, dice.choice((me, me, None))))
    for at_s, command in commands:
        for again_s in dice.choice(((0,), (0,), (0,), (0, 0), (0, 40))):
            yield Sent(_moment(start_s + at_s + again_s), me, copy(command))
    for at_s in (800, 1_300):
        yield Sent(_moment(start_s + at_s), me, expire_hold(name, me))


def _owned(command: Any, organisation_id: int) -> Any:
    command.organisation_id = organisation_id
    return command


def _moment(at_s: int) -> int:
    """Seconds of the hour as a moment, on whole ticks, so that several things happen in one."""
    return NOW_MS + (at_s // TICK_S) * TICK_S * 1000


class Office:
    """The cells of a store, open; commands find theirs. Ids are counted, so that runs compare."""

    def __init__(self, store: Store, organisations: Sequence[int] = (1, 2, 3)) -> None:
        self.store = store
        for organisation_id in organisations:
            store.add_wallet(organisation_id)
        self.connections: dict[str, Connection] = {}
        self.kept: dict[str, Kept] = {}
        self.made = dict.fromkeys(store.cells, 1_000)

    def execute(self, sent: Sequence[Sent]) -> list[Done]:
        """Execute commands of one moment: one batch for each cell they are of."""
        done: dict[int, Done] = {}
        for cell in self.store.cells:
            mine = [n for n, each in enumerate(sent) if self.cell_of(each) == cell]
            if mine:
                commands = [copy(sent[n].command) for n in mine]
                connection = self.connection(cell)
                kept = self.kept[cell]
                next_id = partial(self.next_id, cell)
                with connection.transaction():
                    made = execute(connection, commands, sent[0].at_ms, next_id, kept=kept)
                kept.committed()
                done.update(zip(mine, made, strict=True))
        return [done[n] for n in range(len(sent))]

    def cell_of(self, sent: Sent) -> str:
        """Where a command goes."""
        return self.store.cell_of(sent.organisation_id)

    def next_id(self, cell: str) -> int:
        """The cell's next id."""
        self.made[cell] += 1
        return self.made[cell]

    def connection(self, cell: str) -> Connection:
        """The open connection to a cell."""
        if cell not in self.connections:
            self.connections[cell], self.kept[cell] = self.store.cell(cell), Kept()
        return self.connections[cell]

    def restart(self) -> None:
        """All connections end, as with the process; new ones are opened when needed."""
        for connection in self.connections.values():
            connection.close()
        self.connections.clear()

    def rows(self) -> dict[tuple[str, str], list[tuple[Any, ...]]]:
        """Every row of every cell, but for how often a wallet was written."""
        found = {}
        for cell in self.store.cells:
            connection = self.connection(cell)
            for table in CELL_TABLES:
                columns = ", ".join(f'"{c}"' for c in table.columns if c != "version")
                with connection.reading():
                    rows = connection.rows(f'SELECT {columns} FROM "{table.name}"')
                found[cell, table.name] = sorted(rows, key=repr)
        return found

    def faults(self) -> list[str]:
        """What is wrong in the books."""
        return [
            fault
            for cell in self.store.cells
            for fault in (
                *faults(self.connection(cell)),
                *(f"kept: {each}" for each in differences(self.kept[cell], self.connection(cell))),
            )
        ]


def said(done: Done) -> tuple[Any, ...]:
    """What a caller can see of an outcome."""
    return (type(done.outcome).__name__, done.status, done.body)
