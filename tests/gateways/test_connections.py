"""One client cannot use up the connections of a port. Mirrors
src/talktime/gateways/http/connections.py."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import pytest
from structlog.testing import capture_logs
from uvicorn.config import Config
from uvicorn.server import ServerState

from talktime.core.limits import HTTP_CONNECTIONS_OF_ADDRESS_MAX
from talktime.gateways.http.connections import (
    LOOK_AGAIN_S,
    NEVER,
    BoundedProtocol,
    Connections,
    most_of,
)
from tests.gateways.lines import Line, line
from tests.loopback import SIXES
from tests.served import PATIENCE_S, Service, serving
from tests.stores import Store
from tests.switches.programs import wait_until

HERE, OTHER = "127.0.0.1", "127.0.0.2"
pytestmark = pytest.mark.layouts("sqlite")


@contextmanager
def full(store: Store, most: int, listen: str = HERE) -> Iterator[tuple[Service, list[Line]]]:
    """A service with just as many connections of this address as it may have, each used once, one
    after the other."""
    with serving(store, connections=Connections(most), listen=listen) as service:
        service.http.close()
        with ExitStack() as opened:
            lines = [opened.enter_context(line(service)) for _ in range(most)]
            for each in lines:
                assert asks(each) == 200
            yield service, lines


def asks(connection: Line) -> int:
    """Ask for something small; the status of the answer."""
    connection.send(connection.head("/healthz", method="GET"))
    return connection.answer()[0]


def taken(service: Service) -> bool:
    """Whether one more connection is taken: it is asked on."""
    with line(service) as connection:
        try:
            return asks(connection) == 200
        except (OSError, IndexError):
            return False


def metrics(connection: Line) -> str:
    """What /metrics says."""
    connection.send(connection.head("/metrics", method="GET"))
    return connection.text()


def test_one_more_takes_the_place_of_the_one_that_was_idle_the_longest(store: Store) -> None:
    with capture_logs() as logged, full(store, 3) as (service, (first, second, third)):
        first.send(first.authorize("again"))
        assert first.answer()[0] == 200
        with line(service) as one, line(service) as more:
            assert [asks(one), asks(more)] == [200, 200]
            assert second.ended()
            assert third.ended()
            assert [asks(each) for each in (first, one, more)] == [200, 200, 200]
            counts = metrics(one)
    assert 'talktime_connections_too_many_total{done="idle_closed"} 2.0' in counts
    assert 'talktime_connections_too_many_total{done="not_taken"} 0.0' in counts
    [told] = [each for each in logged if each["event"] == "http connections too many"]
    assert (told["host"], told["done"], told["more"]) == (HERE, "idle_closed", 0)


def test_connections_with_a_request_are_left_alone_and_where_all_have_one_no_more_is_taken(
    store: Store,
) -> None:
    with full(store, 3) as (service, (quotes, begins, uploads)):
        quotes.send(quotes.head("/v1/quotes", "Content-Length: 2", "Expect: 100-continue"))
        assert quotes.answer()[0] == 100
        head, body = uploads.authorize("late", "Expect: 100-continue").split(b"\r\n\r\n")
        uploads.send(head + b"\r\n\r\n")
        assert uploads.answer()[0] == 100
        # What comes with a request that is answered has been read.
        whole = begins.authorize("slow")
        begins.send(begins.head("/healthz", method="GET").encode() + whole[:20])
        assert begins.answer()[0] == 200
        for _ in range(3):
            assert not taken(service)
        assert service.connections.counts == {"idle_closed": 0, "not_taken": 3}
        begins.send(whole[20:])
        assert begins.answer()[2]["decision"] == "granted"
        wait_until(lambda: taken(service), "a place")
        uploads.send(body)
        assert uploads.answer()[2]["decision"] == "granted"
        quotes.send("{}")
        assert quotes.answer()[0] == 422
        assert begins.ended()


def test_another_address_has_places_of_its_own(store: Store) -> None:
    with full(store, 2) as (service, lines):
        with line(service, source=OTHER) as other:
            assert asks(other) == 200
        assert [asks(each) for each in lines] == [200, 200]
        assert service.connections.counts == {"idle_closed": 0, "not_taken": 0}


@pytest.mark.parametrize("here", SIXES)
def test_an_ipv6_address_has_places_of_its_own(store: Store, here: str) -> None:
    with full(store, 2, "::") as (service, lines):
        with line(service, to=here) as one, line(service, to=here) as other:
            assert [asks(one), asks(other)] == [200, 200]
            with line(service, to=here) as third:
                assert asks(third) == 200
                assert one.ended()
        assert [asks(each) for each in lines] == [200, 200]


class Idle:
    """A connection of which alone the time counts."""

    def __init__(self, until_s: float) -> None:
        self.until_s = until_s
        self.closed = False

    def idle_until(self) -> float:
        return NEVER if self.closed else self.until_s

    def close_idle(self) -> None:
        self.closed = True


def test_those_that_were_used_since_they_were_found_idle_are_not_closed() -> None:
    connections = Connections(3)
    first, second, third, *more = [Idle(75 + second) for second in range(6)]
    for each in (first, second, third):
        assert connections.arrived(each, HERE, 0)
    assert connections.arrived(more[0], HERE, 10)
    assert first.closed
    second.until_s = 200
    assert connections.arrived(more[1], HERE, 10)
    assert (second.closed, third.closed) == (False, True)
    # All that were found idle are used up, and it is too early to look again.
    assert not connections.arrived(more[2], HERE, 10 + LOOK_AGAIN_S / 2)
    assert connections.arrived(more[2], HERE, 10 + 2 * LOOK_AGAIN_S)
    assert more[0].closed


def test_places_are_addresses_of_ipv4_and_networks_of_ipv6() -> None:
    connections = Connections(1)
    one, other = Idle(NEVER), Idle(NEVER)
    assert connections.arrived(one, "2001:db8::1", 0)
    assert not connections.arrived(other, "2001:db8::2", 1)
    assert connections.arrived(other, "2001:db8:0:1::1", 2)
    assert connections.arrived(one, "::ffff:192.0.2.1", 3)
    assert connections.arrived(one, "192.0.2.2", 3)
    assert not connections.arrived(other, "192.0.2.1", 4)
    connections.gone(one, "192.0.2.1")
    assert connections.arrived(other, "192.0.2.1", 5)


def test_a_place_has_at_most_a_part_of_the_descriptors() -> None:
    assert most_of(1_024) == 256
    assert most_of(65_536) == HTTP_CONNECTIONS_OF_ADDRESS_MAX


async def pages(scope: Any, receive: Any, send: Any) -> None:
    """An application that waits for the body, and answers."""
    while (await receive()).get("more_body"):
        pass
    headers = [(b"content-length", b"0")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body"})


def test_a_port_without_calls_is_bounded_too() -> None:
    asked = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    posted = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n"

    async def run() -> None:
        config = Config(pages, lifespan="off", log_config=None, timeout_keep_alive=75)
        config.load()
        make = partial(BoundedProtocol, Connections(2), config, ServerState(), {})
        server = await asyncio.get_running_loop().create_server(make, HERE, 0)
        place = server.sockets[0].getsockname()
        ends = [await asyncio.open_connection(*place) for _ in range(2)]
        for reader, writer in ends:
            writer.write(asked)
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        (busy, sends), (idle, _) = ends
        sends.write(posted)
        await sends.drain()
        more, asks_too = await asyncio.open_connection(*place)
        asks_too.write(asked)
        assert (await more.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        assert await idle.read() == b""
        sends.write(b"x")
        assert (await busy.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        for writer in (sends, asks_too, ends[1][1]):
            writer.close()
        server.close()

    asyncio.run(asyncio.wait_for(run(), PATIENCE_S))
