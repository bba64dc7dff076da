"""Telephones: SIPp plays callers and callees, and notes to the microsecond what it sent and got."""

import re
from abc import ABC, abstractmethod
from pathlib import Path
from typing import NamedTuple

from talktime.config_gateways import Listen, bracketed, listen_from
from tests.switches.programs import PATIENCE_S, Program, free_port, taken, wait_until

SCENARIOS = Path(__file__).with_name("scenarios")
REASON = re.compile(r"^Reason: *(.+?)\s*$", re.MULTILINE | re.IGNORECASE)


class Message(NamedTuple):
    """One SIP message: when, sent or received, of which call and method, its first line."""

    at_s: float
    sent: bool
    call_id: str
    of: str
    line: str

    @property
    def status(self) -> int:
        """Its status, 0 for a request."""
        return int(self.line.split()[1]) if self.line.startswith("SIP/2.0 ") else 0

    @property
    def method(self) -> str:
        """Its method, empty for an answer."""
        return "" if self.status else self.line.split()[0]


class Heard(ABC):
    """What a telephone has sent and got."""

    @abstractmethod
    def messages(self) -> list[Message]:
        """All of it so far."""

    def got(self, what: str | int) -> list[Message]:
        """What it has received of one method or status."""
        return [
            message
            for message in self.messages()
            if not message.sent and what in (message.method, message.status)
        ]

    def sent(self, what: str | int) -> list[Message]:
        """What it has sent of one method or status."""
        return [
            message
            for message in self.messages()
            if message.sent and what in (message.method, message.status)
        ]


class Leg(Heard):
    """One call of a telephone."""

    def __init__(self, phone: "Phone", call_id: str) -> None:
        self._phone, self._call_id = phone, call_id

    def messages(self) -> list[Message]:
        return [message for message in self._phone.messages() if message.call_id == self._call_id]


class Phone(Heard):
    """One SIPp with one scenario."""

    def __init__(self, folder: Path, scenario: str, host: str, to: str, *arguments: str) -> None:
        self.port = free_port(host=host)
        self.address = str(Listen(host, self.port))
        self._log = folder / f"{scenario}.{self.port}.csv"
        self._messages = folder / f"{scenario}.{self.port}.messages"
        self._program = Program(
            folder,
            "sipp",
            *("-sf", str(SCENARIOS / f"{scenario}.xml"), "-i", host, "-p", str(self.port)),
            *("-trace_shortmsg", "-shortmessage_file", str(self._log)),
            *("-trace_msg", "-message_file", str(self._messages)),
            *("-nostdin", *arguments, to),
        )

    @property
    def running(self) -> bool:
        return self._program.running

    def messages(self) -> list[Message]:
        found = []
        lines = self._log.read_text().splitlines() if self._log.exists() else []
        for line in lines:
            fields = line.split("\t")
            if len(fields) == 7:
                at_s, sent = float(fields[2]), fields[3] == "S"
                found.append(Message(at_s, sent, *fields[4:]))
        return found

    def of(self, call_id: str) -> "Leg":
        """One call alone, of the many that this telephone takes."""
        return Leg(self, call_id)

    def reasons(self) -> list[str]:
        """Every Reason header that it has seen."""
        return REASON.findall(self._messages.read_text()) if self._messages.exists() else []

    def wait(self, patience_s: float = PATIENCE_S) -> None:
        """Wait until its calls are over, each as its scenario says."""
        code = self._program.wait(patience_s)
        assert code == 0, f"SIPp ended with {code}:\n{self._program.said()[-3000:]}"

    def end(self) -> None:
        """Make sure that it is gone."""
        self._program.stop()


def callee(folder: Path, scenario: str = "callee_answers", host: str = "127.0.0.1") -> Phone:
    """A telephone that takes calls, any number of them."""
    phone = Phone(folder, scenario, host, bracketed(host))
    wait_until(lambda: taken(host, phone.port), "a callee that listens")
    return phone


def caller(
    folder: Path,
    scenario: str,
    numbers: tuple[str, str],
    proxy: str,
    *,
    calls: int = 1,
    a_second: int = 10,
    talks_ms: int = 0,
) -> Phone:
    """A telephone that calls the second number from the first, over a proxy."""
    called = folder / f"numbers.{free_port()}.csv"
    called.write_text("SEQUENTIAL\n{};{};\n".format(*numbers))
    return Phone(
        folder,
        scenario,
        listen_from(proxy, "proxy", 5060).host,
        proxy,
        *("-inf", str(called), "-m", str(calls), "-r", str(a_second), "-l", str(calls)),
        *("-d", str(talks_ms), "-cid_str", "%u/%%2F+%p;x@%s"),
    )
