"""Growth: the same load on a small installation and on a full one, and the memory of open calls."""

import random
from contextlib import closing
from itertools import islice
from pathlib import Path

from bench.engine import whole_call
from bench.http import GERMANY, measure, populate, publish, service_with_pid
from bench.installations import Installation, cell, clock_ms, installation
from bench.load import Load
from talktime.core.commands import CallCommand
from talktime.core.ids import Ids
from talktime.core.rates import RateRow
from talktime.core.rating import Rate
from talktime.operations.execute import execute
from talktime.store.database import Connection, connect

BATCH = 1_000
WALLETS = 1_000
SMALL = {"prefixes": 10_000, "closed": 0, "open": 0}
FULL = {"prefixes": 1_000_000, "closed": 1_000_000, "open": 100_000}


def throughputs(kind: str, seconds: float, turns: int) -> tuple[list[float], list[float], int]:
    """Requests a second on the small and on the full installation, measured in turns, and the
    bytes of memory that each open call costs the service's process."""
    with installation(kind) as small, installation(kind) as full:
        small_key, full_key = populate(small.settings, WALLETS), populate(full.settings, WALLETS)
        publish_prefixes(small, SMALL["prefixes"])
        publish_prefixes(full, FULL["prefixes"])
        close_calls(full, FULL["closed"])
        rates: tuple[list[float], list[float]] = ([], [])
        with service_with_pid(full.environment) as (port, pid):
            before = resident_bytes(pid)
            open_calls(port, full_key, FULL["open"])
            per_call = (resident_bytes(pid) - before) // FULL["open"]
            with service_with_pid(small.environment) as (small_port, _):
                for turn in range(turns):
                    for place, (at, key) in enumerate(((small_port, small_key), (port, full_key))):
                        load = Load(at, key, 64, seconds, WALLETS, seed=1_000 + 10 * turn + place)
                        rates[place].append(measure(load).requests_per_second)
        return *rates, per_call


def publish_prefixes(place: Installation, prefixes: int) -> None:
    """A rate card of this many prefixes: 49, which the load calls, and others under it."""
    rows = [GERMANY]
    for n in range(prefixes - 1):
        rate = Rate(f"49{10_000_000 + n}", f"Germany {n % 500}", 15_000 + n % 97, 0, 60, 60)
        rows.append(RateRow("outbound", rate, 0))
    with closing(connect(place.settings.control_plane)) as control, control.transaction():
        publish(control, rows, 1)


def close_calls(place: Installation, calls: int) -> None:
    """This many calls, authorized and settled."""
    chance = random.Random(7)
    ids = Ids(2, clock_ms)
    steps = (whole_call(chance.randrange(WALLETS) + 1) for _ in range(calls))
    with closing(cell(place.settings)) as connection:
        while batch := list(islice(steps, BATCH)):
            run(connection, [authorize for authorize, _, _ in batch], ids)
            run(connection, [settle for _, _, settle in batch], ids)


def run(connection: Connection, commands: list[CallCommand], ids: Ids) -> None:
    """Execute one batch."""
    with connection.transaction():
        execute(connection, commands, clock_ms(), ids.next)


def open_calls(port: int, key: str, calls: int) -> None:
    """This many calls that are authorized through the service, and go on."""
    measure(Load(port, key, 8, 600.0, WALLETS, batch=100, seed=999, steps=1, calls=calls))


def resident_bytes(pid: int) -> int:
    """The memory that a process has in RAM."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"process {pid} has ended")
