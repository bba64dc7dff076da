"""An exchange: the service, Kamailio before it, a telephone behind it, telephones that call."""

import signal
import socket
from contextlib import ExitStack, suppress
from itertools import count
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

from tests.books_check import proven
from tests.served import seeded
from tests.serving import Serving
from tests.stores import Store
from tests.switches.forger import Forger
from tests.switches.office import BY_THE_MINUTE, BY_THE_SECOND, Office
from tests.switches.phones import Phone, callee, caller
from tests.switches.programs import free_port, wait_until
from tests.switches.proxy import Proxy, over_http


class Exchange:
    """Real processes on free ports of a host; all are gone at the end of the block."""

    with_proxy = True

    def __init__(self, folder: Path, store: Store, host: str = "127.0.0.1", **environ: str) -> None:
        self.folder, self.store, self.host = folder, store, host
        self._environ = {**store.environ, **environ}
        self._port = free_port(socket.SOCK_STREAM, host)
        self._running = ExitStack()
        self._proxies = count(1)
        self.key = ""

    def __enter__(self) -> Self:
        self.key = seeded(self.store).switch_key
        self.prepare()
        try:
            self.start_service()
            if self.with_proxy:
                self.answering = self.callee("callee_answers")
                self.proxy = self.new_proxy(self.answering)
        except BaseException:
            self._running.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    def prepare(self) -> None:
        """What is done before anything is started."""

    def start_service(self) -> None:
        """Start the service, on the port that it had before."""
        self.service = Serving(self._environ, "--host", self.host, "--port", str(self._port))
        self._running.callback(self.service.end)
        self.service.wait_until_ready()
        self.http = self._running.enter_context(self.service.client(self.key))

    def kill_service(self) -> None:
        """End the service in the middle of what it does."""
        assert self.service.stop(signal.SIGKILL) == -signal.SIGKILL

    def new_proxy(self, next_hop: Phone | Forger, **settings: str) -> Proxy:
        """Another Kamailio, with another next hop."""
        folder = self.folder / f"proxy.{next(self._proxies)}"
        proxy = over_http(folder, self.service.url, self.key, next_hop.address, **settings)
        self._running.callback(proxy.end)
        proxy.start()
        return proxy

    def callee(self, scenario: str) -> Phone:
        """Another telephone that takes calls."""
        phone = callee(self.folder, scenario, self.host)
        self._running.callback(phone.end)
        return phone

    def caller(
        self,
        office: Office,
        scenario: str,
        called: str = BY_THE_SECOND,
        proxy: Proxy | None = None,
        **options: Any,
    ) -> Phone:
        """A telephone of an office that calls now."""
        to = (proxy or self.proxy).address
        phone = caller(self.folder, scenario, (office.caller, called), to, **options)
        self._running.callback(phone.end)
        return phone

    def office(self, seconds: int = 0) -> Office:
        """A new organisation with credit for so many seconds, known to the service."""
        office = Office(self.store, seconds)
        asked = {"type": "user_out", "from": office.caller, "to": BY_THE_MINUTE}

        def known() -> bool:
            answer = self.http.post("/v1/quotes", json=asked)
            return answer.status_code in (200, 402) or "credit" in answer.json()["code"]

        wait_until(known, f"{office.name} is known")
        return office

    def shown(self, call_id: str) -> dict[str, Any]:
        """A call as the service shows it."""
        shown: dict[str, Any] = self.http.get(f"/v1/calls/{quote(call_id, safe='')}").json()
        return shown

    def closed(self, office: Office, calls: int = 1) -> None:
        """Wait until so many calls of an office are over for the service."""

        def over() -> bool:
            states = [call.state for call in office.calls()]
            return len(states) == calls and "open" not in states

        with suppress(AssertionError):
            wait_until(over, "")
        assert over(), f"{office.calls()}\n{self.proxy.said()[-3000:]}"

    def prove_books(self) -> None:
        """The books are right, and nothing is held."""
        proven(self.store.cell())
