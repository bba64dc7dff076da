"""Diameter as a client meets it: an engine and its gateway on free ports, with a plain tariff.

Contoso has Front desk (+1 425 555 0100), a bridge, and what credits a test gives it; Germany costs
0.001 a second, by the second. The peer of asked.py may come from this machine.
"""

import asyncio
import socket
import ssl
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any, TypeVar

from diameter.message import Message

from talktime.core.commands import Fund
from talktime.core.directory import NumberEntry, Organisation, User
from talktime.core.peers import DIAMETER
from talktime.core.rates import RateRow
from talktime.core.rating import Rate
from talktime.core.refusal import Refusal
from talktime.engine.engine import Engine
from talktime.gateways.diameter.gateway import DiameterGateway
from talktime.gateways.diameter.node import Timings
from talktime.operations.check_books import check_books
from talktime.operations.execute import execute
from talktime.operations.import_rates import import_rates
from talktime.operations.keys import create_switch
from talktime.operations.peers import NewPeer, create_peer, revoke_peer
from talktime.operations.sealing import Seal
from talktime.store.keys import Switch
from talktime.store.numbers import insert_numbers
from talktime.store.organisations import insert_organisation
from talktime.store.usage import read_call, read_usage_of_call
from talktime.store.users import insert_users
from tests.books_check import faults
from tests.gateways.diameter import asked
from tests.loopback import family_of
from tests.served import PATIENCE_S, SOURCES, clock_ms, engine_of, new_id
from tests.stores import Store

SECOND_MICROS = 1_000
ORGANISATION_ID = 7
CALLER, CALLEE, BRIDGE = "+14255550100", "+493020000001", "+14255550110"
LICENCES = frozenset({"MCOPSTNC", "MCOPSTN1", "MCOEV"})
YEAR_MS = 365 * 86_400_000
HERE = {"addresses": ("127.0.0.0/8",)}
PATIENT = Timings(watchdog_s=PATIENCE_S)
Value = TypeVar("Value")


def populate(store: Store, seconds: int) -> Switch:
    """Contoso, with credits for so many seconds to Germany; its switch is returned."""
    cell, control = store.cell(), store.control()
    store.add_wallet(ORGANISATION_ID)
    micros = seconds * SECOND_MICROS
    if micros:
        lot = Fund(ORGANISATION_ID, "k", 0, "purchase", micros, clock_ms() + YEAR_MS, "t", "t")
        with cell.transaction():
            execute(cell, [lot], clock_ms(), new_id)
    desk = User(
        *(70, ORGANISATION_ID, "desk@contoso.example", "Front desk", "US", LICENCES), "person", True
    )
    with cell.transaction():
        insert_users(cell, [desk])
    home = Organisation(
        *(ORGANISATION_ID, "Contoso", "main", "USD", "UTC", "US"), "prepaid", True, "standard"
    )
    with control.transaction():
        insert_organisation(control, home, clock_ms())
        desk_number = NumberEntry(CALLER[1:], ORGANISATION_ID, 70, "user")
        bridge = NumberEntry(BRIDGE[1:], ORGANISATION_ID, None, "toll", attached="bridge")
        insert_numbers(control, [desk_number, bridge])
        rate = RateRow("outbound", Rate("49", "Germany", 60 * SECOND_MICROS, 0, 1, 1), 0)
        made(
            import_rates(
                *(control, [rate]), name="standard", currency="USD", source="test",
                valid_from_ms=0, now_ms=clock_ms(), next_id=new_id,
            )
        )  # fmt: skip
        return made(
            create_switch(
                control, name="Kamailio", operator="Contoso", now_ms=clock_ms(), next_id=new_id
            )
        )


def add_peer(store: Store, switch: Switch, host: str = asked.HOST, **said: Any) -> int:
    """Make a peer of the switch known; its id."""
    new = NewPeer(DIAMETER, host, asked.REALM, **({} if said.get("tls") else HERE) | said)
    control, seal = store.control(), Seal(store.settings.seal_keys())
    with control.transaction():
        return made(create_peer(control, seal, switch, new, now_ms=clock_ms(), next_id=new_id)).id


def made(value: Value | Refusal) -> Value:
    """What was made."""
    assert not isinstance(value, Refusal), value
    return value


class Client:
    """One connection of a client that writes and reads with other people's library."""

    def __init__(
        self,
        port: int,
        tls: ssl.SSLContext | None = None,
        source: str = "127.0.0.1",
        to: str = "127.0.0.1",
    ) -> None:
        self._socket = socket.create_connection((to, port), PATIENCE_S, (source, 0))
        if tls is not None:
            self._socket = tls.wrap_socket(self._socket, server_hostname="localhost")
        self._hop = 0
        self._rest = b""
        self.requests: list[Message] = []

    def hello(self, host: str = asked.HOST, **said: Any) -> Message:
        """Exchange capabilities."""
        return self.ask(asked.capabilities(host, **said))

    def send(self, message: Message | bytes) -> int:
        """Send a message, numbered if it is a request; its number."""
        if isinstance(message, Message):
            if message.header.is_request:
                self._hop += 1
                message.header.hop_by_hop_identifier = self._hop
                message.header.end_to_end_identifier = self._hop
            message = message.as_bytes()
        self._socket.sendall(message)
        return self._hop

    def ask(self, message: Message) -> Any:
        """Send a request and wait for its answer; what the server asks meanwhile is kept."""
        number = self.send(message)
        while True:
            found = self.receive()
            if found.header.is_request:
                self.requests.append(found)
            elif found.header.hop_by_hop_identifier == number:
                return found

    def requested(self) -> Any:
        """The next request of the server."""
        while not self.requests:
            self.requests.append(self.receive())
        return self.requests.pop(0)

    def receive(self) -> Message:
        """The next message; ConnectionError where the server has closed."""
        return Message.from_bytes(self.receive_bytes())

    def receive_bytes(self) -> bytes:
        """The next message as it came."""
        while len(self._rest) < 4 or len(self._rest) < int.from_bytes(self._rest[1:4], "big"):
            data = self._socket.recv(65_536)
            if not data:
                raise ConnectionError("the server has closed")
            self._rest += data
        length = int.from_bytes(self._rest[1:4], "big")
        found, self._rest = self._rest[:length], self._rest[length:]
        return found

    def end(self) -> None:
        """Send nothing more, but read on."""
        self._socket.shutdown(socket.SHUT_WR)

    def is_closed(self) -> bool:
        """Whether the server closes, whatever it says before; waits for it."""
        try:
            while True:
                self.receive_bytes()
        except OSError:
            return True

    def close(self) -> None:
        """Close it without a word."""
        with suppress(OSError):
            self._socket.close()


