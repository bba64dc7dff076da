"""A load generator: connections that each make one whole call after another, in a process of its
own.

At full load a connection sends the next request as soon as it has its answer. At a given rate the
requests have their times, and latency counts from the time at which a request should have gone
out, so that a slow server cannot hide behind a generator that waits for it.
"""

import asyncio
import json
import random
import sys
import time
from dataclasses import asdict, dataclass
from functools import partial
from itertools import count

import uvloop

CALLEES = [f"+4930{number}" for number in range(20_000_000, 20_002_000)]
STEPS = (
    (
        "authorize",
        '"sequence":0,"type":"user_out","from":"%s","to":"%s","requested_seconds":300',
    ),
    ("extend", '"sequence":1,"used_seconds":290,"requested_seconds":300%.0s%.0s'),
    ("settle", '"sequence":2,"used_seconds":431,"cause":"normal"%.0s%.0s'),
)
"""A whole call: what each request is called, and its body for (calling, called)."""


@dataclass
class Load:
    """What to send: whole calls of `wallets` callers, each in its own organisation."""

    port: int
    key: str
    connections: int
    seconds: float
    wallets: int
    batch: int = 1
    """Requests in each HTTP request: above 1 through calls:batch, a whole step of as many calls."""
    rate: float = 0.0
    """Requests a second in all; 0 for as fast as it goes."""
    seed: int = 1
    steps: int = 3
    """How many of a call's three requests are sent: 1 leaves the calls open."""
    calls: int = 0
    """How many calls in all, at most; 0 for as many as the time allows."""


@dataclass
class Measured:
    """What came of it."""

    requests_per_second: float
    commands_per_second: float
    p50_ms: float
    p99_ms: float


def caller(wallet: int) -> str:
    """The number of the one user of organisation `wallet`, from 1."""
    return f"+1425{wallet:07}"


class Connection(asyncio.Protocol):
    """One keep-alive connection that makes one whole call after another: what it does is done when
    an answer has come, with no task of its own, so that little of the machine goes to it."""

    def __init__(self, generator: "Generator", number: int) -> None:
        self.generator = generator
        self.chance = random.Random(generator.load.seed * 1_000 + number)
        self.share = number / generator.load.connections
        self.ended: asyncio.Future[None] = generator.loop.create_future()
        self.buffer = b""
        self.calls: list[tuple[str, str, str]] = []
        self.next_step = 0
        self.due = self.sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self.fail("the connection was closed")

    def data_received(self, data: bytes) -> None:
        if self.buffer:
            data = self.buffer + data
        head_end = data.find(b"\r\n\r\n")
        if head_end >= 0 and is_whole(data, head_end):
            self.buffer = b""
            self.answered(data)
        else:
            self.buffer = data

    def begin(self) -> None:
        """Send the first request, when its time has come."""
        self.due = self.generator.started + self.generator.interval_s * self.share
        self.next()

    def next(self) -> None:
        """Send the next request, now or when it is due."""
        if self.generator.interval_s:
            early_s = self.due - time.perf_counter()
            if early_s > 0:
                self.generator.loop.call_later(early_s, self.send)
                return
        self.send()

    def send(self) -> None:
        """Send the next request; at the end of the time, end."""
        generator, step = self.generator, self.next_step
        self.sent = time.perf_counter()
        if self.sent >= generator.stop_at or not (step or generator.one_more()):
            self.end()
            return
        if generator.interval_s:
            self.sent, self.due = self.due, self.due + generator.interval_s
        if not step:
            self.calls = generator.new_calls(self.chance)
        self.next_step = (step + 1) % generator.load.steps
        self.transport.write(generator.step(self.calls, step))  # type: ignore[attr-defined]

    def answered(self, answer: bytes) -> None:
        """Note the whole answer to the last request, which must be a success, and go on."""
        batch = self.generator.load.batch
        if answer[9:12] != b"200" or (batch > 1 and answer.count(b'"status":200') < batch):
            self.fail(answer.decode(errors="replace")[:2_000])
            return
        self.generator.latencies_s.append(time.perf_counter() - self.sent)
        self.next()

    def end(self) -> None:
        """Close."""
        if not self.ended.done():
            self.ended.set_result(None)
        self.transport.close()

    def fail(self, reason: str) -> None:
        """Close, and let the whole measurement fail."""
        if not self.ended.done():
            self.ended.set_exception(RuntimeError(reason))
            self.transport.close()


def is_whole(data: bytes, head_end: int) -> bool:
    """Whether an answer whose head ends there has all of its body."""
    head = data[:head_end].lower()
    at = head.find(b"content-length:")
    if at < 0:
        # Chunked: the last chunk is empty.
        return data.endswith(b"0\r\n\r\n")
    return len(data) >= head_end + 4 + int(head[at + 15 :].split(b"\r\n", 1)[0])


class Generator:
    """Sends one Load and measures it."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.loop = asyncio.get_running_loop()
        self.latencies_s: list[float] = []
        self.interval_s = load.connections / load.rate if load.rate else 0.0
        self.started = self.stop_at = 0.0
        self.numbers = count()
        self.begun = 0
        self.head = (
            f" HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {load.key}\r\n"
            "Content-Type: application/json\r\nContent-Length: "
        )

    def one_more(self) -> bool:
        """Whether another call, or group of them, is to be begun."""
        if self.load.calls and self.begun >= self.load.calls:
            return False
        self.begun += self.load.batch
        return True

    def new_calls(self, chance: random.Random) -> list[tuple[str, str, str]]:
        """The ids of as many calls as go in one request, and who calls whom."""
        load = self.load
        return [
            (
                f"{load.seed:x}-{next(self.numbers):x}",
                caller(int(chance.random() * load.wallets) + 1),
                CALLEES[int(chance.random() * len(CALLEES))],
            )
            for _ in range(load.batch)
        ]

    def request(self, path: str, body: str) -> bytes:
        """The bytes of one POST."""
        return f"POST {path}{self.head}{len(body)}\r\n\r\n{body}".encode()

    def step(self, calls: list[tuple[str, str, str]], step: int) -> bytes:
        """The request for step 0, 1 or 2 (authorize, extend, settle) of these calls."""
        name, body = STEPS[step]
        if self.load.batch == 1:
            ((call, from_, to),) = calls
            return self.request(f"/v1/calls/{call}/{name}", f"{{{body % (from_, to)}}}")
        items = [
            f'{{"request":"{name}","call_id":"{call}",{body % (from_, to)}}}'
            for call, from_, to in calls
        ]
        return self.request("/v1/calls:batch", f'{{"requests":[{",".join(items)}]}}')

    async def run(self) -> Measured:
        """Send the whole load. The time begins when all connections are there."""
        made = [
            await self.loop.create_connection(
                partial(Connection, self, number), "127.0.0.1", self.load.port
            )
            for number in range(self.load.connections)
        ]
        self.started = time.perf_counter()
        self.stop_at = self.started + self.load.seconds
        for _, connection in made:
            connection.begin()
        await asyncio.gather(*[connection.ended for _, connection in made])
        elapsed_s = time.perf_counter() - self.started
        ordered = sorted(self.latencies_s)
        return Measured(
            len(ordered) / elapsed_s,
            len(ordered) * self.load.batch / elapsed_s,
            ordered[len(ordered) // 2] * 1_000,
            ordered[len(ordered) * 99 // 100] * 1_000,
        )


async def sent(load: Load) -> Measured:
    """What came of a load."""
    return await Generator(load).run()


if __name__ == "__main__":
    print(json.dumps(asdict(uvloop.run(sent(Load(**json.loads(sys.argv[1])))))))
