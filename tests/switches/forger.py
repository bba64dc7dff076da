"""A telephone that writes its messages itself, and so may write what no honest one does."""

import re
import secrets
import socket
import time
from typing import NamedTuple

from tests.switches.proxy import Proxy

PATIENCE_S = 8.0
SILENCE_S = 0.7
COPIED = ("via", "from", "call-id", "cseq", "record-route")

NO_DIALOG: dict[str, dict[str, str]] = {
    "no contact": {"Contact": ""},
    "two contacts": {"Contact": "<sip:a@127.0.0.1:9>, <sip:b@127.0.0.1:9>"},
    "two that look like one": {"Contact": '"\\"" <sip:a@127.0.0.1:9>, "x" <sip:b@127.0.0.1:9>'},
    "a star": {"Contact": "*"},
    "an empty contact": {"Contact": "<>"},
    "no tag": {"From": "<sip:me@localhost>"},
    "a tag in quotes": {"From": '<sip:me@localhost>;tag="a;b"'},
}
"""What is missing in an INVITE that no call can be made of, or is no such thing."""


class Call(NamedTuple):
    """A call as its caller names it; without a To tag while it is not answered."""

    proxy: Proxy
    caller: str
    called: str
    call_id: str
    from_tag: str
    to_tag: str = ""


class Forger:
    """A port of 127.0.0.1 that sends and takes single messages."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self._heard: list[str] = []

    def forget(self) -> None:
        """Pass over what has come so far: what a call sends again when it is over."""
        while self.hear("", 0):
            pass

    def close(self) -> None:
        """Let the port go."""
        self._socket.close()

    def send(self, call: Call, method: str, cseq: int = 1, uri: str = "", **headers: str) -> None:
        """A request to the proxy, as the caller, or as the callee where `From` says so.

        Headers that are empty are left out.
        """
        to_tag = f";tag={call.to_tag}" if call.to_tag else ""
        lines = {
            "Via": f"SIP/2.0/UDP {self.address};branch=z9hG4bK{secrets.token_hex(8)}",
            "From": f"<sip:{call.caller}@{self.address}>;tag={call.from_tag}",
            "To": f"<sip:{call.called}@{call.proxy.address}>{to_tag}",
            "Call-ID": call.call_id,
            "CSeq": f"{cseq} {method}",
            "Contact": f"<sip:{call.caller}@{self.address}>",
            "P-Asserted-Identity": f"<sip:{call.caller}@localhost>",
            "Max-Forwards": "70",
            **{name.replace("_", "-"): text for name, text in headers.items()},
            "Content-Length": "0",
        }
        first = f"{method} {uri or f'sip:{call.called}@{call.proxy.address}'} SIP/2.0"
        self._put([first, *(f"{name}: {text}" for name, text in lines.items() if text)], call.proxy)

    def answer(
        self, request: str, status: int, proxy: Proxy, tag: str = "", contact: str | None = None
    ) -> None:
        """An answer to a request that was heard; without a Contact where that is empty."""
        copied = [ln for ln in request.split("\r\n") if ln.split(":")[0].lower() in COPIED]
        to = header(request, "To") + (f";tag={tag}" if tag else "")
        if contact is None:
            contact = f"<sip:callee@{self.address}>"
        more = [f"To: {to}", *([f"Contact: {contact}"] if contact else []), "Content-Length: 0"]
        self._put([f"SIP/2.0 {status} So", *copied, *more], proxy)

    def hear(self, first: str, patience_s: float = PATIENCE_S) -> str:
        """The next message whose first line begins so; empty when there is none in time."""
        overdue = time.monotonic() + patience_s
        while True:
            for message in self._heard:
                if message.startswith(first):
                    self._heard.remove(message)
                    return message
            self._socket.settimeout(max(0.01, overdue - time.monotonic()))
            try:
                self._heard.append(self._socket.recv(65_535).decode())
            except TimeoutError:
                return ""

    def _put(self, lines: list[str], proxy: Proxy) -> None:
        host, _, port = proxy.address.partition(":")
        self._socket.sendto("\r\n".join([*lines, "", ""]).encode(), (host, int(port)))


def header(message: str, name: str) -> str:
    """The first header of this name; empty when there is none."""
    found = re.search(rf"(?im)^{name}: *(.*?)\r?$", message)
    return found.group(1) if found else ""


def answered(caller: Forger, callee: Forger, call: Call) -> tuple[Call, str]:
    """Set up a call: as it is then, and the Route to its proxy."""
    caller.send(call, "INVITE")
    invite = callee.hear("INVITE")
    assert invite, call.proxy.said()[-3000:]
    tag = secrets.token_hex(4)
    callee.answer(invite, 200, call.proxy, tag)
    route = header(caller.hear("SIP/2.0 200"), "Record-Route")
    call = call._replace(to_tag=tag)
    caller.send(call, "ACK", uri=f"sip:callee@{callee.address}", Route=route)
    assert callee.hear("ACK")
    return call, route
