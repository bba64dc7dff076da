"""The same exchange, charged over Diameter: Kamailio's own client at the service's own port."""

import socket
from pathlib import Path

from talktime.config_gateways import Listen
from talktime.core.peers import DIAMETER
from talktime.operations.keys import find_switch
from talktime.operations.peers import NewPeer, create_peer
from talktime.operations.sealing import Seal
from talktime.operations.seed_demo import SWITCH
from tests.gateways.diameter.serving import Client, made
from tests.served import clock_ms, new_id
from tests.stores import Store
from tests.switches.exchange import Exchange
from tests.switches.forger import Forger
from tests.switches.phones import Phone
from tests.switches.programs import free_port, wait_until
from tests.switches.proxy import Proxy, over_diameter

SERVICE_HOST, SERVICE_REALM = "localhost", "talktime.example"
PROXY_HOST, PROXY_REALM = "sip.contoso.example", "contoso.example"
ANSWERS = (
    "SELECT a.sequence, a.body FROM answer a JOIN call c ON c.id = a.call_id "
    "WHERE c.call_key = ? ORDER BY a.sequence"
)


class RoExchange(Exchange):
    """With a Kamailio that asks for so many seconds at a time; without one where units are 0."""

    def __init__(
        self,
        folder: Path,
        store: Store,
        units: int,
        *peers: str,
        host: str = "127.0.0.1",
        identity: str = SERVICE_HOST,
    ) -> None:
        """`peers` are the hosts of further clients, in the realm of the proxy."""
        self.port = free_port(socket.SOCK_STREAM, host)
        self._identity = identity
        self.units, self._peers = units, (PROXY_HOST, *peers)
        self.with_proxy = units > 0
        super().__init__(
            folder,
            store,
            host,
            TALKTIME_DIAMETER_LISTEN=str(Listen(host, self.port)),
            TALKTIME_DIAMETER_IDENTITY=identity,
            TALKTIME_DIAMETER_REALM=SERVICE_REALM,
        )

    def prepare(self) -> None:
        """Make the clients known."""
        control, seal = self.store.control(), Seal(self.store.settings.seal_keys())
        with control.transaction():
            switch = made(find_switch(control, SWITCH))
            for host in self._peers:
                peer = NewPeer(DIAMETER, host, PROXY_REALM, (self.host,))
                made(create_peer(control, seal, switch, peer, now_ms=clock_ms(), next_id=new_id))

    def new_proxy(self, next_hop: Phone | Forger, **settings: str) -> Proxy:
        """A Kamailio that is connected to the service."""
        assert not settings
        folder = self.folder / f"proxy.{next_hop.port}"
        service = (self._identity, SERVICE_REALM, self.port)
        proxy = over_diameter(
            folder, PROXY_HOST, PROXY_REALM, service, next_hop.address, self.units
        )
        self._running.callback(proxy.end)
        proxy.start()
        wait_until(lambda: self.connected(PROXY_HOST), "Kamailio as a peer of the service")
        return proxy

    def connected(self, host: str) -> bool:
        """Whether the service has said that this peer is connected."""
        lines = self.service.words().splitlines()
        return any("diameter peer" in line and host in line for line in lines)

    def client(self, host: str, port: int = 0) -> Client:
        """A connection to the service, or to another port, as one of the clients."""
        client = Client(port or self.port, source=self.host, to=self.host)
        self._running.callback(client.close)
        assert client.hello(host, realm=PROXY_REALM).result_code == 2001
        return client
