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
from itertools import count

import uvloop

CALLEES = [f"+4930{number}" for number in range(20_000_000, 20_002_000)]


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
    """One keep-alive connection that sends a request and waits for its answer."""

    def __init__(self) -> None:
        self.buffer = b""
        self.answered: asyncio.Future[bytes] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head_end = self.buffer.find(b"\r\n\r\n")
        if head_end < 0:
            return
        head = self.buffer[:head_end].lower()
        at = head.find(b"content-length:")
        length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else -1
        if at < 0:
            # Chunked: the last chunk is empty.
            if not self.buffer.endswith(b"0\r\n\r\n"):
                return
        elif len(self.buffer) < head_end + 4 + length:
            return
        answer, self.buffer = self.buffer, b""
        if self.answered is not None:
            self.answered.set_result(answer)

    async def send(self, request: bytes) -> bytes:
        """Send one request and return the whole answer; raises where its status is not 200."""
        self.answered = asyncio.get_running_loop().create_future()
        self.transport.write(request)  # type: ignore[attr-defined]
        answer = await self.answered
        if answer[9:12] != b"200":
            raise RuntimeError(answer.decode(errors="replace")[:1_000])
        return answer


class Generator:
    """Sends one Load and measures it."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.latencies_s: list[float] = []
        self.numbers = count()
        self.begun = 0

    def request(self, path: str, body: str) -> bytes:
        """The bytes of one POST."""
        return (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {self.load.key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        ).encode()

    def step(self, calls: list[tuple[str, str, str]], step: int) -> bytes:
        """The request for step 0, 1 or 2 (authorize, extend, settle) of these calls."""
        names = ("authorize", "extend", "settle")
        bodies = [
            (
                f'"sequence":0,"type":"user_out","from":"{from_}","to":"{to}","requested_seconds":300',
                '"sequence":1,"used_seconds":290,"requested_seconds":300',
                '"sequence":2,"used_seconds":431,"cause":"normal"',
            )[step]
            for _, from_, to in calls
        ]
        if self.load.batch == 1:
            return self.request(f"/v1/calls/{calls[0][0]}/{names[step]}", "{" + bodies[0] + "}")
        items = [
            f'{{"request":"{names[step]}","call_id":"{call[0]}",{body}}}'
            for call, body in zip(calls, bodies, strict=True)
        ]
        return self.request("/v1/calls:batch", f'{{"requests":[{",".join(items)}]}}')

    async def connection(self, number: int, started: float, stop_at: float) -> None:
        """Whole calls on one connection until the time is over."""
        load = self.load
        chance = random.Random(load.seed * 1_000 + number)
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(Connection, "127.0.0.1", load.port)
        interval_s = load.connections / load.rate if load.rate else 0.0
        due = started + interval_s * number / load.connections
        while not load.calls or self.begun < load.calls:
            self.begun += load.batch
            calls = [
                (
                    f"{load.seed:x}-{next(self.numbers):x}",
                    caller(chance.randrange(load.wallets) + 1),
                    chance.choice(CALLEES),
                )
                for _ in range(load.batch)
            ]
            for step in range(load.steps):
                now = time.perf_counter()
                if now >= stop_at:
                    connection.transport.close()
                    return
                if interval_s:
                    if due > now:
                        await asyncio.sleep(due - now)
                    now, due = due, due + interval_s
                answer = await connection.send(self.step(calls, step))
                if load.batch > 1 and answer.count(b'"status":200') < load.batch:
                    raise RuntimeError(answer.decode(errors="replace")[:2_000])
                self.latencies_s.append(time.perf_counter() - now)
        connection.transport.close()

    async def run(self) -> Measured:
        """Send the whole load."""
        started = time.perf_counter()
        stop_at = started + self.load.seconds
        await asyncio.gather(
            *[self.connection(n, started, stop_at) for n in range(self.load.connections)]
        )
        elapsed_s = time.perf_counter() - started
        ordered = sorted(self.latencies_s)
        return Measured(
            len(ordered) / elapsed_s,
            len(ordered) * self.load.batch / elapsed_s,
            ordered[len(ordered) // 2] * 1_000,
            ordered[len(ordered) * 99 // 100] * 1_000,
        )


if __name__ == "__main__":
    print(json.dumps(asdict(uvloop.run(Generator(Load(**json.loads(sys.argv[1]))).run()))))