class Charging:
    """A running engine with its Diameter gateway."""

    def __init__(
        self, store: Store, timings: Timings, slice_s: int, listen: str, **options: Any
    ) -> None:
        self.store = store
        store.settings = replace(store.settings, slice_s=slice_s)
        self._timings, self._slice_s, self._options = timings, slice_s, options
        self._sources = self._options.pop("sources", SOURCES)
        family, both = family_of(listen), listen == "::"
        self._listener = socket.create_server((listen, 0), family=family, dualstack_ipv6=both)
        self.port = self._listener.getsockname()[1]
        self._started = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="diameter")
        self._clients: list[Client] = []

    def start(self) -> None:
        """Serve; returns when the port answers."""
        self._thread.start()
        assert self._started.wait(PATIENCE_S)
        assert self._failure is None, self._failure

    def stop(self) -> None:
        """Stop in order, and wait for the end."""
        for client in self._clients:
            client.close()
        self.begin_to_stop()
        self._thread.join(PATIENCE_S)
        assert not self._thread.is_alive()

    def begin_to_stop(self) -> None:
        """As a signal does; once more does nothing."""
        with suppress(RuntimeError):  # its loop is closed: it has stopped
            self._loop.call_soon_threadsafe(self._stopping.set)

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        self.engine: Engine = engine_of(self.store, self._sources)
        try:
            await self.engine.start()
            self.gateway = self._gateway()
            await self.gateway.start()
        except BaseException as error:
            self._failure = error
            raise
        finally:
            self._started.set()
        await self._stopping.wait()
        await self.gateway.stop()
        await self.engine.stop()

    def _gateway(self) -> DiameterGateway:
        secure = self._options.get("tls") is not None
        sockets = {"secure" if secure else "plain": (self._listener,)}
        return DiameterGateway(
            *(self.engine, asked.OUR_HOST, (asked.OUR_REALM,)), slice_s=self._slice_s,
            timings=self._timings, **sockets, **self._options,
        )  # fmt: skip

    def connect(self, tls: ssl.SSLContext | None = None, **more: Any) -> Client:
        """A connection that has said nothing yet."""
        client = Client(self.port, tls, **more)
        self._clients.append(client)
        return client

    def client(self, host: str = asked.HOST) -> Client:
        """A connection of a peer that may talk."""
        client = self.connect()
        assert client.hello(host).result_code == 2001
        return client

    def until(self, condition: Any) -> bool:
        """Wait until what the engine's caches know makes this true."""
        with self.engine.refreshed:
            return self.engine.refreshed.wait_for(condition, PATIENCE_S)

    def revoke(self, host: str) -> None:
        """Revoke a peer, and wait until the engine knows."""
        found = self.engine.peers.diameter(host)
        assert found is not None
        control = self.store.control()
        with control.transaction():
            made(revoke_peer(control, found.id, now_ms=clock_ms()))
        assert self.until(lambda: self.engine.peers.diameter(host) is None)

    def run(self, work: Coroutine[Any, Any, Value]) -> Value:
        """Run something on the event loop, and wait for it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_S)

    def call(self, session: str) -> Any:
        """The call of a session, as the books have it."""
        with (cell := self.store.cell()).reading():
            return read_call(cell, self.switch.id, session)

    def usage(self, session: str) -> list[tuple[str, int, int]]:
        """Kind, seconds and micros of the records of a session's call."""
        call = self.call(session)
        with (cell := self.store.cell()).reading():
            found = read_usage_of_call(cell, ORGANISATION_ID, call.id)
        return [(each.kind, each.used_s, each.charge_micros) for each in found]

    def balance_s(self) -> tuple[int, int]:
        """How many seconds to Germany there are credits for, and how many of them are held."""
        with (cell := self.store.cell()).reading():
            row = cell.rows("SELECT balance_micros, held_micros FROM wallet", [])[0]
        return row[0] // SECOND_MICROS, row[1] // SECOND_MICROS

    def faults(self) -> list[str]:
        """What is wrong in the books."""
        checked = check_books(self.store.cell(), clock_ms)
        return [*map(str, checked.findings), *faults(self.store.cell())]

    switch: Switch


@contextmanager
def charging(
    store: Store, seconds: int = 3_600, *, timings: Timings = PATIENT, slice_s: int = 300,
    switch: Switch | None = None, listen: str = "127.0.0.1", **options: Any,
) -> Iterator[Charging]:  # fmt: skip
    """A service with credits for so many seconds; with `switch`, on a store that was populated
    before."""
    found = switch
    if found is None:
        found = populate(store, seconds)
        add_peer(store, found)
    service = Charging(store, timings, slice_s, listen, **options)
    service.switch = found
    service.start()
    try:
        yield service
    finally:
        service.stop()
