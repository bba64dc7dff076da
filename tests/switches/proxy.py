"""Kamailio with the configuration of examples/kamailio, on free ports."""

import re
import shutil
import socket
from pathlib import Path

from tests.switches.programs import Program, free_port, wait_until

EXAMPLE = Path(__file__).parents[2] / "examples" / "kamailio"
FILES = ("kamailio.cfg", "talktime.cfg", "settings.cfg")
OPTIONS = (
    "OPTIONS sip:proxy@{at} SIP/2.0\r\nVia: SIP/2.0/UDP {me};branch=z9hG4bK-ready\r\n"
    "From: <sip:me@{me}>;tag=ready\r\nTo: <sip:proxy@{at}>\r\nCall-ID: ready@{me}\r\n"
    "CSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
)


def changed(settings: str, values: dict[str, str]) -> str:
    """The settings of the example with other values: what a reader of the how-to does by hand."""
    for name, value in values.items():
        line = rf'(?m)^#!substdef "!{name}!.*!g"$'
        settings, found = re.subn(line, lambda _: f'#!substdef "!{name}!{value}!g"', settings)  # noqa: B023
        assert found == 1, f"{name} is no setting"
    return settings


class Proxy:
    """The process, and where it takes calls."""

    def __init__(self, folder: Path, service: str, key: str, next_hop: str, **more: str) -> None:
        self.address = f"127.0.0.1:{free_port()}"
        folder.mkdir(parents=True, exist_ok=True)
        for name in FILES:
            shutil.copy(EXAMPLE / name, folder / name)
        values = {
            "MY_SIP": f"udp:{self.address}",
            "MY_NEXT_HOP": f"sip:{next_hop}",
            "MY_TALKTIME": service,
            "MY_KEY": key,
            **more,
        }
        settings = folder / "settings.cfg"
        settings.write_text(changed(settings.read_text(), values))
        self._program = Program(
            folder,
            "kamailio",
            *("-DD", "-E", "-f", str(folder / "kamailio.cfg"), "-w", str(folder)),
            *("-Y", str(folder), "-m", "64", "-M", "8"),
        )

    def wait_until_ready(self) -> None:
        """Wait until it answers."""
        try:
            wait_until(self._answers, "an answer of Kamailio")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.said()[-3000:]}") from None

    def _answers(self) -> bool:
        assert self._program.running, f"Kamailio has ended:\n{self.said()[-3000:]}"
        host, _, port = self.address.partition(":")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.settimeout(0.2)
            asking.connect((host, int(port)))
            me = "{}:{}".format(*asking.getsockname())
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
