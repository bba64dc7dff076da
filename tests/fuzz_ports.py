"""Throws damaged messages at every port of a running service: whatever comes, it does not fall
over, does not grow, charges nothing, and goes on answering.

    python -m tests.fuzz_ports --seconds 60            each port for a minute
    python -m tests.fuzz_ports --port radius --seed 7  one of them, the same messages again
"""

import argparse
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from talktime.core.peers import DIAMETER
from talktime.operations.check_books import check_books
from talktime.operations.keys import find_switch
from talktime.operations.peers import NewPeer, create_peer
from talktime.operations.sealing import Seal
from talktime.operations.seed_demo import SWITCH
from tests.fuzzed_ports import DiameterPort, HttpPort, Port, RadiusPort
from tests.gateways.diameter import asked
from tests.gateways.radius.nas import add_client
from tests.served import clock_ms, new_id, seeded
from tests.serving import Serving, serving
from tests.stores import Store, Stores

PORTS = ("http", "diameter", "radius")
GROWTH_KIB_MAX = 48 * 1024
WARM_THROWS = 300
LISTEN = {
    "TALKTIME_DIAMETER_LISTEN": "127.0.0.1:0",
    "TALKTIME_DIAMETER_IDENTITY": asked.OUR_HOST,
    "TALKTIME_DIAMETER_REALM": asked.OUR_REALM,
    "TALKTIME_RADIUS_AUTH": "127.0.0.1:0",
    "TALKTIME_RADIUS_ACCT": "127.0.0.1:0",
}
CHARGED = (
    "SELECT (SELECT COUNT(*) FROM transfer), (SELECT SUM(balance_micros) FROM wallet), "
    "(SELECT COALESCE(SUM(charge_micros), 0) FROM usage_record)"
)


class Thrown(NamedTuple):
    """What came of a port: how many messages were thrown at it, by how much the process grew."""

    messages: int
    growth_kib: int


class Fuzzed:
    """A service in a process of its own, with all ports open."""

    def __init__(self, store: Store, process: Serving) -> None:
        self.store = store
        self.process = process
        said = "".join(process.said)
        self._listens = dict(re.findall(r"^(.+): 127\.0\.0\.1:(\d+)$", said, re.MULTILINE))
        self.demo: Any = None

    def port(self, name: str) -> Port:
        """One of its ports."""
        if name == "http":
            return HttpPort(self.process.url, self.demo)
        if name == "diameter":
            return DiameterPort(int(self._listens["Diameter"]), self.demo)
        found = [int(self._listens[each]) for each in ("RADIUS", "RADIUS accounting")]
        return RadiusPort(*found, self.demo)

    def kib(self) -> int:
        """How much memory the process has."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(re.findall(r"VmRSS:\s+(\d+) kB", status)[0])

    def charged(self) -> list[tuple[Any, ...]]:
        """All money that has moved."""
        cell = self.store.cell()
        with cell.reading():
            found = [tuple(row) for row in cell.rows(CHARGED)]
        cell.close()
        return found

    def throw(self, name: str, seed: int, seconds: float) -> Thrown:
        """Throw messages at a port for so long; AssertionError where it does not bear it."""
        port, chance = self.port(name), Random(f"{name} {seed}")
        charged, messages = self.charged(), 0
        for _ in range(WARM_THROWS):
            port.throw(chance)
        before, until_s = self.kib(), time.monotonic() + seconds
        while time.monotonic() < until_s:
            port.throw(chance)
            messages += 1
        growth = self.kib() - before
        assert self.charged() == charged, f"{name}: something was charged"
        assert port.call(f"good-{name}-{seed}"), f"{name}: a good call is not granted any more"
        port.close()
        assert growth <= GROWTH_KIB_MAX, f"{name}: the process grew by {growth} KiB"
        bad = [line for line in self.process.logged if '"error"' in line or "Traceback" in line]
        assert not bad, f"{name}: {bad[:3]}"
        assert check_books(self.store.cell(), clock_ms).findings == ()
        return Thrown(messages, growth)


@contextmanager
def fuzzed(store: Store) -> Iterator[Fuzzed]:
    """The service on a store, with the demo, a Diameter peer and a RADIUS client in it."""
    demo = seeded(store)
    add_client(store, "nas-1", "127.0.0.1")
    control = store.control()
    with control.transaction():
        switch: Any = find_switch(control, SWITCH)
        create_peer(
            *(control, Seal(store.settings.seal_keys()), switch),
            NewPeer(DIAMETER, asked.HOST, asked.REALM, ("127.0.0.1",)),
            now_ms=clock_ms(),
            next_id=new_id,
        )
    with serving({**store.environ, **LISTEN}) as process:
        service = Fuzzed(store, process)
        service.demo = demo
        yield service
        assert process.stop() == 0, process.words()


def main() -> None:
    """Throw, and say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--seconds", type=float, default=60, help="for each port")
    parser.add_argument("--port", choices=PORTS, action="append", help="instead of all")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    given = parser.parse_args()
    with TemporaryDirectory(prefix="talktime-fuzz-") as folder:
        stores = Stores(Path(folder), lambda _: NotImplemented)
        with fuzzed(stores.make("sqlite")) as service:
            for name in given.port or PORTS:
                thrown = service.throw(name, given.seed, given.seconds)
                said = f"{thrown.messages} messages, {thrown.growth_kib} KiB more memory"
                sys.stdout.write(f"{name}: {said} (seed {given.seed})\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main()
