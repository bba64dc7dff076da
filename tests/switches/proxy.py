"""Kamailio with the configuration of an example, on free ports."""

import re
import shutil
import socket
from pathlib import Path

from talktime.config_gateways import Listen, listen_from
from tests.loopback import SIX, family_of
from tests.switches.programs import Program, free_port, wait_until

EXAMPLES = Path(__file__).parents[2] / "examples"
OPTIONS = (
    "OPTIONS sip:proxy@{at} SIP/2.0\r\nVia: SIP/2.0/UDP {me};branch=z9hG4bK-ready\r\n"
    "From: <sip:me@{me}>;tag=ready\r\nTo: <sip:proxy@{at}>\r\nCall-ID: ready@{me}\r\n"
    "CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
)


def changed(settings: str, values: dict[str, str]) -> str:
    """The settings of the example with other values: what a reader of the how-to does by hand."""
    for name, value in values.items():
        line = rf'(?m)^#?#!substdef "!{name}!.*!g"$'
        settings, found = re.subn(line, lambda _: f'#!substdef "!{name}!{value}!g"', settings)  # noqa: B023
        assert found == 1, f"{name} is no setting"
    return settings


class Proxy:
    """The process, and where it takes calls."""

    def __init__(self, folder: Path, example: str, host: str, **values: str) -> None:
        """On this host, with the files of an example, whose settings are changed to these."""
        self._at = Listen(host, free_port(host=host))
        self.address = str(self._at)
        shutil.copytree(EXAMPLES / example, folder)
        settings = folder / "settings.cfg"
        if host == SIX:
            values = {"MY_CALLERS": SIX, "MY_CARRIERS": SIX, **values}
        values = {"MY_SIP": f"udp:{self.address}", **values}
        settings.write_text(changed(settings.read_text(), values))
        self._folder = folder

    def start(self) -> None:
        """Start it, and wait until it answers."""
        folder = self._folder
        self._program = Program(
            folder,
            "kamailio",
            *("-DD", "-E", "-f", str(folder / "kamailio.cfg"), "-w", str(folder)),
            *("-Y", str(folder), "-m", "64", "-M", "8"),
        )
        try:
            wait_until(self._answers, "an answer of Kamailio")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.said()[-3000:]}") from None

    def _answers(self) -> bool:
        assert self._program.running, f"Kamailio has ended:\n{self.said()[-3000:]}"
        with socket.socket(family_of(self._at.host), socket.SOCK_DGRAM) as asking:
            asking.settimeout(0.2)
            asking.connect(self._at)
            me = str(Listen(*asking.getsockname()[:2]))
            try:
                asking.send(OPTIONS.format(at=self.address, me=me).encode())
                return asking.recv(4096).startswith(b"SIP/2.0 200")
            except OSError:
                return False

    def said(self) -> str:
        """All that it has logged."""
        return self._program.said()

    def kill(self) -> None:
        """End it and all its processes at once."""
        self._program.kill()

    def end(self) -> None:
        """Make sure that it is gone."""
        self._program.stop()


def over_http(folder: Path, service: str, key: str, next_hop: str, **more: str) -> Proxy:
    """Kamailio that charges by our own API, on the host of its next hop."""
    return Proxy(
        *(folder, "kamailio", listen_from(next_hop, "next hop", 5060).host),
        MY_NEXT_HOP=f"sip:{next_hop}",
        MY_TALKTIME=service,
        MY_KEY=key,
        **more,
    )


def over_diameter(
    folder: Path, host: str, realm: str, service: tuple[str, str, int], next_hop: str, units: int
) -> Proxy:
    """Kamailio that charges by Diameter at a service (its host, realm and port), on the host of its
    next hop."""
    at = listen_from(next_hop, "next hop", 5060).host
    their_host, their_realm, port = service
    proxy = Proxy(
        *(folder, "kamailio-ro", at),
        MY_NEXT_HOP=f"sip:{next_hop}",
        MY_HOST=host,
        MY_REALM=realm,
        MY_TALKTIME_HOST=their_host,
        MY_TALKTIME_REALM=their_realm,
        MY_CDP_XML=str(folder / "cdp.xml"),
        MY_UNITS=str(units),
        MY_MARGIN="1",
    )
    peer = folder / "cdp.xml"
    said = peer.read_text()
    for old, new in (
        ('FQDN="sip.contoso.example" Realm="contoso.example"', f'FQDN="{host}" Realm="{realm}"'),
        ("charging.contoso.example", their_host),
        ('Realm="contoso.example" port="3868"', f'Realm="{their_realm}" port="{port}"'),
        ('name="contoso.example"', f'name="{their_realm}"'),
        ('port="3870" bind="127.0.0.1"', f'port="{free_port(socket.SOCK_STREAM, at)}" bind="{at}"'),
    ):
        assert old in said, f"{old} is not in cdp.xml"
        said = said.replace(old, new)
    peer.write_text(said)
    return proxy
