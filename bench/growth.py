"""Growth: the same load on a small installation and on a full one, and the memory of open calls."""

from contextlib import closing
from pathlib import Path

from bench.engine import whole_call
from bench.http import GERMANY, measure, populate, publish, service_with_pid
from bench.installations import Installation, cell, clock_ms, installation
from bench.load import Load
from talktime.core.ids import COUNTER_BITS, Ids
from talktime.core.rates import RateRow
from talktime.core.rating import Rate
from talktime.operations.execute import execute
from talktime.store.database import Row, connect
from talktime.store.tables import ANSWER, CALL, TRANSFER, USAGE_RECORD, Table

BATCH = 5_000
WALLETS = 1_000
SMALL = {"prefixes": 10_000, "closed": 0, "open": 0}
FULL = {"prefixes": 1_000_000, "closed": 1_000_000, "open": 100_000}


def throughputs(kind: str, seconds: float, turns: int) -> tuple[list[float], list[float], int]:
    """Requests a second on the small and on the full installation, measured in turns, and the
    bytes of memory that each open call costs the service's processes."""
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
    """This many calls as they stand once settled, with their answers, usage and transfers.

    One real call is settled, and its rows are written again under other ids: the tables and indexes
    are as full as if each had been made, in minutes less.
    """
    ids = Ids(2, clock_ms)
    with closing(cell(place.settings)) as connection:
        authorize, _, settle = whole_call(1)
        for command in (authorize, settle):
            with connection.transaction():
                execute(connection, [command], clock_ms(), ids.next)
        with connection.reading():
            patterns = [
                (table, connection.rows(f'SELECT {", ".join(table.columns)} FROM "{table.name}"'))
                for table in (CALL, ANSWER, USAGE_RECORD)
            ]
            settled = connection.rows(
                f"SELECT {', '.join(TRANSFER.columns)} FROM transfer WHERE usage_id IS NOT NULL"
            )
        patterns.append((TRANSFER, settled))
        for start in range(0, calls, BATCH):
            copies = range(start + 1, min(start + BATCH, calls) + 1)
            writes = [
                (table.insert(), [copied(table, row, n) for n in copies for row in rows])
                for table, rows in patterns
            ]
            with connection.transaction():
                connection.write_all(writes)


def copied(table: Table, row: Row, number: int) -> Row:
    """The row of another call: its ids moved on, its call_id and its organisation others."""
    changed = dict(zip(table.columns, row, strict=True))
    for column in ("id", "call_id", "usage_id"):
        if changed.get(column) is not None:
            changed[column] += number << COUNTER_BITS
    if "call_key" in changed:
        changed["call_key"] = f"copy {number}"
    changed["organisation_id"] = number % WALLETS + 1
    return tuple(changed.values())


def open_calls(port: int, key: str, calls: int) -> None:
    """This many calls that are authorized through the service, and go on."""
    measure(Load(port, key, 8, 600.0, WALLETS, batch=100, seed=999, steps=1, calls=calls))


def resident_bytes(pid: int) -> int:
    """The memory that a process and its children, the writers, have in RAM."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return sum(resident_bytes_of_one(each) for each in (pid, *map(int, children)))


def resident_bytes_of_one(pid: int) -> int:
    """The memory that a process has in RAM."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"process {pid} has ended")
