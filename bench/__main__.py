"""`make bench`: measure everything and write bench/results.md.

`python -m bench --seconds 2 --turns 1 --only engine` for a quick look at one part; only a full run
writes the table.
"""

import argparse
from contextlib import ExitStack
from pathlib import Path

from bench import console, directory, gates, growth, http, one_transaction_each, ro
from bench import engine as in_process
from bench.installations import installation
from bench.load import Load
from bench.results import Row, machine, table

CALLERS = CONNECTIONS = 64
MANY = 10_000
COMMANDS, REQUESTS = "commands/s", "requests/s"
PARTS = ("engine", "http", "ro", "gates", "growth", "directory", "console")
RESULTS = Path(__file__).parent / "results.md"


def main() -> None:
    """Measure the parts asked for; print them, and write them down when all were."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0, help="length of each measurement")
    parser.add_argument(
        "--turns", type=int, default=3, help="measurements of each; the median counts"
    )
    parser.add_argument("--only", choices=PARTS, help="measure this part alone")
    asked = parser.parse_args()
    rows: list[Row] = []
    parts = (engine, over_http, over_ro, gated, growing, of_the_directory, of_the_console)
    for name, part in zip(PARTS, parts, strict=True):
        if asked.only in (None, name):
            for row in part(asked.seconds, asked.turns):
                print(row.line(), flush=True)
                rows.append(row)
    if asked.only is None:
        RESULTS.write_text(table(rows, machine(), asked.seconds, asked.turns))
        print(f"written: {RESULTS.name}")


def engine(seconds: float, turns: int) -> list[Row]:
    """The engine in process, beside one transaction for each command on the same server."""
    with ExitStack() as stack:
        postgres, sqlite = [stack.enter_context(installation(k)) for k in ("postgres", "sqlite")]
        for place in (postgres, sqlite):
            in_process.prepare(place.settings, MANY)
        on_postgres, on_sqlite = [
            stack.enter_context(in_process.running(place.settings)) for place in (postgres, sqlite)
        ]
        url = postgres.settings.control_plane.url
        found: dict[tuple[str, int], list[float]] = {}
        for _ in range(turns):
            for wallets in (1, MANY):
                pool = list(range(1, wallets + 1))
                measured = {
                    "plain": one_transaction_each.commands_per_second(
                        url, CALLERS, wallets, seconds
                    ),
                    "postgres": on_postgres.commands_per_second(pool, CALLERS, seconds),
                    "sqlite": on_sqlite.commands_per_second(pool, CALLERS, seconds),
                }
                for name, value in measured.items():
                    found.setdefault((name, wallets), []).append(value)
    rows = []
    for wallets, least in ((1, 20), (MANY, 3)):
        plain, ours = found["plain", wallets], found["postgres", wallets]
        what = "one hot wallet" if wallets == 1 else f"{wallets:,} wallets"
        rows.append(
            Row(f"PostgreSQL, {what}", COMMANDS, ours, "one transaction each", plain, least)
        )
        rows.append(
            Row(f"SQLite, {what}", COMMANDS, found["sqlite", wallets], "PostgreSQL", ours, 1)
        )
    return rows


def over_http(seconds: float, turns: int) -> list[Row]:
    """Whole calls over HTTP, beside a bare echo under the same server and load."""
    rows = []
    for kind in ("sqlite", "postgres"):
        found: dict[str, list[float]] = {}
        with (
            installation(kind) as place,
            http.echo() as echo_port,
        ):
            key = http.populate(place.settings, MANY)
            with http.service(place.environment) as port:
                for turn in range(turns):
                    for name, value in one_turn(port, echo_port, key, seconds, 100 * turn).items():
                        found.setdefault(name, []).append(value)
        many, hot, most_ms = found["many"], found["hot"], [10.0] * turns
        calm, calm_echo = found["p99_ms"], found["echo_p99_ms"]
        all_wallets, single = f"{MANY:,} wallets", "single requests"
        rows += [
            Row(f"HTTP, {kind}, {MANY:,} wallets", REQUESTS, many, "bare echo", found["echo"], 0.3),
            Row(f"HTTP, {kind}, one hot wallet", REQUESTS, hot, all_wallets, many, 0.8),
            Row(f"calls:batch of 100, {kind}", COMMANDS, found["batch"], single, many, 3),
            Row(f"p99 at half that load, {kind}", "ms", calm, "10 ms", most_ms, 1, True),
            Row(f"p99 of the echo at it, {kind}", "ms", calm_echo, "10 ms", most_ms, 1, True),
        ]
    return rows


def one_turn(port: int, echo_port: int, key: str, seconds: float, seed: int) -> dict[str, float]:
    """One measurement of each kind, the comparator first."""
    echo = http.measure(Load(echo_port, key, CONNECTIONS, seconds, MANY, seed=seed + 1))
    many = http.measure(Load(port, key, CONNECTIONS, seconds, MANY, seed=seed + 2))
    hot = http.measure(Load(port, key, CONNECTIONS, seconds, 1, seed=seed + 3))
    batch = http.measure(Load(port, key, 8, seconds, MANY, batch=100, seed=seed + 4))
    half = many.requests_per_second * 0.5
    calm = http.measure(Load(port, key, CONNECTIONS, seconds, MANY, rate=half, seed=seed + 5))
    calm_echo = http.measure(Load(echo_port, key, CONNECTIONS, seconds, MANY, rate=half, seed=seed))
    return {
        "echo": echo.requests_per_second,
        "many": many.requests_per_second,
        "hot": hot.requests_per_second,
        "batch": batch.commands_per_second,
        "p99_ms": calm.p99_ms,
        "echo_p99_ms": calm_echo.p99_ms,
    }


def over_ro(seconds: float, turns: int) -> list[Row]:
    """Whole calls over one Diameter connection, pipelined, beside HTTP on the same service."""
    rows = []
    for kind in ("sqlite", "postgres"):
        over_diameter, by_http = [], []
        with installation(kind) as place:
            key = http.populate(place.settings, MANY)
            ro.add_peer(place.settings)
            port = ro.free_port()
            with http.service({**place.environment, **ro.environment(port)}) as http_port:
                for turn in range(turns):
                    load = Load(http_port, key, CONNECTIONS, seconds, MANY, seed=100 * turn + 6)
                    by_http.append(http.measure(load).requests_per_second)
                    calls = ro.RoLoad(port, seconds, MANY, seed=turn + 1)
                    over_diameter.append(ro.measure(calls).requests_per_second)
        what = f"Ro, one connection, {kind}"
        rows.append(Row(what, REQUESTS, over_diameter, "HTTP", by_http, 1.5))
    return rows


def gated(seconds: float, turns: int) -> list[Row]:
    """Every gate and meter in use, beside calls on credits alone."""
    rows = []
    for kind in ("sqlite", "postgres"):
        plain, ours = gates.throughputs(kind, seconds, turns)
        rows.append(Row(f"all gates, {kind}", REQUESTS, ours, "credits alone", plain, 0.75))
    return rows


def growing(seconds: float, turns: int) -> list[Row]:
    """A full installation beside a small one, and the memory of an open call."""
    rows = []
    for kind in ("sqlite", "postgres"):
        small, full, bytes_per_call = growth.throughputs(kind, seconds, turns)
        rows += [
            Row(f"1M prefixes, 1M closed, 100k open calls on {kind}", REQUESTS, full,
                "10k prefixes, no calls", small, 0.8),
            Row(f"memory of an open call on {kind}", "bytes", [float(bytes_per_call)],
                "1 KiB", [1024.0], 1, True),
        ]  # fmt: skip
    return rows


def of_the_directory(_seconds: float, turns: int) -> list[Row]:
    """A million users read into memory, ten thousand imported."""
    rows = []
    for kind in ("sqlite", "postgres"):
        with installation(kind) as place:
            imports = [directory.import_seconds(place.settings, n) for n in range(1, turns + 1)]
            directory.fill(place.settings)
            loads = [directory.load(place.settings) for _ in range(turns)]
        loaded, memory = ([load[place] for load in loads] for place in (0, 1))
        rows += [
            Row(f"{directory.IMPORTED:,} users imported on {kind}", "s", imports,
                "10 s", [10.0] * turns, 1, True),
            Row(f"{directory.USERS:,} users loaded on {kind}", "s", loaded,
                "20 s", [20.0] * turns, 1, True),
            Row(f"memory of these users on {kind}", "MiB", memory,
                "1 GiB", [1024.0] * turns, 1, True),
        ]  # fmt: skip
    return rows


def of_the_console(_seconds: float, _turns: int) -> list[Row]:
    """Pages with a million usage records, beside those of an organisation with a hundred; and the
    summing of the records."""
    rows = []
    for kind in ("sqlite", "postgres"):
        with installation(kind) as place:
            console.fill(place.settings)
            summed = [console.sum_up(place.settings)]
            console.analyse(place.settings)
            with http.pages(place.environment) as port:
                full = console.measured(place.settings, port, console.FULL)
                small = console.measured(place.settings, port, console.SMALL)
        rows.append(
            Row(f"usage records summed on {kind}", "records/s", summed, "1,000/s", [1_000.0], 1)
        )
        for name, served in full.items():
            rows += [
                Row(f"{name}, 1M records, {kind}, p95", "ms", [served.p95_ms],
                    "100 ms", [100.0], 1, True),
                Row(f"{name}, 1M records, {kind}, median", "ms", [served.median_ms],
                    "100 records", [small[name].median_ms], 10, True),
                Row(f"{name}, size", "kB", [served.kilobytes], "200 kB", [200.0], 1, True),
            ]  # fmt: skip
    return rows


if __name__ == "__main__":
    main()
