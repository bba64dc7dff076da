"""Throws damaged messages at every port of a running service: whatever comes, it does not fall
over, does not grow, charges nothing, and goes on answering.

    python -m tests.fuzz_ports --seconds 60            all ports at the same time, for a minute
    python -m tests.fuzz_ports --port radius --seed 7  one of them, the same messages again
"""

import argparse
import re
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
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
from tests.switches.programs import wait_until

PORTS = ("http", "diameter", "radius")
GROWTH_KIB_MAX = 48 * 1024
WARM_PART = 0.2
CLOSED_S = 45  # until the service has closed what it was left with: longer than it waits for a rest
DESCRIPTORS_MORE_MAX = 8
THREADS_MORE_MAX = 4
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


class Size(NamedTuple):
    """How much the process has: memory, open descriptors, threads."""

    kib: int
    descriptors: int
    threads: int


class Thrown(NamedTuple):
    """What came of it: how many messages were thrown at each port, how much the process had before,
    and afterwards."""

    messages: dict[str, int]
    before: Size
    after: Size


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

    def size(self) -> Size:
        """How much the process and its children have."""
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        kib = descriptors = threads = 0
        for place in (Path(f"/proc/{each}") for each in (pid, *children)):
            status = (place / "status").read_text()
            kib += int(re.findall(r"VmRSS:\s+(\d+)", status)[0])
            threads += int(re.findall(r"Threads:\s+(\d+)", status)[0])
            descriptors += len(list((place / "fd").iterdir()))
        return Size(kib, descriptors, threads)

    def charged(self) -> list[tuple[Any, ...]]:
        """All money that has moved."""
        cell = self.store.cell()
        with cell.reading():
            found = [tuple(row) for row in cell.rows(CHARGED)]
        cell.close()
        return found

    def throw(
        self, names: Sequence[str], seed: int, seconds: float, a_second: float = 1_000_000
    ) -> Thrown:
        """Throw messages at these ports at the same time for so long, so many a second at each;
        AssertionError where the service does not bear it.

        It may grow in the first fifth of the time.
        """
        charged = self.charged()
        self._throw(names, f"warm {seed}", seconds * WARM_PART, a_second)
        before = self._quiet(names, f"warm-{seed}")
        messages = self._throw(names, str(seed), seconds * (1 - WARM_PART), a_second)
        assert self.charged() == charged, "something was charged"
        after = self._quiet(names, str(seed), before)
        assert after.kib - before.kib <= GROWTH_KIB_MAX, f"the process grew: {before}, {after}"
        assert after.threads - before.threads <= THREADS_MORE_MAX, f"threads: {before}, {after}"
        bad = [line for line in self.process.logged if '"error"' in line or "Traceback" in line]
        assert not bad, bad[:3]
        assert check_books(self.store.cell(), clock_ms).findings == ()
        return Thrown(messages, before, after)

    def _throw(
        self, names: Sequence[str], seed: str, seconds: float, a_second: float
    ) -> dict[str, int]:
        """Throw; how many messages at each port."""
        until_s, never = time.monotonic() + seconds, threading.Event()

        def throw_at(name: str) -> int:
            port, chance, messages = self.port(name), Random(f"{name} {seed}"), 0
            began_s = time.monotonic()
            while time.monotonic() < until_s:
                port.throw(chance)
                messages += 1
                never.wait(max(0.0, began_s + messages / a_second - time.monotonic()))
            port.close()
            return messages

        with ThreadPoolExecutor(len(names)) as throwers:
            return dict(zip(names, throwers.map(throw_at, names), strict=True))

    def _quiet(self, names: Sequence[str], call: str, before: Size | None = None) -> Size:
        """How much the process has when good calls were granted and what was left behind is closed.

        Connections that were opened to send half a message are closed by the service itself."""
        for name in names:
            port = self.port(name)
            assert port.call(f"good-{name}-{call}"), f"{name}: a good call is not granted any more"
            port.close()
        if before:
            most = before.descriptors + DESCRIPTORS_MORE_MAX
            with suppress(AssertionError):
                wait_until(lambda: self.size().descriptors <= most, "", CLOSED_S)
            assert self.size().descriptors <= most, f"not closed: {before}, {self.size()}"
        return self.size()


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
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--port", choices=PORTS, action="append", help="instead of all")
    parser.add_argument("--seed", type=int, default=time.time_ns() % 1_000_000)
    given = parser.parse_args()
    with TemporaryDirectory(prefix="talktime-fuzz-") as folder:
        stores = Stores(Path(folder), lambda _: NotImplemented)
        with fuzzed(stores.make("sqlite")) as service:
            thrown = service.throw(given.port or PORTS, given.seed, given.seconds)
            sys.stdout.write(f"seed {given.seed}: {thrown}\n")


if __name__ == "__main__":
    main()
