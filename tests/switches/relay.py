"""freeDiameter as a relay (a DRA): clients connect to it, it connects to the service."""

import socket
from pathlib import Path
from typing import Self

from tests.loopback import SIX, family_of
from tests.switches.certificates import self_signed
from tests.switches.programs import Program, free_port, wait_until

RELAY_HOST, RELAY_REALM = "relay.contoso.example", "contoso.example"
CONF = """
Identity = "{host}";
Realm = "{realm}";
Port = {port};
SecPort = 0;
No_SCTP;
{without};
ListenOn = "{at}";
TcTimer = 6;
TLS_Cred = "{folder}/relay.pem", "{folder}/relay.key";
TLS_CA = "{folder}/relay.pem";
LoadExtension = "dict_nasreq.fdx";
LoadExtension = "dict_dcca.fdx";
LoadExtension = "acl_wl.fdx" : "{folder}/relay.acl";
ConnectPeer = "{service}" {{ No_TLS; ConnectTo = "{at}"; Port = {service_port}; }};
"""


class Relay:
    """The process; gone at the end of the block."""

    def __init__(
        self, folder: Path, service: tuple[str, int], client: str, at: str = "127.0.0.1"
    ) -> None:
        self._at, self.port = at, free_port(socket.SOCK_STREAM, at)
        self._folder = folder
        self_signed(RELAY_HOST, folder / "relay.pem", folder / "relay.key")
        (folder / "relay.acl").write_text(f"ALLOW_IPSEC {client}\n")
        self._conf = folder / "relay.conf"
        self._conf.write_text(
            CONF.format(
                host=RELAY_HOST,
                realm=RELAY_REALM,
                port=self.port,
                folder=folder,
                at=at,
                without="No_IP" if at == SIX else "No_IPv6",
                service=service[0],
                service_port=service[1],
            )
        )

    def __enter__(self) -> Self:
        self._program = Program(self._folder, "freeDiameterd", "-c", str(self._conf))
        wait_until(self._listens, "freeDiameter that listens")
        return self

    def __exit__(self, *_: object) -> None:
        self._program.stop()

    def said(self) -> str:
        """All that it has said."""
        return self._program.said()

    def _listens(self) -> bool:
        assert self._program.running, f"freeDiameter has ended:\n{self.said()[-3000:]}"
        with socket.socket(family_of(self._at), socket.SOCK_STREAM) as probe:
            return probe.connect_ex((self._at, self.port)) == 0
